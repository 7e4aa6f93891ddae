# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/memory.c, copy_pte_range(): fork copies one table into another, under both locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from lazymmu.machine.memory import EXCLUSIVE, page_of, writable
from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.values import flags_of, marked, unmarked
from lazymmu.machine.steps import local, routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

MEMORY = "mm/memory.c"

SHARED: Final = {"swap-exclusive": "swap", "migration-writable": "migration"}
"""What entries of one mm's own become when two have them."""


class CopyPteRange(Part):
    """The same in all releases; a device-exclusive entry is restored, and then read back.

    Left out: pinned pages, which are copied at once, and breaks for others who want the locks.
    """

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("copy_pte_range",)

    @routine(MEMORY)
    def copy_pte_range(self, source: str, target: str) -> Routine:
        """Copy one entry of the parent to the child, as copy_page_range() has it done."""
        yield self._write_protect_seq()
        yield self._copy_pte_range(source, target)
        yield self._write_protect_seq()

    @routine(MEMORY, "copy_pte_range")
    def _copy_pte_range(self, source: str, target: str) -> Routine:
        if not (yield self.code.tables.map_lock(target)):
            return
        if (yield self.code.tables.map_nolock(source)) is None:
            yield self.code.tables.unlock(target)
            return
        yield self.locks.spin_lock(self.ptl(source))
        yield self.mode.lazy_mmu_mode_enable()
        yield self._copy(source, target)
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(source)
        yield self.code.tables.unlock(target)
        yield self.sched.cond_resched()

    @local
    def _write_protect_seq(self, here: StepContext) -> None:
        """raw_write_seqcount_begin() and _end(), which copy_page_range() calls (v5.11 on)."""
        here.system.write_protect_seq = (here.system.write_protect_seq + 1) % 4

    @routine("")
    def _copy(self, source: str, target: str) -> Routine:
        value = yield self.arch.ptep_get(source)
        if value is None:
            return
        if page_of(value) is None:
            if (yield self.copy_nonpresent_pte(source, target)) != "-ENOENT":
                return
            value = yield self.arch.ptep_get(source)
            if self.features.copy_checks:
                yield self.vm_warn_on(page_of(value) is None, "!pte_present(ptent)")
        yield self.copy_present_ptes(source, target, value)

    @routine(MEMORY)
    def copy_nonpresent_pte(self, source: str, target: str) -> Routine:
        """Swap, migration, markers are copied as they are; device-exclusive ones made present."""
        value = yield self.arch.ptep_get(source)
        if EXCLUSIVE in flags_of(value):
            yield self.restore_exclusive_pte(source, value)
            return "-ENOENT"
        shared = SHARED.get(value or "", value)
        if shared != value:
            # pte_swp_clear_exclusive(), make_readable_migration_entry(): of the parent as well.
            yield self.code.pgtable.set_pte_at(source, shared)
        yield self.code.pgtable.set_pte_at(target, shared)
        return ""

    @routine(MEMORY)
    def restore_exclusive_pte(self, entry: str, value: Value) -> Routine:
        """By a store that may be deferred; the entry is made of the page, and not young yet."""
        yield self.code.pgtable.set_pte_at(entry, marked(unmarked(value, EXCLUSIVE), "old"))

    @routine(MEMORY)
    def copy_present_ptes(self, source: str, target: str, value: Value) -> Routine:
        """Both lose the write permission: the parent at once, by an atomic operation."""
        if writable(value):
            yield self.code.pgtable.ptep_set_wrprotect(source)
            value = marked(value, "ro")
        yield self.code.pgtable.set_pte_at(target, marked(value, "old"))
