# SPDX-License-Identifier: GPL-2.0-or-later
"""The same core-mm code with other sections: with none, or with one that its caller has around all.

Both are what a kernel would be whose sections stood elsewhere, and are there to be counted: a
section around several tables is one that its locks do not cover.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.machine.generic_api import PGTABLE_H, DirectMode
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine, RoutineCall

__all__ = ["CallersMode", "WithoutMode"]


class WithoutMode(DirectMode):
    """No call of the API does anything."""

    def __init__(self, real: DirectMode) -> None:
        """`real`: that of the machine."""
        super().__init__(real.arch, lambda _task: False)
        self.real = real

    @routine(PGTABLE_H)
    def nothing(self) -> Routine:
        """What is left of a call."""
        yield from ()

    def lazy_mmu_mode_enable(self) -> RoutineCall:
        """No section begins."""
        return self.nothing()

    def lazy_mmu_mode_disable(self) -> RoutineCall:
        """No section ends."""
        return self.nothing()

    def arch_flush_lazy_mmu_mode(self) -> RoutineCall:
        """Nothing is put off."""
        return self.nothing()

    def lazy_mmu_mode_pause(self) -> RoutineCall:
        """There is no section to pause."""
        return self.nothing()

    def lazy_mmu_mode_resume(self) -> RoutineCall:
        """There is no section to go on with."""
        return self.nothing()


class CallersMode(WithoutMode):
    """Sections are the caller's; flushes and pauses in them stay where they are."""

    def arch_flush_lazy_mmu_mode(self) -> RoutineCall:
        """The machine's own."""
        return self.real.arch_flush_lazy_mmu_mode()

    def lazy_mmu_mode_pause(self) -> RoutineCall:
        """The machine's own, where it has one."""
        pause = getattr(self.real, "lazy_mmu_mode_pause", None)
        return self.nothing() if pause is None else pause()

    def lazy_mmu_mode_resume(self) -> RoutineCall:
        """The machine's own, where it has one."""
        resume = getattr(self.real, "lazy_mmu_mode_resume", None)
        return self.nothing() if resume is None else resume()
