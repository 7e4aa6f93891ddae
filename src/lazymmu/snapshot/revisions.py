# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change is measured from: a revision, the merge base with it, or one end of a range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem

if TYPE_CHECKING:
    from lazymmu.snapshot.repository import Repository

__all__ = ["Base", "Range", "base_of", "range_of"]

_ABBREVIATED: Final = 12
"""Digits of a commit's name that the kernel's own texts have (submitting-patches)."""

_RANGE: Final = re.compile(r"(?P<old>[^:]*?)(?P<dots>\.{2,3})(?P<new>[^:.][^:]*|)")


@dataclass(frozen=True, slots=True)
class Range:
    """What `--since` asks about.

    :param old: the revision that the change is measured from.
    :param new: the revision that has the change, None for the work tree.
    :param symmetric: written with three dots.
    """

    old: str
    new: str | None = None
    symmetric: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """What a change is measured from.

    :param commit: its name; "" where it is no commit of a repository.
    :param revision: the revision that was asked for; of a patch, its name.
    :param merge_base: whether `commit` is not that revision, but the merge base with it.
    :param applied: of a patch, whether the tree has it; it is then undone, else laid on, in memory.
    """

    commit: str
    revision: str
    merge_base: bool = False
    applied: bool | None = None

    def __str__(self) -> str:
        short = self.commit[:_ABBREVIATED]
        if self.applied is not None:
            how = "is applied" if self.applied else "is not applied, and laid on in memory"
            return f"by {self.revision}, which {how}"
        if self.merge_base:
            return f"since {short}, the merge base with {self.revision}"
        return f"since {short}" + (
            f", {self.revision}" if not self.commit.startswith(self.revision) else ""
        )


def range_of(text: str) -> Range:
    """What a revision or a range means: `REV`, `A..B`, `A...B`; an end left out is HEAD."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return Range(text)
    return Range(match["old"] or "HEAD", match["new"] or "HEAD", len(match["dots"]) == 3)


def base_of(seen: Repository, asked: Range, *, exact: bool = False) -> Base:
    """The commit that a change is measured from.

    That is the merge base of both ends, so that a branch is not blamed for what it has not got from
    upstream yet; `exact`: the old end itself.

    :raises Problem: a revision is not there, or the ends have nothing in common.
    """
    if exact and asked.symmetric:
        raise Problem("A...B means the merge base of A and B; --exact goes with A..B")
    old = seen.commit(asked.old)
    if exact:
        return Base(old, asked.old)
    new = seen.head() if asked.new is None else seen.commit(asked.new)
    # Before the first commit of a branch there is nothing to have in common.
    if not new or new == old:
        return Base(old, asked.old)
    common = seen.merge_base(old, new)
    return Base(common, asked.old, merge_base=common != old)
