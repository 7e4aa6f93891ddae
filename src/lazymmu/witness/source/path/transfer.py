# SPDX-License-Identifier: GPL-2.0-or-later
"""The transfer function: what one node makes of what is known of variables and conditions.

Entries are versioned by forgetting: a variable that is assigned names another entry from then on,
and what was pending under its name stays pending without a name.
"""

from __future__ import annotations

from dataclasses import replace

from lazymmu.contract.vocabulary import Vocabulary
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
from lazymmu.kernelc.ir.expr import VARIABLES, AnyCall, Assign, Binary, Expr, Field, Name
from lazymmu.kernelc.ir.nodes import (
    EVAL,
    Function,
    Node,
    calls_in,
    spell,
    strip_casts,
    walk,
    writes,
)
from lazymmu.kernelc.ir.nodes import assigned as last_assigned
from lazymmu.witness.source.effects.entry_effects import derived
from lazymmu.witness.source.effects.lock_effects import LockEffects
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.liveness import Liveness, names_it
from lazymmu.witness.source.function.local_members import handed_on
from lazymmu.witness.source.function.names import (
    EntryName,
    forget,
    forget_member,
    rename_lock,
)
from lazymmu.witness.source.function.pointer_copies import copied_from, moved_on, with_copy
from lazymmu.witness.source.function.state import (
    Fact,
    FactList,
    State,
    with_fact,
    with_origin,
)
from lazymmu.witness.source.interproc.call_targets import CallResolver
from lazymmu.witness.source.path.path_state import Path


class Transfer:
    """Branches, assignments and returned values, over one program's constants and locks."""

    def __init__(self, resolver: CallResolver, locks: LockEffects, words: Vocabulary) -> None:
        self._resolver = resolver
        self._facts = resolver.facts
        self._locks = locks
        self._words = words

    def evaluator(self, frame: Frame, path: Path) -> Evaluator:
        """An evaluator that knows the path's facts, and what its calls have returned."""
        env = frame.env(path.state.facts)
        returned = {
            call: known.value for call, known in path.results.items() if known.value is not None
        }
        return self._facts.within(frame.graph, env, returned=returned)

    def parted(self, frame: Frame, node: Node, expr: Expr, paths: list[Path]) -> list[Path]:
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
                state = replace(path.state, facts=facts)
                out.append(Path(state, path.trail, path.results))
        return out

    def branch(
        self, frame: Frame, node: Node, expr: Expr, facts: FactList, evaluator: Evaluator
    ) -> list[tuple[int, FactList]]:
        """Where a branch goes, and what is known there."""
        value = truth(evaluator.value(expr))
        known = normalize_condition(expr)
        if value is None and known is not None:
            remembered = dict(facts).get(known.subject)
            if remembered is not None:
                value = truth(remembered) == known.holds
        if value is not None:
            return [(node.succ[0 if value else 1], facts)]
        out = []
        for succ, holds in ((node.succ[0], True), (node.succ[1], False)):
            learnt = facts
            if known is not None and known.subject in frame.plan.tracked:
                learnt = with_fact(facts, known.subject, NONZERO if holds == known.holds else ZERO)
            out.append((succ, learnt))
        return out

    def assigned(self, frame: Frame, expr: Expr, path: Path, evaluator: Evaluator) -> State:
        """The state after the writes of an expression."""
        state = path.state
        locked = self._locks.outputs(expr)
        for target, value in writes(expr):
            spelling = spell(target)
            if value is None and spelling in locked:
                continue
            inner = last_assigned(value) if value is not None else None
            known = evaluator.value(inner) if inner is not None else None
            source = None
            if inner is not None and spelling in frame.plan.traced:
                source = derived(inner, state.origins, self._words)
                source = state.entry(source) if source is not None else None
            if inner is None and spelling in frame.plan.masks:
                known = _changed(expr, target, evaluator)
            of = ""
            if value is not None and frame.entry_level(target) and isinstance(target, Name):
                of = copied_from(value)
            kept = self._kept(frame, expr, state, target) if value is None else ()
            state = self.overwritten(state, target)
            if of and not names_it(of, spelling):
                state = replace(state, copies=with_copy(state.copies, spelling, of))
            for fact in kept:
                state = replace(state, facts=with_fact(state.facts, *fact))
            if isinstance(known, AllocationMask) and spelling not in frame.plan.masks:
                known = None
            if isinstance(known, (Int, NonZero, AllocationMask)) and spelling in frame.plan.tracked:
                state = replace(state, facts=with_fact(state.facts, spelling, known))
            if source is not None and isinstance(target, VARIABLES):
                state = replace(state, origins=with_origin(state.origins, spelling, source))
            returned = path.results.get(inner) if inner is not None else None
            if returned is not None and returned.name is not None:
                name = EntryName(spelling)
                state = state.after(rename_lock(state.product, returned.name, name))
        return state

    def _kept(self, frame: Frame, expr: Expr, state: State, target: Expr) -> list[Fact]:
        """Masks in members of a structure that whoever is handed its address leaves alone."""
        prefix = f"{spell(target)}->"
        facts = [fact for fact in state.facts if fact.subject.startswith(prefix)]
        facts = [fact for fact in facts if fact.subject in frame.plan.masks]
        env = frame.env(state.facts) if facts else {}
        handed = [
            (call, position)
            for call in calls_in(expr)
            for position, arg in enumerate(call.args)
            if facts and handed_on(arg) == spell(target)
        ]
        return [
            fact
            for fact in facts
            if not any(
                self._resolver.writes_member(
                    call, position, fact.subject.removeprefix(prefix), frame.graph, env
                )
                for call, position in handed
            )
        ]

    def overwritten(self, state: State, target: Expr) -> State:
        """The state without what was known of something that is written."""
        spelling = spell(target)
        variable = isinstance(target, VARIABLES)
        forgetting = forget if variable else forget_member
        product, copies = moved_on(state.product, state.copies, spelling)
        product = forgetting(product, spelling)
        facts = tuple(
            fact
            for fact in state.facts
            if fact.subject != spelling and not (variable and names_it(fact.subject, spelling))
        )
        origins = tuple(o for o in state.origins if spelling not in (o.variable, o.entry.spelling))
        return State(product, facts, origins, copies)

    def macro_writes(self, path: Path, call: AnyCall, graph: Function, plan: Liveness) -> Path:
        """A macro that assigns to its parameter assigns to its argument."""
        state = path.state
        for param, arg in zip(graph.params, call.args, strict=False):
            if param in plan.rewritten:
                state = self.overwritten(state, strip_casts(arg))
        return Path(state, path.trail, path.results)


def _changed(expr: Expr, target: Expr, evaluator: Evaluator) -> Value:
    """What `mask |= __GFP_NOWARN` leaves in a mask."""
    for node in walk(expr):
        if isinstance(node, Assign) and strip_casts(node.target) == target and node.op != "=":
            return evaluator.value(Binary(node.op.removesuffix("="), target, node.value))
    return None
