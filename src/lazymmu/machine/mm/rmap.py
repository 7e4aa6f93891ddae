# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/rmap.c: reclaim takes entries out and leaves the TLB flush for later, many at a time.

Who changes entries of that mm meanwhile may find one that is none, or not writable, while a TLB
still has what was there; so code that rests on entries flushes what waits before it looks
(3ea277194daa ("mm, mprotect: flush TLB if potentially racing with a parallel reclaim leaving stale
TLB entries") (in v4.13)).  It does so under the page-table lock, and before its section begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.contract.events import TlbFlush
from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

RMAP = "mm/rmap.c"


class Rmap(Part):
    """Where TLB flushes of reclaim are not put off: it flushes each entry.

    powerpc and sparc have no ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH.
    """

    locked: ClassVar[tuple[str, ...]] = ("user",)
    operations: ClassVar[tuple[str, ...]] = ("try_to_unmap_one", "flush_tlb_batched_pending")

    @routine(RMAP)
    def try_to_unmap_one(self, entry: str) -> Routine:
        """Take a page's entry out for a swap entry; the page is still the caller's."""
        if not (yield self.code.tables.map_lock(entry)):
            return
        if (yield self.present(entry)):
            yield self.code.pgtable.ptep_get_and_clear(entry)
            yield from self.flush_or_note(entry)
            yield self.code.pgtable.set_pte_at(entry, "swap")
        yield self.code.tables.unlock(entry)

    def flush_or_note(self, entry: str) -> Routine:
        """ptep_clear_flush()."""
        yield self.arch.flush_tlb_range(entry)

    @routine("include/linux/mm.h")
    def flush_tlb_batched_pending(self, entry: str) -> Routine:  # noqa: ARG002 - as where it does
        """Nothing waits: an empty inline."""
        yield from ()


class RmapBatched(Rmap):
    """With ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH: x86, arm64 (v6.8 on), and whoever is the worst."""

    operations: ClassVar[tuple[str, ...]] = (*Rmap.operations, "try_to_unmap_flush")

    def flush_or_note(self, entry: str) -> Routine:
        """set_tlb_ubc_flush_pending()."""
        yield self._note(entry)

    @routine(RMAP)
    def try_to_unmap_flush(self) -> Routine:
        """arch_tlbbatch_flush(): before pages of the batch are given back."""
        yield self._flush("")

    @routine(RMAP)
    def flush_tlb_batched_pending(self, entry: str) -> Routine:
        """Flush what waits of the mm of this entry."""
        yield self._flush(entry)

    @atomic
    def _note(self, here: StepContext, entry: str) -> None:
        here.system.tlb_flush_batched = here.system.tlb_flush_batched | {entry}

    @local
    def _flush(self, here: StepContext, entry: str) -> None:
        specs = self.memory.specs
        waiting: frozenset[str] = here.system.tlb_flush_batched
        gone = sorted(one for one in waiting if not entry or specs[one].mm == specs[entry].mm)
        if not gone:
            return
        here.cost("invalidation")
        self.memory.invalidate(here, gone, here.cpus)
        here.system.tlb_flush_batched = waiting.difference(gone)
        for one in gone:
            here.emit(TlbFlush, scope="entry", space=specs[one].space, how="now", entry=one)
