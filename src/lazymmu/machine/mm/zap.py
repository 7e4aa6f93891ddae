# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/memory.c, zap_pte_range(): entries go away, their pages wait for the TLB flush.

Anonymous entries that are present are exchanged for none at once; what is not present is cleared by
a store that may be deferred.  From v6.14 on MADV_DONTNEED of a whole table takes the table away as
well: inside the section if the pmd lock is free ("fast path"), else afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.values import flags_of
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine, RoutineCall

MEMORY = "mm/memory.c"
PT_RECLAIM = "mm/pt_reclaim.c, 6375e95f381e (in v6.14)"

Details = tuple[str, ...]
"""struct zap_details and the VMA: "reclaim_pt", "drop_markers", "file"."""

Gone = tuple[tuple[str, str], ...]
"""What is to be given back: (page, "page" or "table")."""

UNMAP: Details = ("drop_markers",)
DONTNEED: Details = ("reclaim_pt",)
TRUNCATE: Details = ("file",)


class Zap(Part):
    """Before v6.14, and wherever page tables are not reclaimed.

    powerpc and sparc have no CONFIG_PT_RECLAIM, because they have HAVE_ARCH_TLB_REMOVE_TABLE.

    need_resched() and full mmu_gather batches, which cut a walk short, are left out.
    """

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = (
        "zap_pte_range",
        "unmap_page_range",
        "madvise_dontneed_single_vma",
        "unmap_mapping_range",
    )

    @routine(MEMORY)
    def zap_pte_range(self, *entries: str) -> Routine:
        """Clear entries of anonymous memory; nobody gives their pages back."""
        yield self._zap_pte_range(entries, UNMAP)

    @routine(MEMORY)
    def unmap_page_range(self, *entries: str) -> Routine:
        """munmap(): clear entries of anonymous memory, flush, and give the pages back."""
        yield self._gather(entries, UNMAP)

    @routine("mm/madvise.c")
    def madvise_dontneed_single_vma(self, *entries: str) -> Routine:
        """MADV_DONTNEED of anonymous memory: these entries are all of their table."""
        yield self._gather(entries, DONTNEED)

    @routine(MEMORY)
    def unmap_mapping_range(self, *entries: str) -> Routine:
        """A file is truncated: clear entries that map it privately."""
        yield self._gather(entries, TRUNCATE)

    @routine("")
    def _gather(self, entries: tuple[str, ...], details: Details) -> Routine:
        gone = yield self._zap_pte_range(entries, details)
        yield self.tlb_finish_mmu(entries, gone)

    @routine("mm/mmu_gather.c")
    def tlb_finish_mmu(self, entries: tuple[str, ...], gone: Gone) -> Routine:
        """Flush, then free pages and tables."""
        if gone:
            yield self.tlb_flush_mmu(entries, gone)

    @routine("mm/mmu_gather.c")
    def tlb_flush_mmu(self, entries: tuple[str, ...], gone: Gone) -> Routine:
        """Flush what was noted and not flushed yet, and free what was gathered."""
        if entries:
            yield self.arch.tlb_flush(*entries)
        for page, what in gone:
            yield self.memory.pages_free(page, "table" if what == "table" else "page")

    @routine(MEMORY, "zap_pte_range")
    def _zap_pte_range(self, entries: tuple[str, ...], details: Details) -> Routine:
        """Gives what was mapped, as (page, "page" or "table")."""
        first = entries[0]
        if not (yield self.code.tables.map_lock(first)):
            return ()
        yield self.code.rmap.flush_tlb_batched_pending(first)
        yield self.mode.lazy_mmu_mode_enable()
        gone: Gone = ()
        flush = False
        for entry in entries:
            page = yield self.do_zap_pte_range(entry, details)
            gone = (*gone, (page, "page")) if page else gone
            flush = flush or bool(page and "file" in details)
        reclaim = bool(self.pmd(first)) and "reclaim_pt" in details
        fast = self.fast_path(first) if reclaim else None
        table = (yield fast) if fast is not None else None
        yield self.mode.lazy_mmu_mode_disable()
        if flush:  # entries of files may be dirty: force_flush
            yield self.arch.tlb_flush(*entries)
        yield self.code.tables.unlock(first)
        if flush:
            yield self.tlb_flush_mmu((), gone)
            gone = ()
        if fast is not None and table is None:
            slow = self.slow_path(entries)
            table = (yield slow) if slow is not None else None
        return (*gone, (table, "table")) if table else gone

    @routine(MEMORY)
    def do_zap_pte_range(self, entry: str, details: Details) -> Routine:
        """One entry; gives the page that it mapped, "" for none."""
        value = yield self.arch.ptep_get(entry)
        if value is None:
            return ""
        page = page_of(value)
        if page is None:
            yield self.zap_nonpresent_ptes(entry, value, details)
            return ""
        yield self.zap_present_ptes(entry, value, details)
        return page

    @routine(MEMORY)
    def zap_present_ptes(self, entry: str, value: Value, details: Details) -> Routine:
        """The exchange takes effect at once on every architecture."""
        yield self.code.pgtable.ptep_get_and_clear(entry)
        if "wp" in flags_of(value):
            yield self.code.uffd.zap_install_uffd_wp_if_needed(entry, value, details)

    @routine(MEMORY)
    def zap_nonpresent_ptes(self, entry: str, value: Value, details: Details) -> Routine:
        """Swap, migration, markers: cleared by a store."""
        if (value or "").split(":")[0] == "marker" and details == TRUNCATE:
            return
        yield self.code.pgtable.pte_clear_not_present_full(entry)
        yield self.code.uffd.zap_install_uffd_wp_if_needed(entry, value, details)

    # ---- page-table reclaim ----------------------------------------------------------------------

    def fast_path(self, _entry: str) -> RoutineCall | None:
        """Inside the section: gives the table that was unlinked, None when it could not be."""
        return None

    def slow_path(self, _entries: tuple[str, ...]) -> RoutineCall | None:
        """After the section: gives the table that was unlinked, None when it is not empty."""
        return None


