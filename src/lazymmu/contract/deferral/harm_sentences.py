# SPDX-License-Identifier: GPL-2.0-or-later
"""How a broken rule hurts an implementation: rule x row of the deferral table -> one sentence.

"Who is hurt?" is what a maintainer asks first.  For what callers must obey machines answer it
(severity_table.py): somebody is hurt when a scenario shows it, and the sentences here are the words
for it. Lost batching alone is a cost and no harm: the text is broken, and everything works.

For what binds implementations the sentences are from reading: a row's own machine is what the
architecture has, and does not show what comes of another one.  So they are for rows of no release,
and for rules that no static finding has.  The arguments are those of the architecture's own code;
see the sources of the rows and rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import severity_table
from lazymmu.contract.deferral.rows import (
    ROWS,
    DeferralRow,
    Deferred,
    Interrupt,
    NestedSection,
    OnContextSwitch,
    Owner,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_LOST_BATCHING = "the rest of the section is not batched: the inner end turns the mode off"

_REAL: Final = frozenset(row.name for rows in ROWS.values() for row in rows)

_SHOWN: Final = {
    "kernel-bug": "a check of the kernel's own fires",
    "kernel-warning": "a warning of the kernel's own is printed",
    "lost-update": "an update of a page-table entry is lost",
    "stale-translation-used": "an old translation is used after the change should be in effect",
    "finally": "a page-table entry ends up with a wrong value",
    severity_table.COST: "what the section should do together is done one by one",
}
"""Words for what a machine shows and no sentence below speaks of."""


def harm_sentence(rule: str, row: DeferralRow, space: str, detail: str = "") -> str | None:
    """How a violation of `rule` hurts the implementation `row`, or None when it does not.

    `space` is the space of the entries concerned ("unknown" when nobody can tell); `detail` is the
    violation's, and may turn harm off where only some violations of a rule hurt.

    :raises KeyError: for an unknown rule.
    """
    said = _said(rule, row, space, detail)
    if not decided(rule, row):
        return said
    entry = severity_table.lookup(rule, row.name, space, detail)
    if entry is None or entry.harm == severity_table.COST:
        return None
    return said or _SHOWN[entry.harm]


def cost_sentence(rule: str, row: DeferralRow, space: str, detail: str = "") -> str | None:
    """What a violation costs `row` where it hurts nobody, or None.

    The arguments are those of `harm_sentence()`.
    """
    if not decided(rule, row):
        return None
    entry = severity_table.lookup(rule, row.name, space, detail)
    if entry is None or entry.harm != severity_table.COST:
        return None
    return _said(rule, row, space, detail) or _SHOWN[severity_table.COST]


def demonstrated_by(rule: str, row: DeferralRow, space: str, detail: str = "") -> str:
    """The scenario that shows the harm or the cost, "" for one that is known from reading."""
    entry = severity_table.lookup(rule, row.name, space, detail)
    return "" if entry is None or row.deferred is Deferred.NOTHING else entry.scenario


def decided(rule: str, row: DeferralRow) -> bool:
    """Whether machines decide about `rule` on `row`, rather than reading."""
    return row.name in _REAL and rule in severity_table.decides()


def _said(rule: str, row: DeferralRow, space: str, detail: str) -> str | None:
    answer = _HARMS[rule]
    return None if row.deferred is Deferred.NOTHING else answer(row, space, detail)


def _unbalanced_section(row: DeferralRow, _space: str, detail: str) -> str | None:
    if detail in ("not-begun", "ended-callers"):
        if row.counted:
            # lazy_mmu_mode_disable() lowers the u8 first and leaves only when that made it zero.
            return "the task's counter wraps below zero: the mode stays on without a beginning"
        if row.pins:
            return "preemption is enabled once too often: the count goes below zero"
        if row.nested_section in (NestedSection.BUG, NestedSection.COUNTED_PER_CPU):
            return "BUG_ON() in leave_lazy(): the CPU is not in lazy MMU mode"
        return _LOST_BATCHING if detail == "ended-callers" else None
    if row.pins:
        return "preemption stays disabled: the next sleep is `scheduling while atomic`"
    match row.nested_section:
        case NestedSection.BUG:
            return "the CPU stays in lazy MMU mode: the next section is a BUG_ON() in enter_lazy()"
        case NestedSection.COUNTED_PER_CPU:
            return (
                "the CPU stays in lazy MMU mode: later page-table updates on it wait in the queue"
            )
    if row.owner is Owner.CPU and row.deferred is Deferred.INVALIDATION:
        return "the CPU's batch stays active: later TLB invalidations on it wait for nobody's flush"
    if row.deferred is Deferred.BARRIERS:
        return "barriers of the task's later kernel mappings are held back: a new mapping may fault"
    return "the task's later page-table updates stay in the queue until some section ends"


def _nested_section(row: DeferralRow, space: str, _detail: str) -> str | None:
    match row.nested_section:
        case NestedSection.BUG:
            return "BUG_ON() in enter_lazy(): the CPU is in lazy MMU mode already"
        case NestedSection.COUNTED_PER_CPU if space == "user":
            return (
                "each inner end issues the queue, so nothing is batched; with PREEMPT_RT also "
                "BUG_ON() in enter_lazy() when preempted at depth two"
            )
        case NestedSection.COUNTED_PER_CPU:
            return "BUG_ON() in enter_lazy() when the task is preempted at depth two"
        case NestedSection.WARNS:
            return "WARN() at the inner beginning; the rest of the section is not batched"
        case NestedSection.ENDS_OUTER if row.defers(space):
            return _LOST_BATCHING
    return None


def _sleep_in_section(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.pins:
        return "sleeps with preemption disabled: `scheduling while atomic`"
    if row.on_context_switch is OnContextSwitch.FLAG_STAYS:
        return "wakes up on another CPU: the batch of the old one stays active for nobody"
    return None


def _section_in_interrupt(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.interrupt is Interrupt.JOINS:
        return "the handler's end turns off the batch of the task that it interrupted"
    if row.nested_section is NestedSection.BUG:
        return "BUG_ON() in enter_lazy() when the interrupted task is in a section"
    return None


def _section_outside_lock(row: DeferralRow, space: str, detail: str) -> str | None:
    # Taking the lock inside the section is the harmless end of it: what is written after that is
    # covered; dropping it, or never having it, is what others can see.
    if detail == "takes" or space == "kernel":
        return None
    return _past_the_lock(row, space)


def _unlock_before_flush(row: DeferralRow, space: str, _detail: str) -> str | None:
    return _past_the_lock(row, space)


def _past_the_lock(row: DeferralRow, space: str) -> str | None:
    if row.stores_late:
        return "the queued store lands after the next holder of the lock acted on the old entry"
    if row.deferred is Deferred.INVALIDATION and row.defers(space):
        return "a page is reused by the next holder of the lock while the TLB still maps it"
    return None


def _stale_read(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.stores_late and not row.read_through:
        return "the store is in the queue: the old entry is read"
    return None


def _mixed_write(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.stores_late and not row.read_through:
        return "the atomic operation works on the old entry, and the queued store undoes it"
    return None


def _free_before_flush(row: DeferralRow, space: str, detail: str) -> str | None:
    if not row.defers(space):
        return None
    match row.deferred:
        case Deferred.STORE | Deferred.ALL:
            return "the old entry is in force: the page is reached through it after it was freed"
        case Deferred.INVALIDATION:
            return "the TLB still maps the page, until the section's end invalidates it"
        case Deferred.BARRIERS if detail.startswith("uses"):
            return "the new kernel mapping may fault: its barriers are not issued yet"
    return None


def _unbalanced_pause(row: DeferralRow, _space: str, detail: str) -> str | None:
    if not row.counted:
        return None
    if detail in ("not-paused", "resumed-callers"):
        return "the u8 pause count wraps: the mode is off for the task, nothing is batched"
    return "the mode stays off for the task: nothing is batched any more"


def _bh_across_section(row: DeferralRow, _space: str, detail: str) -> str | None:
    if not row.counted:
        return None
    if detail == "ignored-disable" and row.pins:
        return "the mode and preemption stay as in the section: `scheduling while atomic` later"
    if detail == "ignored-enable":
        return "the task's counter wraps below zero: the mode stays on for the task"
    return "the mode stays on for the task: its later updates are deferred without end"


def _preempted_in_section(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.on_context_switch is OnContextSwitch.FLAG_STAYS:
        return "the CPU's batch stays active when the task moves: invalidations on it get lost"
    return None


def _unpinned_batch(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.deferred is Deferred.INVALIDATION:
        return (
            "a task that moves leaves the batch active on the old CPU: later TLB invalidations "
            "there wait for nobody's flush"
        )
    return "a task that moves leaves the mode on the old CPU"


def _batch_mixes_mm(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.deferred in (Deferred.INVALIDATION, Deferred.ALL):
        return "the entry is invalidated in the wrong address space: its TLB entry stays"
    return None


def _tlb_flush_in_section(row: DeferralRow, _space: str, _detail: str) -> str | None:
    # Xen PV queues flush and store in one order; powerpc hash and sparc64 flush nothing there;
    # arm64 stores at once.
    if row.deferred is Deferred.ALL:
        return "another CPU refills its TLB from the old entry between the flush and the store"
    return None


_WAITING = {
    Deferred.STORE: "page-table updates wait in a queue that nobody means to flush",
    Deferred.INVALIDATION: "TLB invalidations wait in a batch that nobody means to flush",
    Deferred.BARRIERS: "barriers of new kernel mappings are held back: they may fault",
    Deferred.ALL: "page-table updates and invalidations wait for a flush that nobody means to do",
}

_NOT_YET = {
    Deferred.STORE: "the old entry is in force while the code goes on as if it were not",
    Deferred.INVALIDATION: "the TLB maps the old page while the code goes on as if it did not",
    Deferred.BARRIERS: "a new kernel mapping is used before its barriers: it may fault",
    Deferred.ALL: "the old entry is in force while the code goes on as if it were not",
}

_ONE_BY_ONE = {
    Deferred.STORE: "every entry costs a hypercall",
    Deferred.INVALIDATION: "every entry costs an invalidation",
    Deferred.BARRIERS: "every kernel entry costs its barriers",
    Deferred.ALL: "every entry costs what the mode should save",
}


def _mode_left_on_cpu(row: DeferralRow, _space: str, detail: str) -> str | None:
    if row.owner is Owner.TASK:
        return None
    if detail == "lost":
        return "the rest of the section is not batched"
    return _WAITING[row.deferred]


def _dirty_start(row: DeferralRow, _space: str, detail: str) -> str | None:
    if detail and detail != "the mode on" and not detail.endswith("pause_count 0"):
        return "the mode stays off for the task: nothing is batched any more"
    return _WAITING[row.deferred]


def _flush_is_nop(row: DeferralRow, _space: str, _detail: str) -> str | None:
    return _NOT_YET[row.deferred]


def _irq_deferred(row: DeferralRow, _space: str, _detail: str) -> str | None:
    return _NOT_YET[row.deferred] if row.interrupt is Interrupt.JOINS else None


def _lost_update(row: DeferralRow, _space: str, _detail: str) -> str | None:
    if row.stores_late:
        return "what the later change did is gone: a page that was freed can come back mapped"
    return None


def _stale_translation_used(row: DeferralRow, space: str, _detail: str) -> str | None:
    if not row.defers(space):
        return None
    if row.deferred is Deferred.BARRIERS:
        return "an access to a kernel mapping that was just made faults"
    return "a page that may belong to somebody else by now is read or written"


def _kernel_bug(_row: DeferralRow, _space: str, _detail: str) -> str | None:
    return "the task dies where it stands, and what it holds is never released"


def _kernel_warning(_row: DeferralRow, _space: str, _detail: str) -> str | None:
    return "the kernel warns, and panics with panic_on_warn"


def _mode_not_effective(row: DeferralRow, space: str, _detail: str) -> str | None:
    return _ONE_BY_ONE[row.deferred] if row.defers(space) else None


def _nobody(_row: DeferralRow, _space: str, _detail: str) -> str | None:
    return None


_HARMS: dict[str, Callable[[DeferralRow, str, str], str | None]] = {
    "unbalanced-section": _unbalanced_section,
    "nested-section": _nested_section,
    "sleep-in-section": _sleep_in_section,
    "section-in-interrupt": _section_in_interrupt,
    "section-outside-lock": _section_outside_lock,
    "unlock-before-flush": _unlock_before_flush,
    "stale-read": _stale_read,
    "mixed-write": _mixed_write,
    "tlb-flush-in-section": _tlb_flush_in_section,
    "free-before-flush": _free_before_flush,
    "unbalanced-pause": _unbalanced_pause,
    "bh-across-section": _bh_across_section,
    # A balanced pair of raw calls only runs unbatched; an unbalanced one is that rule's finding.
    "raw-arch-call": _nobody,
    "preempted-in-section": _preempted_in_section,
    "unpinned-batch": _unpinned_batch,
    "batch-mixes-mm": _batch_mixes_mm,
    "mode-left-on-cpu": _mode_left_on_cpu,
    "dirty-start": _dirty_start,
    "flush-is-nop": _flush_is_nop,
    "irq-deferred": _irq_deferred,
    "lost-update": _lost_update,
    "stale-translation-used": _stale_translation_used,
    "kernel-bug": _kernel_bug,
    "kernel-warning": _kernel_warning,
    "mode-not-effective": _mode_not_effective,
}
