# SPDX-License-Identifier: GPL-2.0-or-later
"""Callees that are walked in their caller's place, with its names translated at the call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.expr import AnyCall
from lazymmu.kernelc.ir.nodes import (
    Function,
)
from lazymmu.kernelc.program import Program
from lazymmu.witness.finding import Step
from lazymmu.witness.source.effects.effect import InlinedCall
from lazymmu.witness.source.function.counters import inward, of_product, outward
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.liveness import Liveness
from lazymmu.witness.source.function.names import (
    enter,
    leave,
)
from lazymmu.witness.source.interproc.call_targets import Binding
from lazymmu.witness.source.interproc.call_words import says
from lazymmu.witness.source.path.path_monitors import PathMonitors
from lazymmu.witness.source.path.path_state import Path, WalkOutcome
from lazymmu.witness.source.path.path_trace import NOT_ASKED, PathTrace
from lazymmu.witness.source.path.transfer import Transfer

__all__ = ["FunctionWalker", "Inliner", "above", "mode_of"]


class FunctionWalker(Protocol):
    """Who walks one function from one state."""

    def walk(self, graph: Function, binding: Binding, product: Product) -> WalkOutcome:
        """Walk a function with its parameters bound to values."""
        ...

    def plan(self, graph: Function) -> Liveness:
        """What of a function's variables and conditions has to be remembered, and where."""
        ...


class Inliner:
    """Walks a callee from the state of its caller, and brings back what it came to.

    entered: the depths of sections at which each function was entered, by its place; shifted: for
    each function that left the mode otherwise than it found it, who called it; blamed: functions
    to whose callers that must not matter, because it is wrong there already.
    """

    def __init__(
        self,
        program: Program,
        walker: FunctionWalker,
        transfer: Transfer,
        monitors: PathMonitors,
    ) -> None:
        self._program = program
        self._walker = walker
        self._transfer = transfer
        self._monitors = monitors
        self.entered: dict[tuple[str, int, str], set[int]] = {}
        self.shifted: dict[tuple[str, int, str], dict[tuple[str, int, str], Function]] = {}
        self.blamed: set[tuple[str, int, str]] = set()

    def inlined(
        self, frame: Frame, call: AnyCall, inside: InlinedCall, path: Path, out: WalkOutcome
    ) -> Iterable[Path]:
        """Walk a callee in its caller's place."""
        graph = self._program.function(inside.definition)
        state = path.state
        entered = enter(state.product, call, graph, state.entry, state.members)
        facts = dict(path.state.facts)
        entered = entered.carrying(inward(path.state.counters, call, frame.graph, graph, facts))
        place = graph.place
        self._program.reads.note(("entered", place, entered.task.depth))
        self.entered.setdefault(place, set()).add(entered.task.depth)
        if inside.callback:
            outcome = self._called_back(graph, inside.binding, entered)
        else:
            outcome = self._walker.walk(graph, inside.binding, entered)
        out.spaces |= outcome.spaces
        out.blurred = out.blurred or outcome.blurred
        said = says(call, graph.name, frame.graph)
        step = Step(frame.graph.file, call.line, call.column, frame.graph.name, said)
        mark = "callback" if inside.callback else "call"
        before = PathTrace(path.trail, step, mark)
        conditions = frozenset(inside.definition.presence)
        for raw in outcome.raw_reports.values():
            out.add(
                replace(
                    raw,
                    trail=PathTrace(before, None, "inside", inner=raw.trail),
                    conditions=raw.conditions | conditions,
                    ambiguous=raw.ambiguous or inside.ambiguous,
                )
            )
        if inside.maybe:
            yield path
            return
        plan = self._walker.plan(graph)
        ways = {mode_of(product) for product, _, _ in outcome.exits}
        for (product, value, name), trail in outcome.exits.items():
            idle = mode_of(product) == mode_of(entered)
            if not idle:
                if place in self.blamed:
                    product = _as_meant(product, entered)
                else:
                    callers = self.shifted.setdefault(place, {})
                    callers[frame.graph.place] = frame.graph
                    self._program.reads.note(("shifted", place, frame.graph.place))
            back = leave(product, call, graph, plan.rewritten, path.state.entry)
            counters = of_product(product)
            if counters:
                counters = outward(counters, call, frame.graph, graph, plan.rewritten, name)
                back = back.carrying(counters)
            came = path.trail
            if trail is not None:
                came = PathTrace(before, None, "inside", inner=trail)
            if len(ways) > 1 and idle:
                came = PathTrace(came, step, NOT_ASKED)
            after = Path(path.state.after(back), came, path.results)
            if graph.macro:
                after = self._transfer.macro_writes(after, call, graph, plan)
            yield after.returned(call, value, name.owned_by(graph.name))

    def _called_back(self, graph: Function, binding: Binding, entered: Product) -> WalkOutcome:
        product = self._monitors.begin(graph, entered)
        outcome = self._walker.walk(graph, binding, product)
        return self._monitors.called_back(outcome, graph, entered)


def above(
    places: Collection[tuple[str, int, str]],
    callers: Mapping[tuple[str, int, str], Collection[tuple[str, int, str]]],
) -> set[tuple[str, int, str]]:
    """The callers of some functions, and theirs."""
    found: set[tuple[str, int, str]] = set()
    work = list(places)
    while work:
        fresh = set(callers.get(work.pop(), ())) - found
        found |= fresh
        work.extend(fresh)
    return found


def mode_of(product: Product) -> tuple[int, int]:
    """How deep a task is in sections, and in pauses."""
    return (product.task.depth, product.task.paused)


def _as_meant(product: Product, entered: Product) -> Product:
    """What a function that leaves the mode otherwise was meant to come to.

    What the end of a section would have settled is settled.
    """
    depth, paused = mode_of(entered)
    settled = frozenset() if product.task.depth > depth else product.task.pending
    task = replace(product.task, depth=depth, paused=paused, pending=settled)
    return replace(product, task=task, own=entered.own)
