# SPDX-License-Identifier: GPL-2.0-or-later
"""What a path takes for granted of the configuration where it takes a branch.

A question such as is_device_exclusive_entry() can be answered by yes only where its CONFIG symbol
is on: elsewhere a stub says no, or the function asks IS_ENABLED() first.  Whoever goes on behind a
yes has assumed the symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import truth
from lazymmu.kernelc.ir.expr import Assign, Binary, Call, Expr, Name, Not, Temporary, Unary
from lazymmu.kernelc.ir.nodes import BRANCH, RETURN, Function, strip_casts
from lazymmu.kernelc.program import Program, Target, assignments
from lazymmu.witness.source.interproc.constants import CONFIG_TESTS, ConstantEvaluator

__all__ = ["Assumptions"]

_NOTHING: Final[frozenset[str]] = frozenset()
_NO_VARIABLES: Final[Mapping[str, Expr]] = MappingProxyType({})

_NODES: Final = 24
"""Nodes of a function that is still read for what its yes needs."""

_WAYS: Final = 64
"""Ways through such a function, beyond which nothing is said of it."""


class _Way(NamedTuple):
    """One way through a function: where it is, what it needs, and what was noted last."""

    node: int
    needs: frozenset[str]
    noted: Expr | None


class Assumptions:
    """Names the CONFIG symbols that the outcome of a condition needs, for one program.

    :param has_stub: whether another definition stands beside one that is there under a condition,
        and says no.
    """

    def __init__(
        self,
        program: Program,
        facts: ConstantEvaluator,
        words: Vocabulary,
        has_stub: Callable[[Definition], bool] = lambda _: True,
    ) -> None:
        self._program = program
        self._facts = facts
        self._features = {name: f"CONFIG_{word.config}" for name, word in words.features.items()}
        self._has_stub = has_stub
        self._known: dict[tuple[str, str], tuple[frozenset[str], int]] = {}
        self._variables: dict[tuple[str, int], tuple[Mapping[str, Expr], int]] = {}
        """Beside each answer, what it was read from."""

    def at(self, graph: Function, expr: Expr, holds: bool) -> frozenset[str]:
        """The same of a condition of a function, whose variables may hold the answer."""
        place = (graph.file, graph.line)
        reads = self._program.reads
        known = self._variables.get(place)
        if known is None:
            outer = reads.begin()
            answers = self._answers(graph)
            known = self._variables[place] = answers, reads.end(outer)
        reads.bits |= known[1]
        return self.of(expr, holds, graph.file, known[0])

    def of(
        self, expr: Expr, holds: bool, file: str, variables: Mapping[str, Expr] = _NO_VARIABLES
    ) -> frozenset[str]:
        """The symbols without which a condition of `file` cannot come out as `holds`.

        :param variables: what variables hold that are assigned once.
        """
        expr = strip_casts(expr)
        while isinstance(expr, Not):
            expr, holds = strip_casts(expr.operand), not holds
        match expr:
            case Name() | Temporary() if expr.spelling in variables:
                return self.of(variables[expr.spelling], holds, file)
            case Call(name=str(name), args=args) if holds and name in CONFIG_TESTS:
                return self._tested(args[0]) if args else _NOTHING
            case Call(name=str(name)) if holds:
                return self._call(name, file)
            case Binary("&", left, right):
                return self._flag(left, right, holds) or self._flag(right, left, holds)
            case Binary("&&" | "||" as op, left, right) if holds == (op == "&&"):
                both = (self.of(side, holds, file, variables) for side in (left, right))
                return _NOTHING.union(*both)
        return _NOTHING

    def _answers(self, graph: Function) -> dict[str, Expr]:
        """What a variable holds when it is not zero, of those for which there is one expression."""
        evaluator = self._facts.evaluator({}, graph.file)
        found: dict[str, Expr] = {}
        for variable, values in assignments(graph).items():
            if variable.spelling in graph.params or None in values:
                continue
            yes = [v for v in values if v is not None and truth(evaluator.value(v)) is not False]
            if len(yes) == 1:
                found[variable.spelling] = yes[0]
        return found

    def _tested(self, symbol: Expr) -> frozenset[str]:
        """A CONFIG symbol, unless the profile's machine has it on anyway."""
        if not isinstance(symbol, Name) or truth(self._facts.name(symbol.spelling)):
            return _NOTHING
        return frozenset({symbol.spelling})

    def _flag(self, flag: Expr, mask: Expr, holds: bool) -> frozenset[str]:
        needs = self._features.get(flag.spelling) if isinstance(flag, Name) else None
        without = isinstance(mask, Unary) and mask.op == "~"
        return _NOTHING if needs is None or holds == without else frozenset({needs})

    def _call(self, name: str, file: str) -> frozenset[str]:
        """What a yes of a function needs: where it stands, and on every way to that yes."""
        key = (name, file)
        reads = self._program.reads
        known = self._known.get(key)
        if (target := self._program.resolve(name, file)) is not None:
            # Also of one that comes back to itself, of which nothing is known yet.
            reads.note(("body", target.definition.file, target.definition.name))
        if known is None:
            self._known[key] = _NOTHING, 0
            outer = reads.begin()
            found = self._needed(name, target)
            known = self._known[key] = found, reads.end(outer)
        reads.bits |= known[1]
        return known[0]

    def _needed(self, name: str, target: Target | None) -> frozenset[str]:
        feature = self._features.get(name)
        found = {feature} if feature else set()
        if target is not None and not target.ambiguous:
            presence = [p for p in target.definition.presence if p.startswith("CONFIG_")]
            if presence:
                at = target.definition
                self._program.reads.note(("stub", at.file, at.name))
                found |= set(presence) if self._has_stub(at) else set()
            found |= self._said_yes(self._program.function(target.definition))
        return frozenset(found)

    def _said_yes(self, graph: Function) -> frozenset[str]:
        """What every way through a small function needs on which it does not return zero."""
        if len(graph.nodes) > _NODES or graph.broken:
            return _NOTHING
        evaluator = self._facts.evaluator({}, graph.file)
        shared: frozenset[str] | None = None
        todo = [_Way(0, _NOTHING, None)]
        seen = set(todo)
        while todo:
            if len(seen) > _WAYS:
                return _NOTHING
            way = todo.pop()
            node = graph.nodes[way.node]
            said, noted = node.expr, way.noted
            if isinstance(said, Temporary) and noted is not None:
                said = noted
            if node.op == RETURN and said is not None:
                if truth(evaluator.value(said)) is not False:
                    mine = way.needs | self.of(said, True, graph.file)
                    shared = mine if shared is None else shared & mine
                continue
            if isinstance(said, Assign) and isinstance(said.target, Temporary):
                noted = said.value
            for at, succ in enumerate(node.succ):
                needs = way.needs
                if node.op == BRANCH and said is not None:
                    needs |= self.of(said, at == 0, graph.file)
                after = _Way(succ, needs, noted)
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        return shared or _NOTHING
