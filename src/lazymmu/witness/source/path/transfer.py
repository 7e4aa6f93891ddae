# SPDX-License-Identifier: GPL-2.0-or-later
"""The transfer function: what one node makes of what is known of variables and conditions.

Entries are versioned by forgetting: a variable that is assigned names another entry from then on,
and what was pending under its name stays pending without a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from lazymmu.kernelc.ir.abstract_value import (
    NONZERO,
    ZERO,
    AllocationMask,
    Evaluator,
    Int,
    NonZero,
    Value,
    normalize_condition,
    truth,
)
from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    AnyCall,
    Assign,
    Expr,
    Field,
    Index,
    Name,
)
from lazymmu.kernelc.ir.nodes import (
    EVAL,
    SWITCH,
    Function,
    Node,
    calls_in,
    spell,
    strip_casts,
    writes,
)
from lazymmu.kernelc.ir.nodes import assigned as last_assigned
from lazymmu.kernelc.ir.switches import switched
from lazymmu.witness.source.effects.context_answers import ContextAnswers
from lazymmu.witness.source.effects.lock_effects import LockEffects
from lazymmu.witness.source.effects.read_entries import ReadEntries
from lazymmu.witness.source.function.counter_tests import cases_of, questions, tests
from lazymmu.witness.source.function.counters import (
    handed_back,
    learnt,
    moved,
)
from lazymmu.witness.source.function.frame import ENTRY_LEVELS, Frame
from lazymmu.witness.source.function.freed_variables import array_of
from lazymmu.witness.source.function.kept_origins import named_by_origins
from lazymmu.witness.source.function.liveness import Liveness, ordered
from lazymmu.witness.source.function.names import (
    EntryName,
    forget,
    forget_member,
    mentions,
    rename_lock,
)
from lazymmu.witness.source.function.pointer_copies import (
    Copy,
    copied_from,
    copies_below,
    inside,
    is_element,
    moved_on,
    pointed_to,
    variable_at,
    with_copy,
)
from lazymmu.witness.source.function.pointer_offsets import arrived, leaving
from lazymmu.witness.source.function.pointer_writes import handed_over, near
from lazymmu.witness.source.function.spelled_words import names_it
from lazymmu.witness.source.function.state import (
    Fact,
    FactList,
    State,
    with_fact,
    with_origin,
)
from lazymmu.witness.source.interproc.call_targets import CallResolver
from lazymmu.witness.source.path.changed_by_calls import ChangedByCalls
from lazymmu.witness.source.path.kept_entries import left_alone, spelled_by
from lazymmu.witness.source.path.outcomes import (
    above_zero,
    changed_to,
    decided_by,
    not_for_zero,
    returned_counts,
)
from lazymmu.witness.source.path.path_state import Path


class Transfer:
    """Branches, assignments and returned values, over one program's constants and locks."""

    def __init__(
        self, resolver: CallResolver, locks: LockEffects, in_place: Callable[[AnyCall], bool]
    ) -> None:
        """Take over what is known; `in_place` tells which calls are walked in their caller's."""
        self._changed = ChangedByCalls(resolver, locks.words, in_place)
        self._resolver = resolver
        self._facts = resolver.facts
        self._locks = locks
        self._words = locks.words
        self._read = ReadEntries(resolver.program, locks.words)
        self._context = ContextAnswers(locks.words)

    def evaluator(self, frame: Frame, path: Path) -> Evaluator:
        """An evaluator that knows the path's facts, and what its calls have returned."""
        env = frame.env(path.state.facts)
        env.update((name.spelling, value) for name, value in path.state.counters if name.here)
        env.update(self._context.of(path.state.product.task))
        returned = {call: r.value for call, r in path.results.items() if r.value is not None}
        return self._facts.within(frame.graph, env, returned=returned)

    def parted(self, frame: Frame, node: Node, expr: Expr, paths: list[Path]) -> list[Path]:
        """A path is two where a counter decides, or both names of a value are asked for."""
        if node.op == SWITCH and frame.asked:
            paths = [way for path in paths for way in self._cases(frame, node, path)]
        for condition, subject in (
            questions(node, frame.asked, frame.plan.plain) if frame.asked else ()
        ):
            paths = [way for p in paths for way in self._answered(frame, p, condition, subject)]
        for test in tests(node, frame.counted, self._words) if frame.counted else ():
            paths = [way for path in paths for way in decided_by(frame, node, path, test)]
        if frame.counted:
            paths = [returned_counts(path, expr, self._words) for path in paths]
        return self._copied(frame, node, expr, paths)

    def _answered(self, frame: Frame, path: Path, condition: Expr, subject: str) -> list[Path]:
        """The ways in which something that a helper is handed may decide; one where it is known."""
        counters = path.state.counters
        said = truth(self.evaluator(frame, path).value(condition))
        values: tuple[Value, ...] = (NONZERO, ZERO)
        if said is not None:
            known_as = normalize_condition(condition)
            if known_as is None or EntryName(subject) in dict(counters):
                return [path]
            values = (NONZERO if said == known_as.holds else ZERO,)
        return [
            replace(path, state=path.state.counting(learnt(counters, subject, value)))
            for value in values
        ]

    def _cases(self, frame: Frame, node: Node, path: Path) -> list[Path]:
        """The ways in which a switch over something that a helper is handed may decide."""
        evaluator, counters = self.evaluator(frame, path), path.state.counters
        ways: list[Path] = []
        if len(self.cases(frame, node, path.state, evaluator)) < 2:
            return [path]
        for condition, _ in cases_of(node):
            asked = normalize_condition(condition)
            if asked is None or asked.subject not in frame.asked:
                return [path]
            said = truth(evaluator.value(condition))
            if said is None and EntryName(asked.subject) not in dict(counters):
                yes, no = (NONZERO, ZERO) if asked.holds else (ZERO, NONZERO)
                other = path.state.counting(learnt(counters, asked.subject, yes))
                ways.append(replace(path, state=other))
                counters = learnt(counters, asked.subject, no)
        return [*ways, replace(path, state=path.state.counting(counters))]

    def cases(self, frame: Frame, node: Node, state: State, evaluator: Evaluator) -> list[int]:
        """Where a switch goes, by the value that it is over, or by what is known of its cases."""
        ways = list(switched(node, evaluator))
        known_of = {name.spelling: value for name, value in state.counters if name.here}
        for condition, succ in cases_of(node) if frame.asked and len(ways) > 1 else ():
            asked = normalize_condition(condition)
            said = truth(known_of.get(asked.subject)) if asked is not None else None
            if asked is not None and said is not None:
                if said == asked.holds:
                    return [succ]
                ways.remove(succ)
        return ways

    def _copied(self, frame: Frame, node: Node, expr: Expr, paths: list[Path]) -> list[Path]:
        """A copy of an unknown value that both names are asked for is two paths."""
        if node.op != EVAL or not isinstance(expr, Assign) or expr.op != "=":
            return paths
        source = strip_casts(expr.value)
        if not isinstance(source, (*VARIABLES, Field)):
            return paths
        if not {spell(source), spell(strip_casts(expr.target))} <= frame.plan.live[node.succ[0]]:
            return paths
        out = []
        for path in paths:
            if truth(self.evaluator(frame, path).value(source)) is not None:
                out.append(path)
                continue
            for value in (NONZERO, ZERO):
                facts = with_fact(path.state.facts, spell(source), value)
                state = path.state.knowing(facts)
                out.append(Path(state, path.trail, path.results))
        return out

    def branch(
        self, frame: Frame, node: Node, expr: Expr, facts: FactList, evaluator: Evaluator
    ) -> list[tuple[int, FactList]]:
        """Where a branch goes, and what is known there."""
        value = truth(evaluator.value(expr))
        plain = frame.plan.plain.get(expr, expr)
        asked = normalize_condition(plain)
        if value is None and plain is not expr:
            value = truth(evaluator.value(plain))
        if value is None and asked is not None:
            remembered = dict(facts).get(asked.subject)
            if remembered is not None:
                value = truth(remembered) == asked.holds
        out = []
        for succ, holds in ((node.succ[0], True), (node.succ[1], False)):
            if value is not None and holds != value:
                continue
            more = facts
            if value is None and asked is not None and asked.subject in frame.plan.tracked:
                more = with_fact(facts, asked.subject, NONZERO if holds == asked.holds else ZERO)
            for variable in sorted(ordered(expr) & frame.plan.tracked):
                unknown = evaluator.lookup(variable) is None
                if unknown and not_for_zero(expr, variable, evaluator, holds):
                    more = with_fact(more, variable, NONZERO)
            out.append((succ, more))
        return out

    def assigned(self, frame: Frame, expr: Expr, path: Path, evaluator: Evaluator) -> State:
        """The state after the writes of an expression."""
        state = path.state
        if state.counters or frame.counted:
            state = state.counting(moved(state.counters, expr, self._words, frame.counted))
        state = self._moved(frame, expr, self._changed.forgotten(frame, expr, state))
        locked = self._locks.outputs(expr)
        written = () if expr in frame.plan.plain else writes(expr)  # Who only asks writes nothing.
        for each, value in (*written, *handed_over(frame, expr, state.copies)):
            target = variable_at(each, state.copies)
            spelling = spell(target)
            if value is None and spelling in locked:
                continue
            inner = last_assigned(value) if value is not None else None
            given = evaluator.value(inner) if inner is not None else None
            if given is None and inner is not None and inner in frame.plan.plain:
                given = evaluator.value(frame.plan.plain[inner])
            source = None
            if inner is not None and (held := array_of(target)) in frame.plan.traced:
                source = self._read.of(inner, state.origins, frame.graph.file)
                source = state.entry(source) if source is not None else None
            if inner is None and (spelling in frame.plan.masks or spelling in frame.plan.tracked):
                given = changed_to(expr, target, evaluator)
            copies = self._pointers(frame, expr, state, target, value)
            kept = self._kept(frame, expr, state, target) if value is None else ()
            by_call = partial(self._rewritten, frame, expr, state)
            left = left_alone(state, spelling, by_call) if value is None else {}
            state, near_it = leaving(state, spelling, expr, frame.plan.offsets)
            state = self.overwritten(spelled_by(state, left), target)
            state = spelled_by(state, {by: name for name, by in left.items()})
            state = arrived(state, near_it)
            for copy in copies:
                if not names_it(copy.of, copy.variable):
                    state = replace(state, copies=with_copy(state.copies, *copy))
            for fact in kept:
                state = replace(state, facts=with_fact(state.facts, *fact))
            if isinstance(given, AllocationMask) and spelling not in frame.plan.masks:
                given = None
            known_of = isinstance(given, (Int, NonZero, AllocationMask)) or above_zero(given)
            if known_of and spelling in frame.plan.tracked:
                state = replace(state, facts=with_fact(state.facts, spelling, given))
            if source is not None and isinstance(target, (*VARIABLES, Field, Index)):
                state = replace(state, origins=with_origin(state.origins, held, source))
            returned = path.results.get(inner) if inner is not None else None
            if returned is not None and returned.name is not None:
                name = EntryName(spelling)
                state = state.after(rename_lock(state.product, returned.name, name))
                state = state.counting(handed_back(state.counters, returned.name, spelling))
        if any(counter.name.owners for counter in state.counters):
            state = state.counting(tuple(c for c in state.counters if not c.name.owners))
        return state

    def _pointers(
        self, frame: Frame, expr: Expr, state: State, target: Expr, value: Expr | None
    ) -> Iterable[Copy]:
        """The copies of pointers that a write makes, or leaves where a structure is handed on."""
        spelling, known = spell(target), state.copies
        if value is None:
            held = inside(known, spelling)
            return [c for c in held if not self._rewritten(frame, expr, state, c.variable)]
        of = copied_from(variable_at(strip_casts(value), state.copies)) or near(frame, value)
        if isinstance(target, Field):
            entry = of and (frame.entry_level(value) or state.names_entry(of))
            return (Copy(spelling, of),) if entry else ()
        if not isinstance(target, Name | Index):
            return ()
        if frame.entry_level(target):
            return (
                (Copy(spelling, of),)
                if of and (isinstance(target, Name) or is_element(target))
                else ()
            )
        own = pointed_to(value)
        kind = frame.graph.types.get(own[1:], "")
        if own and (kind.startswith("struct ") or kind in ENTRY_LEVELS):
            return (Copy(spelling, own),)
        return copies_below(known, of, spelling) if of else ()

    def _moved(self, frame: Frame, expr: Expr, state: State) -> State:
        """The state without copies that whoever is handed a pointer to their structure writes."""
        members = [copy for copy in state.copies if "->" in copy.variable]
        gone = [c for c in members if self._rewritten(frame, expr, state, c.variable)]
        if not gone:
            return state
        return replace(state, copies=tuple(c for c in state.copies if c not in gone))

    def _rewritten(self, frame: Frame, expr: Expr, state: State, member: str) -> bool:
        """Whether who is handed a structure in an expression may write a member of it."""
        env = frame.env(state.facts)
        return any(self._changed.writes(frame, call, state, member, env) for call in calls_in(expr))

    def _kept(self, frame: Frame, expr: Expr, state: State, target: Expr) -> list[Fact]:
        """Masks in members of a structure that whoever is handed its address leaves alone."""
        prefix = f"{spell(target)}->"
        facts = [fact for fact in state.facts if fact.subject.startswith(prefix)]
        facts = [fact for fact in facts if fact.subject in frame.plan.masks]
        return [f for f in facts if not self._rewritten(frame, expr, state, f.subject)]

    def overwritten(self, state: State, target: Expr) -> State:
        """The state without what was known of something that is written."""
        spelling = spell(target)
        variable = isinstance(target, VARIABLES)
        forgetting = forget if variable else forget_member
        state = named_by_origins(state, spelling, variable=variable)
        product, copies = moved_on(state.product, state.copies, spelling)
        product = forgetting(product, spelling)
        facts = tuple(
            fact
            for fact in state.facts
            if not (names_it if variable else mentions)(fact.subject, spelling)
        )
        inner = f"{spelling}->"
        origins = tuple(
            o
            for o in state.origins
            if spelling not in (o.variable, o.entry.spelling) and not o.variable.startswith(inner)
        )
        return State(product, facts, origins, copies)

    def macro_writes(self, path: Path, call: AnyCall, graph: Function, plan: Liveness) -> Path:
        """A macro that assigns to its parameter assigns to its argument."""
        state = path.state
        for param, arg in zip(graph.params, call.args, strict=False):
            if param in plan.rewritten:
                state = self.overwritten(state, strip_casts(arg))
        return Path(state, path.trail, path.results)
