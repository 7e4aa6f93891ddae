# SPDX-License-Identifier: GPL-2.0-or-later
"""include/linux/pgtable.h: set_pte_at(), set_ptes(), and the accessors that are made of them.

From v6.6 to v6.14 the generic set_ptes() and sparc's begin and end a section of their own, so that
they nest in every section that calls them; powerpc's and arm64's never did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine, RoutineCall

PGTABLE_H = "include/linux/pgtable.h"
SPARC_PGTABLE_H = "arch/sparc/include/asm/pgtable_64.h"


class SetPteAt(Part):
    """Before v6.6: each entry by itself, with no section around it."""

    operations: ClassVar[tuple[str, ...]] = ("set_pte_at",)

    @routine(PGTABLE_H)
    def set_pte_at(self, entry: str, value: Value) -> Routine:
        """Change one entry by a store that may be deferred."""
        yield self.arch.set_pte(entry, value)

    # These are the architecture's own, unless it makes them of set_pte_at().

    def pte_clear(self, entry: str) -> RoutineCall:
        """Make an entry none by a store that may be deferred."""
        return self.arch.pte_clear(entry)

    def ptep_get_and_clear(self, entry: str) -> RoutineCall:
        """Exchange an entry for none, at once; gives what was there."""
        return self.arch.ptep_get_and_clear(entry)

    def ptep_set_wrprotect(self, entry: str) -> RoutineCall:
        """Take the write permission away, at once."""
        return self.arch.ptep_set_wrprotect(entry)

    def ptep_test_and_clear_young(self, entry: str) -> RoutineCall:
        """Take the accessed bit away, at once."""
        return self.arch.ptep_test_and_clear_young(entry)

    def ptep_modify_prot_start(self, entry: str) -> RoutineCall:
        """Begin to change an entry that hardware may change as well; gives its value."""
        return self.arch.ptep_modify_prot_start(entry)

    def ptep_modify_prot_commit(self, entry: str, value: Value) -> RoutineCall:
        """Store what ptep_modify_prot_start() prepared."""
        return self.arch.ptep_modify_prot_commit(entry, value)

    def pte_clear_not_present_full(self, entry: str) -> RoutineCall:
        """pte_clear() of an entry that maps nothing; on sparc64 always __set_pte_at() itself."""
        return self.arch.pte_clear(entry)


class SetPtes(SetPteAt):
    """From v6.6, without a section of its own: v6.15 on, 6.12.y, powerpc, arm64."""

    operations: ClassVar[tuple[str, ...]] = ("set_pte_at", "set_ptes")

    @routine(PGTABLE_H)
    def set_ptes(self, value: Value, *entries: str) -> Routine:
        """Map the pages of one folio by consecutive entries."""
        for entry in entries:
            yield self.arch.set_pte(entry, value)

    def set_pte_at(self, entry: str, value: Value) -> RoutineCall:
        """A macro: set_ptes() of one entry."""
        return self.set_ptes(value, entry)


class Arm64SetPtes(SetPtes):
    """arm64's __set_ptes_anysz(), __set_ptes() before v6.17.

    All stores, and then one __set_pte_complete() (arch/arm64/include/asm/pgtable.h).
    """

    @routine("arch/arm64/include/asm/pgtable.h")
    def set_ptes(self, value: Value, *entries: str) -> Routine:
        """Map the pages of one folio by consecutive entries: barriers are owed once for all."""
        if len(entries) == 1:
            yield self.arch.set_pte(entries[0], value)
        else:
            yield self.arch.set_ptes(value, entries)


class SetPtesSection(SetPtes):
    """The generic one of v6.6 to v6.14.

    bcc6cc832573 ("mm: add default definition of set_ptes()") (in v6.6), until 691ee97e1a9d ("mm:
    fix lazy mmu docs and usage") (in v6.15).

    x86 has no set_ptes() of its own; its other accessors do not go through this one.
    """

    @routine(PGTABLE_H)
    def set_ptes(self, value: Value, *entries: str) -> Routine:
        """Map the pages of one folio by consecutive entries, in a section of its own."""
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            yield self.arch.set_pte(entry, value)
        yield self.mode.lazy_mmu_mode_disable()


class SparcSetPtesSection(SetPtesSection):
    """sparc64's of v6.6 to v6.14.

    1a10a44dfc1d ("sparc64: implement the new page table range API") (in v6.6), until eb61ad14c459
    ("sparc/mm: avoid calling arch_enter/leave_lazy_mmu() in set_ptes") (in v6.15).

    sparc64 makes pte_clear() of set_pte_at(), and uses the generic ptep_get_and_clear(),
    ptep_set_wrprotect() and ptep_modify_prot_*(), which end in one of the two: all of them nest.
    """

    operations: ClassVar[tuple[str, ...]] = (
        "set_pte_at",
        "set_ptes",
        "pte_clear",
        "ptep_get_and_clear",
        "ptep_set_wrprotect",
        "ptep_modify_prot_start",
        "ptep_modify_prot_commit",
    )

    def pte_clear(self, entry: str) -> RoutineCall:
        """set_pte_at() of an empty entry."""
        return self.wrapped(self.arch.pte_clear(entry))

    def ptep_get_and_clear(self, entry: str) -> RoutineCall:
        """ptep_get() and pte_clear()."""
        return self.wrapped(self.arch.ptep_get_and_clear(entry))

    def ptep_set_wrprotect(self, entry: str) -> RoutineCall:
        """ptep_get() and set_pte_at()."""
        return self.wrapped(self.arch.ptep_set_wrprotect(entry))

    def ptep_test_and_clear_young(self, entry: str) -> RoutineCall:
        """ptep_get() and set_pte_at()."""
        return self.wrapped(self.arch.ptep_test_and_clear_young(entry))

    def ptep_modify_prot_start(self, entry: str) -> RoutineCall:
        """ptep_get_and_clear()."""
        return self.wrapped(self.arch.ptep_modify_prot_start(entry))

    def ptep_modify_prot_commit(self, entry: str, value: Value) -> RoutineCall:
        """set_pte_at()."""
        return self.wrapped(self.arch.ptep_modify_prot_commit(entry, value))

    def wrapped(self, accessor: RoutineCall) -> RoutineCall:
        """The accessor, as the body of a set_ptes() of one entry."""
        return self._set_ptes(accessor)

    @routine(SPARC_PGTABLE_H)
    def _set_ptes(self, accessor: RoutineCall) -> Routine:
        yield self.mode.lazy_mmu_mode_enable()
        found = yield accessor
        yield self.mode.lazy_mmu_mode_disable()
        return found
