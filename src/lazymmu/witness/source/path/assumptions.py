# SPDX-License-Identifier: GPL-2.0-or-later
"""What a path takes for granted of the configuration where it takes a branch.

A question such as is_device_exclusive_entry() can be answered by yes only where its CONFIG symbol
is on: elsewhere a stub says no.  Whoever goes on behind a yes has assumed the symbol.
"""

from __future__ import annotations

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.expr import Binary, Call, Expr, Name, Not, Unary
from lazymmu.kernelc.ir.nodes import strip_casts
from lazymmu.kernelc.program import Program

__all__ = ["Assumptions"]

_NOTHING: frozenset[str] = frozenset()


class Assumptions:
    """Names the CONFIG symbols that the outcome of a condition needs, for one program."""

    def __init__(self, program: Program, words: Vocabulary) -> None:
        self._program = program
        self._features = {name: f"CONFIG_{word.config}" for name, word in words.features.items()}
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def of(self, expr: Expr, holds: bool, file: str) -> frozenset[str]:
        """The symbols without which a condition of `file` cannot come out as `holds`."""
        expr = strip_casts(expr)
        while isinstance(expr, Not):
            expr, holds = strip_casts(expr.operand), not holds
        match expr:
            case Call(name=str(name)) if holds:
                return self._call(name, file)
            case Binary("&", left, right):
                return self._flag(left, right, holds) or self._flag(right, left, holds)
            case Binary("&&" | "||" as op, left, right) if holds == (op == "&&"):
                return self.of(left, holds, file) | self.of(right, holds, file)
        return _NOTHING

    def _flag(self, flag: Expr, mask: Expr, holds: bool) -> frozenset[str]:
        needs = self._features.get(flag.spelling) if isinstance(flag, Name) else None
        without = isinstance(mask, Unary) and mask.op == "~"
        return _NOTHING if needs is None or holds == without else frozenset({needs})

    def _call(self, name: str, file: str) -> frozenset[str]:
        key = (name, file)
        if key not in self._known:
            feature = self._features.get(name)
            target = self._program.resolve(name, file)
            presence = target.definition.presence if target is not None else ()
            symbols = {one for one in presence if one.startswith("CONFIG_")}
            self._known[key] = frozenset(symbols | ({feature} if feature else set()))
        return self._known[key]
