# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of its parameters a function gives back, by itself or by what it calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lazymmu.contract.event_words import What
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.kernelc.ir.expr import AnyCall, Expr, Name
from lazymmu.kernelc.ir.nodes import Function, strip_casts
from lazymmu.witness.finding import Step
from lazymmu.witness.source.interproc.call_targets import CallResolver, callee

MAX_CALLS = 3
"""Calls below the one that hands a page down; what frees it further away is not followed."""


@dataclass(frozen=True, slots=True)
class Freed:
    """A parameter that is freed: which, as what, by which calls, and under what conditions.

    tests: how many of the calls are made under a condition of the function that makes them.
    """

    parameter: int
    what: What
    steps: tuple[Step, ...]
    conditions: frozenset[str] = frozenset()
    tests: int = 0
    ambiguous: bool = False


class FreedParameters:
    """Answers for each function of a program, and remembers."""

    def __init__(self, resolver: CallResolver, words: Vocabulary) -> None:
        self._resolver = resolver
        self._words = words
        self._followed = words.names
        self._known: dict[tuple[str, int, int], tuple[Freed, ...]] = {}

    def of(self, definition: Definition, calls: int = MAX_CALLS) -> tuple[Freed, ...]:
        """The parameters that a function frees, within so many calls below it."""
        key = (definition.file, definition.line, calls)
        known = self._known.get(key)
        if known is None:
            self._known[key] = ()  # for one that comes back to itself
            graph = self._resolver.program.function(definition)
            known = self._known[key] = tuple(self._below(graph, definition, calls))
        return known

    def _below(self, graph: Function, definition: Definition, calls: int) -> Iterator[Freed]:
        shape = self._resolver.shape(graph)
        written = {name for names in shape.rewritten for name in names}
        given = {name: at for at, name in enumerate(graph.params) if name not in written}
        conditions = frozenset(definition.presence)
        for index, inside in enumerate(shape.calls):
            for call in inside:
                tests = 0 if shape.always(graph, index) else 1
                step = Step(graph.file, call.line, call.column, graph.name, f"calls {call.name}()")
                for freed, arg in self._by(call, graph, {}, calls):
                    plain = strip_casts(arg)
                    if isinstance(plain, Name) and plain.spelling in given:
                        yield Freed(
                            given[plain.spelling],
                            freed.what,
                            (step, *freed.steps),
                            conditions | freed.conditions,
                            tests + freed.tests,
                            freed.ambiguous,
                        )

    def by_call(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value]
    ) -> Iterator[tuple[Freed, Expr]]:
        """What a call of a function that is none of the vocabulary's frees, with the argument."""
        return self._by(call, graph, env, MAX_CALLS)

    def _by(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value], calls: int
    ) -> Iterator[tuple[Freed, Expr]]:
        name = callee(call, graph, env)
        free = self._words.frees.get(name or "")
        if free is not None:
            arg = call.arg(free.arg)
            if free.certain and arg is not None:
                yield Freed(free.arg, free.what, ()), arg
            return
        if name is None or not calls or name in self._followed:
            return
        target = self._resolver.target(call, graph, env)
        if target is None:
            return
        for freed in self.of(target.definition, calls - 1):
            arg = call.arg(freed.parameter)
            if arg is not None:
                yield replace(freed, ambiguous=freed.ambiguous or target.ambiguous), arg
