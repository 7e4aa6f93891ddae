# SPDX-License-Identifier: GPL-2.0-or-later
"""The problems of a line of releases, each with what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.verbs.lineage import chains, key_of
from lazymmu.verbs.past import spans
from lazymmu.verbs.past.states import cells_of
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.past.known import CitedCommit
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.spans import Backported, Span
    from lazymmu.verbs.past.states import Cell
    from lazymmu.witness.finding import Confidence, Finding

__all__ = ["PastProblem", "problems_of", "with_spans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastProblem:
    """One problem over all points.

    :param id: what it is called in one answer: H1, H2, ...
    :param key: what it is called in all answers: of its rule, and its oldest file and function.
    :param file: where it is in the latest release that has it; function: likewise.
    :param former: file and function before that, the latest first.
    :param cells: what each point has of it, in the order of the points.
    """

    id: str
    key: str
    rule: str
    file: str
    function: str
    former: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]
    introduced: Span | None = None
    fixed: Span | None = None
    backported: tuple[Backported, ...] = ()
    known: tuple[CitedCommit | None, CitedCommit | None] = (None, None)
    """Known commits that brought it, and that mended it, beside what was found."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The problem as it is found in all trees that have it."""
        return tuple(one for cell in self.cells for one in cell.findings)

    @property
    def latest(self) -> Finding:
        """The problem as it is in the latest tree that has it."""
        return self.findings[-1]

    @property
    def hurts(self) -> tuple[str, ...]:
        """The architectures that are hurt in any of the trees."""
        return tuple(sorted({harm.arch for one in self.findings for harm in one.harms}))


def problems_of(
    points: Sequence[Point],
    former: Mapping[Key, Key],
    confidence: Confidence,
    *,
    linear: bool = False,
) -> tuple[PastProblem, ...]:
    """All problems of points in their order, those that hurt first.

    :param former: what a problem was before that has changed its place (`verbs.lineage`).
    :param confidence: the least of a finding that makes a problem.
    :param linear: each point has all before it, as commits of one range do.
    """
    known = chains(former)
    found: dict[tuple[Key, ...], None] = {}
    for point in points:
        for finding in point.result.findings if point.result is not None else ():
            told = finding.severity is not Severity.INFORMATION
            if told and finding.confidence.rank >= confidence.rank:
                found[known.get(key_of(finding), (key_of(finding),))] = None
    made = [_problem(keys, cells_of(keys, points, confidence, linear=linear)) for keys in found]
    made.sort(key=lambda one: (not one.hurts, one.file, one.function, one.rule))
    return tuple(_numbered(one, number) for number, one in enumerate(made, 1))


def with_spans(
    problem: PastProblem, points: Sequence[Point], *, linear: bool = False
) -> PastProblem:
    """A problem with where it came and went.

    :param linear: each point has all before it, as commits of one range do.
    """
    cells = problem.cells
    return replace(
        problem,
        introduced=spans.introduced(points, cells, linear=linear),
        fixed=spans.fixed(points, cells, linear=linear),
        backported=spans.backported(points, cells, linear=linear),
    )


def _problem(keys: Sequence[Key], cells: tuple[Cell, ...]) -> PastProblem:
    held = {key_of(finding) for cell in cells for finding in cell.findings}
    places = [(file, function) for rule, file, function in keys if (rule, file, function) in held]
    name = hashlib.blake2b("\0".join(keys[-1]).encode("utf-8", "replace"), digest_size=4)
    return PastProblem(
        id="",
        key=name.hexdigest(),
        rule=keys[0][0],
        file=places[0][0],
        function=places[0][1],
        former=tuple(places[1:]),
        cells=cells,
    )


def _numbered(problem: PastProblem, number: int) -> PastProblem:
    return replace(problem, id=f"H{number}")
