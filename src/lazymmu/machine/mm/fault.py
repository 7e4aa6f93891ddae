# SPDX-License-Identifier: GPL-2.0-or-later
"""arch/x86/mm/fault.c: a process lacks a top-level entry of the kernel's, and copies it (x86-64).

An exception is no interrupt to in_interrupt(): it runs in the mode of the task that it hit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine

FAULT = "arch/x86/mm/fault.c"


class VmallocFault(Part):
    """From v3.9: the mode is flushed after set_pgd().

    1160c2779b82 ("x86, mm, paravirt: Fix vmalloc_fault oops during lazy MMU updates").
    """

    operations: ClassVar[tuple[str, ...]] = ("vmalloc_fault",)

    @routine(FAULT)
    def vmalloc_fault(self, source: str, target: str) -> Routine:
        """Copy `source` of init_mm to `target` of the mm in use, and look below it."""
        reference = yield self.read(source, "pgd_offset_k")
        if reference is None:
            return
        found = yield self.read(target, "pgd_offset")
        if found is None:
            yield self.arch.set_pmd(target, reference)
            yield self.synchronize()
        else:
            yield self.bug_on(found != reference, "pgd_page_vaddr(*pgd) differs")
        below = yield self.read(target, "pud_offset")
        yield self.bug_on(below != reference, "pud_none(*pud) || pud_page_vaddr(*pud) differs")

    @routine("")
    def synchronize(self) -> Routine:
        """arch_flush_lazy_mmu_mode()."""
        yield self.mode.arch_flush_lazy_mmu_mode()


class VmallocFaultUnflushed(VmallocFault):
    """Before v3.9: what set_pgd() wrote is read back at once."""

    @routine("")
    def synchronize(self) -> Routine:
        """Nothing."""
        yield from ()
