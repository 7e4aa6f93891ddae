# SPDX-License-Identifier: GPL-2.0-or-later
"""x86-64 as a Xen PV guest: page-table stores are hypercalls, and the mode queues them per CPU.

arch/x86/xen/multicalls.c queues, strictly first in first out; TLB flushes go through the
same queue.
A hypercall is one step: what a multicall does for several entries is not taken apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from lazymmu.contract.events import TlbFlush
from lazymmu.machine.arch.base import Arch
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.contract.events import Known
    from lazymmu.machine.config import Value
    from lazymmu.machine.here import Here
    from lazymmu.machine.steps import Routine

NONE: Final = 0
MMU: Final = 1
CPU: Final = 2

ENLIGHTEN: Final = "arch/x86/xen/enlighten_pv.c"
MMU_PV: Final = "arch/x86/xen/mmu_pv.c"
HYPERVISOR_H: Final = "arch/x86/include/asm/xen/hypervisor.h"


class XenQueue(Arch):
    """What all releases share: the multicall queue and the accessors on top of it."""

    columns: ClassVar[tuple[Column, ...]] = (Column("mc_queue", "cpu", ()),)

    def lazy(self, here: Here) -> bool:
        """Whether an update here and now is queued and left in the queue."""
        raise NotImplementedError

    def pending(self, here: Here, cpu: int) -> tuple[tuple[str, str], ...]:
        """The CPU's queue."""
        return tuple(
            (entry, f"{operation} {value}") for operation, entry, value in here.cpu_at(cpu).mc_queue
        )

    # ---- the queue -------------------------------------------------------------------------------

    def xen_mc_flush(self, here: Here) -> None:
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

    def _waiting(self, here: Here, entry: str) -> Iterator[Value]:
        """Values of the stores to an entry that wait on any CPU."""
        for cpu in here.cpus:
            for operation, name, value in here.cpu_at(cpu).mc_queue:
                if name == entry and operation != "flush":
                    yield value

    def _queue(self, here: Here, operation: str, entry: str, value: Value) -> None:
        """xen_mc_batch(), an entry, xen_mc_issue(): interrupts are off, so it is one step."""
        this_cpu = here.this_cpu
        this_cpu.mc_queue = (*this_cpu.mc_queue, (operation, entry, value))
        if not self.lazy(here):
            self._issue(here)

    def _issue(self, here: Here) -> None:
        """xen_mc_issue() outside the mode: the whole queue, in order."""
        current = here.current
        current.irqs_off += 1
        self.xen_mc_flush(here)
        current.irqs_off -= 1

    # ---- accessors -------------------------------------------------------------------------------

    @routine(MMU_PV)
    def set_pte(self, entry: str, value: Value) -> Routine:
        """xen_set_pte(): queue the store in the mode, else a hypercall now."""
        yield from self._set(entry, value, "set_pte")

    @routine(MMU_PV)
    def pte_clear(self, entry: str) -> Routine:
        """As set_pte() (arch/x86/include/asm/paravirt.h)."""
        yield from self._set(entry, None, "pte_clear")

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
    def _lazy(self, here: Here) -> bool:
        return self.lazy(here)

    @atomic
    def _said(self, here: Here, entry: str, value: Value, operation: str, kind: str) -> None:
        self.memory.write(here, entry, value, operation, "deferred")
        self._queue(here, kind, entry, value)

    @atomic
    def _direct(self, here: Here, entry: str, value: Value, operation: str) -> None:
        """HYPERVISOR_mmu_update() past the queue."""
        self.memory.write(here, entry, value, operation, "deferred")
        here.cost("hypercall")
        self.memory.take_effect(here, entry, value, self._waiting(here, entry))

    @atomic
    def _queue_flush(self, here: Here, entry: str) -> None:
        space = self.memory.specs[entry].space
        how: Any = "queued" if self.lazy(here) else "now"
        here.emit(TlbFlush, scope="entry", space=space, how=how, entry=entry)
        self._queue(here, "flush", entry, None)


