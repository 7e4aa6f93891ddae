# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/pgtable-generic.c and linux/mm.h: finding a table and taking its lock.

A table can be gone by the time its lock is taken: 0d940a9b270b ("mm/pgtable: allow
pte_offset_map[_lock]() to fail") (in v6.5) made the functions look at the pmd entry again under the
lock, and fail.  They look at memory: an unlinking that is still pending is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine, RoutineCall

GENERIC = "mm/pgtable-generic.c"
MM_H = "include/linux/mm.h"


class Tables(Part):
    """Before v6.5: the caller made sure that the table stays."""

    operations: ClassVar[tuple[str, ...]] = ("pte_offset_map_lock", "pte_unmap_unlock", "pmd_lock")

    # ---- operations: tables that stay, by their locks --------------------------------------------

    @routine(GENERIC)
    def pte_offset_map_lock(self, lock: str) -> Routine:
        """Map a table that stays, and take its lock."""
        yield self.locks.take(lock)

    @routine(MM_H)
    def pte_unmap_unlock(self, lock: str) -> Routine:
        """The opposite of pte_offset_map_lock()."""
        yield self.locks.drop(lock)

    @routine(MM_H)
    def pmd_lock(self, lock: str) -> Routine:
        """Take the lock of a table of pmd entries; spin_unlock drops it."""
        yield self.locks.take(lock)

    # ---- for core-mm code: the table in which an entry lies --------------------------------------

    def map_lock(self, entry: str) -> RoutineCall:
        """pte_offset_map_lock(): tells whether there is a table, and then holds its lock."""
        return self._map_lock(entry)

    def map_nolock(self, entry: str) -> RoutineCall:
        """pte_offset_map_nolock(): gives the table's page ("" for one that stays), or None."""
        return self._map_nolock(entry)

    def unlock(self, entry: str) -> RoutineCall:
        """pte_unmap_unlock()."""
        return self.pte_unmap_unlock(self.ptl(entry))

    @routine("")
    def _map_lock(self, entry: str) -> Routine:
        yield self.pte_offset_map_lock(self.ptl(entry))
        return True

    @routine("")
    def _map_nolock(self, entry: str) -> Routine:
        if not self.pmd(entry):
            return ""
        return page_of((yield self.read(self.pmd(entry), "pmdp_get")))


class VanishingTables(Tables):
    """From v6.5: pte_offset_map_lock() fails when there is no table any more."""

    @routine("")
    def _map_lock(self, entry: str) -> Routine:
        if not self.pmd(entry):
            yield self.pte_offset_map_lock(self.ptl(entry))
            return True
        while True:
            found = yield self._map_lock_once(entry)
            if found != "again":
                return found == "there"

    @routine(GENERIC, "pte_offset_map_lock")
    def _map_lock_once(self, entry: str) -> Routine:
        """One turn of __pte_offset_map_lock(): map, lock, and look again."""
        before = yield self.read(self.pmd(entry), "pmdp_get_lockless")
        if page_of(before) is None:
            return "gone"
        yield self.locks.take(self.ptl(entry))
        if (yield self.read(self.pmd(entry), "pmdp_get_lockless")) == before:
            return "there"
        yield self.locks.drop(self.ptl(entry))
        return "again"
