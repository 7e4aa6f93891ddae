# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/memory.c: apply_to_page_range() and its callbacks, remap_pfn_range(), faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine, RoutineCall

MEMORY = "mm/memory.c"


class Callback(Protocol):
    """What apply_to_page_range() calls for each entry: a scenario's lines, or kernel code."""

    def at(self, entry: str) -> RoutineCall:
        """The call for one entry."""


@dataclass(frozen=True, slots=True)
class PteFn:
    """A pte_fn_t of the kernel: a routine that takes the entry first, and its data."""

    function: Callable[..., RoutineCall]
    data: tuple[Hashable, ...] = ()

    def at(self, entry: str) -> RoutineCall:
        """The call for one entry."""
        return self.function(entry, *self.data)


class ApplyToPageRange(Part):
    """Callbacks run inside the mode; for kernel mappings no lock is held."""

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("apply_to_page_range", "apply_to_existing_page_range")

    @routine(MEMORY)
    def apply_to_page_range(self, body: Callback, *entries: str) -> Routine:
        """Call back for each entry of a range, whether it is none or not."""
        yield self.apply_to_pte_range(body, entries, True)

    @routine(MEMORY)
    def apply_to_existing_page_range(self, body: Callback, *entries: str) -> Routine:
        """Call back for each entry of a range that is not none."""
        yield self.apply_to_pte_range(body, entries, False)

    @routine(MEMORY)
    def apply_to_pte_range(self, fn: Callback, entries: tuple[str, ...], create: bool) -> Routine:
        """The loop over one table.  A table for `create` is allocated before the mode is on."""
        first = entries[0]
        locked = not self.is_kernel(first)
        if locked and not (yield self.code.tables.map_lock(first)):
            return
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            if create or not (yield self.none(entry)):
                yield fn.at(entry)
            elif self.features.apply_stops_at_hole:
                break  # it looks at the same entry until the end of the range
        yield self.mode.lazy_mmu_mode_disable()
        if locked:
            yield self.code.tables.unlock(first)


class RemapPfnRange(Part):
    """Mappings of device memory to user space."""

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("remap_pte_range",)

    @routine(MEMORY)
    def remap_pte_range(self, value: Value, *entries: str) -> Routine:
        """Fill entries that must be none."""
        if not (yield self.code.tables.map_lock(entries[0])):
            return
        yield self.mode.lazy_mmu_mode_enable()
        for entry in entries:
            yield self._remap(entry, value)
        yield self.mode.lazy_mmu_mode_disable()
        yield self.code.tables.unlock(entries[0])

    @routine("")
    def _remap(self, entry: str, value: Value) -> Routine:
        yield self.bug_on(not (yield self.none(entry)), "!pte_none(ptep_get(pte))")
        yield self.code.pgtable.set_pte_at(entry, value)


class Faults(Part):
    """Page faults of user space: outside any section, as everybody's next lock holder."""

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("do_anonymous_page",)

    @routine(MEMORY)
    def do_anonymous_page(self, entry: str, value: Value) -> Routine:
        """Fill the entry if it still is none."""
        if not (yield self.code.tables.map_lock(entry)):
            return
        if (yield self.none(entry)):
            yield self.code.pgtable.set_pte_at(entry, value)
        yield self.code.tables.unlock(entry)
