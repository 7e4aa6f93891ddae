# SPDX-License-Identifier: GPL-2.0-or-later
"""The generic API of the mode (include/linux/pgtable.h): hooks called directly, or task counters.

Up to v6.19 generic code calls the architecture's hooks.  5ab246749569 ("mm: enable lazy_mmu
sections to nest") (in v7.0) put counters of the task in front of them; between a change of a
counter and the hook's call anything may happen, and here it may as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from lazymmu.contract.events import (
    Disable,
    Enable,
    Flush,
    FunctionCall,
    FunctionReturn,
    Pause,
    Resume,
)
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.contract.event_words import Known
    from lazymmu.machine.arch.base import Arch
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

Turn = Literal["arch_enter", "arch_leave", "arch_flush", ""]

PGTABLE_H: Final = "include/linux/pgtable.h"

U8 = 256
"""enable_count and pause_count are u8 (linux/mm_types_task.h, struct lazy_mmu_state)."""


class DirectMode:
    """Up to v6.19: the calls are the architecture's hooks, and there is no pause.

    A scenario says lazy_mmu_mode_enable() for what such a kernel calls arch_enter_lazy_mmu_mode().
    """

    counted = False

    def __init__(self, arch: Arch, waits: Callable[[int], bool]) -> None:
        """`arch`: whose hooks are called; `waits`: whether a task has no CPU at the beginning."""
        self.arch = arch
        self.columns = (
            Column("enable_count", "task", 0),
            Column("pause_count", "task", lambda number: arch.paused_out * waits(number)),
        )

    @routine(PGTABLE_H, "arch_enter_lazy_mmu_mode")
    def lazy_mmu_mode_enable(self) -> Routine:
        """A section begins."""
        yield from self._framed("arch_enter_lazy_mmu_mode", self._enter())

    @routine(PGTABLE_H, "arch_leave_lazy_mmu_mode")
    def lazy_mmu_mode_disable(self) -> Routine:
        """A section ends."""
        yield from self._framed("arch_leave_lazy_mmu_mode", self._leave())

    @routine(PGTABLE_H)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """What is pending takes effect, the mode stays on."""
        yield self.arch.arch_flush_lazy_mmu_mode()
        yield self._say_flush()
        yield self.arch.observe("flush")

    lazy_mmu_mode_flush = arch_flush_lazy_mmu_mode
    """The name that scenarios gave it before; no kernel has it."""

    def _enter(self) -> Routine:
        """What lazy_mmu_mode_enable() does."""
        yield self._say_enable()
        yield self.arch.arch_enter_lazy_mmu_mode()
        yield self.arch.observe("enable")

    def _leave(self) -> Routine:
        """What lazy_mmu_mode_disable() does."""
        yield self._say_disable()
        yield self.arch.arch_leave_lazy_mmu_mode()
        yield self.arch.observe("disable")

    def _framed(self, function: str, body: Routine) -> Routine:
        """`body` between the call of a function of the API and its return."""
        yield self._begins(function)
        yield from body
        yield self._returns(function)

    @local
    def _begins(self, here: StepContext, function: str) -> None:
        """Up to its end the task's counters, or its hooks, and what is so may differ."""
        here.emit(FunctionCall, function=function, role="api")

    @local
    def _returns(self, here: StepContext, function: str) -> None:
        here.emit(FunctionReturn, function=function, role="api")

    @local
    def _say_enable(self, here: StepContext) -> None:
        here.emit(Enable, in_interrupt=_yes(here))

    @local
    def _say_disable(self, here: StepContext) -> None:
        here.emit(Disable, in_interrupt=_yes(here))

    @local
    def _say_flush(self, here: StepContext) -> None:
        here.emit(Flush, why="api", how=self.arch.flush_how)


