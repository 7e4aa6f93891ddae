# SPDX-License-Identifier: GPL-2.0-or-later
"""powerpc Book3S-64: the hash MMU, which has the mode, and radix, which has not.

A translation lives in the hash table before any TLB has it, and every CPU reads the one hash table;
both together are what `Memory` calls a TLB.  hpte_need_flush() finds an HPTE by the slot that the
old entry names, and an entry keeps its slot for as long as it maps the same page (H_PAGE_HASHPTE
and what goes with it are in _PAGE_HPTEFLAGS, which pte_modify() leaves alone).  So a flush removes
the translations of an entry to one page, with whatever permissions, and no other.

Every entry that maps a page is taken to have been hashed (H_PAGE_HASHPTE).  All entries of one mm
are taken to have one page and segment size.

A flush is taken to reach all CPUs (tlbie).  The kernel uses tlbiel, which reaches this one alone,
where mm_is_thread_local(batch->mm), and an interrupt may have left another mm in the batch, whose
word it then goes by: that harm is not shown here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import TlbFlush
from lazymmu.machine.arch.base import Arch
from lazymmu.machine.arch.batch import CountedBatch, CpuBatch, Item
from lazymmu.machine.arch.batch_flagged import FlaggedBatch, PinnedBatch
from lazymmu.machine.layout import Column
from lazymmu.machine.memory import page_of
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

TLBFLUSH_HASH_H: Final = "arch/powerpc/include/asm/book3s/64/tlbflush-hash.h"
TLBFLUSH_H: Final = "arch/powerpc/include/asm/book3s/64/tlbflush.h"
HASH_TLB: Final = "arch/powerpc/mm/book3s64/hash_tlb.c"
HASH_H: Final = "arch/powerpc/include/asm/book3s/64/hash.h"
HASH_PGTABLE: Final = "arch/powerpc/mm/book3s64/hash_pgtable.c"
BOOK3S_PGTABLE: Final = "arch/powerpc/mm/book3s64/pgtable.c"
BOOK3S_PGTABLE_H: Final = "arch/powerpc/include/asm/book3s/64/pgtable.h"
PGTABLE: Final = "arch/powerpc/mm/pgtable.c"
PROCESS: Final = "arch/powerpc/kernel/process.c"


class Hash(CpuBatch):
    """What all releases share: ppc64_tlb_batch, and the accessors that end in it."""

    fault = "arch/powerpc/mm/fault.c"
    variable = "ppc64_tlb_batch"
    hooks = TLBFLUSH_HASH_H
    add = "hpte_need_flush"

    def forget(self, here: StepContext, items: tuple[Item, ...], mm: str) -> None:
        """flush_hash_range(): by slot and virtual page number, which are no mm's."""
        for entry, value in items:
            for cpu in here.cpus:
                tlb = here.tlb(cpu, entry)
                tlb.old = frozenset(old for old in tlb.old if page_of(old) != page_of(value))

    def must_empty(self, here: StepContext, item: Item) -> bool:
        """Asks for the mode first, and for mm and size only in it."""
        return self.active(here) and self.key_differs(here, item, size=True)

    @routine(HASH_TLB)
    def hpte_need_flush(self, entry: str, value: str) -> Routine:
        """An entry that was hashed has changed: its HPTE goes now, or into the batch."""
        yield from self.add_item((entry, value))

    # ---- accessors -------------------------------------------------------------------------------

    @routine(HASH_H)
    def pte_update(self, entry: str, value: Value, operation: str, how: str) -> Routine:
        """hash__pte_update(): an atomic change, and the HPTE of what was there."""
        found = yield self.change(entry, value, operation, how)
        if found is not None:
            yield self.hpte_need_flush(entry, found)
        return found

    @routine(PGTABLE)
    def set_pte(self, entry: str, value: Value) -> Routine:
        """set_ptes() to v6.19, set_pte_at(): a store; nothing valid may have been there."""
        yield self._set(entry, value, "set_pte")

    @routine(BOOK3S_PGTABLE_H)
    def pte_clear(self, entry: str) -> Routine:
        """pte_update() to none."""
        yield self.pte_update(entry, None, "pte_clear", "deferred")

    @routine(BOOK3S_PGTABLE_H)
    def ptep_get_and_clear(self, entry: str) -> Routine:
        """The same; gives what was there."""
        return (yield self.pte_update(entry, None, "ptep_get_and_clear", "immediate"))

    @routine(BOOK3S_PGTABLE_H)
    def ptep_set_wrprotect(self, entry: str) -> Routine:
        """pte_update() of _PAGE_WRITE, if it was there."""
        found = yield self.restrict(entry, "ptep_set_wrprotect")
        if found is not None:
            yield self.hpte_need_flush(entry, found)

    @routine(BOOK3S_PGTABLE_H)
    def ptep_test_and_clear_young(self, entry: str) -> Routine:
        """pte_update() of _PAGE_ACCESSED: the HPTE goes, too."""
        found = yield self.age(entry, "ptep_test_and_clear_young")
        if found is not None:
            yield self.hpte_need_flush(entry, found)

    @routine(BOOK3S_PGTABLE)
    def ptep_modify_prot_start(self, entry: str) -> Routine:
        """pte_update() of _PAGE_PRESENT: no hardware uses the entry until it is committed."""
        return (yield self.pte_update(entry, None, "ptep_modify_prot_start", "immediate"))

    @routine(BOOK3S_PGTABLE)
    def ptep_modify_prot_commit(self, entry: str, value: Value) -> Routine:
        """set_pte_at()."""
        yield self._set(entry, value, "ptep_modify_prot_commit")

    @routine(BOOK3S_PGTABLE)
    def set_pmd_at(self, entry: str, value: Value) -> Routine:
        """A store of a huge entry; nothing valid may have been there."""
        yield self._set(entry, value, "set_pmd_at")

    @routine(HASH_PGTABLE)
    def pmdp_huge_get_and_clear(self, entry: str) -> Routine:
        """hash__pmd_hugepage_update(): the HPTEs go at once, whatever the mode."""
        found = yield self.change(entry, None, "pmdp_huge_get_and_clear", "immediate", False)
        if found is not None:
            yield self._hpte_do_hugepage_flush(entry, found)
        return found

    @routine(BOOK3S_PGTABLE_H)
    def set_pmd(self, entry: str, value: Value) -> Routine:
        """A table is linked: a store.  No hardware walks these tables."""
        yield self.plain(entry, value, "set_pmd")

    @routine(BOOK3S_PGTABLE_H)
    def pmd_clear(self, entry: str) -> Routine:
        """A table is unlinked: a store."""
        yield self.plain(entry, None, "pmd_clear")

    @routine(TLBFLUSH_H)
    def flush_tlb_range(self, *entries: str) -> Routine:
        """Nothing on hash: whoever changed an entry has seen to its HPTE."""
        for entry in entries:
            yield self._no_flush(entry)

    @routine(HASH_TLB)
    def tlb_flush(self, *entries: str) -> Routine:
        """hash__tlb_flush(): this CPU's batch, before pages are freed."""
        yield from self.gather(entries)

    @atomic
    def _set(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        found: Value = here.entry(entry).stored
        here.vm_warn_on(page_of(found) is not None, "pte_hw_valid(*ptep)")
        self.memory.write(here, entry, value, operation, "deferred")
        self.memory.store(here, entry, value)
        self.updated(here)

    @atomic
    def _hpte_do_hugepage_flush(self, here: StepContext, entry: str, value: str) -> None:
        here.cost("invalidation")
        self.forget(here, ((entry, value),), self.mm_of(entry))
        self.updated(here)

    @atomic
    def _no_flush(self, here: StepContext, entry: str) -> None:
        space = self.memory.specs[entry].space
        here.emit(TlbFlush, scope="entry", space=space, how="noop", entry=entry)


class HashFlagged(Hash, FlaggedBatch):
    """Up to v6.19: a task that is switched out with `active` on takes it along, as a flag.

    Only a task that sleeps in a section gets there where enter disables preemption.  Nobody can do
    anything between the two halves that he could not do after them as well: they are `local`.
    """

    columns = (*FlaggedBatch.columns, Column("tlf_lazy_mmu", "task", 0, 2))
    forked = ("tlf_lazy_mmu",)

    @routine(PROCESS)
    def switch_to(self, prev: int, next_: int) -> Routine:
        """__switch_to(): the batch goes out, the mode into the task's _TLF_LAZY_MMU."""
        yield self._put_away(prev)

    @routine(PROCESS)
    def after_switch(self, next_: int) -> Routine:
        """The rest of __switch_to(), which no new task comes by."""
        yield self._take_up(next_)

    @local
    def _put_away(self, here: StepContext, prev: int) -> None:
        if here.this_cpu.active:
            here.task_at(prev).tlf_lazy_mmu = 1
            self.flush_pending(here, "switch")
            here.this_cpu.active = 0

    @local
    def _take_up(self, here: StepContext, next_: int) -> None:
        task = here.task_at(next_)
        if task.tlf_lazy_mmu:
            task.tlf_lazy_mmu = 0
            here.this_cpu.active = 1


class HashUnpinned(HashFlagged):
    """Before b9ef323ea168 ("powerpc/64s: Disable preemption in hash lazy mmu mode") (in v6.2)."""

    row = "hash-unpinned"

    @routine(TLBFLUSH_HASH_H)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """The batch is looked up, and made active."""
        cpu = yield self.look_up("arch_enter_lazy_mmu_mode")
        yield self.set_active(cpu, 1, "arch_enter_lazy_mmu_mode")

    @routine(TLBFLUSH_HASH_H)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """The batch is looked up and asked, flushed, and made inactive."""
        cpu, waits = yield self.look_up_and_ask("arch_leave_lazy_mmu_mode")
        if waits:
            yield self._flush_tlb_pending(cpu)
            yield self._reset_index(cpu)
        yield self.set_active(cpu, 0, "arch_leave_lazy_mmu_mode")

    @atomic
    def _flush_tlb_pending(self, here: StepContext, cpu: int) -> None:
        self.invalidate_batch(here, cpu)

    @atomic
    def _reset_index(self, here: StepContext, cpu: int) -> None:
        self.reset_batch(here, cpu)


class HashActive(HashFlagged, PinnedBatch):
    """v6.2 to v6.19, and 6.1.y: preemption is off in a section."""

    row = "hash-active"


class HashCounted(Hash, CountedBatch):
    """v7.0 on: the task's counters decide, and the flush is a real one."""

    row = "hash-counted"


class Radix(Arch):
    """The radix MMU: every hook asks radix_enabled() first, and returns."""

    fault = "arch/powerpc/mm/fault.c"
    row = "powerpc-radix"
