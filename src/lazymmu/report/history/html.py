# SPDX-License-Identifier: GPL-2.0-or-later
"""A history as a page: the matrix, and for each cell both sides of the code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.report.check.html import told_finding
from lazymmu.report.history import json, matrix, sentences
from lazymmu.report.page import page
from lazymmu.report.page.two_sides import SideRow, side_rows
from lazymmu.verbs.past.states import PastState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markupsafe import Markup

    from lazymmu.verbs.history import HistoryAnswer
    from lazymmu.verbs.past.both_sides import PastChange
    from lazymmu.verbs.past.problems import PastProblem

__all__ = ["render"]

_FRAME: Final = 40_000
"""Characters of a page beside problems: style, heads."""

_CELL: Final = 160
"""Characters of a cell, about."""

_MOST_COLUMNS: Final = 60
"""Of more points the ends and the releases are columns, as on a terminal."""

_WORDS: Final = {state: state.value.replace("-", " ") for state in PastState}


@dataclass(frozen=True, slots=True)
class _ShownChange:
    """A change with its address on the page, and the lines of both sides."""

    id: str
    change: PastChange
    rows: list[SideRow | None]


def render(answer: HistoryAnswer) -> str:
    """One page; it carries what ``--format json`` prints, if that is not too long."""
    whole = json.object_of(answer)
    carried = {"history": whole} if len(page.carried(whole)) < page.LARGE // 3 else {}
    shown = list(range(len(answer.points)))
    if len(shown) > _MOST_COLUMNS:
        shown = matrix.shown(answer.points)
    room = page.LARGE - _FRAME - sum(len(page.carried(value)) for value in carried.values())
    room -= _CELL * len(shown) * len(answer.problems)
    kept = dict(_kept(answer, room))
    return page.render(
        "history.html",
        title="lazymmu history",
        verb="history",
        styles=("code.css", "review.css", "history.css"),
        data=carried,
        summary=sentences.summary(answer),
        missing=answer.missing,
        broken_off=(answer.trouble or "it was interrupted") if answer.interrupted else "",
        points=[(place, answer.points[place]) for place in shown],
        problems=answer.problems,
        left_out=len(answer.points) - len(shown),
        names={one.id: matrix.name_of(one) for one in answer.problems},
        words=_WORDS,
        targets={one: _targets(shown) for one, (shown, _) in kept.items()},
        articles={one: article for one, (_, article) in kept.items()},
        backport=list(sentences.backport(answer.backport)) if answer.backport else [],
        tried=answer.backport,
        carried=bool(carried),
    )


def _kept(
    answer: HistoryAnswer, room: int
) -> Iterator[tuple[str, tuple[Sequence[_ShownChange], Markup]]]:
    """The problems that there is room for, each with its changes and what is shown of it.

    First all of them with what became of them, and then, while there is room, with each change of
    the code as well.
    """
    short = {}
    for one in answer.problems:
        found = _shown(one, _fates(answer.sides.get(one.key, ())))
        made = _article(one, answer, found)
        if len(made) < room:
            room -= len(made)
            short[one.id] = found, made
    for one in answer.problems:
        if one.id not in short:
            continue
        every = answer.sides.get(one.key, ())
        found, made = short[one.id]
        if len(every) > len(found):
            more = _shown(one, every)
            longer = _article(one, answer, more)
            if len(longer) - len(made) < room:
                room -= len(longer) - len(made)
                found, made = more, longer
        yield one.id, (found, made)


def _fates(changes: Sequence[PastChange]) -> list[PastChange]:
    """The changes of what became of a problem; cells of the others go to the one before."""
    kept: list[PastChange] = []
    waiting: tuple[int, ...] = ()
    for one in changes:
        if one.fate:
            kept.append(replace(one, cells=(*waiting, *one.cells)))
            waiting = ()
        elif kept:
            kept[-1] = replace(kept[-1], cells=(*kept[-1].cells, *one.cells))
        else:
            waiting += one.cells
    return kept or list(changes[-1:])


def _shown(problem: PastProblem, changes: Sequence[PastChange]) -> list[_ShownChange]:
    return [
        _ShownChange(f"{problem.id}-{one.places[1] + 1}", one, side_rows(one.before, one.after))
        for one in changes
    ]


def _targets(changes: Sequence[_ShownChange]) -> Mapping[int, str]:
    """For the place of each point the address of the code that it leads to."""
    return {cell: one.id for one in changes for cell in one.change.cells}


def _article(
    problem: PastProblem, answer: HistoryAnswer, changes: Sequence[_ShownChange]
) -> Markup:
    """A problem: where it came from and went, each change of it, the calls that lead to it."""
    every = answer.sides.get(problem.key, ())
    sides = [side for one in every for side in (one.before, one.after) if side.finding is not None]
    latest = sides[-1] if sides else None
    return page.part(
        "past_problem.html",
        "past_problem",
        problem,
        list(sentences.travels(problem)),
        list(zip(answer.points, problem.cells, strict=True)),
        _WORDS,
        changes,
        latest.name if latest is not None else "",
        told_finding(
            problem.id,
            (latest.finding if latest is not None else None) or problem.latest,
            latest.sources if latest is not None else {},
        ),
    )
