# SPDX-License-Identifier: GPL-2.0-or-later
"""Which dialect each release speaks, and each architecture's row of the deferral table there.

For machines and traces, which are told a release and have no tree.  Where there is a tree, its own
text and words are asked (`dialects.detect()`, `rows.row()`); a test holds this table to that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import rows as _rows
from lazymmu.contract.dialects import COUNTED, COUNTED_TASK, NO_NESTING, PTL_HELD, Dialect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.contract.deferral.rows import DeferralRow


@dataclass(frozen=True, slots=True)
class ReleaseRows:
    """One release: its name, its dialect, and the row of each architecture that has the mode."""

    name: str
    dialect: Dialect
    rows: Mapping[str, DeferralRow]


def _release(name: str, dialect: Dialect, *rows: DeferralRow) -> ReleaseRows:
    return ReleaseRows(name, dialect, {row.arch: row for row in rows})


_LOCKED = (_rows.XEN_EXCLUSIVE, _rows.HASH_ACTIVE, _rows.SPARC_ACTIVE)
_NESTING = (_rows.XEN_NESTING_COUNT, _rows.HASH_ACTIVE, _rows.SPARC_ACTIVE)
_BARRIERS = (*_LOCKED, _rows.ARM64_FLAG)
_COUNTED = (
    _rows.XEN_CPU_MODE,
    _rows.HASH_COUNTED,
    _rows.SPARC_COUNTED,
    _rows.ARM64_COUNTED,
)

RELEASES: Final[Mapping[str, ReleaseRows]] = {
    release.name: release
    for release in (
        # sparc64's preempt_disable(), a1d416bf9faf (in v6.15), is in v6.1.y and v6.12.y as well.
        _release("6.1.176", PTL_HELD, *_LOCKED),
        _release("6.1.192", PTL_HELD, *_LOCKED),
        _release(
            "6.12.8", PTL_HELD, _rows.XEN_NESTING_COUNT, _rows.HASH_ACTIVE, _rows.SPARC_UNPINNED
        ),
        # v6.12.y took the text of v6.15 and kept Xen's nesting count.
        _release("6.12.38", NO_NESTING, *_NESTING),
        _release("6.12.117", NO_NESTING, *_NESTING),
        _release("6.17.8", NO_NESTING, *_BARRIERS),
        _release("6.18.5", NO_NESTING, *_BARRIERS),
        _release("6.19.6", NO_NESTING, *_BARRIERS),
        _release("7.0", COUNTED, _rows.XEN_CPU_STRICT, *_COUNTED[1:]),
        _release("7.1.13", COUNTED, *_COUNTED),
        _release("7.2.8", COUNTED_TASK, _rows.XEN_TASK, *_COUNTED[1:]),
        _release("7.3.4", COUNTED_TASK, _rows.XEN_TASK, *_COUNTED[1:]),
    )
}
"""Releases that were read, oldest branch first."""


_LIKE: Final[dict[tuple[int, ...], str]] = {
    **dict.fromkeys(((6, 2), (6, 3), (6, 4), (6, 5)), "6.1.176"),
    **dict.fromkeys(((6, 13), (6, 14)), "6.12.8"),
}
"""Series without an entry that are as one before them, and not as the next.

Xen's count of nested sections came in v6.6 with the sections of set_ptes() (bcc6cc832573 ("mm: add
default definition of set_ptes()")), and went in v6.15 with the text that forbids them (691ee97e1a9d
("mm: fix lazy mmu docs and usage")).  One architecture differs: sparc64 was pinned in v6.15 and in
6.1.y, and not from v6.2 to v6.5.
"""


def release_of(name: str) -> ReleaseRows:
    """What is known of the release `name`: its own entry, or the one most like it.

    A release of a series in the table, such as `6.12.107` or `6.12.107+deb13-amd64`, is as the
    newest entry of that series that is not newer than it, else as its oldest. A series that the
    table lacks is as the oldest entry of the next series, if nothing else is known of it (`_LIKE`),
    and as the newest of all beyond that: features come with a series and reach its stable branch
    late. So this is a guess where `name` is not in `RELEASES`.

    :raises ValueError: for what is no release from 6.1 on.
    """
    wanted = _numbers(name)
    if wanted is None:
        raise ValueError(f"`{name}` is not a Linux release; known are {', '.join(RELEASES)}")
    if wanted < (6, 1):
        raise ValueError(f"nothing is known of Linux {name}; known are {', '.join(RELEASES)}")
    return RELEASES[nearest(name, RELEASES) or name]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Which of the releases in `known`, oldest first, the release `name` is like, as above.

    A candidate of a release is like no other.  None for what does not begin like a release, or is
    older than all that are known.
    """
    entries = list(known)
    if name in entries:
        return name
    wanted = _numbers(name)
    if wanted is None:
        return None
    numbered = [(_numbers(entry) or (), entry) for entry in entries]
    if all(numbers > wanted and numbers[:2] != wanted[:2] for numbers, _ in numbered):
        return None
    numbered = [(numbers, entry) for numbers, entry in numbered if "-rc" not in entry]
    series = [(numbers, entry) for numbers, entry in numbered if numbers[:2] == wanted[:2]]
    if not series and (like := _LIKE.get(wanted[:2], "")) in entries:
        return like
    older = [entry for numbers, entry in series if numbers <= wanted]
    later = [entry for numbers, entry in numbered if numbers > wanted]
    return (older[-1:] or [entry for _, entry in series] or later or [numbered[-1][1]])[0]


def _numbers(name: str) -> tuple[int, ...] | None:
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,5}))?", name)
    return None if found is None else tuple(int(part or 0) for part in found.groups())
