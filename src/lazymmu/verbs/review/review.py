# SPDX-License-Identifier: GPL-2.0-or-later
"""`review`: read a series as a maintainer would, patch by patch."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.verbs import names, reading
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.review import steps
from lazymmu.verbs.review.both_sides import both_sides
from lazymmu.verbs.review.looks import Looks
from lazymmu.verbs.review.machines import Machines
from lazymmu.verbs.review.opening import opened
from lazymmu.verbs.review.request import ReviewRequest
from lazymmu.verbs.review.split import split
from lazymmu.verbs.review.stable import backports, tags
from lazymmu.verbs.review.together import with_together
from lazymmu.verbs.review.values import Split
from lazymmu.verbs.unseen import losses_since
from lazymmu.witness.source import check as source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.review.values import (
        PatchReview,
        ReviewBase,
        SeriesReview,
        StableBackport,
        Submission,
        Tags,
    )
    from lazymmu.verbs.sides import CodeSide
    from lazymmu.witness.finding import CheckResult, Finding, Lost
    from lazymmu.witness.source.check import Progress

__all__ = ["ReviewAnswer", "ReviewRequest", "review"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer:
    """A review of a series.

    :param request: the question.
    :param base: what it was laid on.
    :param submission: the series, as it was sent.
    :param patches: what each patch does.
    :param series: what all of them do together.
    :param split: its independent parts, and what each alone brings.
    :param backports: what becomes of each fix on each tree that it may go to.
    :param tags: what each fix says of itself.
    :param results: the checks of the base, and of it with one more patch each time.
    :param losses: a sentence for each part of the series that was left out, and one for files of
        the tree that were written meanwhile.
    :param only: the number of the patch that was handed over alone, 0 for a whole series.
    :param sides: for the id of each problem its code before the patch and after it, if the request
        has `shown`.
    """

    request: ReviewRequest
    base: ReviewBase
    submission: Submission
    patches: tuple[PatchReview, ...]
    series: SeriesReview
    split: Split
    backports: tuple[StableBackport, ...]
    tags: tuple[Tags, ...]
    results: tuple[CheckResult, ...]
    losses: tuple[str, ...] = ()
    only: int = 0
    sides: Mapping[str, tuple[CodeSide, CodeSide]] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[PatchReview, ...]:
        """The patches that are told of: all, or the one that was handed over alone."""
        return tuple(one for one in self.patches if self.only in (0, one.number))

    @property
    def blind(self) -> tuple[Lost, ...]:
        """What the series has lost to our sight: it could hide a finding, and was seen before.

        Also what only a patch in between has lost: a bisection comes there, too.
        """
        base, total = self.results[0], len(self.results) - 1
        found = list(losses_since(base, self.results[-1]))
        known = {lost.key for lost in found}
        for number, result in enumerate(self.results[1:-1], 1):
            for lost in losses_since(base, result):
                if lost.key not in known:
                    known.add(lost.key)
                    why = f"{lost.reason} (after {number}/{total}; a later patch shows it again)"
                    found.append(replace(lost, reason=why))
        return tuple(found)

    def exit_code(self) -> ExitCode:
        """The exit code of the command: 1 where a patch brings something."""
        if any(one.new or one.postponed for one in self.shown):
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
    with _stored(asked) as kept, opened(asked) as begun:

        def look(tree: Tree) -> CheckResult:
            return reading.read(source.check, tree, kept, arches, progress)

        looks = Looks(begun.based.tree, look)
        patches = [one.patch for one in begun.submission.patches]
        seen = [looks.of(patches[:number]) for number in range(len(patches) + 1)]
        done, series = steps.reviewed(seen, begun.submission.patches, _told(asked))
        done = with_together(done, seen, looks, begun.submission.patches)
        beside = dict(both_sides(done, seen)) if asked.shown else {}
        machines = Machines(arches, kept.cache_dir, asked.jobs)
        parts = Split(())
        if begun.only in (0, begun.submission.total):  # else there are patches to come
            parts = split(seen, looks, begun.submission.patches, _told(asked), machines,
                          _active(done))  # fmt: skip
        fixes = [one for one in done if one.fixed and begun.only in (0, one.number)]
        ports = backports(fixes, done, asked.stable, asked.trees[0], look, _told(asked))
        moved = _changed(looks.base)
    return ReviewAnswer(
        request=asked,
        base=begun.based.base,
        submission=begun.submission,
        patches=done,
        series=series,
        split=parts,
        backports=ports,
        tags=tags(fixes, asked.trees[0]),
        results=tuple(one.result for one in seen),
        losses=(*begun.submission.losses, *moved),
        only=begun.only,
        sides=beside,
    )


def _changed(base: Tree) -> list[str]:
    """A sentence where files of the tree were written while its series was reviewed."""
    changed = base.changed_meanwhile()
    if not changed:
        return []
    more = f" and {len(changed) - 1} more files" if len(changed) > 1 else ""
    return [
        f"{changed[0]}{more} changed while the tree was read: what is said may be of before or of"
        " after, so review it again"
    ]


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


def _active(reviews: Sequence[PatchReview]) -> set[int]:
    """The patches that bring or mend something."""
    return {one.number for one in reviews if one.new or one.fixed or one.postponed}


def _told(asked: ReviewRequest) -> Callable[[Finding], bool]:
    def told(finding: Finding) -> bool:
        return finding.confidence.rank >= asked.min_confidence.rank

    return told
