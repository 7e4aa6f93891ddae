# SPDX-License-Identifier: GPL-2.0-or-later
"""Harms: what goes wrong in the end when an obligation is broken.

No party is bound by them; a machine shows them, and so which implementation a broken obligation
hurts.  `mode-not-effective` is the harm that costs time alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import Dialect, Status
from lazymmu.contract.events import (
    Bug,
    Disable,
    Event,
    Exit,
    Flush,
    Observed,
    Pause,
    Undone,
    Unknown,
    Use,
    Write,
)
from lazymmu.contract.rules.rule import Party, Rule, RuleKind, Witness, stateless
from lazymmu.contract.section import TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable


# ---- lost-update ---------------------------------------------------------------------------


def _lost(_before: TaskState, event: Undone, _dialect: Dialect) -> str | None:
    return event.by


LOST_UPDATE = Rule(
    name="lost-update",
    sentence="No change of a page-table entry is undone by an earlier one that took effect later.",
    why=(
        "On Xen PV the queued store of a section that was unlocked too early lands on what the "
        "next holder of the lock wrote: a freed page comes back mapped, a write permission comes "
        "back.  A change that is made on the strength of a stale read undoes what was pending."
    ),
    citation=(
        'fs/proc/task_mmu.c, pagemap_scan_pmd_entry(), ad449d856bd7 ("fs/proc/task_mmu: reduce '
        'scope of lazy mmu region") (in v6.15)'
    ),
    party=Party.NOBODY,
    kind=RuleKind.HARM,
    key="entry",
    witnesses=(Witness.MACHINE,),
    events=(Undone,),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: (
        "loses an update of a page-table entry"
        + (f", undone by {violation.detail}" if violation.detail else "")
    ),
    step=stateless(_lost),
    check=_lost,
)


# ---- stale-translation-used ----------------------------------------------------------------


def _stale_use(_before: TaskState, event: Use, _dialect: Dialect) -> str | None:
    return "" if event.what == "stale" else None


STALE_TRANSLATION_USED = Rule(
    name="stale-translation-used",
    sentence=(
        "No CPU uses the old translation of an entry after the code that changed it may believe "
        "the change in effect."
    ),
    why=(
        "The page behind the old translation belongs to somebody else by then: on powerpc hash and "
        "sparc64 an invalidation that waits in a batch nobody flushes, on Xen PV a store that "
        "waits in the queue, on arm64 a kernel mapping that is not there yet."
    ),
    citation=(
        'arch/sparc/mm/tlb.c, a1d416bf9faf ("sparc/mm: disable preemption in lazy mmu mode") (in '
        "v6.15)"
    ),
    party=Party.NOBODY,
    kind=RuleKind.HARM,
    key="entry",
    witnesses=(Witness.MACHINE,),
    events=(Use,),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda _violation: "uses a stale translation of a page-table entry",
    step=stateless(_stale_use),
    check=_stale_use,
)


# ---- kernel-bug ----------------------------------------------------------------------------


def _bug(_before: TaskState, event: Bug, _dialect: Dialect) -> str | None:
    return event.condition if event.check in ("BUG_ON", "BUG") else None


KERNEL_BUG = Rule(
    name="kernel-bug",
    sentence="No BUG of the kernel's own is met.",
    why=(
        "On Xen PV a section inside a section meets a BUG_ON() in enter_lazy(), from v6.6 to v6.14 "
        "only when the task is preempted at depth two; where the mode disables preemption, a sleep "
        "in a section is `scheduling while atomic`, after which the kernel goes on."
    ),
    citation=(
        "arch/x86/include/asm/xen/hypervisor.h, enter_lazy() and leave_lazy(); "
        "kernel/sched/core.c, schedule_debug()"
    ),
    party=Party.NOBODY,
    kind=RuleKind.HARM,
    key="task",
    witnesses=(Witness.MACHINE, Witness.TRACE),
    events=(Bug,),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: (
        "meets a check of the kernel" + (f": {violation.detail}" if violation.detail else "")
    ),
    step=stateless(_bug),
    check=_bug,
)


# ---- kernel-warning ------------------------------------------------------------------------


def _warning(_before: TaskState, event: Bug, _dialect: Dialect) -> str | None:
    if event.check in ("BUG_ON", "BUG"):
        return None
    return f"{event.condition} ({', '.join(filter(None, (event.check, event.config)))})"


KERNEL_WARNING = Rule(
    name="kernel-warning",
    sentence="No warning of the kernel's own is printed.",
    why=(
        "A WARN_ON() says that something is wrong and goes on, a VM_WARN_ON() only where the "
        "kernel was built with CONFIG_DEBUG_VM: the counters of v7.0 on, an entry that is set over "
        "a valid one, a preempt count that goes below zero.  With panic_on_warn it is the end."
    ),
    citation=(
        "include/linux/mmdebug.h, VM_WARN_ON(); include/linux/pgtable.h, lazy_mmu_mode_enable(); "
        "kernel/sched/core.c, preempt_count_sub()"
    ),
    party=Party.NOBODY,
    kind=RuleKind.HARM,
    key="task",
    witnesses=(Witness.MACHINE, Witness.TRACE),
    events=(Bug,),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: (
        "meets a warning of the kernel" + (f": {violation.detail}" if violation.detail else "")
    ),
    step=stateless(_warning),
    check=_warning,
)


# ---- mode-not-effective --------------------------------------------------------------------

_MIN_ENTRIES_BATCHED: Final = 2
"""Of entries: two that one section writes could have been done together."""


@dataclass(frozen=True, slots=True)
class ModeEffect:
    """What a task's sections came to, as far as it was seen.  Bounded: each number stops at two.

    :param on: sections whose beginning found the mode on, or off.
    :param off: likewise.
    :param written: entries written since the current section began or something was flushed for a
        reason.
    :param waiting: of these, what waits.
    :param unseen: the last one written, of which nobody has said whether it does.
    :param together: most that ever waited.
    :param alone: most that were written so.
    """

    on: int = 0
    off: int = 0
    written: int = 0
    waiting: int = 0
    unseen: bool = False
    together: int = 0
    alone: int = 0

    def settled(self, *, waits: bool = True) -> ModeEffect:
        """The last update waits, as it should where nobody says otherwise; or it does not."""
        if not (self.unseen and waits):
            return replace(self, unseen=False)
        waiting = _more(self.waiting)
        return replace(self, unseen=False, waiting=waiting, together=max(self.together, waiting))

    def joined(self, other: ModeEffect) -> ModeEffect:
        """Of two tasks together, or of a whole run."""
        return ModeEffect(
            on=max(self.on, other.on),
            off=max(self.off, other.off),
            together=max(self.together, other.together),
            alone=max(self.alone, other.alone),
        )

    @property
    def fault(self) -> str | None:
        """What is wrong: "never-on", "never-batches", or None when nothing is, or was seen."""
        if self.off and not self.on:
            return "never-on"
        if self.alone >= _MIN_ENTRIES_BATCHED and self.together < _MIN_ENTRIES_BATCHED:
            return "never-batches"
        return None


def mode_effect(seen: Iterable[ModeEffect]) -> ModeEffect:
    """What the sections of all tasks of a run came to; `fault` judges it as a whole."""
    total = ModeEffect()
    for one in seen:
        total = total.joined(one.settled())
    return total


def _more(number: int) -> int:
    return min(number + 1, _MIN_ENTRIES_BATCHED)


def _effective(
    own: ModeEffect, before: TaskState, event: Event, dialect: Dialect
) -> tuple[ModeEffect, tuple[str, ...]]:
    """Own state: see `ModeEffect`.  A nested end that the text forbids counts against the mode.

    What waits is what was seen to wait; where no update is seen, all of a section's.
    """
    if isinstance(event, Observed) and event.at == "update":
        return own.settled(waits=bool(event.pending)), ()
    own = own.settled()
    match event:
        case Exit():
            return ModeEffect(), () if own.fault is None else (own.fault,)
        case Unknown(what="all"):
            # What was not seen may be what was missing.
            return ModeEffect(), ()
        case Unknown():
            return replace(own, written=0, waiting=0), ()
        case Observed(at="enable", mode="on" | "off") if before.active and before.knows(*_NEEDED):
            if event.mode == "on":
                return replace(own, on=_more(own.on)), ()
            return replace(own, off=_more(own.off)), ()
        case Write(how="deferred") if before.active and before.knows(*_NEEDED):
            written = _more(own.written)
            return replace(own, written=written, unseen=True, alone=max(own.alone, written)), ()
        case Disable() if before.depth > 1 and not dialect.may_nest:
            return replace(own, waiting=0), ()
        case Flush(how="now", why="leave"):
            return replace(own, waiting=0), ()
        case Disable() | Pause() | Flush(how="now"):
            # What somebody asked for, or the kernel had to do, is no fault of the mode.
            return replace(own, written=0, waiting=0), ()
    return own, ()


_NEEDED: Final = ("mode", "pause", "irq", "pins")

_EFFECT_WORDS = {
    "never-on": "runs lazy MMU sections, and the mode is never on",
    "never-batches": "runs lazy MMU sections in which no two updates are ever done together",
}

MODE_NOT_EFFECTIVE = Rule(
    name="mode-not-effective",
    sentence="Sections turn the mode on, and updates made in one are done together.",
    why=(
        "Batching is all that the mode is for.  From v6.6 to v6.14 set_ptes() was a section of its "
        "own, whose end flushed on Xen PV and turned the mode off on sparc64: each entry cost what "
        "it costs without the mode, and nothing showed it."
    ),
    citation=(
        'include/linux/pgtable.h, set_ptes(), bcc6cc832573 ("mm: add default definition of '
        'set_ptes()") (in v6.6); arch/sparc/include/asm/pgtable_64.h, eb61ad14c459 '
        '("sparc/mm: avoid calling arch_enter/leave_lazy_mmu() in set_ptes") (in v6.15)'
    ),
    party=Party.NOBODY,
    kind=RuleKind.HARM,
    key="task",
    witnesses=(Witness.MACHINE, Witness.TRACE),
    events=(Disable, Exit, Flush, Observed, Pause, Unknown, Write),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: _EFFECT_WORDS[violation.detail],
    step=_effective,
    initial=ModeEffect(),
)
