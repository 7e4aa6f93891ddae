# SPDX-License-Identifier: GPL-2.0-or-later
"""Known commits beside what trees show: where both agree, and where they do not.

What a tree has is decided by the tree. What is known (`contract.known_commits`) tells two things
that the trees at hand may not be able to tell: which commit it was, and that a problem is older
than the oldest of them, so that a tree without it is one that has it mended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.contract.known_commits import known_history
from lazymmu.verbs.past.points import series_of
from lazymmu.verbs.past.states import Cell, PastState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.contract.known_commits import KnownCommit, KnownHistory
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.spans import Span

__all__ = ["CitedCommit", "cited", "mended_before"]


@dataclass(frozen=True, slots=True)
class CitedCommit:
    """A known commit beside what was found.

    :param commit: what is known.
    :param agrees: whether what was found agrees; None where it says nothing of it.
    :param why: how it does not.
    """

    commit: KnownCommit
    agrees: bool | None
    why: str = ""


def history_of(problem: PastProblem) -> KnownHistory | None:
    """What is known of a problem, by all places that it is or was in."""
    places = [(problem.file, problem.function), *problem.former]
    return known_history(problem.rule, places)


def mended_before(problem: PastProblem, points: Sequence[Point]) -> PastProblem:
    """A problem whose absence in older trees is told for what it is, where that is known."""
    known = history_of(problem)
    came = known.introduced if known is not None else None
    if came is None:
        return problem
    why = f"{came} brought it before, and this release has it mended"
    return replace(
        problem,
        cells=tuple(
            Cell(PastState.FIXED, why)
            if cell.state is PastState.NOT_YET and series_of(came.release) <= point.series
            else cell
            for point, cell in zip(points, problem.cells, strict=True)
        ),
    )


def cited(
    problem: PastProblem, points: Sequence[Point], has_commit: Callable[[str], bool]
) -> tuple[CitedCommit | None, CitedCommit | None]:
    """The known commits that brought a problem and that mended it, each beside what was found.

    :param has_commit: whether the repository that was asked has a commit.
    """
    known = history_of(problem)
    if known is None:
        return None, None
    found: list[CitedCommit | None] = []
    for commit, span in ((known.introduced, problem.introduced), (known.fixed, problem.fixed)):
        if commit is None:
            found.append(None)
        elif span is None:
            found.append(_open(commit, points))
        elif span.commit and has_commit(commit.commit):
            same = span.commit.startswith(commit.commit)
            found.append(CitedCommit(commit, same, "" if same else f"{span.commit[:12]} was found"))
        else:
            found.append(_between(commit, span, points))
    return found[0], found[1]


def _open(commit: KnownCommit, points: Sequence[Point]) -> CitedCommit:
    """Beside a problem of which no mainline release at hand is without."""
    newest = points[-1]
    if newest.series < series_of(commit.release):
        return CitedCommit(commit, None, f"no release at hand is as new as v{commit.release}")
    return CitedCommit(commit, False, f"{newest.name} has the problem")


def _between(commit: KnownCommit, span: Span, points: Sequence[Point]) -> CitedCommit:
    """Beside the two releases between which it was."""
    series = {point.name: point.series for point in points}
    release = series_of(commit.release)
    if "{}.{}.y".format(*series[span.by]) in commit.stable:
        return CitedCommit(commit, True)  # it may have come there by stable alone
    if release > series[span.by]:
        return CitedCommit(commit, False, f"{span.by} is older")
    if span.after and release <= series[span.after]:
        return CitedCommit(commit, False, f"{span.after} is not older")
    return CitedCommit(commit, True)
