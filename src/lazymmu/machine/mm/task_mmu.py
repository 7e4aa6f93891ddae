# SPDX-License-Identifier: GPL-2.0-or-later
"""fs/proc/task_mmu.c: PAGEMAP_SCAN write-protects what user space has written (v6.7 on).

Write-protecting needs userfaultfd-wp, so powerpc and sparc never get to write here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import MARKERS, page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.values import flags_of, marked
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine

TASK_MMU = "fs/proc/task_mmu.c"


class PagemapScan(Part):
    """What both orders share: each entry that is not write-protected yet is made so."""

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("pagemap_scan_pmd_entry",)

    @routine("")
    def scan(self, entries: tuple[str, ...]) -> Routine:
        """The loop (PM_SCAN_WP_MATCHING), and the TLB flush that comes before the section ends."""
        changed: tuple[str, ...] = ()
        for entry in entries:
            if (yield self.make_uffd_wp_pte(entry)):
                changed = (*changed, entry)
        if changed:
            yield self.arch.flush_tlb_range(*changed)

    @routine(TASK_MMU)
    def make_uffd_wp_pte(self, entry: str) -> Routine:
        """Tells whether the entry was changed."""
        value = yield self.arch.ptep_get(entry)
        if "wp" in flags_of(value) or value == "marker":
            return False
        if page_of(value) is not None:
            old = yield self.code.pgtable.ptep_modify_prot_start(entry)
            new = marked(old, "ro", "wp")
            yield self.code.pgtable.ptep_modify_prot_commit(entry, new)
        elif value is not None and value.split(":")[0] in MARKERS:
            yield self.code.pgtable.set_pte_at(entry, marked(value, "wp"))
        else:
            yield self.code.pgtable.set_pte_at(entry, "marker")
        return True

    @routine(TASK_MMU)
    def pagemap_scan_thp_entry(self, first: str) -> Routine:
        """An entry of the level above: part of a huge page, which has to be split first.

        That takes the pmd lock, drops it, and calls split_huge_pmd(), whose
        mmu_notifier_invalidate_range_start() may sleep.  The split itself is left out.
        """
        if self.memory.specs[first].level == "pte":
            return
        yield self.code.tables.pmd_lock(self.ptl(first))
        yield self.locks.drop(self.ptl(first))
        yield self.code.might_sleep("mmu_notifier_invalidate_range_start")


class PagemapScanWide(PagemapScan):
    """v6.7 to v6.14, and 6.12.y: enter, lock, flush the TLB, unlock, leave.

    52526ca7fdb9 ("fs/proc/task_mmu: implement IOCTL to get and optionally clear info about PTEs")
    (in v6.7).
    """

    @routine(TASK_MMU)
    def pagemap_scan_pmd_entry(self, *entries: str) -> Routine:
        """Write-protect entries of one table; a first one of level pmd is a huge page."""
        first, ptes = entries[0], _ptes(self, entries)
        yield self.mode.lazy_mmu_mode_enable()
        yield self.pagemap_scan_thp_entry(first)
        if not ptes or not (yield self.code.tables.map_lock(ptes[0])):
            yield self.mode.lazy_mmu_mode_disable()
            return
        yield self.scan(ptes)
        yield self.code.tables.unlock(ptes[0])
        yield self.mode.lazy_mmu_mode_disable()
        yield self.sched.cond_resched()


class PagemapScanNarrow(PagemapScan):
    """From v6.15: lock, enter, flush the TLB, leave, unlock.

    ad449d856bd7 ("fs/proc/task_mmu: reduce scope of lazy mmu region") (in v6.15).
    """

    @routine(TASK_MMU)
    def pagemap_scan_pmd_entry(self, *entries: str) -> Routine:
        """Write-protect entries of one table; a first one of level pmd is a huge page."""
        first, ptes = entries[0], _ptes(self, entries)
        yield self.pagemap_scan_thp_entry(first)
        if not ptes or not (yield self.code.tables.map_lock(ptes[0])):
            return
        yield self.mode.lazy_mmu_mode_enable()
        yield self.scan(ptes)
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(ptes[0])
        yield self.sched.cond_resched()


def _ptes(part: Part, entries: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(entry for entry in entries if part.memory.specs[entry].level == "pte")
