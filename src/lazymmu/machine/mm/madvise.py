# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/madvise.c: MADV_FREE makes entries old and clean, and splits large folios on its way.

Here a folio is large when other entries than those of the range map its page too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.values import flags_of, marked
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine

MADVISE = "mm/madvise.c"
SWAPPED = ("swap", "swap-exclusive")
"""What MADV_FREE clears; other entries that are not present it leaves alone."""


class Madvise(Part):
    """From v6.5: the section ends before the lock is dropped and the folio is split.

    f3cd4ab0aabf ("mm/madvise: clean up pte_offset_map_lock() scans") (in v6.5).
    """

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = (
        "madvise_free_pte_range",
        "madvise_cold_or_pageout_pte_range",
    )

    @routine(MADVISE)
    def madvise_free_pte_range(self, *entries: str) -> Routine:
        """MADV_FREE: make entries old and clean."""
        yield self._walk(entries, ("old", "clean"))

    @routine(MADVISE)
    def madvise_cold_or_pageout_pte_range(self, *entries: str) -> Routine:
        """MADV_COLD and MADV_PAGEOUT: make entries old.  Pages are reclaimed after that."""
        yield self._walk(entries, ("old",))

    @routine("")
    def _walk(self, entries: tuple[str, ...], flags: tuple[str, ...]) -> Routine:
        first = entries[0]
        if not (yield self.code.tables.map_lock(first)):
            return
        yield self.code.rmap.flush_tlb_batched_pending(first)
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            if not (yield self.change(entry, entries, flags)):
                yield self.sched.cond_resched()
                return
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(first)
        yield self.sched.cond_resched()

    @routine("")
    def change(self, entry: str, entries: tuple[str, ...], flags: tuple[str, ...]) -> Routine:
        """One entry; tells whether its table is still there, mapped and locked."""
        value = yield self.arch.ptep_get(entry)
        if value is None:
            return True
        if page_of(value) is None:
            if "clean" in flags and value.split(":")[0] in SWAPPED:
                yield self.code.pgtable.pte_clear_not_present_full(entry)
            return True
        if self.code.is_large(value, entries):
            if not (yield self.split(entry)):
                return False
            value = yield self.arch.ptep_get(entry)
            if page_of(value) is None:
                return True
        if flags_of(value).issuperset(flags):
            return True
        if self.features.madvise_clears_young and "clean" not in flags:
            yield self.code.pgtable.ptep_test_and_clear_young(entry)
            return True
        value = yield self.code.pgtable.ptep_get_and_clear(entry)
        yield self.code.pgtable.set_pte_at(entry, marked(value, *flags))
        return True

    @routine("")
    def split(self, entry: str) -> Routine:
        """Leave, unlock, split, lock, enter; tells whether the table is still there."""
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(entry)
        yield self.code.might_sleep("split_folio")
        if not (yield self.code.tables.map_lock(entry)):
            return False
        if self.features.madvise_relock_flushes:
            yield self.code.rmap.flush_tlb_batched_pending(entry)
        yield self.mode.lazy_mmu_mode_enable()
        return True


class MadviseSplitInMode(Madvise):
    """To v6.4: the lock is dropped and the folio split with the mode on."""

    @routine("")
    def split(self, entry: str) -> Routine:
        """Unlock, split, lock."""
        yield self.code.tables.unlock(entry)
        yield self.code.might_sleep("split_folio")
        return (yield self.code.tables.map_lock(entry))
