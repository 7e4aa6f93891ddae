# SPDX-License-Identifier: GPL-2.0-or-later
"""x86-64 as a Xen PV guest: page-table stores are hypercalls, and the mode queues them per CPU.

arch/x86/xen/multicalls.c queues, strictly first in first out; TLB flushes go through the
same queue.
A hypercall is one step: what a multicall does for several entries is not taken apart.

Left out: tables are taken to be pinned, so that set_pmd() and the like are queued always; the plain
store to one that is not pinned yet (xen_page_pinned() in mmu_pv.c) is not shown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lazymmu.contract.events import TlbFlush
from lazymmu.machine.arch.base import Arch, accessors
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

ENLIGHTEN: Final = "arch/x86/xen/enlighten_pv.c"
MMU_PV: Final = "arch/x86/xen/mmu_pv.c"


MC_BATCH: Final = 32
"""Entries of a multicall (multicalls.c)."""

MC_ARGS: Final = MC_BATCH * 16
"""Bytes for what they are handed; the last is never used (`>= MC_ARGS`)."""

UPDATE: Final = 16
"""struct mmu_update: one more store makes a last entry that stores longer by this
(xen_extend_mmu_update())."""

FLUSH: Final = 32
"""struct mmuext_op and a mask of up to 64 CPUs (xen_flush_tlb_multi())."""

MORE: Final = "more"
"""Of a queued flush: it belongs to the one before it, of the same range."""

Queue = tuple[tuple[str, str, "Value"], ...]


def packed(queue: Queue) -> tuple[int, int]:
    """How many entries of a multicall a queue is, and how many bytes they are handed."""
    entries = size = 0
    last = ""
    for operation, _, value in queue:
        if operation == "flush":
            if value != MORE:
                entries, size = entries + 1, size + FLUSH
        else:
            entries, size = entries + (last != "set"), size + UPDATE
        last = operation
    return entries, size


def has_room(queue: Queue, operation: str) -> bool:
    """Whether one more fits in: a store as part of the last entry that stores, or by itself."""
    entries, size = packed(queue)
    if operation == "flush":
        return entries < MC_BATCH and size + FLUSH < MC_ARGS
    joins = bool(queue) and queue[-1][0] != "flush"
    return (joins or entries < MC_BATCH) and size + UPDATE < MC_ARGS


class XenQueue(Arch, ABC):
    """What all releases share: the multicall queue and the accessors on top of it."""

    fault = "arch/x86/mm/fault.c"
    columns: ClassVar[tuple[Column, ...]] = (Column("mc_queue", "cpu", ()),)

    @abstractmethod
    def lazy(self, here: StepContext) -> bool:
        """Whether an update here and now is queued and left in the queue."""

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """The CPU's queue."""
        return tuple(
            (entry, operation if operation == "flush" else f"{operation} {value or 'none'}")
            for operation, entry, value in here.cpu_at(cpu).mc_queue
        )

    # ---- the queue -------------------------------------------------------------------------------

    def xen_mc_flush(self, here: StepContext) -> None:
        """Hand the queue to the hypervisor (multicalls.c)."""
        if here.bug_on(here.preemptible, "preemptible()"):
            return
        this_cpu = here.this_cpu
        queue: tuple[tuple[str, str, Value], ...] = this_cpu.mc_queue
        self._count(here, queue)
        for position, (operation, entry, value) in enumerate(queue):
            if operation == "flush":
                self.memory.invalidate(here, (entry,), here.cpus)
            else:
                this_cpu.mc_queue = queue[position + 1 :]
                self.memory.take_effect(here, entry, value, self._waiting(here, entry))
        this_cpu.mc_queue = ()

    def _waiting(self, here: StepContext, entry: str) -> Iterator[Value]:
        """Values of the stores to an entry that wait on any CPU."""
        for cpu in here.cpus:
            for operation, name, value in here.cpu_at(cpu).mc_queue:
                if name == entry and operation != "flush":
                    yield value

    def _queue(self, here: StepContext, operation: str, entry: str, value: Value) -> None:
        """xen_mc_batch(), an entry, xen_mc_issue(): interrupts are off, so it is one step."""
        self.make_room(here, operation)
        this_cpu = here.this_cpu
        this_cpu.mc_queue = (*this_cpu.mc_queue, (operation, entry, value))
        if not self.lazy(here):
            self._issue(here)

    def make_room(self, here: StepContext, operation: str) -> None:
        """__xen_mc_entry(): what finds no room in the buffer sends off what is there."""
        if not has_room(here.this_cpu.mc_queue, operation):
            flags = here.local_irq_save()
            self.xen_mc_flush(here)
            here.local_irq_restore(flags)
            self.flushed(here, "full")

    @staticmethod
    def _count(here: StepContext, queue: Queue) -> None:
        """What a flush of the queue costs; flushes of one range that go alone are one."""
        entries, _ = packed(queue)
        if entries:
            here.cost("hypercall")
        for _ in range(entries):
            here.cost("multicall entry")
        for operation, _, _ in queue:
            if operation != "flush":
                here.cost("update")

    def _issue(self, here: StepContext) -> None:
        """xen_mc_issue() outside the mode: the whole queue, in order, whoever filled it."""
        if len(here.this_cpu.mc_queue) > 1:
            self.flushed(here, "irq")
        flags = here.local_irq_save()
        self.xen_mc_flush(here)
        here.local_irq_restore(flags)

    def flush_pinned(self, here: StepContext) -> None:
        """xen_mc_flush() with preemption off around it."""
        here.preempt_disable()
        self.xen_mc_flush(here)
        here.preempt_enable()

    # ---- accessors -------------------------------------------------------------------------------

    # xen_set_pte(): queue the store in the mode, else a hypercall now; pte_clear() is the same of
    # none (arch/x86/include/asm/paravirt.h).
    set_pte, pte_clear = accessors(MMU_PV, "_set", ("set_pte", "pte_clear"))

    @routine(MMU_PV)
    def ptep_modify_prot_commit(self, entry: str, value: Value) -> Routine:
        """xen_ptep_modify_prot_commit(): always through the queue."""
        yield self._said(entry, value, "ptep_modify_prot_commit", "set")

    @routine(MMU_PV)
    def ptep_modify_prot_start(self, entry: str) -> Routine:
        """xen_ptep_modify_prot_start(): reads, and leaves the entry as it is."""
        return (yield self._load(entry, "ptep_modify_prot_start"))

    @routine(MMU_PV)
    def set_pmd(self, entry: str, value: Value) -> Routine:
        """xen_set_pmd(): on a pinned table always through the queue."""
        yield self._said(entry, value, "set_pmd", "set")

    @routine(MMU_PV)
    def pmd_clear(self, entry: str) -> Routine:
        """As set_pmd()."""
        yield self._said(entry, None, "pmd_clear", "set")

    @routine(MMU_PV)
    def flush_tlb_range(self, *entries: str) -> Routine:
        """xen_flush_tlb_multi(): behind the stores in the same queue."""
        for number, entry in enumerate(entries):
            yield self._queue_flush(entry, number > 0)

    @routine(MMU_PV)
    def tlb_flush(self, *entries: str) -> Routine:
        """The same for mmu_gather."""
        for number, entry in enumerate(entries):
            yield self._queue_flush(entry, number > 0)

    def _set(self, entry: str, value: Value, operation: str) -> Routine:
        # xen_batched_set_pte() asks for the mode before it turns interrupts off.
        if (yield self._lazy()):
            yield self._said(entry, value, operation, "set")
        else:
            yield self._direct(entry, value, operation)

    @atomic
    def _lazy(self, here: StepContext) -> bool:
        return self.lazy(here)

    @atomic
    def _said(self, here: StepContext, entry: str, value: Value, operation: str, kind: str) -> None:
        self.memory.write(here, entry, value, operation, "deferred")
        self._queue(here, kind, entry, value)
        self.updated(here, waits=bool(here.this_cpu.mc_queue))

    @atomic
    def _direct(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        """HYPERVISOR_mmu_update() past the queue, which stays as it is."""
        self.memory.write(here, entry, value, operation, "deferred")
        here.cost("hypercall")
        here.cost("update")
        self.memory.take_effect(here, entry, value, self._waiting(here, entry))
        self.updated(here, waits=False)

    @atomic
    def _queue_flush(self, here: StepContext, entry: str, more: bool) -> None:
        space = self.memory.specs[entry].space
        how: Any = "queued" if self.lazy(here) else "now"
        here.emit(TlbFlush, scope="entry", space=space, how=how, entry=entry)
        # One mmuext_op is for a whole range, which is taken apart here.
        self._queue(here, "flush", entry, MORE if more else None)
