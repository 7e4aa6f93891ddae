# SPDX-License-Identifier: GPL-2.0-or-later
"""What a review says: values that its parts make and its renderers read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazymmu.snapshot.patches.mails import Mail
    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.witness.finding import Finding

__all__ = [
    "Fate",
    "NamedProblem",
    "PatchReview",
    "ReviewBase",
    "SeriesReview",
    "Submission",
    "Submitted",
]


class Fate(StrEnum):
    """What a patch does with a problem; the value is the letter of its ids."""

    NEW = "N"
    """It brings it, and the series ends with it."""
    FIXED = "F"
    """It mends what was there before the series."""
    MOVED = "M"
    """The problem is in another place after it, or under another name."""
    POSTPONED = "P"
    """It brings it, and a later patch mends it: in between the tree is wrong."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A patch as it was sent.

    :param mail: with nothing but a text of a plain diff.
    :param commit: the commit that it is, "" for one that is none yet.
    """

    patch: Patch
    mail: Mail
    commit: str = ""

    @property
    def subject(self) -> str:
        """Its subject without tags; of a plain diff the files that it is about."""
        return self.mail.subject or ", ".join(sorted({one.path for one in self.patch.files})[:3])


@dataclass(frozen=True, slots=True)
class Submission:
    """A series as it was sent.

    :param name: what messages call it.
    :param patches: in the order in which they are to be applied.
    :param base: the commit that it says it is for (`base-commit:`), "" where it says none.
    :param losses: a sentence for each part that was left out.
    """

    name: str
    patches: tuple[Submitted, ...]
    base: str = ""
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewBase:
    """What a series is laid on.

    :param tree: the path of the tree, as it was given.
    :param release: of the kernel.
    :param commit: its name, "" where it is none.
    :param how: a clause that says how it was found.
    """

    tree: str
    release: str
    how: str
    commit: str = ""

    def __str__(self) -> str:
        commit = f"{self.commit[:12]} of " if self.commit else ""
        return f"{commit}{self.tree} (Linux {self.release}), {self.how}"


@dataclass(frozen=True, slots=True)
class NamedProblem:
    """A problem and what a patch does with it.

    :param name: its id in this review, as `N1`.
    :param finding: as it is after the patch; of one that is mended, as it was before.
    :param patch: which patch, counted from 1.
    :param origin: where it was before, of one that moved.
    :param mended_by: the patch that mends what this one brings, 0 for none.
    :param together: the patches that bring it together, its own last; none where it needs no other.
    :param allowed_from: the release from which on it is allowed, "" where it never is.
    """

    name: str
    finding: Finding
    patch: int
    origin: Finding | None = None
    mended_by: int = 0
    together: tuple[int, ...] = ()
    allowed_from: str = ""


@dataclass(frozen=True, slots=True)
class PatchReview:
    """What one patch does.

    :param number: which it is, counted from 1.
    :param mends: ids of what earlier patches brought, and this one mends.
    """

    number: int
    submitted: Submitted
    new: tuple[NamedProblem, ...] = ()
    fixed: tuple[NamedProblem, ...] = ()
    moved: tuple[NamedProblem, ...] = ()
    postponed: tuple[NamedProblem, ...] = ()
    mends: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[NamedProblem, ...]:
        """All of it, what it brings first."""
        return (*self.new, *self.postponed, *self.fixed, *self.moved)


@dataclass(frozen=True, slots=True)
class SeriesReview:
    """What all patches do together; problems have the ids that they have in their patches."""

    new: tuple[NamedProblem, ...] = ()
    fixed: tuple[NamedProblem, ...] = ()
    moved: tuple[NamedProblem, ...] = ()
    postponed: tuple[NamedProblem, ...] = ()
    unchanged: int = 0
