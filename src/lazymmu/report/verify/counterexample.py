# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as plain text for a mail: a column for each CPU, and what changed beside them.

A cell names the kernel's functions, outermost first and only those that were not named on that CPU
in the step before, then what happened. Only differences from the step before are shown.
"""

from __future__ import annotations

import itertools
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.contract.rules import RULES
from lazymmu.report.common.words import clean, count
from lazymmu.report.verify.event_phrases import phrases
from lazymmu.report.verify.json import place, shortest
from lazymmu.witness.machine.verdict import PSEUDO, TraceStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lazymmu.contract.rules.rule import Rule
    from lazymmu.litmus.run import Run
    from lazymmu.witness.machine.verdict import Counterexample, Verdict

__all__ = [
    "WIDTH",
    "Told",
    "changes",
    "happened",
    "innermost",
    "of_runs",
    "render",
    "shown_steps",
]

WIDTH = 100
"""Columns at most."""

_GAP = 2
_LEAST = 26
"""Columns that what changed has at least."""


@dataclass(frozen=True, slots=True)
class Told:
    """A scenario as a counterexample tells it: its sentence, and what its entries hold at first."""

    sentence: str
    initial: tuple[tuple[str, str], ...] = ()


def of_runs(done: Sequence[tuple[Run, Verdict]], width: int | None = None) -> list[str]:
    """The first counterexample of each run that has one; equal ones are one text.

    width: columns of the terminal, None for a pipe or file.
    """
    scenarios = {
        run.scenario.name: Told(
            run.scenario.sentence,
            tuple((entry.name, str(entry.value)) for entry in run.scenario.entries),
        )
        for run, _ in done
    }
    return render([verdict for _, verdict in done], scenarios, RULES, width)


def render(
    verdicts: Sequence[Verdict],
    scenarios: Mapping[str, Told],
    rules: Mapping[str, Rule],
    width: int | None = None,
) -> list[str]:
    """The first violation of each verdict that has one, with its steps, as texts.

    Implementations of one scenario that go the same way are one text.
    scenarios: by name; rules: `contract.rules.RULES`; width: columns of the terminal.
    """
    width = min(width or WIDTH, WIDTH)
    same: dict[tuple[str, str, tuple[str, ...]], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.first is not None:
            told = scenarios.get(verdict.scenario, Told(""))
            way = tuple(_way(verdict.first, told.initial, width))
            same.setdefault((verdict.scenario, verdict.first.rule, way), []).append(verdict)
    return [
        "".join(f"{line}\n" for line in (*_head(group, scenarios.get(name), rules, width), *way))
        for (name, _, way), group in same.items()
    ]


def _head(
    group: Sequence[Verdict], told: Told | None, rules: Mapping[str, Rule], width: int
) -> Iterator[str]:
    """What a way means, before its steps."""
    verdict = group[0]
    broken = verdict.violations[0]
    yield from _wrapped(f"{verdict.scenario}: violated on {', '.join(map(place, group))}", width)
    yield ""
    if told is not None and told.sentence:
        yield from _wrapped(told.sentence, width, "  ")
        yield ""
    says = rules[broken.rule].sentence if broken.rule in rules else PSEUDO.get(broken.rule, "")
    yield from _wrapped(f"It breaks the rule {broken.rule}: {says or 'no sentence'}", width, "  ")
    for harm in dict.fromkeys(one.violations[0].harm for one in group):
        if harm and harm != says:
            yield from _wrapped(f"Harm: {harm}", width, "  ")
    sizes = ", ".join(dict.fromkeys(count(one.states, "state") for one in group if one.states))
    yield from _wrapped(
        f"Shortest way: {shortest(broken)}{f'; {sizes} searched' if sizes else ''}.", width, "  "
    )
    others = dict.fromkeys(broken.rule for one in group for broken in one.violations[1:])
    if others:
        yield from _wrapped(f"Also broken: {', '.join(others)}.", width, "  ")


def _way(broken: Counterexample, initial: tuple[tuple[str, str], ...], width: int) -> Iterator[str]:
    """The steps, and what they cite."""
    if not broken.trace:
        return
    sources: dict[str, int] = {}
    kept = shown_steps(broken)
    yield ""
    yield from _table(kept, initial, sources, width)
    if len(kept) < len(broken.trace):
        more = count(len(broken.trace) - len(kept), "step")
        yield f"{' ' * len(str(len(kept)))}  ... and {more} more, until all tasks have ended."
    if sources:
        yield ""
    for source, number in sources.items():
        yield from _wrapped(f"[{number}] {source}", width, "  ")


def shown_steps(broken: Counterexample) -> Sequence[TraceStep]:
    """The steps of a way without those of its end that only end tasks."""
    trace = broken.trace
    if broken.rule not in PSEUDO:
        return trace
    last = len(trace)
    while last > 1 and _memory(trace[last - 1]) == _memory(trace[last - 2]):
        last -= 1
    return trace[:last]


def _memory(step: TraceStep) -> object:
    return step.pending, step.stored, step.effective, step.tlb


def _table(
    trace: Sequence[TraceStep],
    initial: tuple[tuple[str, str], ...],
    sources: dict[str, int],
    width: int,
) -> Iterator[str]:
    cpus = sorted({step.cpu for step in trace})
    heads = ["", *(f"CPU{cpu}" if cpu >= 0 else "hardware" for cpu in cpus), "what changed"]
    rows = list(_rows(trace, cpus, sources, initial))
    widths = _widths([heads, *([" ".join(cell) for cell in row] for row in rows)], rows, width)
    if any(_longest(cell) > room for row in rows for cell, room in zip(row, widths, strict=True)):
        yield from _list(heads, rows, width)
        return
    yield _joined(heads, widths)
    yield _joined(["-" * width for width in widths], widths)
    for row in rows:
        cells = [_folded(cell, room) for cell, room in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            yield _joined(parts, widths)


def _longest(cell: Sequence[str]) -> int:
    """Columns that a cell needs so that no word of it is broken, with the indent before it."""
    least = 0
    for line in map(clean, cell):
        indent = len(line) - len(line.lstrip())
        for at, word in enumerate(line.split()):
            least = max(least, indent + (2 if at else 0) + len(word))
    return least


def _list(
    heads: Sequence[str], rows: Sequence[Sequence[Sequence[str]]], width: int
) -> Iterator[str]:
    """The same where columns do not fit beside each other: one below the other, step by step."""
    for (number, *cells), following in itertools.zip_longest(rows, rows[1:]):
        label = "".join(number)
        for head, cell in zip(heads[1:], cells, strict=True):
            if cell:
                yield f"{label:<3}{head}"
                label = ""
                yield from (f"     {line}" for line in _folded(cell, width - 5))
        if following:
            yield ""


def _rows(
    trace: Sequence[TraceStep],
    cpus: Sequence[int],
    sources: dict[str, int],
    initial: tuple[tuple[str, str], ...],
) -> Iterator[list[list[str]]]:
    """For each step its cells, each a list of lines."""
    told: dict[int, tuple[str, tuple[str, ...]]] = {}
    before: TraceStep | None = None
    if initial:
        before = TraceStep(-1, "", (), "", stored=initial, effective=initial)
        yield [[], *([] for _ in cpus), [f"{entry} = {value}" for entry, value in initial]]
    for number, step in enumerate(trace, 1):
        cells: list[list[str]] = [[] for _ in cpus]
        cells[cpus.index(step.cpu)] = list(_done(step, told.get(step.cpu, ("", ())), sources))
        told[step.cpu] = (step.task, _calls(step)[-1][0])
        yield [[str(number)], *cells, list(changes(before, step))]
        before = step


def _calls(step: TraceStep) -> Sequence[tuple[tuple[str, ...], str]]:
    return step.calls or ((step.stack, step.citation),)


def innermost(step: TraceStep) -> tuple[str, ...]:
    """The functions that a step ends in, outermost first."""
    return _calls(step)[-1][0]


def happened(step: TraceStep) -> str:
    """What a step comes to beside what it changes, in a few words."""
    names = {name for stack, _ in _calls(step) for name in stack}
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
    for stack, source in _calls(step):
        shared = 0
        while shared < min(len(before), len(stack)) and before[shared] == stack[shared]:
            shared += 1
        mark = f" [{sources.setdefault(source, len(sources) + 1)}]" if source and stack else ""
        # A step in the function of the one before names it all the same: something happens there.
        for depth in range(min(shared, max(len(stack) - 1, 0)), len(stack)):
            yield f"{' ' * (depth + 1)}{stack[depth]}(){mark if depth == len(stack) - 1 else ''}"
        before = stack
    indent = " " * (len(stack) + 1)
    happened = phrases(step.events, {name for names, _ in _calls(step) for name in names})
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


def _widths(
    rows: Sequence[Sequence[str]], cells: Sequence[Sequence[Sequence[str]]], width: int
) -> list[int]:
    """Columns for each cell: CPUs as wide as they need to be, and what changed has the rest."""
    heads = rows[0]
    natural = [
        max(len(head), *(len(line) for row in cells for line in row[at]), 1)
        if any(row[at] for row in cells)
        else len(head)
        for at, head in enumerate(heads)
    ]
    number, *cpus, changed = natural
    gaps = _GAP * (len(natural) - 1)
    room = width - number - gaps - min(changed, _LEAST)
    while sum(cpus) > max(room, len(cpus)):
        cpus[cpus.index(max(cpus))] -= 1
    return [number, *cpus, max(min(changed, width - number - gaps - sum(cpus)), 1)]


def _folded(lines: Sequence[str], width: int) -> list[str]:
    folded = []
    for line in lines:
        line = clean(line)
        indent = " " * min(len(line) - len(line.lstrip()), width // 2)
        folded += textwrap.wrap(
            line.strip(),
            width,
            initial_indent=indent,
            subsequent_indent=indent + "  ",
            break_on_hyphens=False,
        )
    return folded


def _joined(parts: Sequence[str], widths: Sequence[int]) -> str:
    cells = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
    return (" " * _GAP).join(cells).rstrip()


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        clean(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
