# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/userfaultfd.c: UFFDIO_MOVE moves runs of present entries in a section (v6.18 on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine

USERFAULTFD = "mm/userfaultfd.c"


class MovePresentPtes(Part):
    """Looks at both entries without a lock, takes both locks, and looks whether they changed."""

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("move_present_ptes",)

    @routine(USERFAULTFD)
    def move_present_ptes(self, source: str, target: str) -> Routine:
        """Move one present entry to where there is none."""
        before = yield self.arch.ptep_get(source)
        if before is None or not (yield self.none(target)):
            return
        yield self._move_present_ptes(source, target, before)

    @routine(USERFAULTFD, "move_present_ptes")
    def _move_present_ptes(self, source: str, target: str, value: str) -> Routine:
        """The same once it is known that the source maps `value` and the target nothing."""
        yield self.double_pt_lock(source, target)
        if not (yield self.is_pte_pages_stable(source, target, value)):
            yield self.double_pt_unlock(source, target)
            return
        yield self.mode.lazy_mmu_mode_enable()
        moved = yield self.code.pgtable.ptep_get_and_clear(source)
        yield self.code.pgtable.set_pte_at(target, moved)
        yield self.mode.lazy_mmu_mode_disable()
        yield self.arch.flush_tlb_range(source)
        yield self.double_pt_unlock(source, target)

    @routine(USERFAULTFD)
    def double_pt_lock(self, source: str, target: str) -> Routine:
        """Always in the same order."""
        for lock in sorted({self.ptl(source), self.ptl(target)}):
            yield self.locks.take(lock)

    @routine(USERFAULTFD)
    def double_pt_unlock(self, source: str, target: str) -> Routine:
        """The opposite."""
        for lock in sorted({self.ptl(source), self.ptl(target)}):
            yield self.locks.drop(lock)

    @routine(USERFAULTFD)
    def is_pte_pages_stable(self, source: str, target: str, before: str) -> Routine:
        """Both entries are as they were, and the table of the second one is still there."""
        if (yield self.code.tables.map_nolock(target)) is None:
            return False
        if (yield self.arch.ptep_get(source)) != before:
            return False
        return (yield self.none(target))
