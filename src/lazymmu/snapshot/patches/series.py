# SPDX-License-Identifier: GPL-2.0-or-later
"""A series of patches out of any file that holds one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.snapshot.patches.diffs import FilePatch, diffs
from lazymmu.snapshot.patches.mails import mails, ordered, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.snapshot.patches.mails import Mail

__all__ = ["Patch", "of_mails", "read_series"]


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch of a series; title: how messages call it, "" where it has none."""

    files: tuple[FilePatch, ...]
    title: str = ""

    def reversed(self) -> Patch:
        """The patch that undoes it."""
        return Patch(tuple(one.reversed() for one in self.files[::-1]), self.title)

    def __str__(self) -> str:
        return f"patch {self.title}" if self.title else "the patch"


def read_series(content: bytes, strip: int = 1) -> tuple[Patch, ...]:
    """The patches in a file: a mailbox, a mail, or a diff, packed or not.

    :param strip: see `diffs`.
    :raises Problem: there is none, or one is damaged.
    """
    return tuple(one for _, one in of_mails(ordered(mails(unpacked(content))), strip))


def of_mails(letters: Iterable[Mail], strip: int = 1) -> tuple[tuple[Mail, Patch], ...]:
    """The patch of each mail that has one; see `read_series`."""
    found = []
    for mail in letters:
        try:
            files = tuple(diffs(mail.text, strip))
        except Problem as problem:
            raise Problem(f"{mail.title}: {problem}" if mail.title else str(problem)) from None
        if files:
            found.append((mail, Patch(files, mail.title)))
    if not found:
        raise Problem("not a patch: there is no diff in it")
    return tuple(found)
