# SPDX-License-Identifier: GPL-2.0-or-later
"""What sleeps by the vocabulary, what may not, and whose word is taken for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from lazymmu.contract.event_words import PinKind
from lazymmu.contract.interrupts_off import INTERRUPTS, InterruptsOff
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import NONBLOCKING, AllocationMask, Value, truth
from lazymmu.kernelc.ir.expr import AnyCall, Call, Deref, Field, Number, String
from lazymmu.kernelc.ir.nodes import Function, calls_in, spell, strip_casts, uses, writes
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.interproc.call_targets import callee
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.narrowed_masks import narrows


class MaskSaid(Enum):
    """Where an allocation mask is said: here, by who calls, or nowhere that one can look."""

    KNOWN = 0
    ELSEWHERE = 1
    NOWHERE = 2

    @property
    def tests(self) -> int:
        """Conditions that are assumed."""
        return 1 if self is MaskSaid.ELSEWHERE else 0

    @property
    def guessed(self) -> bool:
        """Whether that it allows to block is a guess."""
        return self is MaskSaid.NOWHERE


MOST_PINS = 3
"""Locks and pins inside of each other that are counted."""


class AtomicContext(NamedTuple):
    """Why a place may not sleep: locks, pins and pauses around it, and interrupts that are off."""

    depth: int = 0
    interrupts: InterruptsOff = InterruptsOff()

    @property
    def holds(self) -> bool:
        """Whether sleeping is a mistake."""
        return self.depth > 0 or self.interrupts.off

    def deeper(self, by: int) -> AtomicContext:
        """Return what holds after so many locks, pins or pauses more."""
        return AtomicContext(min(max(self.depth + by, 0), MOST_PINS), self.interrupts)

    def after(self, kind: PinKind, *, pins: bool) -> AtomicContext:
        """Return what holds after a pin of a kind, or after its opposite."""
        if kind in INTERRUPTS:
            return AtomicContext(self.depth, self.interrupts.after(kind, pins=pins))
        return self.deeper(1 if pins else -1)


class SleepRoots:
    """Answers for one program which calls are roots of sleeping."""

    def __init__(self, program: Program, facts: ConstantEvaluator, words: Vocabulary) -> None:
        self.program = program
        self.facts = facts
        self.words = words
        self._never: dict[tuple[str, int], bool] = {}

    def after(self, name: str, before: AtomicContext) -> AtomicContext:
        """Return the atomic context of its caller after a call."""
        pin = self.words.pins.get(name)
        if pin is not None:
            return before.after(pin.kind, pins=pin.action == "pin")
        lock = self.words.locks.get(name)
        by = {"take": 1, "try": 1, "drop": -1}.get(lock.action, 0) if lock is not None else 0
        after = before.deeper(by)
        if lock is not None and by and lock.pin and lock.pin in INTERRUPTS:
            after = after.after(lock.pin, pins=by > 0)
        return after

    def root(self, call: AnyCall, graph: Function, env: Mapping[str, Value]) -> str | None:
        """Why a call is a root of sleeping: a sentence; "" when it is one that cannot sleep here.

        None when the call is no root.  A mask that allows blocking, given to a parameter of
        type gfp_t, to a macro, or through a pointer that may call anything, is one
        (include/linux/sched/mm.h, might_alloc()).
        """
        name = callee(call, graph, env)
        if name is None:
            return self._handed_mask(call, graph, env)
        root = self.words.sleeps.get(name)
        if root is not None:
            given = call.arg(root.condition_arg) if root.condition_arg is not None else None
            if given is not None:
                decides = self.facts.within(graph, env).value(given)
                if root.condition == "null":
                    return root.why if truth(decides) is False else ""
                if truth(decides) is False or decides == NONBLOCKING:
                    return ""
            return root.why
        return self._handed_mask(call, graph, env, name)

    def assumed(self, call: AnyCall, graph: Function, env: Mapping[str, Value]) -> MaskSaid:
        """How much is assumed of the mask that decides whether a root of sleeping sleeps.

        What a parameter holds, a caller may tell; what lies in memory, nobody can tell.
        """
        root = self.words.sleeps.get(callee(call, graph, env) or "")
        where = root.condition_arg if root is not None else None
        given = call.arg(where) if where is not None else None
        if given is None or self.facts.within(graph, env).value(given) is not None:
            return MaskSaid.KNOWN
        inner = strip_casts(given)
        return MaskSaid.NOWHERE if isinstance(inner, (Deref, Field)) else MaskSaid.ELSEWHERE

    def _handed_mask(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value], name: str = ""
    ) -> str | None:
        """What is said of an allocation mask among the arguments; `name` is what is called."""
        evaluator = self.facts.within(graph, env) if call.args else None
        for position, arg in enumerate(call.args):
            if evaluator is None or isinstance(arg, (Number, String)):
                continue
            value = evaluator.value(arg)
            if not isinstance(value, AllocationMask):
                continue
            if not name or self._takes_mask(name, position, graph.file):
                if not value.blocking or self._narrows(name, position, graph.file):
                    return ""
                said = name or (spell(call.callee) if isinstance(call, Call) else call.name)
                return f"{said}() with {spell(arg)}"
        return None

    def _narrows(self, name: str, position: int, file: str) -> bool:
        """Whether a function takes what allows to wait off the mask that it is handed."""
        target = self.program.resolve(name, file) if name else None
        if target is None or target.ambiguous:
            return False
        graph = self.program.function(target.definition)
        if graph.unread or graph.broken or position >= len(graph.params):
            return False
        return narrows(graph, graph.params[position], self.facts)

    def _takes_mask(self, name: str, position: int, file: str) -> bool:
        target = self.program.resolve(name, file)
        if target is None or target.definition.kind == "macro":
            return True
        graph = self.program.function(target.definition)
        if position >= len(graph.params):
            return True
        if graph.types.get(graph.params[position], "") != self.words.gfp_type:
            return False
        return graph.unread or bool(graph.broken) or self._hands_mask_on(graph)

    def _hands_mask_on(self, graph: Function) -> bool:
        """Whether a function hands a mask to anybody; one that does not waits for no memory."""
        masks = {name for name, kind in graph.types.items() if kind == self.words.gfp_type}
        for node in graph.nodes:
            if node.expr is None:
                continue
            given = [arg for call in calls_in(node.expr) for arg in call.args]
            given += [
                value
                for target, value in writes(node.expr)
                if value is not None and spell(target) not in masks
            ]
            if any(not masks.isdisjoint(uses(each)) for each in given):
                return True
        return False

    def believed_not_to(self, definition: Definition) -> bool:
        """Whether the definition's own kernel-doc says that atomic context may call it."""
        key = (definition.file, definition.line)
        if key not in self._never:
            said = definition.context.lower()
            self._never[key] = next(
                (
                    phrase.sleeps == "no"
                    for pattern, phrase in self.words.context_phrases
                    if said and re.search(pattern, said)
                ),
                False,
            )
        return self._never[key]
