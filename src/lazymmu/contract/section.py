# SPDX-License-Identifier: GPL-2.0-or-later
"""The state that all rules share: depth, pause, pending writes, locks and pins of one task.

`TaskState.after()` is a pure function of state and event.  It follows what the code *meant*: a
nested begin counts as depth two in every dialect, an enable that interrupt context or a pause
makes ineffective still pairs with its disable, a resume too many changes nothing.  So one mistake
neither hides nor multiplies the next.

Whether the mode is *effective* is a question to the whole state (`active`), as
is_lazy_mmu_mode_active() puts it: depth above zero, not paused, not in interrupt context
(include/linux/sched.h, 5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract.event_words import Identity, Level, LockClass, LockHow, PutOff, Space
from lazymmu.contract.events import (
    UNKNOWN_ENTRY,
    Disable,
    Drop,
    Enable,
    Event,
    Exit,
    Flush,
    IrqEnter,
    IrqExit,
    Observed,
    Pause,
    Pin,
    Resume,
    Take,
    TlbFlush,
    Unknown,
    Unpin,
    UserReturn,
    Write,
)
from lazymmu.contract.interrupts_off import INTERRUPTS, MOST_KEPT, InterruptsOff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lazymmu.contract.dialects import Dialect

MAX_DEPTH: Final = 3
"""Depth, pause count and the multiplicity of one pin are exact up to this and unknown beyond it."""

PAGE_TABLE_CLASSES: Final = frozenset({"ptl", "pmd", "mm", "kernel-pt"})
"""Classes of locks that protect page-table entries."""

# Which classes of lock cover an entry, the exact one first: a split page-table lock covers its own
# table, page_table_lock of the mm (or of init_mm) covers every table (include/linux/mm.h,
# pte_lockptr() and pmd_lockptr()).
_COVERS: Final[Mapping[str, frozenset[str]]] = {
    "pte": frozenset({"ptl", "mm", "kernel-pt"}),
    "pmd": frozenset({"pmd", "mm", "kernel-pt"}),
    "pud": frozenset({"mm", "kernel-pt"}),
    "p4d": frozenset({"mm", "kernel-pt"}),
    "pgd": frozenset({"mm", "kernel-pt"}),
}
_SPACES: Final[Mapping[str, frozenset[str]]] = {
    "user": frozenset({"ptl", "pmd", "mm"}),
    "kernel": frozenset({"kernel-pt"}),
    "unknown": PAGE_TABLE_CLASSES,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that is held: its name, class, and how the reader came to know.

    :param below: it was taken in a section, below another page-table lock.
    """

    lock: Identity
    cls: LockClass
    how: LockHow = "lock"
    below: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """What has not taken effect of a write, and the locks that covered it.

    :param what: the "write" itself, or the "invalidation" alone of what TLBs hold of an entry that
        was changed at once.
    """

    entry: Identity
    level: Level = "pte"
    space: Space = "unknown"
    locks: frozenset[Identity] = frozenset()
    what: PutOff = "write"


