# SPDX-License-Identifier: GPL-2.0-or-later
"""The linear mapping of single pages: DEBUG_PAGEALLOC and KFENCE take it away and give it back.

Both do it from within the allocators, so from inside sections and from interrupts, and use the page
at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.memory import PteFn
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine, RoutineCall

PAGEATTR = "arch/arm64/mm/pageattr.c"
PAT = "arch/x86/mm/pat/set_memory.c"


class SetMemory(Part, ABC):
    """What the allocators call; an architecture says how."""

    operations: ClassVar[tuple[str, ...]] = (
        "debug_pagealloc_map_pages",
        "debug_pagealloc_unmap_pages",
        "kfence_unprotect",
        "kfence_protect",
    )

    @routine("mm/page_alloc.c")
    def debug_pagealloc_map_pages(self, entry: str, value: Value) -> Routine:
        """Before an allocated page is given out (post_alloc_hook()): it is used from here on."""
        yield self.kernel_map_pages(entry, value)
        yield self.memory.settle(entry)

    @routine("mm/page_alloc.c")
    def debug_pagealloc_unmap_pages(self, entry: str) -> Routine:
        """Before a page is freed (free_pages_prepare())."""
        yield self.kernel_map_pages(entry, None)

    @routine("mm/kfence/core.c")
    def kfence_unprotect(self, entry: str, value: Value) -> Routine:
        """Before an object is given out: it is used from here on."""
        yield self.kfence_protect_page(entry, value)
        yield self.memory.settle(entry)

    @routine("mm/kfence/core.c")
    def kfence_protect(self, entry: str) -> Routine:
        """After an object was freed."""
        yield self.kfence_protect_page(entry, None)

    @abstractmethod
    def kernel_map_pages(self, entry: str, value: Value) -> RoutineCall:
        """__kernel_map_pages()."""

    @abstractmethod
    def kfence_protect_page(self, entry: str, value: Value) -> RoutineCall:
        """kfence_protect_page()."""


class X86SetMemory(SetMemory):
    """__kernel_map_pages() flushes the mode itself, kfence_protect_page() does not (6.1 to 7.3)."""

    @routine(PAT, "__kernel_map_pages")
    def kernel_map_pages(self, entry: str, value: Value) -> Routine:
        """set_pte_atomic() is set_pte() under PARAVIRT_XXL; then this CPU's TLB, then the mode."""
        yield self.set_memory(entry, value)
        yield self.mode.arch_flush_lazy_mmu_mode()

    @routine(PAT, "__set_pages_p")
    def set_memory(self, entry: str, value: Value) -> Routine:
        """__set_pages_p() and __set_pages_np(), and __flush_tlb_all()."""
        yield self.read(entry, "lookup_address")
        yield self.arch.set_pte(entry, value)
        yield self.locks.preempt_disable()
        yield self.arch.flush_tlb_range(entry)
        yield self.locks.preempt_enable()

    @routine("arch/x86/include/asm/kfence.h")
    def kfence_protect_page(self, entry: str, value: Value) -> Routine:
        """set_pte(); this CPU's TLB only where the mapping goes away."""
        yield self.read(entry, "lookup_address")
        yield self.arch.set_pte(entry, value)
        if value is None:
            yield self.locks.preempt_disable()
            yield self.arch.flush_tlb_range(entry)
            yield self.locks.preempt_enable()


class X86SetMemoryUnflushed(X86SetMemory):
    """Before 26564600c966 ("x86/mm: Flush lazy MMU when DEBUG_PAGEALLOC is set") (in v3.10)."""

    @routine(PAT, "__kernel_map_pages")
    def kernel_map_pages(self, entry: str, value: Value) -> Routine:
        """The same, and what is put off waits for somebody's section to end."""
        yield self.set_memory(entry, value)


class Arm64SetMemory(SetMemory):
    """set_memory_valid() to v6.17: by apply_to_page_range(), whose section nests."""

    @routine(PAGEATTR, "__kernel_map_pages")
    def kernel_map_pages(self, entry: str, value: Value) -> Routine:
        """By set_memory_valid()."""
        yield self.set_memory_valid(entry, value)

    @routine("arch/arm64/include/asm/kfence.h")
    def kfence_protect_page(self, entry: str, value: Value) -> Routine:
        """By set_memory_valid()."""
        yield self.set_memory_valid(entry, value)

    @routine(PAGEATTR)
    def set_memory_valid(self, entry: str, value: Value) -> Routine:
        """__change_memory_common(): only what becomes invalid needs a TLB flush."""
        yield self.change(entry, value)
        if value is None:
            yield self.arch.flush_tlb_range(entry)

    def change(self, entry: str, value: Value) -> RoutineCall:
        """Change the range."""
        return self.code.apply.apply_to_page_range(PteFn(self.change_page_range, (value,)), entry)

    @routine(PAGEATTR)
    def change_page_range(self, entry: str, value: Value) -> Routine:
        """The callback."""
        yield self.arch.ptep_get(entry)
        yield self.arch.set_pte(entry, value)


class Arm64SetMemoryWalks(Arm64SetMemory):
    """From v6.18: update_range_prot() walks by itself, in a section of its own."""

    def change(self, entry: str, value: Value) -> RoutineCall:
        """Change the range."""
        return self.update_range_prot(entry, value)

    @routine(PAGEATTR)
    def update_range_prot(self, entry: str, value: Value) -> Routine:
        """split_kernel_leaf_mapping() has nothing to do: the linear map is mapped by pages."""
        yield self.mode.lazy_mmu_mode_enable()
        yield self.pageattr_pte_entry(entry, value)
        yield self.mode.lazy_mmu_mode_disable()

    @routine(PAGEATTR)
    def pageattr_pte_entry(self, entry: str, value: Value) -> Routine:
        """One entry."""
        yield self.arch.ptep_get(entry)
        yield self.arch.set_pte(entry, value)
