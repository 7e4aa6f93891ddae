# SPDX-License-Identifier: GPL-2.0-or-later
"""What an invalidation takes: a page loses the right to be written to, and one that has no entry.

Both are the same call of mprotect(), with the same work on mappings and page tables; only for the
page that was written to an entry is changed, and its translation taken out of the TLB or the hash
table (change_protection() flushes where an entry needs it, and nothing where none was there:
mm/mprotect.c, 5.10 to 7.3).
"""

from __future__ import annotations

import contextlib
import mmap
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from lazymmu.timing.hypercalls import guest_of_xen
from lazymmu.timing.mapped import pages
from lazymmu.timing.samples import NotMeasured, Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lazymmu.timing.mapped import Pages

__all__ = ["invalidation"]

_NOBODYS: Final = 0
"""PROT_NONE, which Python has no name of."""
_TOUCHED: Final = 1
_UNTOUCHED: Final = 3
_NUMBER: Final = 5
"""Pages: the two stand between others, which nobody may use, so that mappings are never joined."""


@contextlib.contextmanager
def invalidation(root: Path, arch: str) -> Iterator[Pair]:
    """The pair of calls.

    :raises NotMeasured: with the reason.
    """
    if guest_of_xen(root) == "PV":
        raise NotMeasured("in a Xen PV guest an invalidation is a hypercall")
    if arch == "powerpc" and not _has_hash(root):
        raise NotMeasured("the MMU here is not the hash MMU, whose invalidations wait")
    with pages(_NUMBER) as memory:
        for page in range(0, _NUMBER, 2):
            memory.protect(page, _NOBODYS)()
        yield Pair(
            _takes_away(memory, _TOUCHED, touch=True),
            _takes_away(memory, _UNTOUCHED, touch=False),
            1,
            "a write of one entry, and the flush of its translation on this CPU",
        )


def _takes_away(memory: Pages, page: int, *, touch: bool) -> Callable[[], int]:
    """What takes the right away, and tells how long that took."""
    give = memory.protect(page, mmap.PROT_READ | mmap.PROT_WRITE)
    take = memory.protect(page, mmap.PROT_READ)

    def once() -> int:
        give()
        if touch:
            memory.touch(page)
        begin = perf_counter_ns()
        take()
        return perf_counter_ns() - begin

    return once


def _has_hash(root: Path) -> bool:
    """Whether /proc/cpuinfo names the hash MMU (arch/powerpc/platforms, show_cpuinfo)."""
    try:
        text = (root / "proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return False
    return any(
        line.partition(":")[2].strip() == "Hash"
        for line in text.splitlines()
        if line.startswith("MMU")
    )
