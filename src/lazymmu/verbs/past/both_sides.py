# SPDX-License-Identifier: GPL-2.0-or-later
"""The code of a problem on both sides of each change of it, or of its function, for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.verbs.past.states import PastState
from lazymmu.verbs.sides import side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.sides import CodeSide

__all__ = ["PastChange", "changes"]


@dataclass(frozen=True, slots=True)
class PastChange:
    """Two points between which a problem, or the function that it is in, has changed.

    :param before: the code at the last point before; after: at the first point of the change.
    :param places: of both in the order of points.
    :param cells: the places of all points whose code this is.
    :param fate: whether what became of the problem has changed, and not the code alone.
    """

    before: CodeSide
    after: CodeSide
    places: tuple[int, int]
    cells: tuple[int, ...]
    fate: bool

    @property
    def elsewhere(self) -> bool:
        """Whether the function is the same on both sides."""
        return self.before.lines == self.after.lines


def changes(
    problem: PastProblem, points: Sequence[Point], opened: Callable[[Point], Tree]
) -> tuple[PastChange, ...]:
    """The changes of a problem in the order of points.

    Each point that could be looked at is in the cells of one; without any change both sides are
    the first point and the last.

    :param opened: the tree of a point.
    """
    seen = {
        place: _side(problem, place, point, opened(point))
        for place, point in enumerate(points)
        if point.result is not None
    }
    runs: list[list[int]] = []
    for place in seen:
        if runs and _alike(problem, seen, runs[-1][-1], place):
            runs[-1].append(place)
        else:
            runs.append([place])
    return tuple(_changes(problem, seen, runs))


def _changes(
    problem: PastProblem, seen: Mapping[int, CodeSide], runs: Sequence[Sequence[int]]
) -> Iterator[PastChange]:
    if len(runs) == 1:
        first, last = runs[0][0], runs[0][-1]
        yield PastChange(seen[first], seen[last], (first, last), tuple(runs[0]), fate=True)
    for number in range(1, len(runs)):
        old, new = runs[number - 1][-1], runs[number][0]
        # The first points have no change before them: theirs is the one that comes.
        cells = (*runs[0], *runs[1]) if number == 1 else tuple(runs[number])
        fate = _fate(problem, old) != _fate(problem, new)
        yield PastChange(seen[old], seen[new], (old, new), cells, fate)


def _alike(problem: PastProblem, seen: Mapping[int, CodeSide], one: int, other: int) -> bool:
    """Whether two points have the same of a problem, in the same code."""
    a, b = seen[one], seen[other]
    same = (a.file, a.function, a.lines) == (b.file, b.function, b.lines)
    return same and _fate(problem, one) == _fate(problem, other)


def _fate(problem: PastProblem, place: int) -> PastState:
    state = problem.cells[place].state
    return PastState.THERE if state is PastState.MOVED else state


def _side(problem: PastProblem, place: int, point: Point, tree: Tree) -> CodeSide:
    """The code of a problem at a point: where it is there, or else where it would be."""
    cell = problem.cells[place]
    found = next(iter((*cell.uncovered, *cell.findings)), None)
    if found is not None:
        return side(tree, point.name, found)
    sides = [
        side(tree, point.name, None, file=file, function=function)
        for file, function in _places(problem, place)
    ]
    return next((one for one in sides if one.lines), sides[0])


def _places(problem: PastProblem, place: int) -> list[tuple[str, str]]:
    """Where a problem is at other points, the nearest first."""
    near = sorted(range(len(problem.cells)), key=lambda other: abs(other - place))
    found = [
        (one.file, one.function)
        for other in near
        for one in (*problem.cells[other].uncovered, *problem.cells[other].findings)
    ]
    return list(dict.fromkeys(found))
