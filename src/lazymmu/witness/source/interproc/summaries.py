# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call may reach, however deep: sleeping, the mode, TLB maintenance.

This is the cheap half of the source witness.  It follows calls from a section into the tree
and keeps, per function and constant arguments, one chain to each thing reached.  Branches that
constant arguments decide are pruned; nothing else on the way is path-sensitive.

What one function does by itself is looked at once (direct_calls.py), and put together here for
each call that is asked for.  How deep that goes is counted from the call, so that the answer does
not depend on what was asked before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.kernelc.ir.expr import AnyCall
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.interproc.call_chains import (
    NOTHING,
    CallChain,
    Summary,
    kept_chains,
    note_chain,
)
from lazymmu.witness.source.interproc.call_targets import Binding
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.direct_calls import CallBelow, DirectCalls, OwnPart
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.interproc.recursion import Recursion, in_atomic_context
from lazymmu.witness.source.interproc.table_lookup import TableLookup

MAX_DEPTH = 12
"""Calls below a section that are followed.

A longer chain passes so many conditions of its callees that it would be of low confidence
(causes.MAX_TESTS); what is cut off is counted.  A function that names the mode is looked at even
there, so that nothing that is cut off begins or ends a section by itself.
"""

MAX_BINDINGS = 500
"""Sets of constants with which one function is looked at; beyond it, it is looked at without any.
The most in real trees are 154, in 6.12.8."""

MAX_ANALYSES = 30_000
"""Functions, each with one set of constants, that are looked at for one architecture; those after
that are unknown.  In 7.3 on x86 they are 3,567."""

_Key = tuple[str, int, str, Binding]


