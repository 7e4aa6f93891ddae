# SPDX-License-Identifier: GPL-2.0-or-later
"""Xen PV with the mode in a per-CPU variable: up to v7.1, in three forms.

The variable is NONE, MMU (a section) or CPU (a context switch is being put together); what a
section has queued and the variable itself are moved by the context-switch hooks.  So enter and
leave touch per-CPU data with preemption on and are correct: what they read of a CPU is the same on
the next one.  Nobody can do anything between the hooks of a switch that he could not do after them
as well: they are `local`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from lazymmu.machine.arch.xen import ENLIGHTEN, MMU_PV, XenQueue
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Known
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

NONE: Final = 0
MMU: Final = 1
CPU: Final = 2


class XenCpuVariable(XenQueue, ABC):
    """What the three forms share: the variable, the hooks' places, and who asks for the mode."""

    columns: ClassVar[tuple[Column, ...]] = (*XenQueue.columns, Column("lazy_mode", "cpu", NONE, 3))

    @staticmethod
    def xen_get_lazy_mode(here: StepContext) -> int:
        """The CPU's mode; none in interrupt context (enlighten_pv.c)."""
        return NONE if here.in_interrupt else int(here.this_cpu.lazy_mode)

    def lazy(self, here: StepContext) -> bool:
        """Updates stay in the queue."""
        return self.xen_get_lazy_mode(here) == MMU

    def mode_on(self, here: StepContext) -> Known:
        """The CPU's mode."""
        return "yes" if here.this_cpu.lazy_mode == MMU else "no"

    def enter_lazy(self, here: StepContext, mode: int) -> None:
        """Begin a mode; there must be none (asm/xen/hypervisor.h)."""
        this_cpu = here.this_cpu
        if not here.bug_on(this_cpu.lazy_mode != NONE, "xen_lazy_mode != XEN_LAZY_NONE"):
            this_cpu.lazy_mode = mode

    def leave_lazy(self, here: StepContext, mode: int) -> None:
        """End a mode; it must be that one (asm/xen/hypervisor.h)."""
        this_cpu = here.this_cpu
        if not here.bug_on(this_cpu.lazy_mode != mode, "xen_lazy_mode != mode"):
            this_cpu.lazy_mode = NONE

    @abstractmethod
    def enter(self, here: StepContext) -> None:
        """What arch_enter_lazy_mmu_mode() does."""

    @abstractmethod
    def leave(self, here: StepContext) -> None:
        """What arch_leave_lazy_mmu_mode() does."""

    @abstractmethod
    def flush(self, here: StepContext) -> None:
        """What arch_flush_lazy_mmu_mode() does."""

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
        """xen_flush_lazy_mmu()."""
        yield self._flush()

    @atomic
    def _enter(self, here: StepContext) -> None:
        self.enter(here)

    @atomic
    def _leave(self, here: StepContext) -> None:
        self.leave(here)

    @atomic
    def _flush(self, here: StepContext) -> None:
        self.flush(here)


class XenExclusive(XenCpuVariable):
    """v6.1 and before, and v6.15 to v6.19: a section inside a section is a BUG.

    To v6.5 the variable was PV-generic (arch/x86/kernel/paravirt.c, paravirt_lazy_mode), with the
    same steps.  c36549ff8d84 ("Revert "x86/xen: allow nesting of same lazy mode"") (in v6.15).
    """

    row = "xen-exclusive"
    columns = (*XenCpuVariable.columns, Column("tif_lazy_mmu_updates", "task", 0, 2))
    forked = ("tif_lazy_mmu_updates",)

    def enter(self, here: StepContext) -> None:
        """xen_enter_lazy_mmu()."""
        self.enter_lazy(here, MMU)

    def leave(self, here: StepContext) -> None:
        """xen_leave_lazy_mmu(): preemption is off while the queue goes out, so it is one step."""
        self.flush_pinned(here)
        self.leave_lazy(here, MMU)

    def flush(self, here: StepContext) -> None:
        """xen_flush_lazy_mmu(): leave and enter, with preemption off."""
        if self.xen_get_lazy_mode(here) == MMU:
            self.leave(here)
            self.enter(here)

    @routine(ENLIGHTEN)
    def arch_start_context_switch(self, prev: int) -> Routine:
        """xen_start_context_switch(): the mode goes into a flag of the task."""
        yield self._start(prev)

    @routine(ENLIGHTEN)
    def switch_to(self, prev: int, next_: int) -> Routine:
        """xen_end_context_switch(): what was queued for the switch, then the next task's mode."""
        yield self._end(next_)

    @local
    def _start(self, here: StepContext, prev: int) -> None:
        if here.this_cpu.lazy_mode == MMU:
            self.leave(here)
            self.flushed(here, "switch")
            here.task_at(prev).tif_lazy_mmu_updates = 1
        self.enter_lazy(here, CPU)

    @local
    def _end(self, here: StepContext, next_: int) -> None:
        task = here.task_at(next_)
        self.xen_mc_flush(here)
        self.leave_lazy(here, CPU)
        if task.tif_lazy_mmu_updates:
            task.tif_lazy_mmu_updates = 0
            self.enter(here)


