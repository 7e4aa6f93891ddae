# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/mremap.c: move_ptes() moves entries from one table to another, under both locks.

It ends its section before it flushes the TLB, and flushes before it drops a lock: the order that
others should have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine, RoutineCall

MREMAP = "mm/mremap.c"


class MovePtes(Part):
    """v6.1 and v6.12."""

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("move_ptes",)

    @routine(MREMAP)
    def move_ptes(self, source: str, target: str) -> Routine:
        """Move one entry."""
        tables, old_ptl, new_ptl = self.code.tables, self.ptl(source), self.ptl(target)
        if not (yield tables.map_lock(source)):
            return
        if (yield tables.map_nolock(target)) is None:
            yield tables.unlock(source)
            return
        if new_ptl != old_ptl:
            yield self.locks.spin_lock(new_ptl)
        yield self.code.rmap.flush_tlb_batched_pending(source)
        yield self.mode.lazy_mmu_mode_enable()
        flush = yield self._move(source, target)
        yield self.mode.lazy_mmu_mode_disable()
        if flush:
            yield self.arch.flush_tlb_range(source)
        if new_ptl != old_ptl:
            yield self.locks.spin_unlock(new_ptl)
        yield tables.unlock(source)

    @routine("")
    def _move(self, source: str, target: str) -> Routine:
        """Tells whether a present entry was moved, so that the TLB must be flushed."""
        yield from self.check_target(target)
        if (yield self.none(source)):
            return False
        value = yield self.code.pgtable.ptep_get_and_clear(source)
        yield self.code.pgtable.set_pte_at(target, value)
        return page_of(value) is not None

    def check_target(self, _target: str) -> tuple[RoutineCall, ...]:
        """The entry that is moved to is not looked at."""
        return ()


class MovePtesChecks(MovePtes):
    """v6.17 on: the entry that is moved to must be none."""

    def check_target(self, target: str) -> tuple[RoutineCall, ...]:
        """VM_WARN_ON_ONCE()."""
        return (self._check_target(target),)

    @routine("")
    def _check_target(self, target: str) -> Routine:
        yield self.vm_warn_on(not (yield self.none(target)), "!pte_none(ptep_get(new_ptep))")
