# SPDX-License-Identifier: GPL-2.0-or-later
"""The path of a finding as frames, one for each function on the way, with the code around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lazymmu.report.page.code import coloured, coloured_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from markupsafe import Markup

    from lazymmu.witness.finding import Finding, Step

__all__ = ["CalledFunction", "CodeLine", "frames"]

_AROUND: Final = 3
"""Lines before and after each step."""
_BRIDGED: Final = 3
"""Lines between two windows that are shown rather than left out."""

_Marks = dict[int, tuple[str, tuple[str, ...]]]
"""Of the lines of steps how each is marked, and what happens at it."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of source; 0 stands for lines that are left out.

    :param mark: ``begins`` where the path begins, ``breaks`` at the culprit, ``step`` at another
        step, "" elsewhere.
    :param notes: what happens at it.
    """

    number: int
    code: Markup | str = ""
    mark: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CalledFunction:
    """A function that the path goes through, as long as it stays in it.

    :param depth: how many calls below the first; place: the first step in it.
    """

    function: str
    file: str
    line: int
    depth: int
    lines: tuple[CodeLine, ...]


def frames(finding: Finding, sources: Mapping[str, str]) -> tuple[CalledFunction, ...]:
    """The frames of a path, in order.

    :param sources: the text of each file; of one that is not there the steps' own lines are shown.
    """
    steps = [step for step in finding.path if step.with_path]
    begins = steps[0] if steps else None
    found: list[CalledFunction] = []
    for depth, mine in _together(steps):
        first = mine[0]
        marks: _Marks = {}
        for step in mine:
            culprit = (step.file, step.line) == (finding.file, finding.line)
            kind = "breaks" if culprit else "begins" if step is begins else "step"
            notes = (*marks.get(step.line, ("", ()))[1], *_note(step, kind))
            marks[step.line] = (kind, notes)
        text = sources.get(first.file)
        lines = _bare(mine, marks) if text is None else _windows(text.splitlines(), marks)
        found.append(CalledFunction(first.function, first.file, first.line, depth, tuple(lines)))
    return tuple(found)


def _together(steps: Iterable[Step]) -> Iterator[tuple[int, list[Step]]]:
    """Neighbouring steps of one function, with how deep it is called."""
    stack: list[str] = []
    mine: list[Step] = []
    for step in steps:
        if mine and (step.function, step.file) != (mine[-1].function, mine[-1].file):
            yield len(stack) - 1, mine
            mine = []
        if step.function in stack:
            del stack[stack.index(step.function) + 1 :]
        else:
            stack.append(step.function)
        mine.append(step)
    if mine:
        yield len(stack) - 1, mine


def _note(step: Step, kind: str) -> tuple[str, ...]:
    label = {"begins": "begins here", "breaks": "breaks here"}.get(kind, "")
    said = "" if step.note == f"in {step.function}()" else step.note
    return tuple(filter(None, (": ".join(filter(None, (label, said))),)))


def _bare(steps: Sequence[Step], marks: _Marks) -> Iterator[CodeLine]:
    """The lines of the steps alone."""
    for step in {step.line: step for step in steps}.values():
        mark, notes = marks[step.line]
        yield CodeLine(step.line, coloured(step.code), mark, notes)


def _windows(lines: Sequence[str], marks: _Marks) -> Iterator[CodeLine]:
    """The lines of the steps and some around each."""
    ranges: list[tuple[int, int]] = []
    for line in sorted(marks):
        first, last = max(line - _AROUND, 1), min(line + _AROUND, len(lines))
        if ranges and first - ranges[-1][1] - 1 <= _BRIDGED:
            ranges[-1] = (ranges[-1][0], last)
        elif first <= last:
            ranges.append((first, last))
    for before, (first, last) in pairwise([(0, 0), *ranges]):
        if before[1]:
            yield CodeLine(0)
        for number, code in enumerate(coloured_window(lines, first, last), first):
            mark, notes = marks.get(number, ("", ()))
            yield CodeLine(number, code, mark, notes)
