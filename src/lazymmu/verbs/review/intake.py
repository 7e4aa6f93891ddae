# SPDX-License-Identifier: GPL-2.0-or-later
"""A series as it was sent: out of a mailbox, a mail, a diff, or a folder of such."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.patches.mails import mails, ordered, unpacked
from lazymmu.snapshot.patches.series import of_mails
from lazymmu.verbs.review.values import Submission, Submitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.snapshot.patches.mails import Mail
    from lazymmu.verbs.given import Input

__all__ = ["of_file"]

_BASE: Final = re.compile(rb"^base-commit: ([0-9a-f]{7,64})\s*$", re.MULTILINE)


def of_file(given: Input, strip: int = 1) -> Submission:
    """The series in a file; raises Problem, with its name, if there is none, or it is damaged.

    :param strip: how many first parts its paths have that are not the tree's.
    """
    try:
        return _of_mails(given.name, mails(unpacked(given.content)), strip)
    except Problem as problem:
        raise Problem(f"{given.name}: {problem}") from None


def _of_mails(name: str, found: Sequence[Mail], strip: int) -> Submission:
    chosen = ordered(list(found))
    patches = tuple(Submitted(patch, mail) for mail, patch in of_mails(chosen, strip))
    return Submission(name, patches, _base(found))


def _base(found: Sequence[Mail]) -> str:
    """The commit that a series says it is for, in its cover letter or in a patch."""
    for mail in found:
        if match := _BASE.search(mail.text):
            return match[1].decode()
    return ""
