# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/kasan/shadow.c: shadow memory of vmalloc(), shared by neighbours, filled by callbacks.

The callbacks run in the section of apply_to_page_range() and take init_mm.page_table_lock.  Not on
sparc, which has no KASAN, nor with powerpc's hash (arch/powerpc/mm/kasan/init_book3s_64.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.memory import PteFn
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.generic_api import CountedMode
    from lazymmu.machine.steps import Routine, RoutineCall

SHADOW = "mm/kasan/shadow.c"


class Kasan(Part):
    """To v6.16: the callbacks work inside the mode.

    Whether the first one allocates there, and what the second one does under the lock, see
    `CoreMM.kasan_allocates` and `CoreMM.kasan_frees_locked`.
    """

    locked: ClassVar[tuple[str, ...]] = ("kernel",)
    operations: ClassVar[tuple[str, ...]] = ("kasan_populate_vmalloc", "kasan_depopulate_vmalloc")

    @routine(SHADOW)
    def kasan_populate_vmalloc(self, value: Value, *entries: str) -> Routine:
        """Give each entry that is none a page, which is `value`'s; who comes second frees it."""
        if not self.features.kasan_allocates:
            yield self.code.might_sleep("GFP_KERNEL")
        callback = PteFn(self.kasan_populate_vmalloc_pte, (value,))
        yield self.code.apply.apply_to_page_range(callback, *entries)

    @routine(SHADOW)
    def kasan_depopulate_vmalloc(self, *entries: str) -> Routine:
        """Take the pages out, free them, and flush the TLB."""
        callback = PteFn(self.kasan_depopulate_vmalloc_pte)
        yield self.code.apply.apply_to_existing_page_range(callback, *entries)
        yield self.arch.flush_tlb_range(*entries)

    @routine(SHADOW)
    def kasan_populate_vmalloc_pte(self, entry: str, value: Value) -> Routine:
        """The first callback."""
        yield from self.outside()
        yield self._populate(entry, value)
        yield from self.inside()

    @routine(SHADOW)
    def kasan_depopulate_vmalloc_pte(self, entry: str) -> Routine:
        """The second one."""
        yield from self.outside()
        yield self._depopulate(entry)
        yield from self.inside()

    def outside(self) -> tuple[RoutineCall, ...]:
        """What comes before the body."""
        return ()

    def inside(self) -> tuple[RoutineCall, ...]:
        """What comes after it."""
        return ()

    @routine("")
    def _populate(self, entry: str, value: Value) -> Routine:
        if self.features.kasan_frees_locked and not (yield self.none(entry)):
            return
        if self.features.kasan_allocates:
            yield self.code.might_sleep("GFP_KERNEL")
        yield self.locks.spin_lock(self.ptl(entry))
        taken = not (yield self.none(entry))
        if not taken:
            yield self.code.pgtable.set_pte_at(entry, value)
        yield self.locks.spin_unlock(self.ptl(entry))
        page = page_of(value)
        if taken and page is not None:
            yield self.memory.free_page(page)

    @routine("")
    def _depopulate(self, entry: str) -> Routine:
        locked = self.features.kasan_frees_locked
        page = yield self._page(entry) if locked else self._nothing()
        yield self.locks.spin_lock(self.ptl(entry))
        if locked:
            there = not (yield self.none(entry))
        else:
            page = yield self._page(entry)
            there = page is not None
        if there:
            yield self.code.pgtable.pte_clear(entry)
        if there and locked and page is not None:
            yield self.memory.free_page(page)
        yield self.locks.spin_unlock(self.ptl(entry))
        if there and not locked:
            yield self.memory.free_page(page)

    @routine("")
    def _page(self, entry: str) -> Routine:
        return page_of((yield self.arch.ptep_get(entry)))

    @routine("")
    def _nothing(self) -> Routine:
        yield from ()


class KasanLeaves(Kasan):
    """v6.17 to v6.19: the callbacks leave the mode and enter it again."""

    def outside(self) -> tuple[RoutineCall, ...]:
        """arch_leave_lazy_mmu_mode()."""
        return (self.mode.lazy_mmu_mode_disable(),)

    def inside(self) -> tuple[RoutineCall, ...]:
        """arch_enter_lazy_mmu_mode()."""
        return (self.mode.lazy_mmu_mode_enable(),)


class KasanPauses(Kasan):
    """From v7.0: the callbacks pause the mode, whatever its depth."""

    def outside(self) -> tuple[RoutineCall, ...]:
        """lazy_mmu_mode_pause()."""
        return (self.counted.lazy_mmu_mode_pause(),)

    def inside(self) -> tuple[RoutineCall, ...]:
        """lazy_mmu_mode_resume()."""
        return (self.counted.lazy_mmu_mode_resume(),)

    @property
    def counted(self) -> CountedMode:
        """The API that has pauses."""
        return cast("CountedMode", self.mode)