class XenNestingCount(XenQueue):
    """v6.6 to v6.14, and 6.12.38: a mode per CPU, and a count of nested sections beside it.

    49147beb0ccb ("x86/xen: allow nesting of same lazy mode") (in v6.6).
    """

    row = "xen-nesting-count"
    columns = (
        *XenQueue.columns,
        Column("lazy_mode", "cpu", NONE),
        Column("lazy_nesting", "cpu", 0),
        Column("tif_lazy_mmu_updates", "task", 0),
    )
    forked = ("tif_lazy_mmu_updates",)

    def lazy(self, here: Here) -> bool:
        """xen_get_lazy_mode(): no mode in interrupt context."""
        return here.this_cpu.lazy_mode == MMU and not here.in_interrupt

    def mode_on(self, here: Here) -> Known:
        """The CPU's mode."""
        return "yes" if here.this_cpu.lazy_mode == MMU else "no"

    def enter_lazy(self, here: Here, mode: int) -> None:
        """The same mode again is counted (hypervisor.h)."""
        this_cpu = here.this_cpu
        if this_cpu.lazy_mode == mode:
            this_cpu.lazy_nesting += 1
        elif not here.bug_on(this_cpu.lazy_mode != NONE, "xen_lazy_mode != XEN_LAZY_NONE"):
            this_cpu.lazy_mode = mode

    def leave_lazy(self, here: Here, mode: int) -> None:
        """One less, or none at all (hypervisor.h)."""
        this_cpu = here.this_cpu
        if here.bug_on(this_cpu.lazy_mode != mode, "xen_lazy_mode != mode"):
            return
        if this_cpu.lazy_nesting == 0:
            this_cpu.lazy_mode = NONE
        else:
            this_cpu.lazy_nesting -= 1

    def leave_lazy_mmu(self, here: Here) -> None:
        """xen_leave_lazy_mmu(): preemption is off while the queue goes out, so it is one step."""
        here.current.preempt_count += 1
        self.xen_mc_flush(here)
        self.leave_lazy(here, MMU)
        here.current.preempt_count -= 1

    @routine(MMU_PV)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """xen_enter_lazy_mmu()."""
        yield self._enter()

    @routine(MMU_PV)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """xen_leave_lazy_mmu()."""
        yield self._leave()

    @routine(MMU_PV)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """xen_flush_lazy_mmu(): leave and enter with preemption off."""
        yield self._flush()

    @routine(ENLIGHTEN)
    def arch_start_context_switch(self, prev: int) -> Routine:
        """xen_start_context_switch(): the mode goes into a flag of the task."""
        yield self._start(prev)

    @routine(ENLIGHTEN)
    def switch_to(self, prev: int, next_: int) -> Routine:
        """xen_end_context_switch(): what was queued for the switch, then the next task's mode."""
        yield self._end(next_)

    @atomic
    def _enter(self, here: Here) -> None:
        self.enter_lazy(here, MMU)

    @atomic
    def _leave(self, here: Here) -> None:
        self.leave_lazy_mmu(here)

    @atomic
    def _flush(self, here: Here) -> None:
        if here.this_cpu.lazy_mode == MMU and not here.in_interrupt:
            self.leave_lazy_mmu(here)
            self.enter_lazy(here, MMU)

    @atomic
    def _start(self, here: Here, prev: int) -> None:
        if here.this_cpu.lazy_mode == MMU:
            self.leave_lazy_mmu(here)
            self.flushed(here, "switch")
            here.task_at(prev).tif_lazy_mmu_updates = 1
        self.enter_lazy(here, CPU)

    @atomic
    def _end(self, here: Here, next_: int) -> None:
        task = here.task_at(next_)
        self.xen_mc_flush(here)
        self.leave_lazy(here, CPU)
        if task.tif_lazy_mmu_updates:
            task.tif_lazy_mmu_updates = 0
            self.enter_lazy(here, MMU)
