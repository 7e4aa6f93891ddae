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
    from lazymmu.machine.steps import Routine

MIGRATE_DEVICE = "mm/migrate_device.c"


class MigrateVma(Part):
    """v4.14 to v6.18; mm/migrate.c to v5.17.

    Left out: pages that a device has, and those that a lock of their own keeps where they are.
    """

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("migrate_vma_collect_pmd",)

    @routine(MIGRATE_DEVICE)
    def migrate_vma_collect_pmd(self, *entries: str) -> Routine:
        """Entries of anonymous memory, of one table."""
        if not (yield self.code.tables.map_lock(entries[0])):
            return
        yield self.mode.lazy_mmu_mode_enable()
        if not (yield self.prepare(entries)):
            return
        unmapped: tuple[str, ...] = ()
        for entry in entries:
            if (yield self.collect(entry)):
                unmapped = (*unmapped, entry)
        if unmapped:
            yield self.arch.flush_tlb_range(*entries)
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(entries[0])

    @routine("")
    def prepare(self, entries: tuple[str, ...]) -> Routine:  # noqa: ARG002 - as where it does
        """Nothing to do before; tells whether the table is still there."""
        yield from ()
        return True

    @routine("")
    def collect(self, entry: str) -> Routine:
        """One entry; tells whether it was taken out."""
        value = yield self.arch.ptep_get(entry)
        if page_of(value) is None:
            return False
        yield self.code.pgtable.ptep_get_and_clear(entry)
        moves = "migration-writable" if writable(value) else "migration"
        yield self.code.pgtable.set_pte_at(entry, moves)
        return True


class MigrateVmaSplits(MigrateVma):
    """v6.19 on: a large folio is split first, with the section ended and the lock dropped.

    migrate_vma_split_folio() sleeps; then the walk begins anew.
    """

    @routine("")
    def prepare(self, entries: tuple[str, ...]) -> Routine:
        """Leave, unlock, split, lock, enter for each folio that reaches beyond the range."""
        for entry in entries:
            value = yield self.arch.ptep_get(entry)
            if not self.code.is_large(value, entries):
                continue
            yield self.mode.lazy_mmu_mode_disable()
            yield self.code.tables.unlock(entries[0])
            yield self.code.might_sleep("migrate_vma_split_folio")
            if not (yield self.code.tables.map_lock(entries[0])):
                return False
            yield self.mode.lazy_mmu_mode_enable()
        return True
