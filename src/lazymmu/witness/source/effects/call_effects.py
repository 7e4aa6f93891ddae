# SPDX-License-Identifier: GPL-2.0-or-later
"""From a call in the source to events: what the vocabulary says, or what the callee may do.

A call may turn out in several *ways* (a trylock that succeeds or fails).  Each way is a list
of events, the call's value, and perhaps a callee to walk in the caller's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace

from lazymmu.contract.events import (
    BatchAdd,
    Disable,
    Enable,
    Flush,
    MaySleep,
    Pause,
    Pin,
    Resume,
    TlbFlush,
    Unpin,
)
from lazymmu.contract.section import TaskState
from lazymmu.contract.site import Site
from lazymmu.contract.vocabulary import ModeCall, Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import FunctionValue, Int, Value
from lazymmu.kernelc.ir.expr import AnyCall, Call, Expr, Name
from lazymmu.kernelc.ir.nodes import Function, Node, calls_in, spell
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.effects.batch_effects import batches, events, percpu_notes
from lazymmu.witness.source.effects.effect import (
    NOTHING,
    CallOutcome,
    Effect,
    InlinedCall,
    guessed,
)
from lazymmu.witness.source.effects.entry_effects import EntryEffects
from lazymmu.witness.source.effects.free_effects import FreeEffects
from lazymmu.witness.source.effects.handed_structures import hands_over
from lazymmu.witness.source.effects.lock_effects import LockEffects
from lazymmu.witness.source.effects.summary_effects import SummaryEffects
from lazymmu.witness.source.effects.zeroed_structures import zeroed_members
from lazymmu.witness.source.function.counter_tests import asked, constants, counted, flags
from lazymmu.witness.source.function.deciding import deciding_calls, returned_calls
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.state import State
from lazymmu.witness.source.interproc.call_targets import callee, named
from lazymmu.witness.source.interproc.call_words import says
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.plain_conditions import PlainConditions
from lazymmu.witness.source.interproc.pointed_functions import PossibleCallee
from lazymmu.witness.source.interproc.summaries import CalleeSummaries

_MAX_GETTERS = 2
"""Functions inside each other that only hand on what a counter was."""


class CallTransfer:
    """Turns calls into ways, for one program and one vocabulary."""

    def __init__(
        self,
        program: Program,
        facts: ConstantEvaluator,
        summaries: CalleeSummaries,
        words: Vocabulary,
        *,
        arch: str = "",
    ) -> None:
        self.program = program
        self.facts = facts
        self.summaries = summaries
        self.words = words
        self.api = summaries.api
        self.locks = LockEffects(program, words)
        self.entries = EntryEffects(facts, summaries, words, arch)
        self.below = SummaryEffects(facts, summaries, words)
        self.frees = FreeEffects(summaries, words)
        self.helpers: set[tuple[str, int, str]] = set()
        """Functions (file, line of their text) that change the mode for their callers."""
        self.helper_names: set[str] = set()
        self.counting: set[tuple[str, int, str]] = set()
        """Functions that move a counter and tell their caller what it was, by place."""
        self.counting_names: set[str] = set()
        self.keyed: frozenset[str] = frozenset()
        """Per-CPU variables that are batches of one mm each."""
        self.unread: set[tuple[str, int]] = set()
        """Definitions (file, line) that name the mode and were not read in full."""
        self.unread_names: set[str] = set()
        self.broken: dict[tuple[str, int, str], str] = {}
        """The same as file, line of the text, and name, with the reason."""
        self._conditions = PlainConditions(program, words)
        self._batches: dict[tuple[str, int], Mapping[str, str]] = {}
        self.implementation: frozenset[tuple[str, int]] = frozenset()
        """Functions (file, line of their text) of the architecture that is being judged itself."""
        self.balance_alone = False
        """Whether nothing is asked of callees but what they do to the mode for their callers."""

    def of_balance(self) -> CallTransfer:
        """The same, where only the balance of sections and pauses is asked for."""
        other = copy(self)
        other.helpers, other.helper_names = set(self.helpers), set(self.helper_names)
        other.balance_alone = True
        return other

    def cannot_read(self, definitions: Iterable[Definition]) -> None:
        """Take note of definitions that name the mode and were not read in full."""
        for definition in definitions:
            graph = self.program.function(definition)
            self.broken[(graph.file, graph.line, graph.name)] = graph.broken
            self.unread.add((definition.file, definition.line))
            self.unread_names.add(definition.name)

    def batch(self, frame: Frame, node: Node) -> tuple[Effect, ...]:
        """What a node of an implementation does to its per-CPU batches."""
        if not self.implementation:
            return ()
        graph = frame.graph
        key = (graph.file, graph.line)
        local = self._batches.get(key)
        if local is None:
            local = self._batches[key] = batches(graph, self.words)
        return tuple(
            Effect(event, "", "stores into the batch")
            for event in events(graph, node, local)
            if not isinstance(event, BatchAdd) or event.variable in self.keyed
        )

    def counted(self, graph: Function) -> frozenset[str]:
        """Counters that may decide whether a function begins or ends a section, by spelling."""
        if graph.place in self.counting:
            return counted(graph, self.words)
        changes = self._changes(graph)
        for call in deciding_calls(graph, changes) if changes else ():
            self._may_count(call, graph, 0)
        if not changes:
            return frozenset()
        helps = graph.place in self.helpers
        noted = flags(graph, None if helps else self.helper_names)
        noted |= zeroed_members(graph, self)
        return counted(graph, self.words) | noted

    def asked(self, graph: Function) -> frozenset[str]:
        """What a helper is handed that decides whether it begins or ends a section."""
        helps = graph.place in self.helpers
        return asked(graph, self._changes(graph), self.plain(graph)) if helps else frozenset()

    def plain(self, graph: Function) -> Mapping[Expr, Expr]:
        """What the conditions ask for in the end by which a function changes the mode, or not."""
        return self._conditions.of(graph, at) if (at := self._changes(graph)) else {}

    def begun(self, graph: Function) -> Mapping[str, bool]:
        """What a flag of a helper has where the section was begun: zero (False), or not (True).

        That is what the one who begins gives it, or what the one who ends does not.
        """
        if graph.place not in self.helpers:
            return {}
        ways = {mode.action for _, mode in self.summaries.mode_calls(graph)}
        if ways not in ({"enable"}, {"disable"}):
            return {}
        begins = ways == {"enable"}
        return {name: value == begins for name, value in constants(graph).items()}

    def in_place(self, call: AnyCall) -> bool:
        """Whether a call is walked in its caller's place for what it does to the mode."""
        return call.name in self.helper_names or call.name in self.counting_names

    def _changes(self, graph: Function) -> set[int]:
        """The nodes of a function at which the mode may change."""
        return {
            at
            for at, node in enumerate(graph.nodes)
            for call in (calls_in(node.expr) if node.expr is not None else ())
            if call.name in self.helper_names
            or self.api.of_call(call, call.name, graph.file) is not None
        }

    def _may_count(self, call: AnyCall, graph: Function, depth: int) -> bool:
        """Whether a callee moves a counter and gives its value back; then it is walked in place."""
        name = call.name or ""
        if depth > _MAX_GETTERS or name in self.words.names or name in graph.types:
            return False
        target = self.program.resolve(name, graph.file) if name else None
        if target is None:
            return False
        inner = self.program.function(target.definition)
        if inner.place not in self.counting:
            below = [self._may_count(c, inner, depth + 1) for c in returned_calls(inner)]
            if not any(below) and not counted(inner, self.words):
                return False
            self.counting.add(inner.place)
            self.counting_names.add(name)
        self.program.reads.note(("counting", inner.place, name))
        return True

    def ways(self, frame: Frame, call: AnyCall, state: State) -> tuple[CallOutcome, ...]:
        """How a call in this frame can turn out, on a path in that state."""
        env = frame.env(state.facts)
        env.update(self.below.context.of(state.product.task))
        name = callee(call, frame.graph, env)
        site = Site(frame.graph.file, call.line, call.column, frame.graph.name)
        mode = self.api.of_call(call, name, frame.graph.file)
        if mode is not None and not self.implementation:
            return self._mode(_said(call, name), mode, site)
        if name is None:
            return self._pointed(frame, call, state, env)
        return self._named(frame, call, name, state, env)

    def _pointed(
        self, frame: Frame, call: AnyCall, state: State, env: Mapping[str, Value]
    ) -> tuple[CallOutcome, ...]:
        """How a call through a pointer can turn out, for each function that it may call."""
        possible = self.summaries.pointed(call, frame.graph, env)
        several = len(possible) > 1
        one_of = all(each.among for each in possible) and any(map(self._is_half, possible))
        found: list[CallOutcome] = []
        for each in possible:
            ways = self._named(frame, named(call, each), each.name, state, env, each.file)
            guesses = (guessed(way, one_of=one_of, several=several) for way in ways)
            found += ways if each.sure else guesses
        if found:
            return tuple(found)
        on = _on(state.product.task)
        root = self.summaries.sleeping.root(call, frame.graph, env) if on else None
        if not root or self.balance_alone:
            return NOTHING
        site = Site(frame.graph.file, call.line, call.column, frame.graph.name)
        said = says(call, call.name or "", frame.graph)
        event = MaySleep(root, False, site=site)
        return (CallOutcome((Effect(event, "sleep", said, ambiguous=True),)),)

    def _is_half(self, callee: PossibleCallee) -> bool:
        """Whether a callee begins, ends, pauses or resumes for its caller."""
        api = self.api.of(callee.name, callee.file)
        return api is not None or callee.name in self.helper_names

    def _named(
        self,
        frame: Frame,
        call: AnyCall,
        name: str,
        state: State,
        env: Mapping[str, Value],
        near: str = "",
    ) -> tuple[CallOutcome, ...]:
        """How a call can turn out to a function of that name, as the file ``near`` means it."""
        site = Site(frame.graph.file, call.line, call.column, frame.graph.name)
        words = self.words
        if name in self.facts.constants:
            return (CallOutcome(value=Int(self.facts.constants[name])),)
        mode = self.api.of(name, near or frame.graph.file)
        if mode is not None and not self.implementation:
            return self._mode(name, mode, site)
        lock = words.locks.get(name)
        if lock is not None:
            return self.locks.ways(frame, call, lock, name, site)
        if (pin := words.pins.get(name)) is not None:
            kind = Pin if pin.action == "pin" else Unpin
            return (CallOutcome((Effect(kind(pin.kind, site=site), "pin", f"calls {name}()"),)),)
        if name in words.context_questions:
            return NOTHING
        if name in words.percpu:
            return (CallOutcome(tuple(percpu_notes(call, name, words, site))),)
        if name in words.any_context:
            queued = name in words.queues and not self.balance_alone
            later = self.frees.below(frame, call, state, env, site) if queued else []
            return (CallOutcome(tuple(later)),) if later else NOTHING
        tlb = words.tlb.get(name)
        if tlb is not None:
            event = TlbFlush(tlb.scope, tlb.space, tlb.how, batch=tlb.batch, site=site)
            return (CallOutcome((Effect(event, "tlb", f"calls {name}()"),)),)
        accessor = words.entries.get(name)
        if accessor is not None:
            notes = self.entries.notes(frame, call, accessor, name, env, site, state)
            if (task := state.product.task).depth and not self.balance_alone:
                effects = self.summaries.of_call(call, frame.graph, env, near)
                notes += self.below.mode(effects, site, name, task)
            return (CallOutcome(tuple(notes)),)
        return self._other(frame, call, name, state, env, site, near)

    # -- one kind of call each ----------------------------------------------------------------

    def _mode(self, name: str, mode: ModeCall, site: Site) -> tuple[CallOutcome, ...]:
        said = f"calls {name}()"
        layer = mode.layer
        match mode.action:
            case "enable":
                note = Effect(Enable(layer=layer, site=site), "begin", said)
            case "disable":
                note = Effect(Disable(layer=layer, site=site), "end", said)
            case "pause":
                note = Effect(Pause(layer=layer, site=site), "pause", said)
            case "resume":
                note = Effect(Resume(layer=layer, site=site), "resume", said)
            case "flush":
                note = Effect(Flush("api", layer=layer, site=site), "flush", said)
            case _:
                return NOTHING
        return (CallOutcome((note,)),)

    def _other(
        self,
        frame: Frame,
        call: AnyCall,
        name: str,
        state: State,
        env: Mapping[str, Value],
        site: Site,
        near: str,
    ) -> tuple[CallOutcome, ...]:
        said = says(call, name, frame.graph)
        notes = self.frees.freed(frame, call, name, state, said, site)
        on = _on(state.product.task) and not self.balance_alone
        root = self.summaries.sleeping.root(call, frame.graph, env) if on else None
        if root:
            mask = self.summaries.sleeping.assumed(call, frame.graph, env)
            slept = Effect(MaySleep(root, False, site=site), "sleep", said)
            notes.append(replace(slept, ambiguous=mask.guessed, tests=mask.tests))
        if root is not None:
            return (CallOutcome(tuple(notes)),)
        notes += self.frees.below(frame, call, state, env, site) if on else []
        known = self._known(frame, call, name) or hands_over(call, state)
        if not on and not self.implementation and not known:
            return (CallOutcome(tuple(notes)),)
        target = self.summaries.target(call, frame.graph, env, near)
        if target is None:
            return (CallOutcome(tuple(notes)),)
        definition = target.definition
        if (definition.file, definition.line) in self.unread:
            return (CallOutcome(tuple(notes), unread=name),)
        graph = self.program.function(definition)
        place = (definition.file, graph.line)
        callback = call.name in frame.graph.params
        if (
            callback
            or graph.place in self.helpers
            or graph.place in self.counting
            or place in self.implementation
            or frame.carries(call)
            or hands_over(call, state)
            or self._calls_back(frame, call, env)
        ):
            if graph.unread:
                return (CallOutcome(tuple(notes), unread=name),)
            binding = self.summaries.bind(definition, call, frame.graph, env)
            binding = self.locks.binding(frame, call, definition, binding)
            inside = InlinedCall(definition, binding, callback, target.ambiguous)
            return (CallOutcome(tuple(notes), inside=inside),)
        if on:
            effects = self.summaries.of_call(call, frame.graph, env, near)
            task = state.product.task
            notes += self.below.sleep_and_mode(effects, site, name, target.ambiguous, task)
            notes += self.below.flushes(frame, call, effects, site, name, task.pending)
            notes += self.below.table(frame, call, name, env, site, task)
        return (CallOutcome(tuple(notes)),)

    def _known(self, frame: Frame, call: AnyCall, name: str) -> bool:
        """Outside sections, only calls that may touch what is followed are resolved."""
        return (
            frame.carries(call)
            or name in frame.graph.types
            or name in self.helper_names
            or name in self.counting_names
            or name in self.unread_names
            or self._calls_back(frame, call, frame.constants)
        )

    def _calls_back(self, frame: Frame, call: AnyCall, env: Mapping[str, Value]) -> bool:
        """Whether a call hands on a callback that was bound by the caller, or one of the API."""
        return any(
            (
                isinstance(arg, Name)
                and arg.spelling in frame.graph.params
                and isinstance(env.get(arg.spelling), FunctionValue)
            )
            or self.summaries.handed_mode(arg, frame.graph, env)
            for arg in call.args
        )


def _on(task: TaskState) -> bool:
    """Whether a section is open, or the context one in which nothing may sleep."""
    return task.depth > 0 or bool(task.irq)


def _said(call: AnyCall, name: str | None) -> str:
    """What a report calls the function that a call calls."""
    return name or call.name or (spell(call.callee) if isinstance(call, Call) else "")
