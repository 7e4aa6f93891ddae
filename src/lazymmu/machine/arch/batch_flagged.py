# SPDX-License-Identifier: GPL-2.0-or-later
"""The batch of an architecture up to v6.19: a word beside it, `active`, is the mode.

Interrupts add to it as well, so that each store which they can tell is a step: the mm, the item and
the number of items, in the order of tlb_batch_add_one() and hpte_need_flush(), and of a flush the
invalidation and the number.  An interrupt between two of them leaves the task's item with the
interrupt's mm, or the interrupt's without its own place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.machine.arch.batch import HOOKS, CpuBatch
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import atomic, per_cpu, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Known
    from lazymmu.machine.arch.batch import Item
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine


class FlaggedBatch(CpuBatch):
    """Up to v6.19: `active` beside the batch is the mode, and arch_flush_lazy_mmu_mode() is empty.

    Interrupts see `active` and add to the batch of whom they interrupt, also between the flush at
    the end of a section and the moment `active` goes.
    """

    flush_how = "noop"
    shared = True
    columns = (
        *CpuBatch.columns,
        Column("batch_beyond", "cpu", ()),
        Column("active", "cpu", 0, 2),
    )

    def active(self, here: StepContext) -> bool:
        """The CPU's word, in interrupts as well."""
        return bool(here.this_cpu.active)

    def mode_on(self, here: StepContext) -> Known:
        """The CPU's word."""
        return "yes" if here.this_cpu.active else "no"

    # ---- the batch, shared with interrupts -------------------------------------------------------

    def reset_batch(self, here: StepContext, cpu: int) -> None:
        """The array and its mm stay as they are, for whom the interrupt came upon."""
        owner = here.cpu_at(cpu)
        if here.this_cpu.irq:
            owner.batch, owner.batch_beyond = (), (*owner.batch, *owner.batch_beyond)
        else:
            super().reset_batch(here, cpu)
            owner.batch_beyond = ()

    def append(self, item: Item, index: int) -> Routine:
        """Steps: the mm of a batch that was empty, the item, and the number of items."""
        if index == 0:
            yield self._store_mm(item)
        yield self._store_item(item, index)
        yield self._store_number(index)

    @per_cpu
    def _store_mm(self, here: StepContext, item: Item) -> None:
        here.this_cpu.batch_mm = self.mm_of(item[0])

    @per_cpu
    def _store_item(self, here: StepContext, item: Item, index: int) -> None:
        this_cpu = here.this_cpu
        number, array = len(this_cpu.batch), (*this_cpu.batch, *this_cpu.batch_beyond)
        array = (*array[:index], item, *array[index + 1 :])
        this_cpu.batch, this_cpu.batch_beyond = array[:number], array[number:]

    @atomic
    def _store_number(self, here: StepContext, index: int) -> None:
        this_cpu = here.this_cpu
        array = (*this_cpu.batch, *this_cpu.batch_beyond)
        this_cpu.batch = array[: index + 1]
        # Only somebody who was interrupted comes back to what is not counted.
        this_cpu.batch_beyond = array[index + 1 :] if this_cpu.irq else ()
        self.added(here)

    def gather(self, entries: tuple[str, ...]) -> Routine:
        """Steps of tlb_flush(): get_cpu_var(), the invalidation, the number of items."""
        if (yield self._gather(entries)):
            yield self.reset("full")

    @per_cpu
    def _gather(self, here: StepContext, entries: tuple[str, ...]) -> bool:
        self.say_gathered(here, entries)
        if not here.this_cpu.batch:
            return False
        here.preempt_disable()
        self.invalidate_batch(here, here.cpu)
        return True

    # ---- unpinned: the address of a batch is kept while the task may move ------------------------

    @atomic
    def look_up(self, here: StepContext, hook: str) -> int:
        """this_cpu_ptr(): gives the CPU whose batch it is."""
        self.begin(here, hook)
        self.touch(here)
        return here.cpu

    @atomic
    def look_up_and_ask(self, here: StepContext, hook: str) -> tuple[int, bool]:
        """The same, and whether there is anything in it."""
        self.begin(here, hook)
        self.touch(here)
        return here.cpu, bool(here.this_cpu.batch)

    @atomic
    def set_active(self, here: StepContext, cpu: int, on: int, hook: str) -> None:
        """The mode of that CPU."""
        here.cpu_at(cpu).active = on
        self.end(here, hook)


class PinnedBatch(FlaggedBatch):
    """Preemption is off in a section: preempt_disable() from enter to leave."""

    @routine(HOOKS)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """preempt_disable(); the batch is active."""
        yield self.pin_and_activate()

    @routine(HOOKS)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """Flush; the batch is not active; preempt_enable()."""
        if (yield self.invalidate_own()):
            yield self.reset_own()
        yield self.deactivate_and_unpin()

    @atomic
    def pin_and_activate(self, here: StepContext) -> None:
        """preempt_disable(), and the mode is on."""
        self.begin(here, "arch_enter_lazy_mmu_mode")
        here.preempt_disable(said=True)
        self.touch(here)
        here.this_cpu.active = 1
        self.end(here, "arch_enter_lazy_mmu_mode")

    @atomic
    def invalidate_own(self, here: StepContext) -> bool:
        """The first part of a pinned leave; whether there was anything to invalidate."""
        self.begin(here, "arch_leave_lazy_mmu_mode")
        self.touch(here)
        if not here.this_cpu.batch:
            return False
        self.invalidate_batch(here, here.cpu)
        return True

    @per_cpu
    def reset_own(self, here: StepContext) -> None:
        """The second part: the batch is empty."""
        self.reset_batch(here, here.cpu)

    @atomic
    def deactivate_and_unpin(self, here: StepContext) -> None:
        """The last part: the mode is off, preempt_enable()."""
        here.this_cpu.active = 0
        self.unpin(here)
        self.end(here, "arch_leave_lazy_mmu_mode")
