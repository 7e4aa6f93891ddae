# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 in v6.16-rc1: the first version of the mode there, which warns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.machine.arch.arm64 import PGTABLE_H, Arm64Flag
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import FlushWhy
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine


class Arm64Warns(Arm64Flag):
    """The first version, v6.16-rc1 before its fixes: no hook asks where it is called.

    5fdd05efa1cd ("arm64/mm: Batch barriers when updating kernel mappings").  An interrupt sets,
    clears and obeys the flags of the task it interrupts; with CONFIG_DEBUG_VM it warns, and so
    does a section inside a section.  KFENCE updates entries in soft interrupts, DEBUG_PAGEALLOC
    begins a section in a section: both warned before v6.16-rc1 was out.
    """

    row = "arm64-warns"

    def lazy(self, here: StepContext) -> bool:
        """The flag, whoever asks."""
        return bool(here.current.tif_lazy_mmu)

    @routine(PGTABLE_H)
    def queue_pte_barriers(self, entry: str) -> Routine:
        """Read the flags, then act on them: an interrupt in between may change them."""
        lazy = yield self._read_thread_flags()
        yield self._act(entry, lazy)

    @atomic
    def _read_thread_flags(self, here: StepContext) -> bool:
        here.vm_warn_on(here.in_interrupt, "in_interrupt()")
        return self.lazy(here)

    @atomic
    def _act(self, here: StepContext, entry: str, lazy: bool) -> None:
        self.put_off(here, entry, lazy=lazy)

    @atomic
    def _enter(self, here: StepContext) -> None:
        current = here.current
        here.vm_warn_on(here.in_interrupt, "in_interrupt()")
        here.vm_warn_on(current.tif_lazy_mmu, "test_thread_flag(TIF_LAZY_MMU)")
        current.tif_lazy_mmu = 1

    @atomic
    def _test_and_clear(self, here: StepContext, why: FlushWhy) -> bool:
        return self.test_and_clear(here, why)

    @atomic
    def _clear(self, here: StepContext) -> None:
        here.current.tif_lazy_mmu = 0
