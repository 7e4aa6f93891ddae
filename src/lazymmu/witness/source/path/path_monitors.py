# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract's monitors along a path: events go in, violations and sections' states come out."""

from __future__ import annotations

from dataclasses import replace

from lazymmu.contract.events import (
    Disable,
    Enable,
    Event,
    Flush,
    FunctionCall,
    FunctionReturn,
    Write,
)
from lazymmu.contract.monitor import Product, Runtime
from lazymmu.contract.section import TaskState
from lazymmu.contract.site import Site
from lazymmu.kernelc.ir.nodes import (
    Function,
)
from lazymmu.kernelc.reads import Reads
from lazymmu.witness.finding import Step
from lazymmu.witness.source.effects.effect import Effect
from lazymmu.witness.source.path.path_state import Path, RawReport, WalkOutcome
from lazymmu.witness.source.path.path_trace import PathTrace, begun_again

_MEANT_FLUSHED = frozenset({"stale-read", "mixed-write"})
"""Rules whose violation shows that the code took an entry's pending write for done."""


class PathMonitors:
    """Runs the contract's monitors over the events of a path.

    begun, ended: the states of the task in which each section begins and ends, by the place.
    """

    def __init__(self, runtime: Runtime, reads: Reads) -> None:
        self.runtime = runtime
        self._reads = reads
        self.begun: dict[Step, list[TaskState]] = {}
        self.ended: dict[Step, list[TaskState]] = {}

    def begin(self, graph: Function, product: Product) -> Product:
        """The state in which a function begins that is the first of a path."""
        site = Site(graph.file, graph.line, 1, graph.name)
        return self.runtime.step(product, FunctionCall(graph.name, root=True, site=site))[0]

    def start(self, task: TaskState | None) -> Product:
        """The state before anything has happened, or with the task in a given state."""
        return self.runtime.start(task)

    def judge_returns(self, outcome: WalkOutcome, graph: Function, result: WalkOutcome) -> None:
        """Add what is wrong at the returns of a function."""
        for (after, line, column), trail in outcome.returns.items():
            step = Step(graph.file, line, column, graph.name, "returns")
            where = Site(step.file, step.line, step.column, graph.name)
            for violation in self.runtime.step(
                after, FunctionReturn(graph.name, root=True, site=where)
            )[1]:
                result.add(RawReport(violation, trail, step))

    def happen(self, path: Path, notes: tuple[Effect, ...], out: WalkOutcome) -> Path:
        """Run the monitors over events.

        A section that a loop begins again and again, because one of its ways leaks it, is open
        twice: that is one mistake, and each round more would be walked as if it were another.
        """
        if not notes:
            return path
        product, trail = path.state.product, path.trail
        for note in notes:
            before = product
            product, violations = self.runtime.step(product, note.event)
            if note.maybe:
                product = before
            site = note.event.site
            if site is None:
                continue
            step = Step(site.file, site.line, site.column, site.function, note.text)
            again = isinstance(note.event, Enable) and begun_again(trail, step)
            if again:
                product = before
            self._observe(note.event, product, step, out)
            for violation in violations:
                out.add(
                    RawReport(
                        violation,
                        trail,
                        step,
                        note.more,
                        note.conditions,
                        note.ambiguous,
                        note.tests,
                    )
                )
                if violation.rule in _MEANT_FLUSHED:
                    # The code relies on the write having happened: go on as it meant.
                    entry = getattr(note.event, "entry", None)
                    product, _ = self.runtime.step(product, Flush("api", entry=entry))
            if note.mark and not again:
                about, huge = None, False
                if isinstance(note.event, Write):
                    about, huge = note.event.entry, note.event.huge
                trail = PathTrace(trail, step, note.mark, about, huge=huge, event=note.event)
        return Path(path.state.after(product), trail, path.results)

    def _observe(self, event: Event, after: Product, step: Step, out: WalkOutcome) -> None:
        """Remember what the table of sections shows."""
        if isinstance(event, Write):
            out.spaces.add(event.space)
        elif isinstance(event, Enable) and after.task.depth == 1:
            self._reads.note(("begun", step, after.task))
            self.begun.setdefault(step, []).append(after.task)
        elif isinstance(event, Disable) and after.task.depth == 0:
            self._reads.note(("ended", step, after.task))
            self.ended.setdefault(step, []).append(after.task)

    def called_back(self, outcome: WalkOutcome, graph: Function, entered: Product) -> WalkOutcome:
        """What a callback comes to: whoever calls it back counts on the mode it was called in."""
        site = Site(graph.file, graph.line, 1, graph.name)
        spaces = set(outcome.spaces)
        result = WalkOutcome(
            raw_reports=dict(outcome.raw_reports), spaces=spaces, blurred=outcome.blurred
        )
        self.judge_returns(outcome, graph, result)
        for (after, value, name), trail in outcome.exits.items():
            ended, broken = self.runtime.step(
                after, FunctionReturn(graph.name, root=True, site=site)
            )
            if broken:
                task = entered.task
                meant = replace(ended.task, depth=task.depth, paused=task.paused)
                ended = replace(ended, task=meant)
            result.exits.setdefault((replace(ended, own=entered.own), value, name), trail)
        return result
