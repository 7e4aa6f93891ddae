# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/migrate_device.c: migrate_vma_collect_pmd() puts migration entries in place of pages.

It flushes the TLB inside its section, before the end, in every release so far: where the store of
the migration entry waits and the flush does not, the old entry may be cached again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import page_of, writable
from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine

MIGRATE_DEVICE = "mm/migrate_device.c"


class MigrateVma(Part):
    """v4.14 to v6.18; mm/migrate.c to v5.17.

    Left out: pages that a device has, and those that a lock of their own keeps where they are.
    """

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("migrate_vma_collect_pmd",)

    splits: ClassVar[bool] = False
    """Whether a large folio is split first."""

    @routine(MIGRATE_DEVICE)
    def migrate_vma_collect_pmd(self, *entries: str) -> Routine:
        """Entries of anonymous memory, of one table; without a table they are a hole."""
        first = entries[0]
        if not (yield self._map_lock(first)):
            return
        yield self.mode.lazy_mmu_mode_enable()
        small: tuple[str, ...] = ()
        unmapped = False
        for entry in entries:
            value = yield self.arch.ptep_get(entry)
            page = page_of(value) or ""
            if self.splits and page not in small and self.code.is_large(value, entries):
                yield self.mode.lazy_mmu_mode_disable()
                yield self.code.tables.unlock(first)
                yield self.code.might_sleep("migrate_vma_split_folio")
                if not (yield self._map_lock(first)):
                    return
                yield self.mode.lazy_mmu_mode_enable()
                small = (*small, page)
                value = yield self.arch.ptep_get(entry)
            if page_of(value) is not None:
                yield self.unmap(entry, value)
                unmapped = True
        if unmapped:
            yield self.arch.flush_tlb_range(*entries)
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(first)

    @routine("")
    def _map_lock(self, entry: str) -> Routine:
        """Until the table is locked, or the entry above leads to none."""
        while True:
            if (yield self.code.tables.map_nolock(entry)) is None:
                return False
            if (yield self.code.tables.map_lock(entry)):
                return True

    @routine("")
    def unmap(self, entry: str, value: Value) -> Routine:
        """Put a migration entry there; from v5.19 on each is flushed (ptep_clear_flush())."""
        yield self.code.pgtable.ptep_get_and_clear(entry)
        if self.features.migrate_vma_flushes_each:
            yield self.arch.flush_tlb_range(entry)
        moves = "migration-writable" if writable(value) else "migration"
        yield self.code.pgtable.set_pte_at(entry, moves)


class MigrateVmaSplits(MigrateVma):
    """v6.19 on: a large folio is split first, with the section ended and the lock dropped.

    migrate_vma_split_folio() sleeps; then the entry is looked at anew.
    """

    splits: ClassVar[bool] = True
