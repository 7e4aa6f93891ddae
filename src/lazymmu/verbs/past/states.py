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
    """A problem at one point: its state, why, and the findings that are the problem there."""

    state: PastState
    why: str = ""
    findings: tuple[Finding, ...] = ()


def cells_of(
    keys: Sequence[Key], points: Sequence[Point], confidence: Confidence
) -> tuple[Cell, ...]:
    """What became of a problem at points in their order.

    :param keys: all that it is known by, the latest first.
    :param confidence: the least that a finding must have.
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
            cells.append(_absent(keys, arches, point, number, having, points, fixed=fixed))
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


def _absent(
    keys: Sequence[Key],
    arches: Collection[str],
    point: Point,
    number: int,
    having: Sequence[int],
    points: Sequence[Point],
    *,
    fixed: bool,
) -> Cell:
    """The cell of a point that does not have a problem.

    :param fixed: whether a release that is older, and newer than all that have it, has it mended.
    """
    if point.result is None:
        return Cell(PastState.INCONCLUSIVE, point.trouble)
    why = impossible(keys[0][0], arches, point.result)
    if why and not fixed:
        return Cell(PastState.CANNOT_HAPPEN, why)
    if lost := blind_in(keys, arches, point.result):
        at = f"{lost.file}:{lost.line}: " if lost.file else ""
        return Cell(PastState.INCONCLUSIVE, f"{at}{lost.name}: {lost.reason}")
    if not having or number < having[0]:
        return Cell(PastState.NOT_YET)
    if number > having[-1]:
        return Cell(PastState.FIXED)
    again = next(points[place].name for place in having if place > number)
    return Cell(PastState.FIXED, f"it is there again in {again}")


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
