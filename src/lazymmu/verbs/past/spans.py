# SPDX-License-Identifier: GPL-2.0-or-later
"""Between which releases a problem came, went, and went in a stable series.

Trees of releases are no line: 6.12.118 is no ancestor of 6.18. Of each series (6.12) the first tree
at hand stands for mainline, and the later ones for what stable made of it. Commits of one range are
a line, and all of them mainline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.verbs.past.states import PastState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.states import Cell

__all__ = ["Backported", "Span", "backported", "fixed", "introduced"]

_ABSENT = frozenset({PastState.NOT_YET, PastState.FIXED, PastState.CANNOT_HAPPEN})


@dataclass(frozen=True, slots=True)
class Span:
    """A change of a problem between two points.

    :param after: the name of the last point before it, "" where there is none at hand.
    :param by: the name of the first point that has it changed.
    :param commit: which commit of those in between, "" where no history was asked.
    :param subject: of that commit.
    :param among: the commits one of which it is, where nobody can tell.
    """

    after: str
    by: str
    commit: str = ""
    subject: str = ""
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backported:
    """What a stable series has of a fix that mainline has.

    :param series: as in "6.12.y".
    :param span: where it came, None where it has not.
    """

    series: str
    span: Span | None = None


def introduced(
    points: Sequence[Point], cells: Sequence[Cell], *, linear: bool = False
) -> Span | None:
    """Where a problem came: "" after a release where it is in the first one already.

    :param linear: each point has all before it.
    """
    first = next((n for n, cell in enumerate(cells) if cell.state.present), None)
    if first is None:
        return None
    if any(cell.state is PastState.FIXED for cell in cells[:first]):
        return Span("", points[first].name)  # it is older than all trees at hand
    before = [n for n in _mainline(points, linear) if n < first and _absent(points[n], cells[n])]
    same = [n for n in range(first) if points[n].series == points[first].series]
    known = [n for n in (*before, *same) if _absent(points[n], cells[n])]
    return Span(points[max(known)].name if known else "", points[first].name)


def fixed(points: Sequence[Point], cells: Sequence[Cell], *, linear: bool = False) -> Span | None:
    """Where mainline got rid of a problem, None where it has it, or nobody knows."""
    mainline = _mainline(points, linear)
    having = [n for n in mainline if cells[n].state.present]
    if not having:
        return None
    later = [n for n in mainline if n > having[-1]]
    gone = next((n for n in later if _absent(points[n], cells[n])), None)
    return None if gone is None else Span(points[having[-1]].name, points[gone].name)


def backported(
    points: Sequence[Point], cells: Sequence[Cell], *, linear: bool = False
) -> tuple[Backported, ...]:
    """What each series that had a problem made of it after its first tree."""
    return () if linear else tuple(_backported(points, cells))


def _backported(points: Sequence[Point], cells: Sequence[Cell]) -> Iterator[Backported]:
    for series in dict.fromkeys(point.series for point in points):
        ours = [n for n, point in enumerate(points) if point.series == series]
        having = [n for n in ours if cells[n].state.present]
        name = f"{series[0]}.{series[1]}.y"
        later = any(
            cell.state.present and point.series > series
            for point, cell in zip(points, cells, strict=True)
        )
        if not having and later and cells[ours[0]].state is PastState.FIXED:
            # Mainline had it when the series began, since it has it later.
            yield Backported(name, Span("", points[ours[0]].name))
        if len(ours) < 2 or not having:
            continue
        if having[-1] == ours[-1] and fixed(points, cells) is None:
            continue  # there is no fix that it could have
        gone = next((n for n in ours if n > having[-1] and _absent(points[n], cells[n])), None)
        span = None if gone is None else Span(points[having[-1]].name, points[gone].name)
        yield Backported(name, span)


def _absent(point: Point, cell: Cell) -> bool:
    """Whether a problem is surely not there; where nobody has the mode, that says nothing of it."""
    return cell.state in _ABSENT and point.result is not None and bool(point.result.arches)


def _mainline(points: Sequence[Point], linear: bool) -> list[int]:
    """Of each series the first point; of a line all."""
    if linear:
        return list(range(len(points)))
    first: dict[tuple[int, int], int] = {}
    for number, point in enumerate(points):
        first.setdefault(point.series, number)
    return list(first.values())
