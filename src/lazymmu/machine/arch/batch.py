# SPDX-License-Identifier: GPL-2.0-or-later
"""What powerpc's hash MMU and sparc64 share: stores are immediate, invalidations wait in a batch.

The batch is the CPU's and holds entries of one mm.  Up to v6.19 a word beside it, `active`, is the
mode, in interrupts as well; from v7.0 on the task's counters are, and an interrupt adds nothing.
batch_flagged.py has what interrupts that add make of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Final

from lazymmu.contract.events import (
    BatchAdd,
    BatchKey,
    FunctionCall,
    FunctionReturn,
    PerCpu,
    TlbFlush,
)
from lazymmu.machine.arch.base import Arch, aged, protected
from lazymmu.machine.layout import Column
from lazymmu.machine.memory import page_of
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import FlushWhy, Known
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

HOOKS: Final = attrgetter("hooks")
"""Where the kernel has an architecture's own hooks."""

NOT_ADDED = -1
"""Instead of an index: the invalidation happened at once."""

EMPTIES = -2
"""Instead of an index: the batch of another key was invalidated, and its number is still to go."""

FULL: Final = 192
"""Items at which a batch goes out: PPC64_TLB_BATCH_NR (asm/book3s/64/tlbflush-hash.h), TLB_BATCH_NR
(sparc's asm/tlbflush_64.h)."""

Item = tuple[str, str]
"""An entry, and the translation of it that is to go."""


