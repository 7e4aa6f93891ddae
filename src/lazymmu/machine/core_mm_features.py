# SPDX-License-Identifier: GPL-2.0-or-later
"""What core-mm code does around the mode, as words: one row of them for each release.

Classes of core-mm code read these words alone; no class asks for a release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PagemapScope = Literal["absent", "wide", "narrow"]
Kasan = Literal["absent", "in-mode", "left", "paused"]
UffdWpCheck = Literal["absent", "first", "after-anon", "batched"]
VmallocSections = Literal["absent", "leaky", "balanced"]
VmallocFault = Literal["absent", "unflushed", "flushed"]
Kmap = Literal["atomic-unflushed", "atomic", "local"]


@dataclass(frozen=True, slots=True)
class CoreMM:
    """The state of core-mm code, where it changed.

    :param set_ptes: set_ptes() exists (v6.6 on); before, each entry is a set_pte_at() of its own.
    :param set_ptes_enters: architectures whose set_ptes() begins and ends a section of its own:
        those that use the generic one of include/linux/pgtable.h, and sparc's (bcc6cc832573 ("mm:
        add default definition of set_ptes()") and 1a10a44dfc1d ("sparc64: implement the new page
        table range API") (both in v6.6), and until 47b8def9358c (in v6.6) powerpc's of
        9fee28baa601, until 691ee97e1a9d ("mm: fix lazy mmu docs and usage") and eb61ad14c459
        ("sparc/mm: avoid calling arch_enter/leave_lazy_mmu() in set_ptes") (both in v6.15,
        6.12.y)).
    :param pagemap_scope: pagemap_scan_pmd_entry() (fs/proc/task_mmu.c) is not there (before v6.7),
        begins its section before any lock and ends it after the last one was dropped ("wide"), or
        keeps it inside the page-table lock ("narrow", ad449d856bd7 ("fs/proc/task_mmu: reduce scope
        of lazy mmu region") (in v6.15)).
    :param kasan: what kasan_populate_vmalloc_pte() and kasan_depopulate_vmalloc_pte()
        (mm/kasan/shadow.c) do about the section that apply_to_page_range() calls them in: work in
        it, leave it and enter it again (c519c3c0a113 ("mm/kasan: avoid lazy MMU mode hazards") (in
        v6.17)), or pause it (v7.0 on).
    :param kasan_allocates: the former asks for a page with GFP_KERNEL inside the callback; without,
        pages are there beforehand (v6.16 on, and 6.1.y and 6.12.y later than 6.1.176 and 6.12.38).
    :param kasan_frees_locked: the latter frees the page right after pte_clear(), under
        init_mm.page_table_lock, and the former looks at the entry before it takes that lock as well
        (until 08c7c253e032 ("mm/kasan: fix vmalloc shadow memory (de-)population races") (in
        v6.17)).
    :param pt_reclaim: zap_pte_range() may clear the pmd entry above an empty table inside its
        section (6375e95f381e ("mm: pgtable: reclaim empty PTE page in madvise(MADV_DONTNEED)") (in
        v6.14)).
    :param vmalloc_sections: loops over kernel entries in mm/vmalloc.c have no section, have one
        that an error returns from ("leaky"), or one that ends on every path (44562c71e2cf
        ("mm/vmalloc: Enter lazy mmu mode while manipulating vmalloc ptes"), fea18c686320
        ("mm/vmalloc: leave lazy MMU mode on PTE mapping error") (both in v6.16)).
    :param madvise_split_in_mode: madvise_cold_or_pageout_pte_range() and madvise_free_pte_range()
        drop the lock and split a huge page, which sleeps, without ending their section (before
        v6.5).
    :param move_present_ptes: mm/userfaultfd.c moves runs of entries in a section (v6.18 on).
    :param tables_vanish: pte_offset_map_lock() looks at the pmd entry again under the lock, and
        fails when the table is gone (0d940a9b270b ("mm/pgtable: allow pte_offset_map[_lock]() to
        fail") (in v6.5)).
    :param pt_reclaim_one_lock: pt_reclaim knows that the pmd entry's lock may be the page-table
        lock that it holds already (zap_empty_pte_table(), v7.1; try_get_and_clear_pmd() before
        tried to take it).
    :param uffd_wp_check: where zapping puts a userfaultfd marker in place of an entry, the check
        that the entry was cleared comes before everything else, or after anonymous mappings were
        let go (v6.12 to v7.1), or first again, for batches of entries (4259767463b3, v7.3); there
        are markers from v5.19 on.
    :param move_ptes_checks: move_ptes() warns when the entry it moves to is not none (seen in v6.17
        on).
    :param set_memory_walks: arm64's set_memory_valid() has a section of its own
        (update_range_prot(), v6.18 on) instead of that of apply_to_page_range().
    :param vmalloc_fault: x86-64's copies a top-level entry that is missing and reads it back,
        without or with a flush between (1160c2779b82 ("x86, mm, paravirt: Fix vmalloc_fault oops
        during lazy MMU updates") (in v3.9)); there is none from v5.8 on.
    :param set_memory_flushes: x86's __kernel_map_pages() flushes the mode at its end (26564600c966
        ("x86/mm: Flush lazy MMU when DEBUG_PAGEALLOC is set") (in v3.10)).
    :param lacks: operations, flags and values that came later, each with what it is to be called:
        KFENCE with v5.12, device-exclusive entries with v5.14, pte markers with v5.19, userfaultfd
        write-protection with v5.7, MADV_FREE with v4.5, vmap_pfn() with v5.10.
    :param batches_unmap: architectures on which reclaim puts TLB flushes off
        (ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH): x86 from v4.3 on, arm64 from v6.8 on.
    :param madvise_relock_flushes: madvise_cold_or_pageout_pte_range() and madvise_free_pte_range()
        flush what reclaim put off also where they take the lock again after a split (6.12.38, v6.17
        on).
    :param madvise_clears_young: madvise_cold_or_pageout_pte_range() takes the accessed bit away
        where the entry is (ptep_test_and_clear_young(), 3931b871c494 ("mm: madvise: avoid split
        during MADV_PAGEOUT and MADV_COLD") (in v6.10)) instead of exchanging the entry.
    :param migrate_vma_flushes_each: migrate_vma_collect_pmd() flushes where it takes an entry out
        (ptep_clear_flush(), 6c287605fd56 ("mm: remember exclusively mapped anonymous pages with
        PG_anon_exclusive") (in v5.19)), and not only the range at the end.
    :param migrate_vma_splits: migrate_vma_collect_pmd() splits large folios, outside of its section
        (seen in v6.19 on).
    :param copy_checks: copy_pte_range() warns when an entry that it has made present again is not
        (VM_WARN_ON_ONCE(); not in v6.1, seen in v6.12 on).
    :param apply_stops_at_hole: apply_to_existing_page_range() calls fn(pte++), so that it never
        gets past an entry that is none (6.12.8; the increment is the loop's in 6.12.38).
    :param kmap: x86-32's short-lived mappings: kmap_atomic() that does not or does flush
        (2cd1c8d4dc7e ("x86/paravirt: PTE updates in k(un)map_atomic need to be synchronous,
        regardless of lazy_mmu mode") (in v3.3)), or kmap_local_page(), which does (v5.11 on).
    """

    set_ptes: bool
    set_ptes_enters: tuple[str, ...]
    pagemap_scope: PagemapScope
    kasan: Kasan
    kasan_allocates: bool
    kasan_frees_locked: bool
    pt_reclaim: bool
    vmalloc_sections: VmallocSections
    madvise_split_in_mode: bool
    move_present_ptes: bool
    tables_vanish: bool
    pt_reclaim_one_lock: bool
    uffd_wp_check: UffdWpCheck
    move_ptes_checks: bool
    set_memory_walks: bool
    vmalloc_fault: VmallocFault
    kmap: Kmap
    batches_unmap: tuple[str, ...] = ()
    apply_stops_at_hole: bool = False
    copy_checks: bool = False
    migrate_vma_flushes_each: bool = False
    migrate_vma_splits: bool = False
    madvise_relock_flushes: bool = False
    madvise_clears_young: bool = False
    set_memory_flushes: bool = True
    lacks: Mapping[str, str] = field(default_factory=dict, hash=False)
