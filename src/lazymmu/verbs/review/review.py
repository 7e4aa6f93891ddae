# SPDX-License-Identifier: GPL-2.0-or-later
"""`review`: read a series as a maintainer would, patch by patch."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.snapshot.patches.apply import PatchRefusedError
from lazymmu.verbs import names, reading
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.given import Given, read
from lazymmu.verbs.reading import TreeRequest
from lazymmu.verbs.review import intake, steps
from lazymmu.verbs.review.looks import Looks
from lazymmu.verbs.review.values import ReviewBase
from lazymmu.witness.finding import Confidence
from lazymmu.witness.source import check as source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.review.values import PatchReview, SeriesReview, Submission
    from lazymmu.witness.finding import CheckResult, Finding, Lost
    from lazymmu.witness.source.check import Progress

__all__ = ["ReviewAnswer", "ReviewRequest", "review"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest(TreeRequest):
    """A question for `review`: all that `lazymmu review` can be asked.

    :param series: a mailbox, a mail or a diff.
    :param min_confidence: how sure a finding must be.
    """

    series: Given
    min_confidence: Confidence = Confidence.MEDIUM

    def __post_init__(self) -> None:
        """As for every tree, of which there is one; a confidence may be a word."""
        TreeRequest.__post_init__(self)
        if len(self.trees) != 1:
            raise ValueError("a review needs exactly one tree")
        object.__setattr__(self, "min_confidence", Confidence(self.min_confidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer:
    """A review of a series.

    :param request: the question.
    :param base: what it was laid on.
    :param submission: the series, as it was sent.
    :param patches: what each patch does.
    :param series: what all of them do together.
    :param results: the checks of the base, and of it with one more patch each time.
    :param losses: a sentence for each part of the series that was left out.
    """

    request: ReviewRequest
    base: ReviewBase
    submission: Submission
    patches: tuple[PatchReview, ...]
    series: SeriesReview
    results: tuple[CheckResult, ...]
    losses: tuple[str, ...] = ()

    @property
    def blind(self) -> tuple[Lost, ...]:
        """What the series has lost to our sight: it could hide a finding, and was seen before."""
        before = [lost.key for lost in self.results[0].coverage.blind]
        found = []
        for lost in self.results[-1].coverage.blind:
            if lost.key in before:
                before.remove(lost.key)
            else:
                found.append(lost)
        return tuple(found)

    def exit_code(self) -> ExitCode:
        """The exit code of the command: 1 where a patch brings something."""
        if any(one.new or one.postponed for one in self.patches):
            return ExitCode.FOUND
        unseen = self.blind or self.losses or not self.results[-1].arches
        return ExitCode.INCONCLUSIVE if unseen else ExitCode.CLEAN


def review(asked: ReviewRequest, *, progress: Progress | None = None) -> ReviewAnswer:
    """Review a series of patches against the contract.

    :param asked: the question.
    :param progress: called with a stage, how much of it is done, and of how much.
    :returns: what each patch brings, mends and moves, and what is known of the series.
    :raises lazymmu.Problem: the request cannot be met; its text is one sentence for the user.
    """
    names.dialect(asked.dialect)
    arches = reading.arches_of(asked)
    submission = intake.of_file(read(asked.series))
    with _stored(asked) as kept:

        def look(tree: Tree) -> CheckResult:
            return reading.read(source.check, tree, kept, arches, progress)

        tree = reading.opened(asked.trees[0])
        base = ReviewBase(reading.called(asked.trees[0]), tree.release, "which it applies to")
        looks = Looks(tree, look)
        patches = [one.patch for one in submission.patches]
        try:
            seen = [looks.of(patches[:number]) for number in range(len(patches) + 1)]
        except PatchRefusedError as refused:
            raise Problem(f"{submission.name}: does not apply to {base.tree}: {refused}") from None
        done, series = steps.reviewed(seen, submission.patches, _told(asked))
    return ReviewAnswer(
        request=asked,
        base=base,
        submission=submission,
        patches=done,
        series=series,
        results=tuple(one.result for one in seen),
        losses=submission.losses,
    )


@contextlib.contextmanager
def _stored(asked: ReviewRequest) -> Iterator[ReviewRequest]:
    """A request with a store: each tree differs from the last by a patch, and so costs little.

    One without a cache gets a store of its own, which is gone when the context ends.
    """
    if asked.cache_dir is not None:
        yield asked
        return
    with tempfile.TemporaryDirectory(prefix="lazymmu-review-") as folder:
        yield replace(asked, cache_dir=Path(folder))


def _told(asked: ReviewRequest) -> Callable[[Finding], bool]:
    def told(finding: Finding) -> bool:
        return finding.confidence.rank >= asked.min_confidence.rank

    return told