class XenNestingCount(XenExclusive):
    """v6.6 to v6.14, and 6.12.38: sections of one CPU are counted beside its mode.

    49147beb0ccb ("x86/xen: allow nesting of same lazy mode") (in v6.6).
    """

    row = "xen-nesting-count"
    columns = (*XenExclusive.columns, Column("lazy_nesting", "cpu", 0))

    def enter_lazy(self, here: StepContext, mode: int) -> None:
        """The same mode again is counted."""
        this_cpu = here.this_cpu
        if this_cpu.lazy_mode == mode:
            this_cpu.lazy_nesting += 1
        else:
            super().enter_lazy(here, mode)

    def leave_lazy(self, here: StepContext, mode: int) -> None:
        """One less, or none at all."""
        this_cpu = here.this_cpu
        if here.bug_on(this_cpu.lazy_mode != mode, "xen_lazy_mode != mode"):
            return
        if this_cpu.lazy_nesting == 0:
            this_cpu.lazy_mode = NONE
        else:
            this_cpu.lazy_nesting -= 1


class XenCpuMode(XenCpuVariable):
    """v7.1: the variable follows the task's counters, which alone say what a task wants.

    291b3abed657 ("x86/xen: use lazy_mmu_state when context-switching") (in v7.0).  Between a
    counter and its hook a task may be switched out, so that enter may find the mode on and leave
    may find it off, and both ask first.
    """

    row = "xen-cpu-mode"

    def enter(self, here: StepContext) -> None:
        """xen_enter_lazy_mmu(): preemption is off between the question and the answer."""
        if self.xen_get_lazy_mode(here) != MMU:
            self.enter_lazy(here, MMU)

    def leave(self, here: StepContext) -> None:
        """xen_leave_lazy_mmu()."""
        self.flush_pinned(here)
        if self.xen_get_lazy_mode(here) != NONE:
            self.leave_lazy(here, MMU)

    def flush(self, here: StepContext) -> None:
        """xen_flush_lazy_mmu(): the mode stays on."""
        if self.xen_get_lazy_mode(here) == MMU:
            self.flush_pinned(here)

    @routine(ENLIGHTEN)
    def arch_start_context_switch(self, prev: int) -> Routine:
        """xen_start_context_switch(): the mode is left, the counters stay."""
        yield self._start()

    @routine(ENLIGHTEN)
    def switch_to(self, prev: int, next_: int) -> Routine:
        """xen_end_context_switch(): what was queued for the switch, then the next task's mode."""
        yield self._end(next_)

    @local
    def _start(self, here: StepContext) -> None:
        if here.this_cpu.lazy_mode == MMU:
            self.leave(here)
            self.flushed(here, "switch")
        self.enter_lazy(here, CPU)

    @local
    def _end(self, here: StepContext, next_: int) -> None:
        self.xen_mc_flush(here)
        self.leave_lazy(here, CPU)
        if here.task_active(next_):
            self.enter(here)


class XenCpuStrict(XenCpuMode):
    """v7.0: as v7.1, and nothing is asked before enter_lazy() and leave_lazy().

    A task that is preempted between its counter and the hook finds the CPU's mode as the switch
    hooks have left it, and meets a BUG_ON (reported on xen-devel in spring 2026).
    """

    row = "xen-cpu-strict"

    def enter(self, here: StepContext) -> None:
        """xen_enter_lazy_mmu(): there must be no mode."""
        self.enter_lazy(here, MMU)

    def leave(self, here: StepContext) -> None:
        """xen_leave_lazy_mmu(): the mode must be on."""
        self.flush_pinned(here)
        self.leave_lazy(here, MMU)