@dataclass(slots=True)
class _Function:
    """A function with the constants that it is called with, by its number.

    :param own: what it reaches by itself, and whom it calls; None before that was looked at.
    """

    definition: Definition
    binding: Binding
    own: tuple[CallChain | _Call, ...] | None = None
    conditions: frozenset[str] = frozenset()
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a function, by its number."""

    number: int
    call: CallBelow


class KnownFunctions(Protocol):
    """What is known of functions from an earlier analysis (witness/source/taken_over.py)."""

    def own(self, definition: Definition, binding: Binding) -> tuple[OwnPart, bool] | None:
        """What a function reaches by itself, and whether it was not read in full; None: unknown."""
        ...


class CalleeSummaries(DirectCalls):
    """Effects of functions of one program, computed on demand and remembered."""

    def __init__(
        self,
        program: Program,
        facts: ConstantEvaluator,
        vocabulary: Vocabulary,
        tables: TableLookup,
        api: ModeApi,
        names_mode: Callable[[Definition], bool] = lambda _: False,
        given: Mapping[tuple[str, str, Binding], Summary] | None = None,
    ) -> None:
        """Start with nothing known.

        :param api: which calls are the mode's.
        :param names_mode: whether a definition's text names the mode.
        :param given: what calls come to that may be asked for, by file, name and constants; without
            it, that is found out.
        """
        super().__init__(program, facts, vocabulary, tables, api)
        self.names_mode = names_mode
        self.given = given
        self.taken_over: KnownFunctions | None = None
        """The parts of an earlier analysis that hold."""
        self._numbers: dict[_Key, int] = {}
        self._functions: list[_Function] = []
        self._asked: dict[int, Summary] = {}
        """Of the calls that were asked for."""
        self._whole: dict[int, Summary] = {}
        """Of what lies below them and was followed to its end."""
        self._known: dict[int, Summary] = {}
        """Of all that was looked at for the call at hand: some of it was cut off."""
        self._recursion: Recursion[int] = Recursion()
        self.cut_off: set[tuple[str, int]] = set()
        """Definitions that were not looked at because they lie too deep."""
        self._cut = False
        self._looked_at = 0
        self._bindings: dict[tuple[str, int], int] = {}

    # -- asked by the walker --------------------------------------------------------------

    def of_call(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value], near: str = ""
    ) -> Summary:
        """Effects of a call in ``graph`` to something that is not in the vocabulary."""
        target = self.target(call, graph, env, near)
        if target is None:
            return NOTHING
        return self.of(target.definition, self.bind(target.definition, call, graph, env))

    def of(self, definition: Definition, binding: Binding) -> Summary:
        """Effects of a definition called with these constants."""
        number = self._number(definition, binding)
        known = self._asked.get(number)
        if known is None and self.given is not None:
            # Of what is not there it would have to be known what it rests on.
            known = self._asked[number] = self.given[definition.file, definition.name, binding]
        elif known is None:
            known = self._asked[number] = self._reached(number, 0)
            self._whole.update((n, found) for n, found in self._known.items() if not found.cut_at)
            self._known.clear()
        place = (definition.file, definition.line, definition.name)
        self.program.reads.note(("asked", *place, binding))
        return known

    # -- effects --------------------------------------------------------------------------

    def _number(self, definition: Definition, binding: Binding) -> int:
        place = (definition.file, definition.line)
        key = (*place, definition.name, binding)
        number = self._numbers.get(key)
        if number is None:
            before = self._bindings.get(place, 0)
            if binding and before >= MAX_BINDINGS:
                self.bounded[key[:3]] = f"called with more than {MAX_BINDINGS} sets of constants"
                return self._number(definition, ())
            self._bindings[place] = before + 1
            number = self._numbers[key] = len(self._functions)
            self._functions.append(_Function(definition, binding))
        return number

    def _reached(self, number: int, depth: int) -> Summary:
        """What a function comes to that is called at some depth below the call asked for."""
        for known in (self._known.get(number), self._whole.get(number)):
            if known is not None and _holds_at(known, depth):
                self._cut = self._cut or known.cut_at > 0
                return known
        function = self._functions[number]
        definition = function.definition
        if (again := self._recursion.again(number)) is not None:
            return Summary({again: (CallChain(again, definition.name, ()),)})
        if depth > MAX_DEPTH and not self.names_mode(definition):
            self._cut = True
            self.cut_off.add((definition.file, definition.line))
            return NOTHING
        if function.own is None and self._looked_at >= MAX_ANALYSES:
            self.bounded["", 0, ""] = f"more than {MAX_ANALYSES} functions below sections"
            return NOTHING
        self._recursion.begin(number)
        outer, self._cut = self._cut, False
        effects = self._together(function, depth)
        if self._cut:
            effects = replace(effects, cut_at=max(depth, 1))
        self._cut = self._cut or outer
        return self._recursion.ended(number, effects, self._known)

    def _together(self, function: _Function, depth: int) -> Summary:
        """A function's own part with what its calls come to, each chain with the call before it."""
        own = function.own
        if own is None:
            own = self._look_at(function)
        found: dict[str, list[CallChain]] = {}
        for item in own:
            if isinstance(item, CallChain):
                note_chain(found, item)
                continue
            effects = self._reached(item.number, depth + 1)
            if effects.chains:
                _lengthened(item.call, effects, found)
        kept = kept_chains(found)
        if kept and (function.conditions or function.guessed):
            kept = {
                kind: tuple(
                    replace(
                        chain,
                        conditions=chain.conditions | function.conditions,
                        ambiguous=chain.ambiguous or function.guessed,
                    )
                    for chain in chains
                )
                for kind, chains in kept.items()
            }
        return Summary(kept)

    def looked_at(self, definition: Definition, binding: Binding) -> tuple[OwnPart, bool]:
        """What a function reaches by itself, and whether it was not read in full."""

        def told() -> tuple[OwnPart, bool]:
            earlier = self.taken_over
            known = earlier.own(definition, binding) if earlier is not None else None
            if known is not None:
                return known
            own = self.own_part(definition, binding)
            return own, bool(self.program.function(definition).broken)

        place = (definition.file, definition.line, definition.name)
        return self.program.reads.unit(("own", *place, binding), told)

    def asked(self) -> Iterator[tuple[Definition, Binding, Summary]]:
        """What the calls come to that were asked for, with whom they call."""
        for number, known in self._asked.items():
            function = self._functions[number]
            yield function.definition, function.binding, known

    def _look_at(self, function: _Function) -> tuple[CallChain | _Call, ...]:
        definition = function.definition
        self._looked_at += 1
        own, function.guessed = self.looked_at(definition, function.binding)
        function.conditions = frozenset(definition.presence)
        function.own = tuple(
            _Call(self._number(item.definition, item.binding), item)
            if isinstance(item, CallBelow)
            else item
            for item in own
        )
        return function.own


def _lengthened(call: CallBelow, effects: Summary, found: dict[str, list[CallChain]]) -> None:
    """Note the chains of what is called, with the call before them."""
    awake = call.may_sleep
    for kind, chains in effects.chains.items():
        if kind == "sleep" and not awake:
            continue
        for chain in chains:
            longer = CallChain(
                kind if awake else in_atomic_context(kind),
                chain.what,
                (call.step, *chain.steps),
                chain.conditions | call.needs if call.needs else chain.conditions,
                chain.ambiguous or call.ambiguous,
                chain.detail,
                chain.tests + call.tests,
            )
            note_chain(found, longer)


def _holds_at(known: Summary, depth: int) -> bool:
    """Whether a function that is called at a depth would come to what is known of it.

    What was followed to its end would not be where a chain that is kept goes deeper than what is
    followed; those that are not kept are worse than these, or longer.
    """
    if known.cut_at:
        return known.cut_at <= depth
    return depth + known.longest <= MAX_DEPTH + 1
