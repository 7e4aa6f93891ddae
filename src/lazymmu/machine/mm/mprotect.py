# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/mprotect.c: change_pte_range() takes the write permission of a range away."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.values import marked
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine

MPROTECT = "mm/mprotect.c"


class Mprotect(Part):
    """The same in all releases, one entry at a time."""

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("change_pte_range", "change_protection")

    @routine(MPROTECT)
    def change_pte_range(self, *entries: str) -> Routine:
        """Make present entries read-only; the TLB is flushed by who called."""
        if not (yield self.code.tables.map_lock(entries[0])):
            return
        yield self.code.rmap.flush_tlb_batched_pending(entries[0])
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            yield self.change_present_pte(entry)
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(entries[0])

    @routine(MPROTECT)
    def change_protection(self, *entries: str) -> Routine:
        """mprotect(PROT_READ): change_pte_range(), then the flush."""
        yield self.change_pte_range(*entries)
        yield self.arch.tlb_flush(*entries)

    @routine("")
    def change_present_pte(self, entry: str) -> Routine:
        """ptep_modify_prot_start() may leave the entry in place, or take it out."""
        if page_of((yield self.arch.ptep_get(entry))) is None:
            return
        value = yield self.code.pgtable.ptep_modify_prot_start(entry)
        yield self.code.pgtable.ptep_modify_prot_commit(entry, marked(value, "ro"))
