# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about page-table locks: a section lies inside them, and ends its writes before a drop."""

from __future__ import annotations

from lazymmu.contract.dialects import Dialect, LockGuarantee, Status
from lazymmu.contract.events import Drop, Event, Take, Write
from lazymmu.contract.rules.rule import NOT_TRACED, Party, Rule, RuleKind, stateless
from lazymmu.contract.section import TaskState

_USER_CLASSES = ("ptl", "pmd", "mm")
"""Classes of locks that protect entries of user mappings."""


def _documented_where_required(dialect: Dialect) -> Status:
    return Status.DOCUMENTED if dialect.locks is LockGuarantee.REQUIRED else Status.IMPLIED


# ---- section-outside-lock ------------------------------------------------------------------


def _outside(before: TaskState, event: Event, dialect: Dialect) -> str | None:
    if not before.on or not before.knows("mode", "pause"):
        return None
    # A second lock taken and dropped below the first is not what the section stands outside of.
    others = sum(held.cls in _USER_CLASSES for held in before.locks)
    match event:
        case Take(cls="ptl" | "pmd" | "mm") if event.how != "caller-holds" and not others:
            return "takes"
        case Drop() if _class(before, event) in _USER_CLASSES and (
            others <= 1 or _began_under(before, event, dialect)
        ):
            return "drops"
        case Write(how="deferred", space="user") if before.active and before.knows("locks"):
            covered = any(held.cls in _USER_CLASSES for held in before.locks)
            return None if covered else "writes"
    return None


def _began_under(before: TaskState, event: Drop, dialect: Dialect) -> bool:
    """Whether a section is to end under a lock, though others are held: it began under that one.

    Where the text wants the locks "for all page tables which may be modified", those that are held
    at the begin are these tables'.
    """
    held = before.held(event.lock, event.cls)
    return dialect.locks is LockGuarantee.REQUIRED and held is not None and not held.below


def _class(before: TaskState, event: Drop) -> str:
    """The dropped lock's class, which who drops it may know no more."""
    held = before.held(event.lock) if event.cls == "other" else None
    return event.cls if held is None else held.cls


_OUTSIDE_WORDS = {
    "takes": "takes a page-table lock inside a lazy MMU section",
    "drops": "drops a page-table lock inside a lazy MMU section",
    "writes": "writes a user page-table entry in a lazy MMU section with no page-table lock held",
}

SECTION_OUTSIDE_LOCK = Rule(
    name="section-outside-lock",
    sentence=(
        "A lazy MMU section over user mappings begins after the page-table locks are taken and "
        "ends before they are dropped."
    ),
    why=(
        "Where the store is deferred (Xen PV), another CPU takes the lock, reads the old entry, "
        "acts on it, and the queued store then overwrites what it did; where the invalidation is "
        "deferred (powerpc hash, sparc64), a page is reused while the TLB still maps it."
    ),
    citation=(
        "include/linux/pgtable.h, the comment above the mode's API, in every release; ad449d856bd7 "
        '("fs/proc/task_mmu: reduce scope of lazy mmu region") (in v6.15)'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task x lock",
    witnesses=NOT_TRACED,
    events=(Take, Drop, Write),
    status=_documented_where_required,
    message=lambda violation: _OUTSIDE_WORDS[violation.detail],
    step=stateless(_outside),
    check=_outside,
)


# ---- unlock-before-flush -------------------------------------------------------------------


def _unlock(before: TaskState, event: Drop, _dialect: Dialect) -> str | None:
    if not before.pending or not before.knows("pending"):
        return None
    held = before.held(event.lock, event.cls)
    if held is None:
        return None
    covered = {item.what for item in before.pending if held.lock in item.locks}
    return "write" if "write" in covered else min(covered, default=None)


UNLOCK_BEFORE_FLUSH = Rule(
    name="unlock-before-flush",
    sentence=(
        "A lock that covers a deferred write, the page-table lock of its level or "
        "init_mm.page_table_lock, is not dropped before the write took effect and what it changed "
        "was invalidated."
    ),
    why=(
        "On Xen PV the store itself is queued: the next holder of the lock reads the old entry, "
        "and the queued store later undoes what it wrote; a page that was freed can come back "
        "mapped.  On powerpc hash and sparc64 the next holder finds the entry as it should be, "
        "also one that was changed at once, and another CPU still uses the TLB's copy of the old."
    ),
    citation=(
        "include/linux/pgtable.h, the comment above the mode's API to v6.14; fs/proc/task_mmu.c, "
        'ad449d856bd7 ("fs/proc/task_mmu: reduce scope of lazy mmu region") (in v6.15); '
        'c519c3c0a113 ("mm/kasan: avoid lazy MMU mode hazards") (in v6.17)'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task x lock",
    witnesses=NOT_TRACED,
    events=(Drop,),
    status=_documented_where_required,
    message=lambda violation: (
        "drops a page-table lock before the invalidations that it covers are done"
        if violation.detail == "invalidation"
        else "drops a page-table lock before the writes that it covers took effect"
    ),
    step=stateless(_unlock),
    check=_unlock,
)
