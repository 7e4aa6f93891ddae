# SPDX-License-Identifier: GPL-2.0-or-later
"""What a review says: values that its parts make and its renderers read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazymmu.snapshot.patches.mails import Mail
    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.verbs.review.costs import CostChange
    from lazymmu.witness.finding import Finding

__all__ = [
    "Fate",
    "MachineHarm",
    "NamedProblem",
    "PatchReview",
    "ReviewBase",
    "SeriesPart",
    "SeriesReview",
    "Split",
    "StableBackport",
    "Submission",
    "Submitted",
    "Switch",
    "Tags",
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
    UNSEEN = "U"
    """What it is in is not seen any more: nobody can tell whether it is there."""


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

    @property
    def total(self) -> int:
        """How many patches the series has; those that are missing at its end count as well."""
        numbers = [one.mail.number for one in self.patches]
        said = numbers[0][1]
        whole = all(number == (at, said) for at, number in enumerate(numbers, 1))
        return said if whole else len(self.patches)


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
    unseen: tuple[NamedProblem, ...] = ()
    mends: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[NamedProblem, ...]:
        """All of it, what it brings first."""
        return (*self.new, *self.postponed, *self.unseen, *self.fixed, *self.moved)


@dataclass(frozen=True, slots=True)
class SeriesReview:
    """What all patches do together; problems have the ids that they have in their patches."""

    new: tuple[NamedProblem, ...] = ()
    fixed: tuple[NamedProblem, ...] = ()
    moved: tuple[NamedProblem, ...] = ()
    postponed: tuple[NamedProblem, ...] = ()
    unseen: tuple[NamedProblem, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Switch:
    """A feature of a machine that a part of a series switches.

    :param feature: a word of the machine for core-mm code (`machine.core_mm_features`), or `hooks`.
    """

    arch: str
    feature: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MachineHarm:
    """What a scenario comes to with some parts of a series, and not without.

    :param parts: the names of those parts.
    :param preemptions: with so few it is reached.
    :param known: with how many it is reached on the base, None where it is not.
    """

    arch: str
    parts: tuple[str, ...]
    scenario: str
    rule: str
    preemptions: int
    known: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesPart:
    """Hunks of a series that depend on nothing else in it.

    :param name: its letter.
    :param patches: the numbers of the patches that it is in.
    :param hunks: patch, file, line, functions.
    :param new: what it alone brings.
    :param fixed: what it alone mends.
    :param switches: features of machines that it switches; none: it is not in the machine.
    """

    name: str
    patches: tuple[int, ...]
    hunks: tuple[tuple[int, str, int, str], ...]
    new: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    switches: tuple[Switch, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """Whether a series is several.

    :param parts: its independent parts.
    :param needs: pairs of them, of which the first must come before the second.
    :param orders: of the parts, that are safe.
    :param harms: what scenarios come to with some of the parts.
    :param untold: a sentence for each machine that could not be asked.
    :param costs: operations that cost something else with a part, the greatest first of each.
    """

    parts: tuple[SeriesPart, ...]
    needs: tuple[tuple[str, str], ...] = ()
    orders: tuple[tuple[str, ...], ...] = ()
    harms: tuple[MachineHarm, ...] = ()
    untold: tuple[str, ...] = ()
    costs: tuple[CostChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Tags:
    """What a fix says of itself.

    :param patch: its number.
    :param fixes: commit and subject of each `Fixes:`.
    :param unknown: those of the commits that the tree's repository does not have.
    :param stable: whether it goes to stable by its own word (`Cc: stable`).
    :param missing: whether it mends what hurts, and does not say so.
    """

    patch: int
    fixes: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    stable: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class StableBackport:
    """What becomes of a fix on another tree.

    :param patch: its number.
    :param tree: the tree as it was named.
    :param release: of its kernel.
    :param has: ids of the problems that the tree has, none where it has nothing to mend.
    :param applies: whether it applies alone.
    :param refused: why it does not.
    :param needs: patches of the series with which it does.
    :param fixed: what is gone after it.
    :param new: what came.
    """

    patch: int
    tree: str
    release: str
    has: tuple[str, ...] = ()
    applies: bool = False
    refused: str = ""
    needs: tuple[int, ...] = ()
    fixed: tuple[Finding, ...] = ()
    new: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> str:
        """In a word: `not-affected`, `yes`, `with-others`, `by-hand`, `brings-harm`."""
        if not self.has:
            return "not-affected"
        if self.new:
            return "brings-harm"
        if self.applies:
            return "yes"
        return "with-others" if self.needs else "by-hand"
