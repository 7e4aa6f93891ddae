# SPDX-License-Identifier: GPL-2.0-or-later
"""Xen PV from v7.2 on: there is no mode but the task's counters, and a switch pauses the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.machine.arch.xen import ENLIGHTEN, MMU_PV, XenQueue
from lazymmu.machine.generic_api import CountedMode
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Known
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

PARAVIRT_H = "arch/x86/include/asm/paravirt.h"


class XenTask(XenQueue):
    """v7.2 on: is_lazy_mmu_mode_active() decides, leave is a flush, and enter is nothing.

    xen_start_context_switch() pauses the task that goes and xen_end_context_switch() resumes the
    one that comes, so that whoever waits for a CPU has a pause count of one more than it asked for.
    A new task has not been paused: it is a copy of its parent at work (kernel/fork.c,
    dup_task_struct()), and the first switch to it runs xen_end_context_switch() as any other does
    (arch/x86/kernel/process_64.c, __switch_to()).

    The hooks of a switch are `local`, as in xen_cpu.py.

    The per-CPU xen_cpu_lazy_mode is left out: nothing but loads of segments and cr3 asks for it.
    """

    row = "xen-task"
    paused_out = 1

    def lazy(self, here: StepContext) -> bool:
        """is_lazy_mmu_mode_active()."""
        return here.lazy_active

    def mode_on(self, here: StepContext) -> Known:
        """The task's own state."""
        return "yes" if here.task_active(here.task) else "no"

    @routine(PARAVIRT_H)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """A flush."""
        yield self.arch_flush_lazy_mmu_mode()

    @routine(MMU_PV)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """xen_flush_lazy_mmu()."""
        yield self._flush()

    @routine(ENLIGHTEN)
    def arch_start_context_switch(self, prev: int) -> Routine:
        """xen_start_context_switch(): the task that goes is paused, and flushes if it was lazy."""
        yield self._start(prev)

    @routine(ENLIGHTEN)
    def switch_to(self, prev: int, next_: int) -> Routine:
        """xen_end_context_switch(): what is queued goes out, the task that comes is resumed."""
        yield self._end(next_)

    @atomic
    def _flush(self, here: StepContext) -> None:
        self.flush_pinned(here)

    @local
    def _start(self, here: StepContext, prev: int) -> None:
        if CountedMode.task_pause(here, prev):
            self.flush_pinned(here)
            self.flushed(here, "switch")

    @local
    def _end(self, here: StepContext, next_: int) -> None:
        if here.this_cpu.mc_queue:
            self.flushed(here, "switch")
        self.xen_mc_flush(here)
        CountedMode.task_resume(here, next_)
