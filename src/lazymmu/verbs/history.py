# SPDX-License-Identifier: GPL-2.0-or-later
"""`history`: which release has which problem, where it came from, and where it went."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.verbs import reading
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.lineage import by_release, lineage
from lazymmu.verbs.past.points import Point, heads
from lazymmu.verbs.past.problems import problems_of
from lazymmu.verbs.reading import TreeRequest
from lazymmu.witness.finding import Confidence
from lazymmu.witness.source import check as source

if TYPE_CHECKING:
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.witness.finding import CheckResult
    from lazymmu.witness.source.check import Progress, Where

__all__ = ["HistoryAnswer", "HistoryRequest", "history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRequest(TreeRequest):
    """A question for `history`: all that `lazymmu history` can be asked.

    :param min_confidence: how sure a finding must be to be a problem.
    """

    min_confidence: Confidence = Confidence.MEDIUM

    def __post_init__(self) -> None:
        """As for every tree; a confidence may be a word."""
        TreeRequest.__post_init__(self)
        object.__setattr__(self, "min_confidence", Confidence(self.min_confidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAnswer:
    """What became of which problem.

    :param request: the question.
    :param points: the trees in the order of their releases.
    :param problems: those that hurt first.
    :param interrupted: whether the user broke off; what had been found by then is here.
    """

    request: HistoryRequest
    points: tuple[Point, ...]
    problems: tuple[PastProblem, ...]
    interrupted: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each tree that could not be looked at, or has nothing to look at."""
        said = []
        for point in self.points:
            if point.result is None:
                said.append(point.trouble)
            elif not point.result.arches:
                said.append(f"{point.path} does not implement the lazy MMU mode")
        return tuple(said)

    def exit_code(self) -> ExitCode:
        """The exit code of the command: found where any tree has a problem."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.problems:
            return ExitCode.FOUND
        blind = any(point.result and point.result.coverage.blind for point in self.points)
        return ExitCode.INCONCLUSIVE if self.missing or blind else ExitCode.CLEAN


def history(asked: HistoryRequest, *, progress: Progress | None = None) -> HistoryAnswer:
    """Tell what became of the problems of several trees.

    :param asked: the question.
    :param progress: called with a stage, how much of it is done, and of how much.
    :returns: the trees in their order, and what each has of each problem.
    :raises lazymmu.Problem: the request cannot be met, or none of the trees could be looked at.
    """
    arches = reading.arches_of(asked)
    results: list[tuple[Where, CheckResult | None, str]] = []
    interrupted = False
    for number, tree in enumerate(asked.trees):
        name = os.path.basename(os.path.abspath(reading.called(tree)))
        if progress is not None:
            progress(f"history: {name}", number, len(asked.trees))
        try:
            results.append((tree, reading.read(source.check, tree, asked, arches, None), ""))
        except Problem as problem:
            results.append((tree, None, str(problem)))
        except KeyboardInterrupt:
            interrupted = True
            break
    if not any(result for _, result, _ in results):
        if interrupted:
            raise KeyboardInterrupt
        raise Problem("; ".join(trouble for _, _, trouble in results))
    points, trees = _points(results)
    former = lineage([(reading.opened(tree), result.findings) for tree, result in trees])
    problems = problems_of(points, former, asked.min_confidence)
    return HistoryAnswer(request=asked, points=points, problems=problems, interrupted=interrupted)


def _points(
    results: list[tuple[Where, CheckResult | None, str]],
) -> tuple[tuple[Point, ...], list[tuple[Where, CheckResult]]]:
    """The points in their order, and the trees of those that could be looked at."""
    releases = [result.tree.release if result else "" for _, result, _ in results]
    paths = [reading.called(tree) for tree, _, _ in results]
    names = heads(paths, releases)
    points, trees = [], []
    for place in by_release(releases):
        tree, result, trouble = results[place]
        name = names[place] or os.path.basename(os.path.abspath(paths[place]))
        points.append(
            Point(
                name=name,
                release=releases[place],
                path=paths[place],
                result=result,
                trouble=trouble,
            )
        )
        if result is not None:
            trees.append((tree, result))
    return tuple(points), trees