@dataclass(frozen=True, slots=True)
class TaskState:
    """What the contract knows about one task.  Hashable; holds no places, so that paths can join.

    :param depth: sections begun and not ended.
    :param paused: pauses begun and not ended.
    :param pending: deferred writes and invalidations.
    :param locks: locks held.
    :param pins: what keeps the task where it is, sorted, one item per pin; "irq" once at most.
    :param irq: interrupts that the task is in, innermost last.
    :param unknown: aspects (`events.Aspect` without "all") that are not known: rules that need one
        of them stay silent.
    :param irqs_kept: whether each local_irq_save() found interrupts off, innermost last.
    """

    depth: int = 0
    paused: int = 0
    pending: frozenset[Pending] = frozenset()
    locks: frozenset[Held] = frozenset()
    pins: tuple[str, ...] = ()
    irq: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()
    irqs_kept: tuple[bool, ...] = ()

    @property
    def on(self) -> bool:
        """In a section and not paused, whether or not interrupt context suspends the mode."""
        return self.depth > 0 and self.paused == 0

    @property
    def in_interrupt(self) -> bool:
        """in_interrupt(): hard or soft interrupt, NMI, or bottom halves off (linux/preempt.h)."""
        return bool(self.irq) or "bh" in self.pins

    @property
    def active(self) -> bool:
        """is_lazy_mmu_mode_active(): a deferrable write would be deferred now."""
        return self.depth > 0 and self.paused == 0 and not self.irq and "bh" not in self.pins

    @property
    def pinned(self) -> bool:
        """Whether the task stays on its CPU: an explicit pin, interrupt context, or a held lock.

        Every lock of the vocabulary is a spinlock: holding one disables preemption, and on
        PREEMPT_RT migration (kernel/locking/spinlock_rt.c, rt_spin_lock()).  Bottom halves off
        count as well: preempt_count is not zero, and RT disables migration.
        """
        return bool(self.pins) or bool(self.irq) or bool(self.locks)

    def knows(self, *aspects: str) -> bool:
        """Whether none of these aspects is unknown."""
        return self.unknown.isdisjoint(aspects)

    def held(self, lock: Identity, cls: str = "") -> Held | None:
        """The lock of that name, or, when no lock has it, the only held one of class `cls`."""
        only: Held | None = None
        same_class = 0
        for candidate in self.locks:
            if candidate.lock == lock:
                return candidate
            if candidate.cls == cls:
                only, same_class = candidate, same_class + 1
        return only if same_class == 1 and cls in PAGE_TABLE_CLASSES else None

    def pending_on(self, entry: Identity, what: PutOff = "write") -> Pending | None:
        """What waits of exactly this entry; None for an entry that cannot be told apart."""
        if entry == UNKNOWN_ENTRY:
            return None
        for candidate in self.pending:
            if candidate.entry == entry and candidate.what == what:
                return candidate
        return None

    def after(self, event: Event, dialect: Dialect) -> TaskState:
        """The state after `event`, which no `dialect` of today changes; see the module's text."""
        del dialect
        step = AFTER.get(type(event))
        return self if step is None else step(self, event)

    def renamed(
        self, entries: Mapping[Identity, Identity], locks: Mapping[Identity, Identity]
    ) -> TaskState:
        """The same state under other names, for crossing a call.

        A name that the mapping lacks is kept.  An entry mapped to `UNKNOWN_ENTRY` stays pending
        and can never match a read.
        """
        if not (self.pending or self.locks):
            return self
        pending = frozenset(
            replace(
                item,
                entry=entries.get(item.entry, item.entry),
                locks=frozenset(locks.get(lock, lock) for lock in item.locks),
            )
            for item in self.pending
        )
        held = frozenset(replace(item, lock=locks.get(item.lock, item.lock)) for item in self.locks)
        return replace(self, pending=pending, locks=held)


def covering(state: TaskState, level: str, space: str) -> frozenset[Identity]:
    """Names of the held locks that cover an entry of that level and space.

    The locks of the level's own class if one is held; else every page-table lock that fits the
    space, because split locks may coincide (`ptl == pml`) and hugetlb entries use either.
    """
    fitting = [held for held in state.locks if held.cls in _SPACES[space]]
    exact = frozenset(held.lock for held in fitting if held.cls in _COVERS[level])
    return exact or frozenset(held.lock for held in fitting)


def _more(state: TaskState, aspect: str) -> frozenset[str]:
    return state.unknown | {aspect}


# The two changes that happen all the time, spelled out: dataclasses.replace() takes twice as long.


def _moved(state: TaskState, depth: int, pending: frozenset[Pending]) -> TaskState:
    kept = state.irqs_kept
    return TaskState(
        depth, state.paused, pending, state.locks, state.pins, state.irq, state.unknown, kept
    )


def _locked(state: TaskState, locks: frozenset[Held]) -> TaskState:
    pending, kept = state.pending, state.irqs_kept
    return TaskState(
        state.depth, state.paused, pending, locks, state.pins, state.irq, state.unknown, kept
    )


def _enable(state: TaskState, _event: Event) -> TaskState:
    if state.depth == MAX_DEPTH:
        return replace(state, unknown=_more(state, "mode"))
    return _moved(state, state.depth + 1, state.pending)


def _disable(state: TaskState, _event: Event) -> TaskState:
    return _moved(state, max(0, state.depth - 1), frozenset())


def _pause(state: TaskState, event: Pause) -> TaskState:
    if event.whose != "current":
        return state
    if state.paused == MAX_DEPTH:
        return replace(state, unknown=_more(state, "pause"), pending=frozenset())
    return replace(state, paused=state.paused + 1, pending=frozenset())


def _resume(state: TaskState, event: Resume) -> TaskState:
    if event.whose != "current":
        return state
    return replace(state, paused=max(0, state.paused - 1))


def _flush(state: TaskState, event: Flush) -> TaskState:
    entry = event.entry
    if not state.pending or event.how == "noop":
        return state
    if entry is None:
        return _moved(state, state.depth, frozenset())
    left = frozenset(item for item in state.pending if item.entry != entry)
    return _moved(state, state.depth, left)


def _write(state: TaskState, event: Write) -> TaskState:
    deferred = event.how == "deferred"
    if not (deferred or event.put_off) or not state.active:
        return state
    locks = covering(state, event.level, event.space)
    what: PutOff = "write" if deferred else "invalidation"
    item = Pending(event.entry, event.level, event.space, locks, what)
    if item in state.pending:
        return state
    return _moved(state, state.depth, state.pending | {item})


def _tlb_flush(state: TaskState, event: TlbFlush) -> TaskState:
    if not event.batch or not state.pending:
        return state
    return _moved(state, state.depth, frozenset(p for p in state.pending if p.what == "write"))


