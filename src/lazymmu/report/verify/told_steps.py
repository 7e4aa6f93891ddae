# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of a counterexample in words, as its text and its page tell them.

A cell names the kernel's functions, outermost first and only those that were not named on that CPU
in the step before, then what happened. Only differences from the step before are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.report.verify.event_phrases import phrases
from lazymmu.witness.machine.verdict import PSEUDO, TraceStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lazymmu.litmus.run import Run
    from lazymmu.witness.machine.verdict import Counterexample, Verdict

__all__ = [
    "Told",
    "ToldWay",
    "calls",
    "changes",
    "cpu_name",
    "happened",
    "innermost",
    "same_ways",
    "shown_steps",
    "told_scenarios",
    "told_way",
]

Cells = tuple[tuple[str, ...], ...]
"""The cells of a row, each of some lines."""


@dataclass(frozen=True, slots=True)
class ToldWay:
    """A counterexample as a table.

    :param heads: its columns: the number, each CPU, and what changed.
    :param rows: what the entries hold at first, if that is known, and each step.
    :param sources: what is cited, in the order of its numbers.
    :param left_out: how many steps at the end only end tasks, and are not told.
    :param again: the step from which on the way is gone for ever, 0 for one that ends.
    """

    heads: tuple[str, ...]
    rows: tuple[Cells, ...]
    sources: tuple[str, ...]
    left_out: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A scenario as a counterexample tells it: its sentence, and what its entries hold at first."""

    sentence: str
    initial: tuple[tuple[str, str], ...] = ()


def told_scenarios(runs: Iterable[Run]) -> dict[str, Told]:
    """Each scenario of some runs by its name, as its counterexamples tell it."""
    return {
        run.scenario.name: Told(
            run.scenario.sentence,
            tuple((entry.name, str(entry.value)) for entry in run.scenario.entries),
        )
        for run in runs
    }


def same_ways(
    verdicts: Iterable[Verdict], scenarios: Mapping[str, Told]
) -> list[tuple[list[Verdict], ToldWay]]:
    """The first violation of each verdict that has one.

    Implementations of one scenario that go the same way are one.

    :param scenarios: by name.
    """
    same: dict[tuple[str, str, ToldWay], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.first is not None:
            told = scenarios.get(verdict.scenario, Told(""))
            way = told_way(verdict.first, told.initial)
            same.setdefault((verdict.scenario, verdict.first.rule, way), []).append(verdict)
    return [(group, way) for (_, _, way), group in same.items()]


def told_way(broken: Counterexample, initial: tuple[tuple[str, str], ...] = ()) -> ToldWay:
    """A counterexample as a table; initial: what the entries hold at first."""
    steps = shown_steps(broken)
    cpus = sorted({step.cpu for step in steps})
    sources: dict[str, int] = {}
    rows = tuple(_rows(steps, cpus, sources, initial)) if steps else ()
    heads = ("", *map(cpu_name, cpus), "what changed")
    left_out = len(broken.trace) - len(steps)
    return ToldWay(heads, rows, tuple(sources), left_out, broken.again)


def cpu_name(cpu: int) -> str:
    """What the column of a CPU is called."""
    return f"CPU{cpu}" if cpu >= 0 else "hardware"


def shown_steps(broken: Counterexample) -> Sequence[TraceStep]:
    """The steps of a way without those of its end that only end tasks."""
    trace = broken.trace
    if broken.rule not in PSEUDO or broken.again:
        return trace
    last = len(trace)
    while last > 1 and _memory(trace[last - 1]) == _memory(trace[last - 2]):
        last -= 1
    return trace[:last]


def _memory(step: TraceStep) -> object:
    return step.pending, step.stored, step.effective, step.tlb


def _rows(
    trace: Sequence[TraceStep],
    cpus: Sequence[int],
    sources: dict[str, int],
    initial: tuple[tuple[str, str], ...],
) -> Iterator[Cells]:
    """For each step its cells, each of some lines."""
    told: dict[int, tuple[str, tuple[str, ...]]] = {}
    before: TraceStep | None = None
    if initial:
        before = TraceStep(-1, "", (), "", stored=initial, effective=initial)
        yield ((), *(() for _ in cpus), tuple(f"{entry} = {value}" for entry, value in initial))
    for number, step in enumerate(trace, 1):
        cells: list[tuple[str, ...]] = [() for _ in cpus]
        cells[cpus.index(step.cpu)] = tuple(_done(step, told.get(step.cpu, ("", ())), sources))
        told[step.cpu] = (step.task, calls(step)[-1][0])
        yield ((str(number),), *cells, tuple(changes(before, step)))
        before = step


def calls(step: TraceStep) -> Sequence[tuple[tuple[str, ...], str]]:
    """The functions that a step passes through, outermost first, and where each is to be read."""
    return step.calls or ((step.stack, step.citation),)


def innermost(step: TraceStep) -> tuple[str, ...]:
    """The functions that a step ends in, outermost first."""
    return calls(step)[-1][0]


def happened(step: TraceStep) -> str:
    """What a step comes to beside what it changes, in a few words."""
    names = {name for stack, _ in calls(step) for name in stack}
    return "; ".join(phrases(step.events, names)) or step.what


def _done(
    step: TraceStep, told: tuple[str, tuple[str, ...]], sources: dict[str, int]
) -> Iterator[str]:
    """What a CPU does in a step: who, in which functions that are new here, and what happened."""
    task, before = told
    if step.task and step.task != task:
        yield f"{step.task}:"
        before = ()
    stack: tuple[str, ...] = ()
    for stack, source in calls(step):
        shared = 0
        while shared < min(len(before), len(stack)) and before[shared] == stack[shared]:
            shared += 1
        mark = f" [{sources.setdefault(source, len(sources) + 1)}]" if source and stack else ""
        # A step in the function of the one before names it all the same: something happens there.
        for depth in range(min(shared, max(len(stack) - 1, 0)), len(stack)):
            yield f"{' ' * (depth + 1)}{stack[depth]}(){mark if depth == len(stack) - 1 else ''}"
        before = stack
    indent = " " * (len(stack) + 1)
    happened = phrases(step.events, {name for names, _ in calls(step) for name in names})
    if not stack and not happened:
        happened = [step.what]
    yield from (indent + phrase for phrase in happened)
    if step.note:
        yield indent + step.note


def changes(before: TraceStep | None, step: TraceStep) -> Iterator[str]:
    """What is pending, stored, effective, cached and in the implementation's variables now."""
    for change in step.state:
        # A queue is told as what is pending.
        if not change.queue:
            yield f"{change.name} = {change.value}"
    if step.pending != (before.pending if before else ()):
        yield "pending: " + ("; ".join(step.pending) or "nothing")
    was_stored = dict(before.stored) if before else {}
    was_effective = dict(before.effective) if before else {}
    effective = dict(step.effective)
    for entry, value in step.stored:
        seen = effective.get(entry, value)
        if before and (was_stored.get(entry), was_effective.get(entry)) == (value, seen):
            continue
        yield f"{entry} = {value}" if value == seen else f"{entry} = {value}, in effect {seen}"
    if step.tlb != (before.tlb if before else ()):
        yield "TLB: " + ("; ".join(step.tlb) or "nothing stale")
