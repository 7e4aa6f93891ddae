# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/vmalloc.c: kernel mappings come and go, with no lock; from v6.16 on in sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.memory import PteFn
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine

VMALLOC = "mm/vmalloc.c"


class Vmalloc(Part):
    """Before v6.16: no section, but for vmap_pfn(), which uses apply_to_page_range()."""

    operations: ClassVar[tuple[str, ...]] = (
        "vmap_pages_pte_range",
        "vmap_pte_range",
        "vunmap_pte_range",
        "vmap_pfn",
    )

    @routine(VMALLOC)
    def vmap_pages_pte_range(self, value: Value, *entries: str) -> Routine:
        """Map pages by entries that must be none, or fail with a warning."""
        for entry in entries:
            if not (yield self.vmap_page(entry, value)):
                return

    @routine(VMALLOC)
    def vmap_pte_range(self, value: Value, *entries: str) -> Routine:
        """Map physical memory (ioremap()) by entries that must be none."""
        for entry in entries:
            yield self.vmap_phys(entry, value)

    @routine(VMALLOC)
    def vunmap_pte_range(self, *entries: str) -> Routine:
        """Take mappings out."""
        for entry in entries:
            yield self.vunmap(entry)

    @routine(VMALLOC)
    def vmap_pfn(self, value: Value, *entries: str) -> Routine:
        """Map memory that has no struct page."""
        callback = PteFn(self.vmap_pfn_apply, (value,))
        yield self.code.apply.apply_to_page_range(callback, *entries)

    @routine(VMALLOC)
    def vmap_pfn_apply(self, entry: str, value: Value) -> Routine:
        """Inside the section of apply_to_page_range()."""
        yield self.code.pgtable.set_pte_at(entry, value)

    @routine("")
    def vmap_page(self, entry: str, value: Value) -> Routine:
        """One entry of vmap_pages_pte_range(); tells whether it was none."""
        taken = not (yield self.none(entry))
        yield self.warn_on(taken, "!pte_none(ptep_get(pte))")
        if taken:
            return False
        yield self.code.pgtable.set_pte_at(entry, value)
        return True

    @routine("")
    def vmap_phys(self, entry: str, value: Value) -> Routine:
        """One entry of vmap_pte_range()."""
        yield self.bug_on(not (yield self.none(entry)), "remapping already mapped page")
        yield self.code.pgtable.set_pte_at(entry, value)

    @routine("")
    def vunmap(self, entry: str) -> Routine:
        """One entry of vunmap_pte_range()."""
        value = yield self.code.pgtable.ptep_get_and_clear(entry)
        odd = value is not None and page_of(value) is None
        yield self.warn_on(odd, "!pte_none(ptent) && !pte_present(ptent)")


class VmallocSections(Vmalloc):
    """From v6.16: the whole walk is a section, which an error leaves, too.

    44562c71e2cf ("mm/vmalloc: Enter lazy mmu mode while manipulating vmalloc ptes"), and
    fea18c686320 ("mm/vmalloc: leave lazy MMU mode on PTE mapping error").
    """

    @routine(VMALLOC)
    def vmap_pages_pte_range(self, value: Value, *entries: str) -> Routine:
        """Map pages by entries that must be none; an error leaves the loop, not the function."""
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            if not (yield self.vmap_page(entry, value)):
                break
        yield self.mode.lazy_mmu_mode_disable()

    @routine(VMALLOC)
    def vmap_pte_range(self, value: Value, *entries: str) -> Routine:
        """Map physical memory (ioremap()) by entries that must be none."""
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            yield self.vmap_phys(entry, value)
        yield self.mode.lazy_mmu_mode_disable()

    @routine(VMALLOC)
    def vunmap_pte_range(self, *entries: str) -> Routine:
        """Take mappings out; the exchange is immediate."""
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            yield self.vunmap(entry)
        yield self.mode.lazy_mmu_mode_disable()


class VmallocSectionsLeaky(VmallocSections):
    """The first candidates of v6.16: errors return from the middle of the section."""

    @routine(VMALLOC)
    def vmap_pages_pte_range(self, value: Value, *entries: str) -> Routine:
        """Map pages by entries that must be none; an error forgets to leave the mode."""
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            if not (yield self.vmap_page(entry, value)):
                return
        yield self.mode.lazy_mmu_mode_disable()
