# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/gup.c: gup_fast() reads entries without any lock, with interrupts off.

It takes a reference on the page that it found and looks at the entry again; with a sequence count
(mm->write_protect_seq, 57efa1fe5957 ("mm/gup: prevent gup_fast from racing with COW during fork")
(in v5.11)) it gives up as well when a fork write-protects entries meanwhile.  What it reads is
memory, whatever is put off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.contract.events import Use
from lazymmu.machine.memory import page_of
from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

GUP = "mm/gup.c"


class Gup(Part):
    """A reader without the lock, with the sequence count and without."""

    operations: ClassVar[tuple[str, ...]] = ("gup_fast", "gup_fast_seqcount")

    @routine(GUP)
    def gup_fast(self, entry: str) -> Routine:
        """Read, take the page, read again: use the page if the entry is the same."""
        yield self._gup_fast(entry, False)

    @routine(GUP)
    def gup_fast_seqcount(self, entry: str) -> Routine:
        """The same, and only if no fork was at work meanwhile (FOLL_PIN)."""
        yield self._gup_fast(entry, True)

    @routine(GUP, "gup_fast_pte_range")
    def _gup_fast(self, entry: str, counted: bool) -> Routine:
        flags = yield self.locks.local_irq_save()
        begun = yield self._sequence()
        value = None if counted and begun % 2 else (yield self.read(entry, "ptep_get_lockless"))
        if page_of(value) is not None and value == (yield self.read(entry, "ptep_get")):
            same = not counted or begun == (yield self._sequence())
            if same:
                yield self._use(entry, value)
        yield self.locks.local_irq_restore(flags)

    @atomic
    def _sequence(self, here: StepContext) -> int:
        return int(here.system.write_protect_seq)

    @atomic
    def _use(self, here: StepContext, entry: str, value: Value) -> None:
        """What was found is stale once its page was given back, or its change is counted on."""
        slot, page = here.entry(entry), page_of(value)
        gone = page in self.memory.pages and here.page(page or "").free
        stale = value != slot.image and (gone or slot.settled)
        here.emit(Use, entry=entry, what="stale" if stale else "page")