class CountedMode(DirectMode):
    """From v7.0: enable_count and pause_count of the task, nothing in interrupt context."""

    counted = True

    @routine(PGTABLE_H)
    def lazy_mmu_mode_enable(self) -> Routine:
        """A section begins."""
        yield from self._framed("lazy_mmu_mode_enable", self._enter())

    @routine(PGTABLE_H)
    def lazy_mmu_mode_disable(self) -> Routine:
        """A section ends."""
        yield from self._framed("lazy_mmu_mode_disable", self._leave())

    @routine(PGTABLE_H)
    def lazy_mmu_mode_pause(self) -> Routine:
        """The mode is left whatever its depth."""
        yield from self._framed("lazy_mmu_mode_pause", self._leave_for_pause())

    @routine(PGTABLE_H)
    def lazy_mmu_mode_resume(self) -> Routine:
        """The mode is as it was before the pause."""
        yield from self._framed("lazy_mmu_mode_resume", self._enter_after_pause())

    def _enter(self) -> Routine:
        """The counter is raised before the hook is called."""
        if (yield self._enable()):
            yield self.arch.arch_enter_lazy_mmu_mode()
        yield self.arch.observe("enable")

    def _leave(self) -> Routine:
        """The counter is lowered before the hook is called; an inner disable flushes."""
        turn = yield self._disable()
        if turn == "arch_leave":
            yield self.arch.arch_leave_lazy_mmu_mode()
        elif turn == "arch_flush":
            yield self.arch.arch_flush_lazy_mmu_mode()
        if turn:
            yield self.arch.observe("disable")

    def _leave_for_pause(self) -> Routine:
        if (yield self._pause()):
            yield self.arch.arch_leave_lazy_mmu_mode()

    def _enter_after_pause(self) -> Routine:
        if (yield self._resume()):
            yield self.arch.arch_enter_lazy_mmu_mode()

    @atomic
    def _enable(self, here: StepContext) -> bool:
        current = here.current
        counted = not here.in_interrupt and current.pause_count == 0
        here.emit(Enable, in_interrupt=_yes(here), counted=counted)
        if not counted:
            return False
        here.vm_warn_on(current.enable_count == U8 - 1, "enable_count == U8_MAX")
        current.enable_count = (current.enable_count + 1) % U8
        return bool(current.enable_count == 1)

    @atomic
    def _disable(self, here: StepContext) -> Turn:
        current = here.current
        counted = not here.in_interrupt and current.pause_count == 0
        here.emit(Disable, in_interrupt=_yes(here), counted=counted)
        if not counted:
            return ""
        here.vm_warn_on(current.enable_count == 0, "enable_count == 0")
        current.enable_count = (current.enable_count - 1) % U8
        return "arch_leave" if current.enable_count == 0 else "arch_flush"

    @atomic
    def _pause(self, here: StepContext) -> bool:
        here.emit(Pause)
        if here.in_interrupt:
            return False
        return self.task_pause(here, here.task)

    @atomic
    def _resume(self, here: StepContext) -> bool:
        here.emit(Resume)
        if here.in_interrupt:
            return False
        return self.task_resume(here, here.task)

    @staticmethod
    def task_pause(here: StepContext, task: int) -> bool:
        """The counters of __task_lazy_mmu_mode_pause(); tells whether the hook must be called."""
        slot = here.task_at(task)
        here.vm_warn_on(slot.pause_count == U8 - 1, "pause_count == U8_MAX")
        slot.pause_count = (slot.pause_count + 1) % U8
        return bool(slot.pause_count == 1 and slot.enable_count > 0)

    @staticmethod
    def task_resume(here: StepContext, task: int) -> bool:
        """The counters of __task_lazy_mmu_mode_resume(); tells whether the hook must be called."""
        slot = here.task_at(task)
        here.vm_warn_on(slot.pause_count == 0, "pause_count == 0")
        slot.pause_count = (slot.pause_count - 1) % U8
        return bool(slot.pause_count == 0 and slot.enable_count > 0)


def _yes(here: StepContext) -> Known:
    return "yes" if here.in_interrupt else "no"