def _take(state: TaskState, event: Take) -> TaskState:
    if event.how == "caller-holds" and any(item.lock == event.lock for item in state.locks):
        return state
    below = state.depth > 0 and any(item.cls in PAGE_TABLE_CLASSES for item in state.locks)
    return _locked(state, state.locks | {Held(event.lock, event.cls, event.how, below)})


def _drop(state: TaskState, event: Drop) -> TaskState:
    held = state.held(event.lock, event.cls)
    if held is None:
        return state
    return _locked(state, frozenset(item for item in state.locks if item.lock != held.lock))


def _pin(state: TaskState, event: Pin) -> TaskState:
    if (kind := event.kind) in INTERRUPTS:
        return _interrupts(state, event, pins=True)
    if state.pins.count(kind) == MAX_DEPTH:
        return replace(state, unknown=_more(state, "pins"))
    return replace(state, pins=tuple(sorted((*state.pins, kind))))


def _unpin(state: TaskState, event: Unpin) -> TaskState:
    if (kind := event.kind) in INTERRUPTS:
        return _interrupts(state, event, pins=False)
    if kind not in state.pins:
        return state
    at = state.pins.index(kind)
    return replace(state, pins=state.pins[:at] + state.pins[at + 1 :])


def _interrupts(state: TaskState, event: Pin | Unpin, *, pins: bool) -> TaskState:
    if pins and event.kind == "irqsave" and len(state.irqs_kept) == MOST_KEPT:
        state = replace(state, unknown=_more(state, "pins"))
    after = InterruptsOff("irq" in state.pins, state.irqs_kept).after(event.kind, pins=pins)
    held = [*(pin for pin in state.pins if pin != "irq"), *["irq"] * after.off]
    return replace(state, pins=tuple(sorted(held)), irqs_kept=after.kept)


def _irq_enter(state: TaskState, event: IrqEnter) -> TaskState:
    if len(state.irq) == MAX_DEPTH:
        return replace(state, unknown=_more(state, "irq"))
    return replace(state, irq=(*state.irq, event.kind))


def _irq_exit(state: TaskState, event: IrqExit) -> TaskState:
    kind = event.kind
    for at in range(len(state.irq) - 1, -1, -1):
        if state.irq[at] == kind:
            return replace(state, irq=state.irq[:at])
    return state


def _neutral(_state: TaskState, _event: Event) -> TaskState:
    # At its end, and on its way to user mode, a task has the mode off and holds nothing, or a rule
    # said so.  It is also the point where what was lost before no longer matters.
    return TaskState()


def _observed(state: TaskState, event: Observed) -> TaskState:
    # What the code meant is not corrected by what is; only what nobody knows is filled in.  A count
    # beyond what is followed is known to be more than zero, which is all that most rules ask for.
    if event.counters is None or state.unknown.isdisjoint(_COUNTED):
        return state
    depth, paused = state.depth, state.paused
    unknown = set(state.unknown)
    enabled, pauses = event.counters
    if "mode" in unknown:
        depth = min(enabled, MAX_DEPTH)
        unknown.remove("mode")
    if "pause" in unknown:
        paused = min(pauses, MAX_DEPTH)
        unknown.remove("pause")
    return replace(state, depth=depth, paused=paused, unknown=frozenset(unknown))


def _unknown(state: TaskState, event: Unknown) -> TaskState:
    what, key = event.what, event.key
    if what == "all":
        return replace(state, unknown=ASPECTS)
    if key != "" and what == "pending":
        return replace(state, pending=frozenset(p for p in state.pending if p.entry != key))
    if key != "" and what == "locks":
        # Neither held for sure nor dropped for sure: forget it, and no longer judge by its absence.
        kept = frozenset(item for item in state.locks if item.lock != key)
        return replace(state, locks=kept, unknown=_more(state, "locks"))
    if what == "pending":
        return replace(state, pending=frozenset(), unknown=_more(state, "pending"))
    return replace(state, unknown=_more(state, what))


_COUNTED: Final = frozenset({"mode", "pause"})
"""The aspects that the generic counters show."""

ASPECTS: Final = frozenset({"mode", "pause", "pending", "locks", "pins", "irq"})
"""Every aspect of a task's state that can be unknown."""

AFTER: Final[Mapping[type[Event], Callable[[TaskState, Any], TaskState]]] = {
    Enable: _enable,
    Disable: _disable,
    Pause: _pause,
    Resume: _resume,
    Flush: _flush,
    Write: _write,
    TlbFlush: _tlb_flush,
    Take: _take,
    Drop: _drop,
    Pin: _pin,
    Unpin: _unpin,
    IrqEnter: _irq_enter,
    IrqExit: _irq_exit,
    Exit: _neutral,
    UserReturn: _neutral,
    Observed: _observed,
    Unknown: _unknown,
}
"""The events that change the shared state, and how."""
