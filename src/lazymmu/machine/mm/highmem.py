# SPDX-License-Identifier: GPL-2.0-or-later
"""Short-lived kernel mappings of highmem on x86-32: used as soon as they are made.

x86 flushes the mode in both directions, but for v2.6.30 to v3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine

HIGHMEM_32 = "arch/x86/mm/highmem_32.c"
HIGHMEM = "mm/highmem.c"


class KmapAtomic(Part):
    """kmap_atomic() of v3.3 to v5.10, which flushes.

    2cd1c8d4dc7e ("x86/paravirt: PTE updates in k(un)map_atomic need to be synchronous, regardless
    of lazy_mmu mode") (in v3.3).
    """

    operations: ClassVar[tuple[str, ...]] = ("kmap_atomic", "kunmap_atomic")

    @routine(HIGHMEM_32)
    def kmap_atomic(self, entry: str, value: Value) -> Routine:
        """Map a page by this CPU's entry; the address is used from here on."""
        yield self.locks.preempt_disable()
        yield self.bug_on(not (yield self.none(entry)), "!pte_none(*(kmap_pte - idx))")
        yield self.arch.set_pte(entry, value)
        yield self.synchronize()
        yield self.memory.settle(entry)

    @routine(HIGHMEM_32)
    def kunmap_atomic(self, entry: str) -> Routine:
        """kpte_clear_flush(): the entry may be reused, or its page, from here on."""
        yield self.arch.pte_clear(entry)
        yield self.arch.flush_tlb_range(entry)
        yield self.synchronize()
        yield self.locks.preempt_enable()

    @routine("")
    def synchronize(self) -> Routine:
        """arch_flush_lazy_mmu_mode()."""
        yield self.mode.arch_flush_lazy_mmu_mode()


class KmapAtomicUnflushed(KmapAtomic):
    """The one of v2.6.30 to v3.2, without the flush.

    b8bcfe997e46 ("x86/paravirt: remove lazy mode in interrupts") (in v2.6.30) took it away.
    """

    @routine("")
    def synchronize(self) -> Routine:
        """Nothing."""
        yield from ()


class KmapLocal(Part):
    """kmap_local_page(), from v5.11.

    arch_kmap_local_post_map() and _post_unmap() flush (arch/x86/include/asm/highmem.h).
    """

    operations: ClassVar[tuple[str, ...]] = ("kmap_local_page", "kunmap_local")

    @routine(HIGHMEM)
    def kmap_local_page(self, entry: str, value: Value) -> Routine:
        """Map a page by this CPU's entry; the address is used from here on."""
        yield self.locks.migrate_disable()
        yield self.locks.preempt_disable()
        yield self.bug_on(not (yield self.none(entry)), "!pte_none(ptep_get(kmap_pte))")
        yield self.code.pgtable.set_pte_at(entry, value)
        yield self.mode.arch_flush_lazy_mmu_mode()
        yield self.locks.preempt_enable()
        yield self.memory.settle(entry)

    @routine(HIGHMEM)
    def kunmap_local(self, entry: str) -> Routine:
        """The entry may be reused, or its page, from here on."""
        yield self.locks.preempt_disable()
        yield self.code.pgtable.pte_clear(entry)
        yield self.arch.flush_tlb_range(entry)
        yield self.mode.arch_flush_lazy_mmu_mode()
        yield self.locks.preempt_enable()
        yield self.locks.migrate_enable()
