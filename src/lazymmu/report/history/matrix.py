# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix of a history: a row for each problem, a column for each release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common import table
from lazymmu.report.common.words import clean, count
from lazymmu.verbs.past.states import Fate

if TYPE_CHECKING:
    from lazymmu.verbs.history import HistoryAnswer
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.spans import Backported, Span

__all__ = ["heads", "render", "rows"]

_MARKS: Final = {
    Fate.THERE: "#",
    Fate.MOVED: "m",
    Fate.NOT_YET: "+",
    Fate.FIXED: "-",
    Fate.CANNOT_HAPPEN: "~",
    Fate.HIDDEN: "h",
    Fate.BELOW_CONFIDENCE: "?",
    Fate.INCONCLUSIVE: "!",
}

_LEGEND: Final = {
    Fate.THERE: "there",
    Fate.MOVED: "there, moved",
    Fate.NOT_YET: "not yet born",
    Fate.FIXED: "fixed",
    Fate.CANNOT_HAPPEN: "cannot happen here",
    Fate.HIDDEN: "hidden by another",
    Fate.BELOW_CONFIDENCE: "below the confidence",
    Fate.INCONCLUSIVE: "inconclusive",
}


def render(answer: HistoryAnswer, columns: int | None) -> str:
    """The matrix, what its marks mean, and why cells are as they are where that is not plain."""
    from rich.table import Table

    hurting = sum(bool(one.hurts) for one in answer.problems)
    problems = count(len(answer.problems), "problem")
    lines = [f"{problems}, {hurting} of them hurt; {count(len(answer.points), 'tree')}."]
    used = dict.fromkeys(cell.state for one in answer.problems for cell in one.cells)
    if used:
        marks = (f"{_MARKS[state]} {_LEGEND[state]}" for state in Fate if state in used)
        lines += table.folded(", ".join(marks), columns or 100)
    grid = Table(box=None, pad_edge=False, header_style="")
    grid.add_column("problem", overflow="fold")
    for point in answer.points:
        grid.add_column(clean(point.name), justify="center", overflow="fold")
    grid.add_column("hurts", overflow="fold")
    for one in answer.problems:
        marked = [_MARKS[cell.state] for cell in one.cells]
        grid.add_row(clean(f"{one.id} {_name(one)}"), *marked, clean(" ".join(one.hurts) or "-"))
    text = "".join(f"{line}\n" for line in lines)
    if answer.problems:
        text += "\n" + table.plain(grid, columns) + _reasons(answer, columns)
    return text


def heads(answer: HistoryAnswer) -> tuple[str, ...]:
    """The heads of the matrix as data."""
    names = [point.name for point in answer.points]
    return ("id", "rule", "file", "function", *names, "hurts", "introduced", "fixed", "backported")


def rows(answer: HistoryAnswer) -> list[tuple[str, ...]]:
    """The matrix as data: a word for each state."""
    return [
        (
            one.id,
            one.rule,
            one.file,
            one.function,
            *(cell.state.value for cell in one.cells),
            " ".join(one.hurts),
            _between(one.introduced),
            _between(one.fixed),
            "; ".join(map(_series, one.backported)),
        )
        for one in answer.problems
    ]


def _name(problem: PastProblem) -> str:
    before = dict.fromkeys(name for _, name in problem.former if name != problem.function)
    was = f" (was {', '.join(f'{name}()' for name in before)})" if before else ""
    return f"{problem.function}(){was}: {problem.rule}"


def _reasons(answer: HistoryAnswer, columns: int | None) -> str:
    """A line for each reason that cells have."""
    found: dict[tuple[str, Fate, str], list[str]] = {}
    for one in answer.problems:
        for point, cell in zip(answer.points, one.cells, strict=True):
            if cell.why:
                found.setdefault((one.id, cell.state, cell.why), []).append(point.name)
    lines: list[str] = []
    for (name, state, why), places in found.items():
        said = clean(f"{_MARKS[state]} {name} in {', '.join(places)}: {why}", 400)
        lines += table.folded(said, columns or 100)
    return "".join(f"{line}\n" for line in ["", *lines]) if lines else ""


def _between(span: Span | None) -> str:
    if span is None:
        return ""
    if span.commit:
        return f"{span.commit[:12]} {span.subject}".rstrip()
    return f"{span.after}..{span.by}" if span.after else f"..{span.by}"


def _series(one: Backported) -> str:
    return f"{one.series}: {_between(one.span) if one.span else 'no'}"
