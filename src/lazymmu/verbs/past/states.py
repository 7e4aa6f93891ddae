# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of a problem at each point of a history, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lazymmu.contract.dialects import DIALECTS, Status
from lazymmu.contract.rules import RULES
from lazymmu.verbs.lineage import key_of
from lazymmu.verbs.selection import inside

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.past.points import Point
    from lazymmu.witness.finding import CheckResult, Confidence, Finding, Lost

__all__ = ["Cell", "PastState", "blind_in", "cells_of", "impossible"]


class PastState(StrEnum):
    """What a tree has of a problem."""

    THERE = "there"
    NOT_YET = "not-yet"
    """It came later."""
    FIXED = "fixed"
    MOVED = "moved"
    """It is there, in another function or file than in the release before."""
    CANNOT_HAPPEN = "cannot-happen"
    """The tree's dialect allows it, or the tree has the mode on none of the architectures."""
    HIDDEN = "hidden"
    """Another problem of the tree keeps it from happening."""
    BELOW_CONFIDENCE = "below-confidence"
    INCONCLUSIVE = "inconclusive"
    """The tree, or what it would be in, could not be read."""

    @property
    def present(self) -> bool:
        """Whether the tree has it, shown or hidden."""
        return self in {PastState.THERE, PastState.MOVED, PastState.HIDDEN}


@dataclass(frozen=True, slots=True)
class Cell:
    """A problem at one point: its state, why, and the findings that are the problem there.

    :param uncovered: where another problem hides it, how it is found without that one.
    """

    state: PastState
    why: str = ""
    findings: tuple[Finding, ...] = ()
    uncovered: tuple[Finding, ...] = ()


def cells_of(
    keys: Sequence[Key],
    points: Sequence[Point],
    confidence: Confidence,
    *,
    linear: bool = False,
) -> tuple[Cell, ...]:
    """What became of a problem at points in their order.

    :param keys: all that it is known by, the latest first.
    :param confidence: the least that a finding must have.
    :param linear: each point has all before it, as commits of one range do.
    """
    found = [_found(keys, point) for point in points]
    sure = [[one for one in some if one.confidence.rank >= confidence.rank] for some in found]
    having = [number for number, some in enumerate(sure) if some]
    arches = {arch for some in found for one in some for arch in one.arches}
    cells: list[Cell] = []
    last: Key | None = None
    for number, point in enumerate(points):
        if sure[number]:
            here = key_of(sure[number][0])
            cells.append(_there(sure[number], here, last))
            last = here
        elif found[number]:
            cells.append(_unsure(found[number]))
        else:
            fixed = any(
                cell.state is PastState.FIXED and having[-1] < place
                for place, cell in enumerate(cells)
                if having
            )
            why = impossible(keys[0][0], arches, point.result) if point.result else ""
            if why and not fixed:
                cells.append(Cell(PastState.CANNOT_HAPPEN, why))
            elif (lost := _unseen(keys, arches, point)) is not None:
                cells.append(lost)
            else:
                cells.append(_absent(number, having, points, linear=linear))
    return tuple(cells)


def _found(keys: Sequence[Key], point: Point) -> list[Finding]:
    if point.result is None:
        return []
    return [finding for finding in point.result.findings if key_of(finding) in keys]


def _there(findings: Sequence[Finding], here: Key, last: Key | None) -> Cell:
    if last is None or last == here:
        return Cell(PastState.THERE, "", tuple(findings))
    where = f"{last[2]}()" + (f" in {last[1]}" if last[1] != here[1] else "")
    return Cell(PastState.MOVED, f"it was in {where} before", tuple(findings))


def _unsure(findings: Sequence[Finding]) -> Cell:
    needs = sorted({condition for one in findings for condition in one.conditions})
    why = f"confidence {findings[0].confidence}"
    why += f"; it needs {', '.join(needs)}" if needs else ""
    return Cell(PastState.BELOW_CONFIDENCE, why, tuple(findings))


def _unseen(keys: Sequence[Key], arches: Collection[str], point: Point) -> Cell | None:
    """The cell of a point that could not be read, or not where a problem would be."""
    if point.result is None:
        return Cell(PastState.INCONCLUSIVE, point.trouble)
    lost = blind_in(keys, arches, point.result)
    if lost is None:
        return None
    at = f"{lost.file}:{lost.line}: " if lost.file else ""
    return Cell(PastState.INCONCLUSIVE, f"{at}{lost.name}: {lost.reason}")


def _absent(number: int, having: Sequence[int], points: Sequence[Point], *, linear: bool) -> Cell:
    """The cell of a point that surely does not have a problem.

    :param having: the places of those that have it.
    """
    if not having or number < having[0]:
        return Cell(PastState.NOT_YET)
    if number > having[-1]:
        return Cell(PastState.FIXED)
    again = next(points[place] for place in having if place > number)
    series = points[number].series
    if linear or series == again.series:
        return Cell(PastState.FIXED, f"it is there again in {again.name}")
    # 6.1.192 is newer than 6.12.8, and none of the two is made of the other.
    return Cell(PastState.FIXED, f"{series[0]}.{series[1]}.y has it mended; {again.name} has it")


def impossible(rule: str, arches: Collection[str], result: CheckResult) -> str:
    """Why a tree cannot have what breaks a rule on some architectures, "" where it can."""
    dialect = DIALECTS.get(result.tree.dialect)
    known = RULES.get(rule)
    if dialect is not None and known is not None and known.status(dialect) is Status.OFF:
        return f"the dialect {dialect.name} allows it"
    if not result.arches:
        return "no architecture of this tree has the mode"
    if arches and not set(arches) & set(result.arches):
        return f"the mode is not on {', '.join(sorted(arches))} here"
    return ""


def blind_in(keys: Sequence[Key], arches: Collection[str], result: CheckResult) -> Lost | None:
    """What was lost where a problem would be, None where all of that was seen.

    :param keys: what the problem is known by; arches: where it is.
    """
    files = [file for _, file, _ in keys]
    for lost in result.coverage.blind:
        whole = [f"arch/{arch}" for arch in arches]
        if inside([lost.file], files) or (not lost.line and lost.file in whole):
            return lost
    return None
