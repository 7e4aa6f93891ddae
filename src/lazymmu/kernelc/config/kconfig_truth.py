# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of Kconfig's symbols, and what that says of expressions.

Two sets: the symbols that can be on, and those that must be. An expression is possible or not, and
certain or not, as they stand; the solver (kconfig_solver.py) changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from lazymmu.kernelc.config.kconfig_expressions import NO, UNREAD, YES, Expression, negation
from lazymmu.kernelc.config.kconfig_macros import FAILS, TESTS, substitute
from lazymmu.kernelc.config.kconfig_symbols import NUMBERS, Symbol

__all__ = ["TooMuchError", "Truth"]

_MAX_WORK: Final = 10_000_000
"""Names that are looked at until all symbols are settled; in 7.3 they are 640,369."""

_MAX_DIGITS: Final = 200
"""Most digits of a number."""

_MAX_REFERENCES: Final = 8
"""How often a number's default may be another number's name."""


class TooMuchError(Exception):
    """The symbols do not settle within the bounds."""


class Truth:
    """Which symbols can be on (`can`) and which must be (`must`), as far as is known.

    open: whether any member of a choice may be on and any test of the toolchain may fail.
    """

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        fixed: Mapping[str, str],
        variables: Mapping[str, str],
        excluded: Callable[[Truth, Iterable[Expression]], bool],
    ) -> None:
        """Begin with the `fixed` symbols alone.

        excluded: tells whether expressions cannot hold together because of a choice.
        """
        self.symbols = symbols
        self.fixed = fixed
        self.variables = variables
        self.open = False
        self.can = {YES, TESTS, *(name for name, value in fixed.items() if value == "y")}
        self.must = set(self.can)
        self.can.add(UNREAD)
        self._excluded = excluded
        self._left = _MAX_WORK

    def spend(self, work: int) -> None:
        """Count names that are looked at. Raises TooMuchError when they are too many."""
        self._left -= work
        if self._left < 0:
            raise TooMuchError

    def possible(self, expression: Expression) -> bool:
        """Tell whether the expression can hold."""
        if expression.__class__ is str:
            return expression in self.can
        match expression[0]:
            case "&":
                for part in expression[1:]:
                    if part.__class__ is str:
                        if part not in self.can:
                            return False
                    elif not self.possible(part):
                        return False
                return not self.open or not self._excluded(self, expression[1:])
            case "|":
                for part in expression[1:]:
                    if part in self.can if part.__class__ is str else self.possible(part):
                        return True
                return False
            case "!":
                return not self.certain(expression[1])
        return self._compare(expression) is not False

    def certain(self, expression: Expression) -> bool:
        """Tell whether the expression must hold."""
        if expression.__class__ is str:
            return expression in self.must
        match expression[0]:
            case "&":
                return all(map(self.certain, expression[1:]))
            case "|":
                if any(map(self.certain, expression[1:])):
                    return True
                return self.open and self._excluded(self, map(negation, expression[1:]))
            case "!":
                return not self.possible(expression[1])
        return self._compare(expression) is True

    def _compare(self, expression: Expression) -> bool | None:
        left, right = self._constant(str(expression[2])), self._constant(str(expression[3]))
        if left is None or right is None:
            return None
        a, b = _integer(left, 0), _integer(right, 0)
        if a is None or b is None:
            truth = left == right
            return {"=": truth, "!=": not truth}.get(str(expression[1]))
        match expression[1]:
            case "=":
                return a == b
            case "!=":
                return a != b
            case "<":
                return a < b
            case ">":
                return a > b
            case "<=":
                return a <= b
        return a >= b

    def _constant(self, word: str) -> str | None:
        """Return the text of one side of a comparison, None when it is not decided."""
        if self.open and (TESTS in word or FAILS in word):
            return None
        word = word.replace(TESTS, YES).replace(FAILS, NO)
        if word[0] == "'":
            return substitute(word[1:], self.variables) if "$(" in word else word[1:]
        symbol = self.symbols.get(word)
        if symbol is None:
            return word
        number = self.number(symbol)
        return None if number is None else str(number)

    def number(self, symbol: Symbol, depth: int = 0) -> int | None:
        """Return the value of an int or hex symbol: its first default that is possible."""
        base = 16 if symbol.kind == "hex" else 10
        if symbol.name in self.fixed:
            return _integer(self.fixed[symbol.name], 0)
        if symbol.kind not in NUMBERS or depth > _MAX_REFERENCES:
            return None
        self.spend(symbol.weight)
        for entry in symbol.entries:
            if not self.possible(entry.depends):
                continue
            for value, condition in entry.defaults:
                if self.possible(condition):
                    value = value.strip("\"'")
                    if value in self.symbols:
                        return self.number(self.symbols[value], depth + 1)
                    return _integer(value, base)
        return None


def _integer(text: str, base: int) -> int | None:
    try:
        return int(text, base) if len(text) <= _MAX_DIGITS else None
    except ValueError:
        return None
