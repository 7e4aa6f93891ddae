# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about one entry: what may not happen to it while a deferred write of it is pending."""

from __future__ import annotations

from lazymmu.contract.dialects import Dialect, Status
from lazymmu.contract.events import Free, Read, TlbFlush, Use, Write
from lazymmu.contract.rules.rule import NOT_TRACED, Party, Rule, RuleKind, Witness, stateless
from lazymmu.contract.section import Pending, TaskState

# ---- stale-read ----------------------------------------------------------------------------


def _stale(before: TaskState, event: Read, _dialect: Dialect) -> str | None:
    if not before.pending or not before.knows("pending"):
        return None
    return None if before.pending_on(event.entry) is None else event.operation


STALE_READ = Rule(
    name="stale-read",
    sentence="A page-table entry is not read through its pointer while a write to it is pending.",
    why=(
        "On Xen PV the store is still in the queue and the old value is read; page_table_check, "
        "pte_same() and the like then see a mapping that is no longer meant."
    ),
    citation=(
        "include/linux/pgtable.h, the comment above the mode's API, in every release; c519c3c0a113 "
        '("mm/kasan: avoid lazy MMU mode hazards") (in v6.17)'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task x entry",
    witnesses=NOT_TRACED,
    events=(Read,),
    status=lambda _dialect: Status.DOCUMENTED,
    message=lambda violation: (
        "reads a page-table entry"
        + (f" by {violation.detail}()" if violation.detail else "")
        + " while a write to it is pending"
    ),
    step=stateless(_stale),
    check=_stale,
)


# ---- mixed-write ---------------------------------------------------------------------------


def _mixed(before: TaskState, event: Write, _dialect: Dialect) -> str | None:
    if not before.pending or event.how != "immediate" or not before.knows("pending"):
        return None
    return None if before.pending_on(event.entry) is None else event.operation


MIXED_WRITE = Rule(
    name="mixed-write",
    sentence=(
        "An entry whose deferred write is pending is not changed by an operation that takes effect "
        "at once."
    ),
    why=(
        "On Xen PV the atomic operation works on the old value, and the queued store undoes it "
        "later: an update is lost, such as the removal of write permission."
    ),
    citation=(
        "arch/x86/xen/mmu_pv.c, xen_set_pte() queues; arch/x86/include/asm/pgtable.h, "
        "ptep_get_and_clear() and ptep_set_wrprotect() do not"
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task x entry",
    witnesses=NOT_TRACED,
    events=(Write,),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: (
        "changes a page-table entry at once"
        + (f" by {violation.detail}()" if violation.detail else "")
        + " while a deferred write to it is pending"
    ),
    step=stateless(_mixed),
    check=_mixed,
)


# ---- tlb-flush-in-section ------------------------------------------------------------------


def _may_cover(event: TlbFlush, item: Pending) -> bool:
    if event.scope == "entry" and event.entry is not None:
        return event.entry == item.entry
    return item.space == event.space or "unknown" in (item.space, event.space)


def _tlb_flush(before: TaskState, event: TlbFlush, _dialect: Dialect) -> str | None:
    if not before.pending or event.how == "noop" or not before.knows("pending"):
        return None
    covered = {item.what for item in before.pending if _may_cover(event, item)}
    if "write" in covered:
        return "write"
    # What an accessor flushes of its own entry is not what somebody asks for on top of it.
    asked = event.entry is None and not event.batch
    return "invalidation" if "invalidation" in covered and asked else None


TLB_FLUSH_IN_SECTION = Rule(
    name="tlb-flush-in-section",
    sentence=(
        "TLB maintenance for entries changed in a lazy MMU section comes after the section's end, "
        "or after a flush of the mode."
    ),
    why=(
        "Where the store is deferred and the TLB flush is not, another CPU refills its TLB from "
        "the old entry between the two and keeps the stale translation.  No implementation in the "
        "tree does that: Xen PV queues both in order, arm64 stores at once.  On powerpc hash and "
        "sparc64 the flush does nothing, and the TLB is not clean after it: what invalidates "
        "waits in the batch, also for entries that were changed at once."
    ),
    citation=(
        "mm/mremap.c, move_ptes(), is the model; fs/proc/task_mmu.c, pagemap_scan_pmd_entry(), and "
        "mm/migrate_device.c, migrate_vma_collect_pmd(), do it in every release to v7.3"
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task x entry",
    witnesses=NOT_TRACED,
    events=(TlbFlush,),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: (
        f"flushes the TLB inside a lazy MMU section, for entries whose {violation.detail}s are "
        "pending"
    ),
    step=stateless(_tlb_flush),
    check=_tlb_flush,
)


# ---- free-before-flush ---------------------------------------------------------------------

_HELD = " that TLBs hold"


def _free(before: TaskState, event: Free | Use, _dialect: Dialect) -> str | None:
    if not before.pending or not before.knows("pending"):
        return None
    freed = isinstance(event, Free)
    what = "the page table" if event.what == "table" else "the page"
    if before.pending_on(event.entry) is not None:
        return f"{'frees' if freed else 'uses'} {what}"
    if freed and before.pending_on(event.entry, "invalidation") is not None:
        return f"frees {what}{_HELD}"
    return None


FREE_BEFORE_FLUSH = Rule(
    name="free-before-flush",
    sentence=(
        "What a pending write maps or unmaps, and a page table that it unlinks, is neither freed "
        "nor used before the write took effect, and what an entry mapped is not freed before its "
        "invalidation was done."
    ),
    why=(
        "Until then the old translation is in force: on Xen PV the entry itself, on powerpc hash "
        "and sparc64 the TLB's copy, also of an entry that ptep_get_and_clear() and the like "
        "changed at once; arm64 may fault on a kernel address that was just mapped.  A "
        "freed page is then written to by its former owner."
    ),
    citation=(
        'mm/kasan/shadow.c, kasan_depopulate_vmalloc_pte(), c519c3c0a113 ("mm/kasan: avoid lazy '
        'MMU mode hazards") (in v6.17); arch/arm64/include/asm/pgtable.h, queue_pte_barriers(), '
        '5fdd05efa1cd ("arm64/mm: Batch barriers when updating kernel mappings") (in v6.16)'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task x entry",
    witnesses=(Witness.SOURCE, Witness.MACHINE),
    events=(Free, Use),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: (
        f"{violation.detail.removesuffix(_HELD)} of a page-table entry while "
        + (
            "the invalidation of that entry is pending"
            if violation.detail.endswith(_HELD)
            else "a write to that entry is pending"
        )
    ),
    step=stateless(_free),
    check=_free,
)
