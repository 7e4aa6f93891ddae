# SPDX-License-Identifier: GPL-2.0-or-later
"""sparc64: a change of a user entry puts its page's address into a batch, to be demapped later.

Kernel entries never do: flush_tlb_kernel_range() sees to them.  A flush demaps addresses in the
context of the batch's mm from the TSB and from all TLBs, and waits until that is done.

Left out: a huge page is one address of the batch, where set_pmd_at() adds one for each half
(HPAGE_SIZE is two of the hardware's pages, mm/tlb.c, __set_pmd_acct()); and of the exec bit and the
flush of the data cache nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import TlbFlush
from lazymmu.machine.arch.base import aged, protected
from lazymmu.machine.arch.batch import CountedBatch, CpuBatch, Item
from lazymmu.machine.arch.batch_flagged import FlaggedBatch, PinnedBatch
from lazymmu.machine.memory import page_of
from lazymmu.machine.steps import atomic, per_cpu, routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

TLB_C: Final = "arch/sparc/mm/tlb.c"
PGTABLE_64_H: Final = "arch/sparc/include/asm/pgtable_64.h"
TLBFLUSH_64_H: Final = "arch/sparc/include/asm/tlbflush_64.h"
TLB_64_H: Final = "arch/sparc/include/asm/tlb_64.h"
PGTABLE_H: Final = "include/linux/pgtable.h"


class Sparc(CpuBatch):
    """What all releases share: tlb_batch, and the accessors that end in it."""

    fault = "arch/sparc/mm/fault_64.c"
    variable = "tlb_batch"
    hooks = TLB_C
    add = "tlb_batch_add_one"

    def forget(self, here: StepContext, items: tuple[Item, ...], mm: str) -> None:
        """flush_tlb_pending(): addresses in one mm's context, whatever was there."""
        gone = [entry for entry, _ in items if self.mm_of(entry) == mm]
        self.memory.invalidate(here, gone, here.cpus)

    def must_empty(self, here: StepContext, item: Item) -> bool:
        """A batch of another mm goes out first, in the mode or not; in it one of another size."""
        return self.key_differs(here, item, size=self.active(here))

    @routine(TLB_C)
    def tlb_batch_add_one(self, entry: str, value: str) -> Routine:
        """A page's translation is to go: now, or with the batch."""
        yield from self.add_item((entry, value))

    # ---- accessors -------------------------------------------------------------------------------

    @routine(PGTABLE_64_H)
    def __set_pte_at(self, entry: str, value: Value, operation: str, how: str) -> Routine:
        """A store; then maybe_tlb_batch_add(), of user entries that were accessible."""
        user = self.memory.specs[entry].space != "kernel"
        found = yield self.change(entry, value, operation, how, user)
        if found is not None and user:
            yield self.tlb_batch_add_one(entry, found)
        return found

    @routine(PGTABLE_64_H)
    def set_pte(self, entry: str, value: Value) -> Routine:
        """set_pte_at()."""
        yield self.__set_pte_at(entry, value, "set_pte", "deferred")

    @routine(PGTABLE_64_H)
    def pte_clear(self, entry: str) -> Routine:
        """set_pte_at() of none."""
        yield self.__set_pte_at(entry, None, "pte_clear", "deferred")

    @routine(PGTABLE_H)
    def ptep_get_and_clear(self, entry: str) -> Routine:
        """The generic one: read, and pte_clear().  One step, as whoever calls it has the lock."""
        return (yield self.__set_pte_at(entry, None, "ptep_get_and_clear", "immediate"))

    @routine(PGTABLE_H)
    def ptep_set_wrprotect(self, entry: str) -> Routine:
        """The generic one: read, and set_pte_at()."""
        found = yield self.peek(entry)
        if found is not None:
            yield self.__set_pte_at(entry, protected(found), "ptep_set_wrprotect", "immediate")

    @routine(PGTABLE_H)
    def ptep_test_and_clear_young(self, entry: str) -> Routine:
        """The generic one: read, and set_pte_at()."""
        found = yield self.peek(entry)
        if found is not None:
            name = "ptep_test_and_clear_young"
            yield self.__set_pte_at(entry, aged(found), name, "immediate")

    @routine(PGTABLE_H)
    def ptep_modify_prot_start(self, entry: str) -> Routine:
        """The generic one: ptep_get_and_clear()."""
        return (yield self.__set_pte_at(entry, None, "ptep_modify_prot_start", "immediate"))

    @routine(PGTABLE_H)
    def ptep_modify_prot_commit(self, entry: str, value: Value) -> Routine:
        """The generic one: set_pte_at()."""
        yield self.__set_pte_at(entry, value, "ptep_modify_prot_commit", "deferred")

    @routine(TLB_C)
    def set_pmd_at(self, entry: str, value: Value) -> Routine:
        """A store; then ___set_pmd_acct()."""
        yield from self._set_pmd_at(entry, value, "set_pmd_at", "deferred")

    @routine(PGTABLE_64_H)
    def pmdp_huge_get_and_clear(self, entry: str) -> Routine:
        """Read, and set_pmd_at() of none."""
        return (yield from self._set_pmd_at(entry, None, "pmdp_huge_get_and_clear", "immediate"))

    @routine(PGTABLE_64_H)
    def set_pmd(self, entry: str, value: Value) -> Routine:
        """A table is linked: a store.  No hardware walks these tables."""
        yield self.plain(entry, value, "set_pmd")

    @routine(PGTABLE_64_H)
    def pmd_clear(self, entry: str) -> Routine:
        """A table is unlinked: a store."""
        yield self.plain(entry, None, "pmd_clear")

    @routine(TLBFLUSH_64_H)
    def flush_tlb_range(self, *entries: str) -> Routine:
        """Nothing for user entries; flush_tlb_kernel_range() for those of the kernel."""
        for entry in entries:
            yield self._flush_range(entry)

    @routine(TLB_64_H)
    def tlb_flush(self, *entries: str) -> Routine:
        """flush_tlb_pending(): this CPU's batch, before pages are freed."""
        yield from self.gather(entries)

    def _set_pmd_at(self, entry: str, value: Value, operation: str, how: str) -> Routine:
        user = self.memory.specs[entry].space != "kernel"
        found = yield self.change(entry, value, operation, how, user)
        if found is not None and user:
            yield self.__set_pmd_acct(entry, found)
        return found

    @routine(TLB_C)
    def __set_pmd_acct(self, entry: str, found: str) -> Routine:
        """A huge page's translation goes, or with a table those of all its valid entries."""
        below = [spec.name for spec in self.memory.specs.values() if spec.parent == entry]
        if not below:
            yield self.tlb_batch_add_one(entry, found)
        for name in below:
            value = yield self.peek(name)
            if value is not None:
                yield self.tlb_batch_add_one(name, value)

    @atomic
    def peek(self, here: StepContext, entry: str) -> Value:
        """What an accessor of this architecture reads itself: the page that the entry maps."""
        found: Value = here.entry(entry).stored
        return found if page_of(found) is not None else None

    @atomic
    def _flush_range(self, here: StepContext, entry: str) -> None:
        space = self.memory.specs[entry].space
        kernel = space == "kernel"
        how = "now" if kernel else "noop"
        here.emit(TlbFlush, scope="entry", space=space, how=how, entry=entry)
        if kernel:
            here.cost("invalidation")
            self.memory.invalidate(here, (entry,), here.cpus)


