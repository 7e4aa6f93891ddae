# SPDX-License-Identifier: GPL-2.0-or-later
"""Events: everything that can happen, as far as the contract of the lazy MMU mode cares.

A reader of facts (a source tree, a machine, a trace) says what it saw as events; the monitors of
`contract.rules` judge sequences of them.  No event knows where it came from.

The words in their fields are those of event_words.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from lazymmu.contract.event_words import (
    Access,
    Aspect,
    Check,
    FlushHow,
    FlushWhy,
    How,
    Identity,
    IrqKind,
    Known,
    Layer,
    Level,
    LockClass,
    LockHow,
    Mode,
    Moment,
    PinKind,
    Role,
    Space,
    SwitchWhy,
    TlbHow,
    TlbScope,
    What,
)
from lazymmu.contract.site import Site

UNKNOWN_ENTRY = "?"
"""Name of an entry (or lock) that cannot be told from others of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have: whose, where and when.

    :param task: "" is the only one.
    :param cpu: -1 is unknown.
    :param seq: orders events of different tasks, readers that follow one path leave it 0.
    """

    task: str = ""
    cpu: int = -1
    site: Site | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Enable(Event):
    """A section begins: arch_enter_lazy_mmu_mode() or, from 7.0, lazy_mmu_mode_enable().

    `counted` tells what the generic counter did, where that is known: False when the call was
    ignored because of interrupt context or a pause (7.0 on), None when nobody can tell.
    """

    layer: Layer = "generic"
    in_interrupt: Known = "no"
    counted: bool | None = None


@dataclass(frozen=True, slots=True)
class Disable(Event):
    """A section ends: arch_leave_lazy_mmu_mode() or lazy_mmu_mode_disable(); fields as `Enable`."""

    layer: Layer = "generic"
    in_interrupt: Known = "no"
    counted: bool | None = None


@dataclass(frozen=True, slots=True)
class Pause(Event):
    """The mode is left whatever its depth (7.0 on); `whose` is "current" or another task's name."""

    layer: Layer = "generic"
    whose: str = "current"


@dataclass(frozen=True, slots=True)
class Resume(Event):
    """The depth that a pause found is restored (7.0 on); fields as `Pause`."""

    layer: Layer = "generic"
    whose: str = "current"


@dataclass(frozen=True, slots=True)
class Flush(Event):
    """Pending work takes effect, all of it or that of one `entry`, and the mode stays as it is.

    `layer` is "arch" when the call was arch_flush_lazy_mmu_mode() itself.  `how` is "noop" when the
    reader knows that the implementation does nothing there, as powerpc's and sparc's did to v6.19:
    what was pending still is.
    """

    why: FlushWhy = "api"
    entry: Identity | None = None
    layer: Layer = "generic"
    how: FlushHow = "now"


@dataclass(frozen=True, slots=True)
class Write(Event):
    """A page-table entry is changed.

    `how` is "deferred" when some implementation may put the change off while the mode is on,
    "immediate" when none does (atomic read-modify-write helpers).  `operation` is the accessor's
    name; `was_valid` whether the old entry was valid, where known; `put_off`: an immediate store's
    invalidation waits, as on powerpc hash and sparc64; `huge`: it maps a page above the PTE level.
    """

    entry: Identity
    level: Level = "pte"
    space: Space = "unknown"
    how: How = "deferred"
    operation: str = ""
    was_valid: bool | None = None
    put_off: bool = False
    huge: bool = False


@dataclass(frozen=True, slots=True)
class Read(Event):
    """A page-table entry is read through its pointer."""

    entry: Identity
    level: Level = "pte"
    space: Space = "unknown"
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Take(Event):
    """A lock is taken; "caller-holds" states that it already is (lockdep_assert_held())."""

    lock: Identity
    cls: LockClass = "other"
    how: LockHow = "lock"


@dataclass(frozen=True, slots=True)
class Drop(Event):
    """A lock is dropped."""

    lock: Identity
    cls: LockClass = "other"


@dataclass(frozen=True, slots=True)
class Pin(Event):
    """The task can no longer be preempted, moved, or interrupted, by `kind`."""

    kind: PinKind


@dataclass(frozen=True, slots=True)
class Unpin(Event):
    """The opposite of `Pin`; pins of one kind nest, but `irq` is a flag that `irqsave` keeps."""

    kind: PinKind


@dataclass(frozen=True, slots=True)
class PerCpu(Event):
    """Per-CPU data is touched, or its address is taken for later use.

    `carried`: context-switch hooks carry it from CPU to CPU, where a reader does not play them.
    """

    variable: str
    access: Access = "address"
    carried: bool = False


@dataclass(frozen=True, slots=True)
class MaySleep(Event):
    """Something that may sleep (`certain` False) or does block (True), under `condition`.

    `why` is the primitive or flag (`GFP_KERNEL`, `mutex_lock`), `condition` a CONFIG or a value.
    """

    why: str
    certain: bool = False
    condition: str = ""


@dataclass(frozen=True, slots=True)
class IrqEnter(Event):
    """An interrupt, soft interrupt or NMI begins in the middle of the task."""

    kind: IrqKind = "hard"


@dataclass(frozen=True, slots=True)
class IrqExit(Event):
    """The innermost interrupt of `kind` ends."""

    kind: IrqKind = "hard"