class CpuBatch(Arch, ABC):
    """The batch, and all that fills and empties it.

    batch: the items that count; batch_beyond: what the array holds after them, as far as somebody
    who was interrupted is about to count it; batch_mm: whose they are, "" where nobody asks again.

    :param variable: its name in the kernel.
    :param add: the function that adds to it.
    :param hooks: the kernel file that has the mode's hooks.
    :param shared: interrupts add to it as well.
    """

    variable: ClassVar[str] = ""
    add: ClassVar[str] = ""
    hooks: ClassVar[str] = ""
    shared: ClassVar[bool] = False
    columns: ClassVar[tuple[Column, ...]] = (
        Column("batch_mm", "cpu", ""),
        Column("batch", "cpu", ()),
    )

    # ---- for subclasses to say -------------------------------------------------------------------

    @abstractmethod
    def active(self, here: StepContext) -> bool:
        """Whether an invalidation is added to the batch, here and now."""

    @abstractmethod
    def forget(self, here: StepContext, items: tuple[Item, ...], mm: str) -> None:
        """The TLBs lose what a flush of the batch is good for."""

    # ---- the batch -------------------------------------------------------------------------------

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """The CPU's batch."""
        return tuple((entry, f"invalidate {value}") for entry, value in here.cpu_at(cpu).batch)

    def mm_of(self, entry: str) -> str:
        """The address space that an entry belongs to."""
        spec = self.memory.specs[entry]
        return "init_mm" if spec.space == "kernel" else spec.mm

    def level_of(self, item: Item) -> str:
        """What size of page a batch holds (psize, hugepage_shift)."""
        return self.memory.specs[item[0]].level

    def invalidate_batch(self, here: StepContext, cpu: int) -> None:
        """Invalidate all of a CPU's batch; its items count as before."""
        owner = here.cpu_at(cpu)
        here.cost("invalidation")
        for _ in owner.batch:
            here.cost("translation")
        self.forget(here, owner.batch, owner.batch_mm)

    def reset_batch(self, here: StepContext, cpu: int) -> None:
        """No item of a CPU's batch counts any more."""
        owner = here.cpu_at(cpu)
        owner.batch, owner.batch_mm = (), ""

    def flush_batch(self, here: StepContext, cpu: int) -> None:
        """Both, where nobody comes between."""
        self.invalidate_batch(here, cpu)
        self.reset_batch(here, cpu)

    def flush_pending(self, here: StepContext, why: FlushWhy) -> None:
        """The same for this CPU if there is anything in it, and say so."""
        if here.this_cpu.batch:
            self.flush_batch(here, here.cpu)
            self.flushed(here, why)

    def add_item(self, item: Item) -> Routine:
        """Steps: invalidate at once outside the mode, else add to the batch."""
        index = yield self._look(item)
        if index == EMPTIES:
            yield self.reset("key-change")
            index = yield self._decide(item)
        if index != NOT_ADDED:
            yield from self.append(item, index)

    def append(self, item: Item, index: int) -> Routine:
        """Steps: store at the index that was looked at, whatever has been stored there since."""
        yield self._append(item, index)

    def key_differs(self, here: StepContext, item: Item, *, size: bool) -> bool:
        """Whether the batch holds other mms, or with `size` other sizes, than an item's."""
        this_cpu = here.this_cpu
        if not this_cpu.batch:
            return False
        other = self.level_of(this_cpu.batch[0]) != self.level_of(item)
        return bool(this_cpu.batch_mm != self.mm_of(item[0]) or (size and other))

    @abstractmethod
    def must_empty(self, here: StepContext, item: Item) -> bool:
        """Whether what is in the batch has another key than an item that is to be added."""

    @atomic
    def _look(self, here: StepContext, item: Item) -> int:
        """get_cpu_var(): preemption is off until the item is in the batch, interrupts are not."""
        here.emit(FunctionCall, function=self.add, role="arch-hook")
        here.emit(BatchKey, variable=self.variable, checked=True)
        if self.must_empty(here, item):
            if self.shared:
                here.preempt_disable()
                self.invalidate_batch(here, here.cpu)
                return EMPTIES
            self.flush_pending(here, "key-change")
        return self.decide(here, item)

    @atomic
    def reset(self, here: StepContext, why: FlushWhy) -> None:
        """The end of a flush that began with preempt_disable() and an invalidation."""
        self.reset_batch(here, here.cpu)
        here.preempt_enable()
        self.flushed(here, why)

    @atomic
    def _decide(self, here: StepContext, item: Item) -> int:
        return self.decide(here, item)

    def decide(self, here: StepContext, item: Item) -> int:
        """Invalidate an item at once outside the mode, else give the index at which it goes in."""
        if self.active(here):
            here.preempt_disable()
            return len(here.this_cpu.batch)
        here.cost("invalidation")
        here.cost("translation")
        self.forget(here, (item,), self.mm_of(item[0]))
        self.updated(here, waits=False)
        here.emit(FunctionReturn, function=self.add, role="arch-hook")
        return NOT_ADDED

    @atomic
    def _append(self, here: StepContext, item: Item, index: int) -> None:
        """Nobody else adds; an interrupt that emptied the batch left its mm as it was."""
        this_cpu = here.this_cpu
        this_cpu.batch_mm = self.mm_of(item[0])
        this_cpu.batch = (*this_cpu.batch[:index], item)
        self.added(here)

    def added(self, here: StepContext) -> None:
        """An item counts; put_cpu_var()."""
        here.emit(BatchAdd, variable=self.variable)
        self.updated(here, waits=True)
        if len(here.this_cpu.batch) >= FULL:
            self.flush_pending(here, "full")
        here.preempt_enable()
        here.emit(FunctionReturn, function=self.add, role="arch-hook")

    @atomic
    def gathered(self, here: StepContext, entries: tuple[str, ...]) -> None:
        """tlb_flush() in one step: this CPU's batch, before pages are freed."""
        self.say_gathered(here, entries)
        self.flush_pending(here, "full")

    def say_gathered(self, here: StepContext, entries: tuple[str, ...]) -> None:
        """A flush of these entries was asked for."""
        for entry in entries:
            space = self.memory.specs[entry].space
            here.emit(TlbFlush, scope="entry", space=space, how="now", entry=entry)

    def gather(self, entries: tuple[str, ...]) -> Routine:
        """Steps of tlb_flush()."""
        yield self.gathered(entries)

    # ---- stores ----------------------------------------------------------------------------------

    @atomic
    def change(
        self,
        here: StepContext,
        entry: str,
        value: Value,
        operation: str,
        how: str,
        put_off: bool = True,
    ) -> Value:
        """Store; gives the translation that is to be invalidated, None when there was none.

        `put_off`: who calls this adds it to the batch.
        """
        found: Value = here.entry(entry).stored
        self.memory.write(here, entry, value, operation, how, put_off=put_off)
        self.memory.store(here, entry, value)
        return found if page_of(found) is not None else None

    @atomic
    def restrict(self, here: StepContext, entry: str, operation: str) -> Value:
        """Take the permission to write away; gives what `change()` gives."""
        found: Value = here.entry(entry).stored
        taken = protected(found) != found
        self.memory.write(here, entry, protected(found), operation, "immediate", put_off=taken)
        self.memory.store(here, entry, protected(found))
        return found if page_of(found) is not None and taken else None

    @atomic
    def age(self, here: StepContext, entry: str, operation: str) -> Value:
        """Take the accessed bit away; gives what `change()` gives."""
        found: Value = here.entry(entry).stored
        mapped = page_of(found) is not None
        self.memory.write(here, entry, aged(found), operation, "immediate", put_off=mapped)
        self.memory.store(here, entry, aged(found))
        return found if mapped else None

    @atomic
    def plain(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        """Store an entry that leads to a table: no TLB holds it, because none walks tables."""
        self.memory.write(here, entry, value, operation, "deferred")
        self.memory.store(here, entry, value)
        self.memory.invalidate(here, (entry,), here.cpus)
        self.updated(here)

    # ---- words about the hooks -------------------------------------------------------------------

    def begin(self, here: StepContext, hook: str) -> None:
        """A hook begins, which looks for this CPU's batch."""
        here.emit(FunctionCall, function=hook, role="arch-hook")

    def touch(self, here: StepContext) -> None:
        """The address of this CPU's batch is taken."""
        here.emit(PerCpu, variable=self.variable, access="address")

    def end(self, here: StepContext, hook: str) -> None:
        """A hook ends."""
        here.emit(FunctionReturn, function=hook, role="arch-hook")

    @staticmethod
    def unpin(here: StepContext) -> None:
        """preempt_enable(), which checks its count (kernel/sched/core.c, preempt_count_sub())."""
        here.preempt_enable(said=True)


class CountedBatch(CpuBatch):
    """From v7.0: the task's counters are the mode, and hooks pin, flush and unpin.

    5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0).  Interrupts add nothing to the
    batch, so that a hook is one step.
    """

    def active(self, here: StepContext) -> bool:
        """is_lazy_mmu_mode_active()."""
        return here.lazy_active

    def mode_on(self, here: StepContext) -> Known:
        """The task's own state."""
        return "yes" if here.task_active(here.task) else "no"

    @routine(HOOKS)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """preempt_disable()."""
        yield self.enter()

    @routine(HOOKS)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """The batch goes out: the flush is a real one."""
        yield self.flush()

    @routine(HOOKS)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """The batch goes out; preempt_enable()."""
        yield self.leave()

    @atomic
    def enter(self, here: StepContext) -> None:
        """preempt_disable(), and no more."""
        here.preempt_disable(said=True)

    @atomic
    def flush(self, here: StepContext) -> None:
        """arch_flush_lazy_mmu_mode(): touches the batch; who calls it is pinned."""
        self.begin(here, "arch_flush_lazy_mmu_mode")
        self.touch(here)
        if here.this_cpu.batch:
            self.flush_batch(here, here.cpu)
        self.end(here, "arch_flush_lazy_mmu_mode")

    @atomic
    def leave(self, here: StepContext) -> None:
        """Flush, and preempt_enable()."""
        self.begin(here, "arch_leave_lazy_mmu_mode")
        self.touch(here)
        if here.this_cpu.batch:
            self.flush_batch(here, here.cpu)
        self.unpin(here)
        self.end(here, "arch_leave_lazy_mmu_mode")
