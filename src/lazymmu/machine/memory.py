# SPDX-License-Identifier: GPL-2.0-or-later
"""Page tables, translations and pages.

An entry has three values:

    image       what it holds in program order: every write counts when the code makes it
    stored      what is in memory: what a CPU that reads the entry sees
    effective   what a page walk sees: differs from `stored` while barriers are owed

A TLB (on powerpc the hash table as well) may hold translations that are no longer in the table.
Hardware fills TLBs whenever it likes.  Instead of making each fill a step, `store()` takes every
CPU to have cached the old translation when an entry changes: a TLB disables nothing, and what one
may find there only grows with more fills, so that no harm is missed.  `Config.walks` makes fills
steps of their own, which tests compare with.

Nobody knows which of several translations a CPU uses, so `access()` looks at all of them.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import Free, Read, Undone, Use, Write
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.contract.event_words import What
    from lazymmu.machine.config import EntrySpec, Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine, Step

NOTHING: Final[frozenset[str]] = frozenset()

MARKERS: Final = ("swap", "swap-exclusive", "marker", "migration", "migration-writable")
"""Words that stand for entries which are not none and map nothing (linux/swapops.h)."""

EXCLUSIVE: Final = "exclusive"
"""Flag of an entry whose page a device has for itself: it is not present (linux/swapops.h)."""


def page_of(value: Value) -> str | None:
    """The page that an entry with this value maps, or the page-table page it leads to."""
    if value is None:
        return None
    base, *flags = value.split(":")
    return None if base in MARKERS or EXCLUSIVE in flags else base


def writable(value: Value) -> bool:
    """Whether a translation with this value lets one write."""
    return page_of(value) is not None and ":ro" not in (value or "")


class Memory:
    """Entries, TLBs and pages of one machine."""

    def __init__(self, entries: Iterable[EntrySpec], cpus: int, *, walks: bool) -> None:
        """`walks`: see `Config`; an architecture sets `fault`, who looks at a refused access."""
        self.specs: Mapping[str, EntrySpec] = {spec.name: spec for spec in entries}
        self.cpus = range(cpus)
        self.walks = walks
        self.fault = "mm/memory.c"
        self.pages: tuple[str, ...] = ()
        self.mappers: Mapping[str, tuple[str, ...]] = {}
        self.columns = (
            Column("image", "entry", self._first),
            Column("stored", "entry", self._first),
            Column("effective", "entry", self._first),
            Column("settled", "entry", 0, 2),
            Column("old", "tlb", NOTHING),
            Column("free", "page", 0, 2),
            Column("stale", "task", NOTHING),
            Column("write_protect_seq", "system", 0, 4),
            Column("tlb_flush_batched", "system", NOTHING),
        )

    def _first(self, index: int) -> Value:
        return list(self.specs.values())[index].value

    def know_pages(self, mappers: Mapping[str, tuple[str, ...]]) -> None:
        """Which entries each page is ever mapped by, in this scenario."""
        self.mappers = mappers
        self.pages = tuple(mappers)

    # ---- what implementations call inside a step -----------------------------------------------

    def write(
        self,
        here: StepContext,
        entry: str,
        value: Value,
        operation: str,
        how: str,
        *,
        put_off: bool = False,
    ) -> None:
        """The code changes an entry: says so, and makes it the entry's program-order value.

        Whether and when it is stored is the implementation's business.  `put_off`: in a section the
        invalidation of a valid entry waits, and the store does not.
        """
        spec, slot = self.specs[entry], here.entry(entry)
        here.emit(
            Write,
            entry=entry,
            level=spec.level,
            space=spec.space,
            how=how,
            operation=operation,
            was_valid=page_of(slot.image) is not None,
            put_off=put_off and how == "immediate" and page_of(slot.image) is not None,
        )
        self.on_stale(here, entry, operation)
        if slot.image != value:
            slot.settled = 0
        slot.image = value

    def on_stale(self, here: StepContext, entry: str, operation: str) -> None:
        """Look whether a change by `operation` was decided on a value that is out of date."""
        current = here.current
        if entry in current.stale:
            current.stale = current.stale - {entry}
            here.emit(Undone, entry=entry, by=operation)

    def store(self, here: StepContext, entry: str, value: Value, *, walk: bool = True) -> None:
        """Change the entry in memory; with `walk` false page walks may still see the old value."""
        slot = here.entry(entry)
        before = slot.stored
        slot.stored = value
        if before != value:
            # A walk may have found it, also one that nothing promised it to.
            self._cached(here, entry, before)
        if walk:
            slot.effective = value

    def publish(self, here: StepContext, entry: str) -> None:
        """Page walks see what is stored from now on: the barriers were issued."""
        slot = here.entry(entry)
        if slot.effective != slot.stored:
            self._cached(here, entry, slot.effective)
            slot.effective = slot.stored

    def _cached(self, here: StepContext, entry: str, before: Value) -> None:
        """TLBs may hold what walks found `before`."""
        if self.walks or page_of(before) is None:
            return
        for cpu in self.cpus:
            tlb = here.tlb(cpu, entry)
            tlb.old = tlb.old | {before}

    def take_effect(
        self, here: StepContext, entry: str, value: Value, later: Iterable[Value]
    ) -> None:
        """A deferred store happens; `later`: values of stores to the entry that still wait.

        If the entry was changed since by somebody else, that change is gone.
        """
        slot = here.entry(entry)
        if slot.image != value and slot.image not in tuple(later):
            here.emit(Undone, entry=entry, by="deferred store")
            slot.image = value
        self.store(here, entry, value)

    def invalidate(self, here: StepContext, entries: Iterable[str], cpus: Iterable[int]) -> None:
        """The TLBs of `cpus` forget their translations of `entries`."""
        for entry in entries:
            for cpu in cpus:
                here.tlb(cpu, entry).old = NOTHING

    def load(self, here: StepContext, entry: str, operation: str) -> Value:
        """Read the entry through its pointer: what is stored, whatever is pending."""
        return self.seen(here, entry, operation, here.entry(entry).stored)

    def seen(self, here: StepContext, entry: str, operation: str, value: Value) -> Value:
        """The code reads an entry and is given `value`, which it may act on; gives it back."""
        spec, current = self.specs[entry], here.current
        here.emit(Read, entry=entry, level=spec.level, space=spec.space, operation=operation)
        if value != here.entry(entry).image:
            current.stale = current.stale | {entry}
        elif entry in current.stale:
            current.stale = current.stale - {entry}
        return value

    def fill(self, here: StepContext, entry: str) -> bool:
        """The CPU's page walker caches the entry; false when there is nothing new to cache."""
        slot, tlb = here.entry(entry), here.tlb(here.cpu, entry)
        if page_of(slot.effective) is None or slot.effective in tlb.old:
            return False
        tlb.old = tlb.old | {slot.effective}
        return True

    def translations(self, here: StepContext, cpu: int, entry: str) -> frozenset[Value]:
        """Every translation of an entry that a CPU may use now."""
        slot = here.entry(entry)
        return frozenset({*here.tlb(cpu, entry).old, slot.effective})

    # ---- operations of programs ----------------------------------------------------------------

    @routine(attrgetter("fault"))
    def access(self, entry: str) -> Routine:
        """Read the memory behind `entry` through whatever translation this CPU may have."""
        yield self._access(entry, False)

    @routine(attrgetter("fault"))
    def access_write(self, entry: str) -> Routine:
        """Write there."""
        yield self._access(entry, True)

    @routine("")
    def settle(self, entry: str) -> Routine:
        """From here on the code counts on the entry's change: nobody uses what was there before."""
        yield self._settle(entry)

    @atomic
    def _access(self, here: StepContext, entry: str, write: bool) -> None:
        """Stale is a translation that is not the entry's value any more.

        Once the entry's page was given back, or the code counted on the change (`settle()`).
        """
        slot = here.entry(entry)
        what: What = "page"
        for value in self.translations(here, here.cpu, entry):
            page = page_of(value)
            gone = page is not None and page in self.pages and here.page(page).free
            wrong = value != slot.image and (page is not None or page_of(slot.image) is not None)
            if write and page is not None and not writable(value):
                wrong = False  # a fault, which looks again
            if wrong and (gone or slot.settled):
                what = "stale"
        here.emit(Use, entry=entry, what=what)

    @atomic
    def _settle(self, here: StepContext, entry: str) -> None:
        here.entry(entry).settled = 1

    @routine("mm/page_alloc.c")
    def free_page(self, page: str) -> Routine:
        """__free_page(): the page may be anybody's from now on."""
        yield self._free(page, "page")

    def pages_free(self, page: str, what: What) -> Step:
        """The same as a step of a larger routine; `what`: "page" or "table"."""
        return self._free(page, what)

    @atomic
    def _free(self, here: StepContext, page: str, what: What) -> None:
        # bad_page() (mm/page_alloc.c), or a destructor that runs twice.
        if here.page(page).free:
            here.bug(f"{page} is freed twice")
        here.page(page).free = 1
        for entry in self.mappers.get(page, ()):
            here.emit(Free, entry=entry, what=what)