@dataclass(frozen=True, slots=True)
class SwitchOut(Event):
    """The task loses its CPU.

    "yielded": it could go on; "lock": it waits for a spinlock that sleeps (PREEMPT_RT), which no
    rule counts as sleeping.
    """

    why: SwitchWhy = "preempted"


@dataclass(frozen=True, slots=True)
class SwitchIn(Event):
    """The task gets a CPU: the `first` time, or after it ran on `from_cpu` (-1: unknown)."""

    first: bool = False
    from_cpu: int = -1


@dataclass(frozen=True, slots=True)
class Fork(Event):
    """The task creates `child`."""

    child: str = ""


@dataclass(frozen=True, slots=True)
class Exit(Event):
    """The task ends."""


@dataclass(frozen=True, slots=True)
class UserReturn(Event):
    """The task goes back to user mode."""


@dataclass(frozen=True, slots=True)
class TlbFlush(Event):
    """TLB maintenance for one `entry`, a range, an mm or all; "noop" where it does nothing.

    `batch`: it does what waits in the CPU's batch of invalidations as well.
    """

    scope: TlbScope = "range"
    space: Space = "unknown"
    how: TlbHow = "now"
    entry: Identity | None = None
    batch: bool = False


@dataclass(frozen=True, slots=True)
class Use(Event):
    """What `entry` maps is used through the new or the old translation ("stale")."""

    entry: Identity
    what: What = "page"


@dataclass(frozen=True, slots=True)
class Free(Event):
    """What `entry` maps, or the page table it pointed to, is given back."""

    entry: Identity
    what: What = "page"


@dataclass(frozen=True, slots=True)
class FunctionCall(Event):
    """A function begins.  `root`: a judged run begins; `role`: which side of the contract it is."""

    function: str = ""
    root: bool = False
    role: Role = "generic"


@dataclass(frozen=True, slots=True)
class FunctionReturn(Event):
    """The function that the matching `FunctionCall` began returns; fields as there."""

    function: str = ""
    root: bool = False
    role: Role = "generic"


@dataclass(frozen=True, slots=True)
class BatchKey(Event):
    """A batch's key, its mm, is looked at; checked: held against the mm at hand, else lost."""

    variable: str
    checked: bool = True


@dataclass(frozen=True, slots=True)
class BatchAdd(Event):
    """Work is appended to the batch `variable`."""

    variable: str


@dataclass(frozen=True, slots=True)
class Bug(Event):
    """The kernel's own check fired: `condition` holds.

    :param check: "BUG" is printed and gone on after, as "scheduling while atomic".
    :param config: what a kernel must have for the check to be there, "" for nothing.
    """

    condition: str = ""
    check: Check = "BUG_ON"
    config: str = ""


@dataclass(frozen=True, slots=True)
class Undone(Event):
    """An update of `entry` is lost: by a late write, or a change by a stale value; by: whose."""

    entry: Identity
    by: str = ""


@dataclass(frozen=True, slots=True)
class Observed(Event):
    """What an observer saw of the implementation's real state, without regard to any contract.

    It makes no rule forget what it knows, and fills in depth and pause where these are not known.

    :param at: after the task's "enable", "disable" or "flush", an "update" that may be put off, one
        in an "irq"; as it left its CPU, before the hooks ("switch-out"), and had one again, after
        the hooks ("switch-in"); at its "start" (the first time it runs), "user-return" or "exit".
    :param mode: whether an update would be put off now, were it not for interrupt context: the
        CPU's mode where it is the CPU's, else the task's own.
    :param counters: enable_count and pause_count (v7.0 on), None when not seen.
    :param pending: whether work is put off here or for this task, at "irq" and "update" that
        update.
    """

    at: Moment
    mode: Mode = "unknown"
    counters: tuple[int, int] | None = None
    pending: bool | None = None


@dataclass(frozen=True, slots=True)
class Unknown(Event):
    """Something happened that the reader could not follow: an unresolved call, lost trace events.

    `what` is no longer known of the task, `key` is the one entry or lock concerned ("" for all):
    rules that need it stay silent from then on.
    """

    what: Aspect = "all"
    key: Identity = ""


EVENTS: dict[str, type[Event]] = {
    "enable": Enable,
    "disable": Disable,
    "pause": Pause,
    "resume": Resume,
    "flush": Flush,
    "write": Write,
    "read": Read,
    "take": Take,
    "drop": Drop,
    "pin": Pin,
    "unpin": Unpin,
    "percpu": PerCpu,
    "may_sleep": MaySleep,
    "irq_enter": IrqEnter,
    "irq_exit": IrqExit,
    "switch_out": SwitchOut,
    "switch_in": SwitchIn,
    "fork": Fork,
    "exit": Exit,
    "user_return": UserReturn,
    "tlb_flush": TlbFlush,
    "use": Use,
    "free": Free,
    "call": FunctionCall,
    "return": FunctionReturn,
    "batch_key": BatchKey,
    "batch_add": BatchAdd,
    "bug": Bug,
    "undone": Undone,
    "observed": Observed,
    "unknown": Unknown,
}
"""Every event by the name that event lists and documents use."""

NAMES: dict[type[Event], str] = {kind: name for name, kind in EVENTS.items()}
