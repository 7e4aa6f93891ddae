# SPDX-License-Identifier: GPL-2.0-or-later
"""A series out of mails: which of them are one series, in their order, and what is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.patches.mails import mails, ordered, unpacked
from lazymmu.snapshot.patches.series import of_mails
from lazymmu.verbs.review.values import Submission, Submitted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.snapshot.patches.mails import Mail

__all__ = ["mails_of", "submission"]

_BASE: Final = re.compile(rb"^base-commit: ([0-9a-f]{7,64})\s*$", re.MULTILINE)
_COUNTED: Final = re.compile(
    rb"^ \d+ files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?\s*$",
    re.MULTILINE,
)
"""The last line of a diffstat (git, diff.c, show_shortstats())."""


def mails_of(content: bytes) -> list[Mail]:
    """The mails of a file, packed or not.

    :raises Problem: for a damaged one.
    """
    return mails(unpacked(content))


def submission(
    name: str, found: Sequence[Mail], *, strip: int = 1, whole: bool = True
) -> Submission:
    """The one series among some mails.

    :param name: what messages call it.
    :param strip: how many first parts its paths have that are not the tree's.
    :param whole: whether patches that it lacks are lost, and not yet to come.
    :raises Problem: there is none, there are two, or one is damaged.
    """
    try:
        _one(found)
        chosen = ordered(list(found))
        pairs = of_mails(chosen, strip)
    except Problem as problem:
        raise Problem(f"{name}: {problem}") from None
    patches = tuple(Submitted(patch, mail) for mail, patch in pairs)
    missing = _missing(patches) if whole else ()
    losses = (*_left_out(found, chosen), *missing, *_cut(patches))
    return Submission(name, patches, _base(found), tuple(f"{name}: {one}" for one in losses))


def _one(found: Sequence[Mail]) -> None:
    """Raise Problem if the patches are those of two series."""
    patches = [mail for mail in found if mail.is_patch and not mail.reply]
    last = max((mail.version for mail in patches), default=1)
    newest = [mail for mail in patches if mail.version == last]
    others = [mail for mail in newest if not _belongs(newest[0], mail)]
    taken: dict[int, Mail] = {}
    for mail in newest if newest and newest[0].number[1] else ():
        there = taken.setdefault(mail.number[0], mail)
        if there.subject != mail.subject:
            others.append(mail)
    if not others:
        titles = {mail.subject for mail in found if mail.version == last}
        older = [mail for mail in found if mail.version != last and not mail.reply]
        # Versions of one series have a patch, or the cover letter, in common.
        if older and not titles.intersection(mail.subject for mail in older):
            others = [mail for mail in older if mail.is_patch]
    if others:
        raise Problem(
            f"holds two series, with {_shown(newest[0])} and {_shown(others[0])}; "
            "a review is of one"
        )


def _belongs(one: Mail, other: Mail) -> bool:
    """Whether two patches of one version may be of one series, by how they are numbered."""
    return one.number[1] == other.number[1]


def _shown(mail: Mail) -> str:
    return f'"{mail.title}"'


def _left_out(found: Sequence[Mail], chosen: Sequence[Mail]) -> Iterator[str]:
    """Patches that are not reviewed."""
    keep = {id(mail) for mail in chosen}
    older = {mail.version for mail in found if mail.is_patch} - {mail.version for mail in chosen}
    for version in sorted(older):
        yield f"patches of version {version} are left out, there is a newer one"
    identities = {mail.identity for mail in chosen if mail.identity}
    for mail in found:
        copied = mail.identity in identities or any(
            (mail.title, mail.text) == (one.title, one.text) for one in chosen
        )
        if mail.is_patch and mail.reply and id(mail) not in keep and not copied:
            yield f"the patch in {_shown(mail)}, a reply, is left out"


def _missing(patches: Sequence[Submitted]) -> Iterator[str]:
    """Patches that a series says it has, before the first one and after the last."""
    numbers = {one.mail.number[0] for one in patches}
    totals = {one.mail.number[1] for one in patches}
    if len(totals) != 1 or not (total := totals.pop()):
        return
    lacking = [number for number in range(1, total + 1) if number not in numbers]
    if lacking:
        named = ", ".join(f"{number}/{total}" for number in lacking[:5])
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        verb = "is" if len(lacking) == 1 else "are"
        yield f"the series lacks {named}{more}, which {verb} not reviewed"


def _cut(patches: Sequence[Submitted]) -> Iterator[str]:
    """Patches whose diffstat does not fit: of half a mail, it says what is missing."""
    for one in patches:
        stats = list(_COUNTED.finditer(one.mail.text))
        if not stats or any(file.binary for file in one.patch.files):
            continue
        hunks = [hunk for file in one.patch.files for hunk in file.hunks]
        grown = sum(len(hunk.new) - len(hunk.old) for hunk in hunks)
        counted = int(stats[-1][1] or 0) - int(stats[-1][2] or 0)
        if grown != counted:
            yield (
                f"{_shown(one.mail)} may be cut off: by its diffstat files grow by {counted} "
                f"lines, by its diff by {grown}"
            )


def _base(found: Sequence[Mail]) -> str:
    """The commit that a series says it is for, in its cover letter or in a patch."""
    for mail in found:
        if match := _BASE.search(mail.text):
            return match[1].decode()
    return ""
