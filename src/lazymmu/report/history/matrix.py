# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix of a history: a row for each problem, a column for each release."""

from __future__ import annotations

import string
from collections import Counter
from typing import TYPE_CHECKING, Final

from lazymmu.report.common import table
from lazymmu.report.common.words import clean
from lazymmu.report.history import sentences
from lazymmu.verbs.past.states import PastState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.history import HistoryAnswer
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.spans import Backported, Span

__all__ = ["heads", "name_of", "render", "rows", "shown"]

_MARKS: Final = {
    PastState.THERE: "#",
    PastState.MOVED: "m",
    PastState.NOT_YET: "+",
    PastState.FIXED: "-",
    PastState.CANNOT_HAPPEN: "~",
    PastState.HIDDEN: "h",
    PastState.BELOW_CONFIDENCE: "?",
    PastState.INCONCLUSIVE: "!",
}

_LETTERS: Final = string.ascii_letters
_MOST_COLUMNS: Final = len(_LETTERS)
_SHORT: Final = 12
_ROOM_FOR_NAMES: Final = 0.6
"""What part of a line the columns of releases may take under their names."""

_LEGEND: Final = {
    PastState.THERE: "there",
    PastState.MOVED: "there, moved",
    PastState.NOT_YET: "not yet born",
    PastState.FIXED: "fixed",
    PastState.CANNOT_HAPPEN: "cannot happen here",
    PastState.HIDDEN: "hidden by another",
    PastState.BELOW_CONFIDENCE: "below the confidence",
    PastState.INCONCLUSIVE: "inconclusive",
}


def render(answer: HistoryAnswer, columns: int | None) -> str:
    """The matrix, what its marks mean, and why cells are as they are where that is not plain."""
    from rich.table import Table

    places = shown(answer.points)
    by_commit = any(one.commit or one.among for one in _spans(answer.problems))
    lines = [f"{sentences.summary(answer)}."]
    if len(places) < len(answer.points):
        left = len(answer.points) - len(places)
        lines.append(f"{left} more points at which something changed are in JSON and CSV.")
    used = dict.fromkeys(cell.state for one in answer.problems for cell in one.cells)
    if used:
        marks = (f"{_MARKS[state]} {_LEGEND[state]}" for state in PastState if state in used)
        lines += table.folded(", ".join(marks), columns or 100)
    names = [clean(answer.points[place].name) for place in places]
    wide = sum(len(name) + 2 for name in names) > _ROOM_FOR_NAMES * (columns or 100)
    if wide:
        named = (f"{letter}={name}" for letter, name in zip(_LETTERS, names, strict=False))
        lines += table.folded(", ".join(named), columns or 100)
        names = [_LETTERS[: len(names)]]
    grid = Table(box=None, pad_edge=False, header_style="")
    grid.add_column("problem", overflow="fold")
    for name in names:
        grid.add_column(name, justify="center", overflow="fold", no_wrap=wide)
    for head in ("came by", "went by", "hurts") if by_commit else ("hurts",):
        grid.add_column(head, overflow="fold")
    alike = Counter(map(name_of, answer.problems))
    for one in answer.problems:
        where = f" in {one.file}" if alike[name_of(one)] > 1 else ""
        marked = [_MARKS[one.cells[place].state] for place in places]
        marked = ["".join(marked)] if wide else marked
        spans = [_by(one.introduced), _by(one.fixed)] if by_commit else []
        last = clean(" ".join(one.hurts) or "-")
        grid.add_row(clean(f"{one.id} {name_of(one)}{where}"), *marked, *map(clean, spans), last)
    text = "".join(f"{line}\n" for line in lines)
    if answer.problems:
        text += "\n" + table.plain(grid, columns) + _reasons(answer, columns)
    return text


def shown(points: Sequence[Point]) -> list[int]:
    """The places of the points that are columns: all, or of very many both ends and releases."""
    if len(points) <= _MOST_COLUMNS:
        return list(range(len(points)))
    ends = {0, len(points) - 1}
    named = {n for n, one in enumerate(points) if not one.commit.startswith(one.name)}
    return sorted(ends | named if len(ends | named) <= _MOST_COLUMNS else ends)


def _spans(problems: Sequence[PastProblem]) -> Iterator[Span]:
    for one in problems:
        yield from (span for span in (one.introduced, one.fixed) if span is not None)


def _by(span: Span | None) -> str:
    """Which commit it was, as short as it may be."""
    if span is None or not span.after:
        return "-"
    if span.among:
        return f"one of {len(span.among)}"
    return span.commit[:_SHORT] or "?"


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


def name_of(problem: PastProblem) -> str:
    """What a row is called: the function, what it was called before, the rule."""
    before = dict.fromkeys(name for _, name in problem.former if name != problem.function)
    was = f" (was {', '.join(f'{name}()' for name in before)})" if before else ""
    return f"{problem.function}(){was}: {problem.rule}"


def _reasons(answer: HistoryAnswer, columns: int | None) -> str:
    """A line for each reason that cells have."""
    names = [answer.points[place].name for place in shown(answer.points)]
    found: dict[tuple[str, PastState, str], list[str]] = {}
    for one in answer.problems:
        for point, cell in zip(answer.points, one.cells, strict=True):
            if cell.why and point.name in names:
                found.setdefault((one.id, cell.state, cell.why), []).append(point.name)
    # What many have in common, as a dialect that allows it, is said once.
    same: dict[tuple[PastState, str, tuple[str, ...]], list[str]] = {}
    for (name, state, why), places in found.items():
        same.setdefault((state, why, tuple(places)), []).append(name)
    lines: list[str] = []
    for (state, why, where), ids in same.items():
        said = f"{_MARKS[state]} {', '.join(ids)} in {_columns(where, names)}: {why}"
        lines += table.folded(clean(said, 400 + len(said) - len(why)), columns or 100)
    return "".join(f"{line}\n" for line in ["", *lines]) if lines else ""


def _columns(some: Sequence[str], names: Sequence[str]) -> str:
    """Some columns by their names; of three and more beside each other the first and the last."""
    runs: list[list[str]] = []
    for one in some:
        beside = runs and names.index(one) == names.index(runs[-1][-1]) + 1
        if beside:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _between(span: Span | None) -> str:
    if span is None:
        return ""
    if span.commit:
        return f"{span.commit[:_SHORT]} {span.subject}".rstrip()
    return f"{span.after}..{span.by}" if span.after else f"..{span.by}"


def _series(one: Backported) -> str:
    return f"{one.series}: {_between(one.span) if one.span else 'no'}"
