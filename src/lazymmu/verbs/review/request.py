# SPDX-License-Identifier: GPL-2.0-or-later
"""What `review` can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.verbs.given import Given, several
from lazymmu.verbs.reading import TreeRequest
from lazymmu.witness.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.witness.source.check import Where

__all__ = ["ReviewRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest(TreeRequest):
    """A question for `review`: all that `lazymmu review` can be asked.

    :param series: a mailbox, a mail, a diff, a folder of such, or a range of revisions `A..B` of
        the tree's repository.
    :param onto: the revision of the repository that the series is laid on; None for what it says
        itself, or else the newest that it applies to.
    :param stable: other trees, or revisions of the repository, that fixes may go to.
    :param min_confidence: how sure a finding must be.
    :param shown: with both sides of the code of each problem.
    """

    series: Given
    onto: str | None = None
    stable: Sequence[Where] = ()
    min_confidence: Confidence = Confidence.MEDIUM
    shown: bool = False

    def __post_init__(self) -> None:
        """As for every tree, of which there is one; a confidence may be a word."""
        TreeRequest.__post_init__(self)
        if len(self.trees) != 1:
            raise ValueError("a review needs exactly one tree")
        object.__setattr__(self, "stable", several(self.stable))
        object.__setattr__(self, "min_confidence", Confidence(self.min_confidence))
