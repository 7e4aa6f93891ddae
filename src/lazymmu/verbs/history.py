# SPDX-License-Identifier: GPL-2.0-or-later
"""`history`: which release has which problem, where it came from, and where it went."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs import names
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.given import several
from lazymmu.verbs.lineage import by_release, lineage
from lazymmu.verbs.past.backport import Backport, backport
from lazymmu.verbs.past.both_sides import changes
from lazymmu.verbs.past.hidden import uncovered
from lazymmu.verbs.past.known import cited, mended_before
from lazymmu.verbs.past.looking import Looking
from lazymmu.verbs.past.of_commits import CommitHistory, Every
from lazymmu.verbs.past.of_trees import TreeHistory
from lazymmu.verbs.past.problems import problems_of, with_spans
from lazymmu.verbs.past.searches import Searches
from lazymmu.verbs.past.workers import workers_at
from lazymmu.witness.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.past.both_sides import PastChange
    from lazymmu.verbs.past.looks import PastLook
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.spans import Span
    from lazymmu.witness.source.check import Progress

__all__ = ["HistoryAnswer", "HistoryRequest", "history"]


_MOST_TRIED: Final = 24
"""Of more points it is not tried what hides what: each takes a look of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRequest:
    """A question for `history`: all that `lazymmu history` can be asked.

    :param trees: top directories of source trees; with `repository`, revisions in it.
    :param repository: a directory in a git repository of the kernel, whose commits are asked about.
    :param range: `A..B`, the commits whose history is asked; without it, and without revisions,
        all tags of releases.
    :param every: which commits of the range are points of the history.
    :param arches: as for `CheckRequest`.
    :param dialect: as for `CheckRequest`.
    :param min_confidence: how sure a finding must be to be a problem.
    :param jobs: processes; None for one per processor.
    :param cache_dir: folder of the store, in which a run that is broken off is gone on with; None
        for one that is gone with the answer.
    :param backport: the id or key of a problem whose fix is tried elsewhere, and the revision.
    :param scheduler: the address of a Dask scheduler; None or ``local`` for processes here.
    :param shown: whether the answer has the code of each problem, as pages need it.
    """

    trees: Sequence[str | os.PathLike[str]] = ()
    repository: str | os.PathLike[str] | None = None
    range: str | None = None
    every: Every = Every.RELEASE
    arches: Sequence[str] = ()
    dialect: str | None = None
    min_confidence: Confidence = Confidence.MEDIUM
    jobs: int | None = None
    cache_dir: str | os.PathLike[str] | None = None
    backport: tuple[str, str] | None = None
    scheduler: str | None = None
    shown: bool = False

    def __post_init__(self) -> None:
        """Collections are kept as tuples; a confidence, and what points are, may be a word."""
        for name in ("trees", "arches"):
            object.__setattr__(self, name, several(getattr(self, name)))
        object.__setattr__(self, "min_confidence", Confidence(self.min_confidence))
        object.__setattr__(self, "every", Every(self.every))
        if any(isinstance(tree, Tree) for tree in self.trees):
            raise TypeError("history needs the paths of trees, not open ones")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAnswer:
    """What became of which problem.

    :param request: the question.
    :param points: the trees in the order of their releases, or commits in that of their history.
    :param problems: those that hurt first.
    :param backport: what the fix of one of them does elsewhere, where that was asked.
    :param commits: how many commits were gone through.
    :param made: how many trees and commits were looked at now.
    :param recalled: how many looks were in the store.
    :param interrupted: whether it was broken off; what had been found by then is here.
    :param trouble: why, where it was not the user.
    :param sides: for the key of each problem its code on both sides of each change, if the request
        has `shown`.
    """

    request: HistoryRequest
    points: tuple[Point, ...]
    problems: tuple[PastProblem, ...]
    backport: Backport | None = None
    commits: int = 0
    made: int = 0
    recalled: int = 0
    interrupted: bool = False
    trouble: str = ""
    sides: Mapping[str, tuple[PastChange, ...]] = field(default_factory=dict)

    def only(self, name: str) -> HistoryAnswer:
        """This answer with one of its problems alone.

        :param name: its id (H3) or its key.
        :raises lazymmu.Problem: there is no such problem.
        """
        found = tuple(one for one in self.problems if name in {one.id, one.key})
        if not found:
            last = self.problems[-1].id if self.problems else ""
            there_are = f"there are H1 to {last}" if last else "there is none"
            raise Problem(f"there is no problem {name!r} here; {there_are}")
        return replace(self, problems=found)

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each tree that could not be looked at, or has nothing to look at."""
        said = []
        for point in self.points:
            if point.result is None:
                said.append(point.trouble)
            elif not point.result.arches:
                said.append(f"{point.name} does not implement the lazy MMU mode")
        return tuple(said)

    def exit_code(self) -> ExitCode:
        """The exit code of the command: found where any tree has a problem."""
        if self.interrupted:
            return ExitCode.INCONCLUSIVE if self.trouble else ExitCode.INTERRUPTED
        if self.problems:
            return ExitCode.FOUND
        blind = any(point.result and point.result.coverage.blind for point in self.points)
        return ExitCode.INCONCLUSIVE if self.missing or blind else ExitCode.CLEAN


def history(asked: HistoryRequest, *, progress: Progress | None = None) -> HistoryAnswer:
    """Tell what became of the problems of several trees, or of a repository's commits.

    :param asked: the question.
    :param progress: called with a stage, how much of it is done, and of how much.
    :returns: the trees in their order, and what each has of each problem.
    :raises lazymmu.Problem: the request cannot be met, or none of the trees could be looked at.
    """
    _refuse(asked)
    names.dialect(asked.dialect)
    with contextlib.ExitStack() as stack:
        cache_dir = asked.cache_dir or stack.enter_context(tempfile.TemporaryDirectory())
        # Workers elsewhere tell by it whether they share the store.
        with contextlib.suppress(OSError):
            os.makedirs(cache_dir, mode=0o700, exist_ok=True)
        workers = workers_at(asked.scheduler, asked.jobs)
        stack.callback(workers.end)
        looking = Looking(workers, os.fspath(cache_dir), progress)
        try:
            if asked.repository is None:
                return _of_trees(asked, looking)
            seen = stack.enter_context(view(os.fspath(asked.repository)))
            places = [os.fspath(asked.repository)]
            found = CommitHistory(
                seen,
                looking,
                arches=names.arches(asked.arches, places) or (),
                dialect=asked.dialect,
            )
            return _of_commits(asked, found, looking)
        finally:
            looking.end()


def _refuse(asked: HistoryRequest) -> None:
    """Raise Problem for a question that has no answer."""
    if asked.repository is None:
        if not asked.trees:
            raise Problem("history needs trees, or --git with a repository")
        if asked.range is not None or asked.every is not Every.RELEASE:
            raise Problem("--range and --every go with --git")
        if asked.backport is not None:
            raise Problem("--backport goes with --git: a fix is a commit")
    elif asked.trees and asked.range is not None:
        raise Problem("--range and revisions cannot be combined")
    elif asked.range is None and asked.every is not Every.RELEASE:
        raise Problem("--every merge and --every commit need a --range")


def _of_trees(asked: HistoryRequest, looking: Looking) -> HistoryAnswer:
    arches = names.arches(asked.arches, asked.trees) or ()
    found = TreeHistory(looking, arches=arches, dialect=asked.dialect)
    points = found.of([os.fspath(tree) for tree in asked.trees])
    _none(points, looking)
    former = lineage(
        [(found.tree(point), point.result.findings) for point in points if point.result is not None]
    )
    problems = _problems(
        asked, looking, points, former, lambda one: (found.tree(one), found.look(one.path))
    )
    answer = _answer(asked, looking, points, problems)
    return _with_sides(answer, found.tree)


def _of_commits(asked: HistoryRequest, found: CommitHistory, looking: Looking) -> HistoryAnswer:
    linear = asked.range is not None
    if asked.range is not None:
        points = found.of_range(asked.range, asked.every)
    elif asked.trees:
        points = found.of_revisions([os.fspath(tree) for tree in asked.trees])
    else:
        points = found.of_releases()
    _none(points, looking)
    if not linear:
        points = [points[place] for place in by_release([point.release for point in points])]
    former = lineage(
        [(found.tree(one.commit), one.result.findings) for one in points if one.result is not None]
    )
    problems = _problems(
        asked,
        looking,
        points,
        former,
        lambda one: (found.tree(one.commit), found.look(one.commit)),
        linear=linear,
    )
    problems = _with_commits(problems, found, points, asked.min_confidence)
    answer = _answer(asked, looking, points, problems, found.commits, found.has)
    answer = _with_sides(answer, lambda one: found.tree(one.commit))
    if asked.backport is None or answer.interrupted:
        return answer
    name, to = asked.backport
    (problem,) = answer.only(name).problems
    return replace(answer, backport=backport(problem, to, found))


def _problems(
    asked: HistoryRequest,
    looking: Looking,
    points: Sequence[Point],
    former: Mapping[Key, Key],
    opened: Callable[[Point], tuple[Tree, PastLook]],
    *,
    linear: bool = False,
) -> tuple[PastProblem, ...]:
    """The problems of points, those that another hides among them, with where they came and went.

    :param opened: the tree of a point, and what was asked about it.
    """
    problems: Sequence[PastProblem] = problems_of(
        points, former, asked.min_confidence, linear=linear
    )
    if len(points) <= _MOST_TRIED:
        problems = uncovered(problems, points, looking, asked.min_confidence, opened)
    return tuple(with_spans(mended_before(one, points), points, linear=linear) for one in problems)


def _none(points: Sequence[Point], looking: Looking) -> None:
    """Raise where nothing was looked at: Problem, or the interrupt that kept it from being."""
    if any(point.result is not None for point in points):
        return
    if looking.trouble:
        raise Problem(looking.trouble)
    if looking.interrupted:
        raise KeyboardInterrupt
    raise Problem("; ".join(dict.fromkeys(point.trouble for point in points)))


def _answer(
    asked: HistoryRequest,
    looking: Looking,
    points: Sequence[Point],
    problems: tuple[PastProblem, ...],
    commits: int = 0,
    has_commit: Callable[[str], bool] = lambda _: False,
) -> HistoryAnswer:
    return HistoryAnswer(
        request=asked,
        points=tuple(points),
        problems=tuple(replace(one, known=cited(one, points, has_commit)) for one in problems),
        commits=commits,
        made=looking.made,
        recalled=looking.recalled,
        interrupted=looking.interrupted,
        trouble=looking.trouble,
    )


def _with_sides(answer: HistoryAnswer, opened: Callable[[Point], Tree]) -> HistoryAnswer:
    """An answer with the code of its problems, where that was asked for."""
    if not answer.request.shown:
        return answer
    sides = {one.key: changes(one, answer.points, opened) for one in answer.problems}
    return replace(answer, sides=sides)


def _with_commits(
    problems: Sequence[PastProblem],
    found: CommitHistory,
    points: Sequence[Point],
    confidence: Confidence,
) -> tuple[PastProblem, ...]:
    """The problems with the commit of each span that has one."""
    wanted = [
        (one, span, came) for one in problems for span, came in _spans(one) if span.after != ""
    ]
    commits = Searches(found, confidence).run(wanted, points)

    def told(problem: PastProblem, span: Span | None) -> Span | None:
        among = commits.get((problem.id, span), ()) if span is not None else ()
        if span is None or not among:
            return span
        if len(among) > 1:
            return replace(span, among=among)
        return replace(span, commit=among[0], subject=found.subject(among[0]))

    return tuple(
        replace(
            one,
            introduced=told(one, one.introduced),
            fixed=told(one, one.fixed),
            backported=tuple(
                replace(series, span=told(one, series.span)) for series in one.backported
            ),
        )
        for one in problems
    )


def _spans(problem: PastProblem) -> Iterator[tuple[Span, bool]]:
    """The spans of a problem, each with whether it came in it."""
    if problem.introduced is not None:
        yield problem.introduced, True
    if problem.fixed is not None:
        yield problem.fixed, False
    for series in problem.backported:
        if series.span is not None:
            yield series.span, False
