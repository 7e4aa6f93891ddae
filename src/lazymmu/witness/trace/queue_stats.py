# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what is put off and flushed, by the lines that are most of a recording.

* Xen PV: each xen_mc_issue for the mode, after an xen_mc_batch in the mode (v7.2 on: one that does
  not flush), puts one operation off, which without the mode would have been a hypercall of its own;
  xen_mc_flush issues the queue as one (arch/x86/xen/multicalls.c, xen-ops.h).  Without these bulky
  events, entries are reckoned from the bytes that are flushed: struct mmu_update has 16.
* powerpc hash: hpte_need_flush() adds one entry to the batch, __flush_tlb_pending() flushes it
  (arch/powerpc/mm/book3s64/hash_tlb.c).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lazymmu.ftrace.lines import Columns
    from lazymmu.witness.trace.section_totals import CpuQueue, OpenSection, SectionTotals

__all__ = ["NEEDLES", "Told", "XenQueues", "powerpc_batch", "told_by"]

NEEDLES: Final = (
    b"xen_mc_batch",
    b"xen_mc_flush",
    b"xen_mc_issue",
    b"irq_handler_entry",
    b"softirq_entry",
)
"""What lines contain that are of use to nobody else."""

HANDLERS_END: Final = (b"irq_handler_exit", b"softirq_exit")
"""And where somebody wants to know when interrupts end."""

_HANDLER: Final = re.compile(rb"(?: name=|\[action=)([^\]\n]{1,64})")

UPDATE_BYTES: Final = 16  # struct mmu_update, include/xen/interface/xen.h
_FLUSHING: Final = re.compile(rb"xen_mc_flush:[ \t]+flushing (\d{1,9}) hypercalls, (\d{1,12}) arg")

AT_ONCE: Final = "issued at once"
END: Final = "end of the section"
SWITCH: Final = "context switch"

BATCH, ISSUE, NOW, LATER, REASON, FLUSH, INTERRUPT, HANDLED = range(1, 9)

Told = tuple[int, Any]
"""What a line's text is, and what it says: of BATCH and ISSUE the mode, of REASON why a queue is
flushed, of FLUSH calls and bytes, of INTERRUPT and HANDLED, its end, its kind."""


def told_by(text: bytes) -> Told | None:
    """What a text says of queues and interrupts, None when it is about neither."""
    name, _, rest = text.partition(b":")
    match name:
        case b"xen_mc_batch":
            return BATCH, rest.rpartition(b"_")[2]
        case b"xen_mc_issue" if b"flush: " in rest:
            return (NOW if b"flush: yes" in rest else LATER), None
        case b"xen_mc_issue":
            return ISSUE, rest.rpartition(b"_")[2]
        case b"xen_mc_flush_reason":
            why = rest.rpartition(b" ")[2].decode("ascii", "replace")
            return REASON, f"full ({why})" if why.isalpha() else "full"
        case b"xen_mc_flush":
            found = _FLUSHING.match(text)
            return None if found is None else (FLUSH, (int(found[1]), int(found[2])))
        case b"irq_handler_entry":
            return INTERRUPT, "hard"
        case b"softirq_entry":
            return INTERRUPT, "soft"
        case b"irq_handler_exit":
            return HANDLED, "hard"
        case b"softirq_exit":
            return HANDLED, "soft"
    return None


def handler_of(text: bytes) -> str:
    """The name of the handler of an interrupt, as the event has it."""
    found = _HANDLER.search(text)
    return "interrupt" if found is None else found[1].decode("utf-8", "replace").strip()


class XenQueues:
    """Follows the queues of CPUs, each told of its lines in their order."""

    def __init__(self, totals: SectionTotals) -> None:
        """totals: what is counted goes there."""
        self._totals = totals

    def tell(
        self, told: Told, cpu: CpuQueue, held: OpenSection | None, columns: Columns
    ) -> str | None:
        """One line; held: the open section of its task.  Gives the reason of a flush that it is."""
        kind, word = told
        if kind == BATCH:
            cpu.lazy = word
        elif kind == ISSUE:
            self.issue(word, cpu, held)
        elif kind == FLUSH:
            calls, size = word
            return self._issued(columns, held, cpu, calls, size) if calls else None
        elif kind == INTERRUPT:
            if held is not None:
                held.group.interrupts[word] += 1
        elif kind == REASON:
            cpu.reason = word
        elif kind == NOW:
            cpu.why = AT_ONCE
        elif kind == LATER and not cpu.switching:
            self._totals.put_off(held, cpu)
        return None

    def issue(self, about: bytes, cpu: CpuQueue, held: OpenSection | None) -> None:
        """Something is issued: put off if the CPU is lazy about what it is.

        trace-cmd cannot print the modes and calls them all LAZY_NONE, which is no mode to be lazy
        in either.
        """
        if about != cpu.lazy or about == b"NONE":
            cpu.why = AT_ONCE
        elif about == b"MMU":
            self._totals.put_off(held, cpu)
        else:
            cpu.why = SWITCH

    def _issued(
        self, columns: Columns, held: OpenSection | None, cpu: CpuQueue, calls: int, size: int
    ) -> str | None:
        """A queue of `calls` multicall entries, one trap, goes to the hypervisor."""
        totals, bulk = self._totals, self._totals.counted
        reason, cpu.reason = cpu.reason or cpu.why or "not recorded", ""
        went, cpu.queued = (cpu.queued if bulk else max(size // UPDATE_BYTES, calls)), 0
        cpu.went = went
        if reason == AT_ONCE:
            if not bulk or not went:
                totals.outside[reason] += 1
                return None
            # It would have been a call without the mode too; what was put off goes along.
            calls = 0
            if columns.irq:
                reason = "interrupt"
        elif reason == SWITCH and not went:
            totals.outside[reason] += 1
            return None
        totals.batches.add(went)
        totals.flushed(cpu, reason, min(calls, 1), held, 0 if bulk else went)
        return reason


def powerpc_batch(
    totals: SectionTotals, cpu: CpuQueue, caller: str, task: str, reason: str = ""
) -> str:
    """powerpc's batch is flushed; caller: of the function that does.  Gives the reason."""
    full = caller == "hpte_need_flush"
    if not reason:
        reason = "full, or another mm" if full else END
    went, cpu.queued = cpu.queued, 0
    totals.batches.add(went)
    for group in totals.groups((cpu.site if full else caller) or "?", task):
        group.entries.add(went)
        group.flush(reason, 1, went)
    return reason