class SparcUnpinned(Sparc, FlaggedBatch):
    """Before v6.15, but for stable releases: `active` stays with the CPU, whatever the task does.

    Nothing in a context switch knows of the batch (arch/sparc/include/asm/mmu_context_64.h).
    """

    row = "sparc-unpinned"

    @routine(TLB_C)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """The batch is looked up, and made active."""
        cpu = yield self.look_up("arch_enter_lazy_mmu_mode")
        yield self.set_active(cpu, 1, "arch_enter_lazy_mmu_mode")

    @routine(TLB_C)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """The batch is looked up and asked; this CPU's is flushed; the first is made inactive."""
        cpu, waits = yield self.look_up_and_ask("arch_leave_lazy_mmu_mode")
        if waits and (yield self._flush_tlb_pending()):
            yield self.reset_unsaid()
        yield self.set_active(cpu, 0, "arch_leave_lazy_mmu_mode")

    @per_cpu
    def _flush_tlb_pending(self, here: StepContext) -> bool:
        """flush_tlb_pending() looks up the batch again (get_cpu_var()), and asks again."""
        if not here.this_cpu.batch:
            return False
        here.preempt_disable()
        self.invalidate_batch(here, here.cpu)
        return True

    @atomic
    def reset_unsaid(self, here: StepContext) -> None:
        """The number of items, and put_cpu_var()."""
        self.reset_batch(here, here.cpu)
        here.preempt_enable()


class SparcActive(Sparc, PinnedBatch):
    """v6.15 to v6.19, 6.12.38 and 6.1.176: preemption is off in a section.

    a1d416bf9faf ("sparc/mm: disable preemption in lazy mmu mode") (in v6.15).
    """

    row = "sparc-active"


class SparcCounted(Sparc, CountedBatch):
    """v7.0 on: the task's counters decide, and the flush is a real one."""

    row = "sparc-counted"
