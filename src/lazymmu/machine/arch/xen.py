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
        if queue:
            here.cost("hypercall")
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
        this_cpu = here.this_cpu
        this_cpu.mc_queue = (*this_cpu.mc_queue, (operation, entry, value))
        if not self.lazy(here):
            self._issue(here)

    def _issue(self, here: StepContext) -> None:
        """xen_mc_issue() outside the mode: the whole queue, in order, whoever filled it."""
        current = here.current
        if len(here.this_cpu.mc_queue) > 1:
            self.flushed(here, "irq")
        current.irqs_off += 1
        self.xen_mc_flush(here)
        current.irqs_off -= 1

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
        for entry in entries:
            yield self._queue_flush(entry)

    @routine(MMU_PV)
    def tlb_flush(self, *entries: str) -> Routine:
        """The same for mmu_gather."""
        for entry in entries:
            yield self._queue_flush(entry)

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
        self.memory.take_effect(here, entry, value, self._waiting(here, entry))
        self.updated(here, waits=False)

    @atomic
    def _queue_flush(self, here: StepContext, entry: str) -> None:
        space = self.memory.specs[entry].space
        how: Any = "queued" if self.lazy(here) else "now"
        here.emit(TlbFlush, scope="entry", space=space, how=how, entry=entry)
        self._queue(here, "flush", entry, None)
