# SPDX-License-Identifier: GPL-2.0-or-later
"""Problems that another problem of the same tree hides.

A section that begins and ends inside a section lets what was put off take effect at its end, so
that what would go wrong later in the outer one does not, or on no architecture that it hurts. (That
is how v6.6 to v6.14 are on Xen PV, where set_ptes() does so.) Whether it is so is tried: the calls
that begin and end the inner section are taken out of its function, in memory, and the tree is
looked at again. A problem of another release that comes up then was hidden.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.verbs.lineage import key_of
from lazymmu.verbs.past.states import Cell, PastState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.past.looking import Looking
    from lazymmu.verbs.past.looks import PastLook
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.witness.finding import CheckResult, Confidence, Finding

__all__ = ["in_place", "uncovered", "without_sections"]

_HIDING: Final = "nested-section"


@dataclass(frozen=True, slots=True)
class _Trial:
    """A problem that may hide others at a point, and the tree without it."""

    place: int
    hiding: PastProblem
    look: PastLook


def uncovered(
    problems: Sequence[PastProblem],
    points: Sequence[Point],
    looking: Looking,
    confidence: Confidence,
    opened: Callable[[Point], tuple[Tree, PastLook]],
) -> list[PastProblem]:
    """The problems, with the cells in which another hides them.

    :param opened: the tree of a point, and what was asked about it.
    """
    trials = list(_trials(problems, points, opened))
    names = [f"{points[one.place].name} without {one.hiding.function}()" for one in trials]
    done = looking.at([one.look for one in trials], names)
    cells = {one.id: list(one.cells) for one in problems}
    for trial in trials:
        looked = done.get(trial.look)
        if looked is None or looked.result is None:
            continue
        for problem in problems:
            if _may_be_hidden(problem, trial.hiding, trial.place):
                before = cells[problem.id][trial.place]
                cell = _cell(problem, before, trial.hiding, looked.result, confidence)
                cells[problem.id][trial.place] = cell
    return [replace(one, cells=tuple(in_place(cells[one.id]))) for one in problems]


def without_sections(text: bytes, function: str) -> bytes | None:
    """A file without the sections that a function begins and ends; None where there are none.

    Lines and offsets stay as they are.
    """
    words = vocabulary.load().mode
    begins = [name for name, call in words.items() if call.action == "enable"]
    ends = [name for name, call in words.items() if call.action == "disable"]
    left = text
    for one in definitions(text):
        if one.name != function or one.kind == "macro":
            continue
        body = text[one.start : one.end]
        calls = [_calls(body, names) for names in (begins, ends)]
        if all(calls):
            for start, end in (*calls[0], *calls[1]):
                at = one.start + start
                left = left[:at] + b" " * (end - start) + left[one.start + end :]
    return None if left == text else left


def _calls(body: bytes, names: Sequence[str]) -> list[tuple[int, int]]:
    """Where a text calls one of some functions without arguments, each as a statement."""
    called = b"|".join(name.encode() for name in names)
    return [match.span() for match in re.finditer(rb"\b(?:%s)\s*\(\s*\)" % called, body)]


def _trials(
    problems: Sequence[PastProblem],
    points: Sequence[Point],
    opened: Callable[[Point], tuple[Tree, PastLook]],
) -> Iterator[_Trial]:
    for hiding in problems:
        if hiding.rule != _HIDING:
            continue
        for place, cell in enumerate(hiding.cells):
            if not cell.findings or not any(_may_be_hidden(p, hiding, place) for p in problems):
                continue
            where = {(one.file, one.function) for one in cell.findings}
            tree, look = opened(points[place])
            found = {file: without_sections(tree.read(file), function) for file, function in where}
            changes = tuple((file, text) for file, text in sorted(found.items()) if text)
            if changes:
                yield _Trial(place, hiding, replace(look, changes=changes))


def _may_be_hidden(problem: PastProblem, hiding: PastProblem, place: int) -> bool:
    """Whether a problem hurts elsewhere, and not at a point where another could be why."""
    cell = problem.cells[place]
    if problem.rule == _HIDING or cell.state in {PastState.CANNOT_HAPPEN, PastState.INCONCLUSIVE}:
        return False
    here = _arches(hiding.cells[place].findings)
    return bool((_told(problem, problem.findings) & here) - _told(problem, cell.findings))


def _told(problem: PastProblem, findings: Sequence[Finding]) -> set[str]:
    """The architectures that findings are about: those that are hurt, if that problem hurts any."""
    if problem.hurts:
        return {harm.arch for one in findings for harm in one.harms}
    return _arches(findings)


def _arches(findings: Sequence[Finding]) -> set[str]:
    return {arch for one in findings for arch in one.arches}


def _cell(
    problem: PastProblem,
    before: Cell,
    hiding: PastProblem,
    result: CheckResult,
    confidence: Confidence,
) -> Cell:
    """What a cell says when the tree without the other problem came to a result."""
    keys = {key_of(finding) for finding in problem.findings}
    now = [
        one
        for one in result.findings
        if key_of(one) in keys and one.confidence.rank >= confidence.rank
    ]
    more = sorted(_told(problem, now) - _told(problem, before.findings))
    if not more:
        return before
    why = (
        f"by {hiding.id} on {', '.join(more)}: {hiding.function}() begins and ends a section of "
        f"its own there; without that it is found in {now[-1].function}()"
    )
    if not _sure(before.findings, confidence):
        return Cell(PastState.HIDDEN, why, before.findings, tuple(now))
    if not problem.hurts:
        # It breaks the text here as it does there, and is no less there for that.
        return replace(before, why="; ".join(filter(None, (before.why, f"it is hidden {why}"))))
    arches = ", ".join(sorted(_arches(before.findings)))
    why += f". On {arches} it is there, and hurts nobody"
    return Cell(PastState.HIDDEN, why, before.findings, tuple(now))


def in_place(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Cells, of which none has moved that a hidden one before it was in the place of."""
    last: Key | None = None
    for cell in cells:
        found = cell.uncovered or cell.findings
        here = key_of(found[0]) if found else last
        if cell.state is PastState.MOVED and here == last:
            yield replace(cell, state=PastState.THERE, why="")
        else:
            yield cell
        if cell.state.present:
            last = here


def _sure(findings: Sequence[Finding], confidence: Confidence) -> bool:
    return any(one.confidence.rank >= confidence.rank for one in findings)