class ZapReclaim(Zap):
    """v6.14 to v6.19: try_get_and_clear_pmd() and try_to_free_pte()."""

    operations: ClassVar[tuple[str, ...]] = (*Zap.operations, "try_to_free_pte")

    def fast_path(self, entry: str) -> RoutineCall:
        """Clear the pmd entry under its own lock, which is dropped while the mode is on."""
        return self.try_get_and_clear_pmd(entry)

    def slow_path(self, entries: tuple[str, ...]) -> RoutineCall:
        """Wait for the pmd lock, and look whether the table is empty still."""
        return self._try_to_free_pte(entries)

    @routine(PT_RECLAIM)
    def try_to_free_pte(self, *entries: str) -> Routine:
        """The slow path of a walk that had to yield midway: entries are all of their table."""
        table = yield self._try_to_free_pte(entries)
        if table:
            yield self.tlb_finish_mmu(entries, ((table, "table"),))

    @routine(PT_RECLAIM)
    def try_get_and_clear_pmd(self, entry: str) -> Routine:
        """Fails as well where the pmd lock is the page-table lock, which is held."""
        pmd = self.pmd(entry)
        if not (yield self.locks.spin_trylock(self.ptl(pmd))):
            return None
        table = page_of((yield self.read(pmd, "pmdp_get_lockless")))
        yield self.arch.pmd_clear(pmd)
        yield self.locks.drop(self.ptl(pmd))
        return table or ""

    @routine(PT_RECLAIM, "try_to_free_pte")
    def _try_to_free_pte(self, entries: tuple[str, ...]) -> Routine:
        return (yield self.locked_unlink(entries))

    @routine("")
    def locked_unlink(self, entries: tuple[str, ...]) -> Routine:
        """pmd lock, page-table lock, all entries none: clear the pmd entry."""
        first = entries[0]
        pmd, pml, ptl = self.pmd(first), self.ptl(self.pmd(first)), self.ptl(first)
        yield self.code.tables.pmd_lock(pml)
        table = yield self.code.tables.map_nolock(first)
        if table is None:
            yield self.locks.drop(pml)
            return None
        if ptl != pml:
            yield self.locks.take(ptl)
        empty = yield self._empty(entries)
        if empty:
            yield self.arch.pmd_clear(pmd)
        if ptl != pml:
            yield self.locks.drop(ptl)
        yield self.locks.drop(pml)
        return table if empty else None

    @routine("")
    def _empty(self, entries: tuple[str, ...]) -> Routine:
        for entry in entries:
            if not (yield self.none(entry)):
                return False
        return True


class ZapReclaimOneLock(ZapReclaim):
    """v7.1 on: zap_empty_pte_table() and zap_pte_table_if_empty().

    As before, and it knows that the pmd lock may be the page-table lock that it holds.
    """

    operations: ClassVar[tuple[str, ...]] = (*Zap.operations, "zap_pte_table_if_empty")

    @routine(MEMORY)
    def zap_pte_table_if_empty(self, *entries: str) -> Routine:
        """The slow path of a walk that had to yield midway: entries are all of their table."""
        table = yield self._zap_pte_table_if_empty(entries)
        if table:
            yield self.tlb_finish_mmu(entries, ((table, "table"),))

    def fast_path(self, entry: str) -> RoutineCall:
        """Clear the pmd entry, and drop its lock if it was taken, while the mode is on."""
        return self.zap_empty_pte_table(entry)

    def slow_path(self, entries: tuple[str, ...]) -> RoutineCall:
        """Wait for the pmd lock, and look whether the table is empty still."""
        return self._zap_pte_table_if_empty(entries)

    @routine(MEMORY)
    def zap_empty_pte_table(self, entry: str) -> Routine:
        """The pmd entry is cleared, and its lock dropped, while the mode is on."""
        pmd = self.pmd(entry)
        pml, ptl = self.ptl(pmd), self.ptl(entry)
        if ptl != pml and not (yield self.locks.spin_trylock(pml)):
            return None
        table = page_of((yield self.read(pmd, "pmdp_get")))
        yield self.arch.pmd_clear(pmd)
        if ptl != pml:
            yield self.locks.drop(pml)
        return table or ""

    @routine(MEMORY, "zap_pte_table_if_empty")
    def _zap_pte_table_if_empty(self, entries: tuple[str, ...]) -> Routine:
        return (yield self.locked_unlink(entries))
