# SPDX-License-Identifier: GPL-2.0-or-later
"""What the vocabulary says about one name: one frozen dataclass per kind of word.

Argument numbers are Python indices into a call's arguments: 0 is the first one, -1 the last one
(huge_ptep_get() has its entry last in every release, and two arguments more since
e6c0c03245c6 ("mm: provide mm_struct and address to huge_ptep_get()") (in v6.11)).

Every word has a `source`: where the kernel defines or describes it.
"""

from dataclasses import dataclass
from typing import Literal

from lazymmu.contract.event_words import (
    Access,
    How,
    IrqKind,
    Layer,
    Level,
    PinKind,
    Space,
    TaskContext,
    TlbHow,
    TlbScope,
    What,
)


@dataclass(frozen=True, slots=True)
class ModeCall:
    """A call of the mode's API.  `whose` is the argument that names the task, None = current."""

    action: Literal["enable", "disable", "pause", "resume", "flush", "active"]
    layer: Layer
    source: str
    whose: int | None = None


@dataclass(frozen=True, slots=True)
class Accessor:
    """A page-table accessor.

    :param operation: "write" stores without looking, "read" looks, "modify" looks and stores.
    :param how: whether some implementation may defer the store ("immediate" for a read).
    :param entry: the argument that points to the entry.
    :param mm: arguments that say whose mapping it is.
    :param vma: likewise.
    :param flushes_tlb: also invalidates the TLB for the entry before it returns.
    :param put_off: architectures on which, in a section, the store is immediate and the
        invalidation of the old entry waits in a batch.
    :param huge: the entry maps a page above the PTE level, and leads to no table.
    :param count: the argument that says how many entries it is about, from that one on.
    """

    operation: Literal["write", "read", "modify"]
    how: How
    level: Level
    entry: int
    source: str
    mm: int | None = None
    vma: int | None = None
    flushes_tlb: bool = False
    put_off: tuple[Literal["powerpc", "sparc"], ...] = ()
    huge: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class LockCall:
    """A lock primitive.

    :param action: take and drop; try (takes when it succeeds); assert (the caller holds it);
        lockptr (only tells which lock it is).
    :param cls: class of the lock, "" = that of the lock expression.
    :param lock: the argument that is the lock.
    :param also: further arguments that are locks, treated alike.
    :param out: the argument of type `spinlock_t **` that receives the lock.
    :param field: the lock is this member of what argument `lock` points to.
    :param returns: what the call's value is.
    :param may_fail: takes nothing when it returns NULL or false (for returns "int": non-zero).
    :param pin: what else it pins (spin_lock_bh() and the like).
    """

    action: Literal["take", "try", "drop", "assert", "lockptr"]
    source: str
    cls: Literal["ptl", "pmd", "mm", "kernel-pt", "other", ""] = ""
    lock: int | None = None
    also: tuple[int, ...] = ()
    out: int | None = None
    field: str = ""
    returns: Literal["lock", "entry", "bool", "int", "none"] = "none"
    may_fail: bool = False
    pin: PinKind | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class LockField:
    """A member that is a page-table lock: of any `struct`, or of one special `object`."""

    cls: Literal["ptl", "pmd", "mm", "kernel-pt"]
    source: str
    struct: str = ""
    object: str = ""


@dataclass(frozen=True, slots=True)
class PinCall:
    """A call after which the task is pinned, or no longer."""

    action: Literal["pin", "unpin"]
    kind: PinKind
    source: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """A root of sleeping.

    :param certain: it does block, rather than may.
    :param condition_arg: the argument that decides: for condition "truth" it sleeps when that is
        non-zero, for "gfp" when the flags allow to block, for "null" where it is known to be NULL.
    """

    why: str
    source: str
    certain: bool = False
    condition_arg: int | None = None
    condition: Literal["", "truth", "gfp", "null"] = ""


@dataclass(frozen=True, slots=True)
class Cited:
    """A plain word with its source."""

    source: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A regular expression (lower case) on a kernel-doc Context: section and what it states."""

    sleeps: Literal["yes", "no"]
    source: str


@dataclass(frozen=True, slots=True)
class Taker:
    """A function that calls back.

    :param fn: the argument that is the function.
    :param ops: the argument that is the table.
    :param ops_struct: the table's struct tag.
    :param runs: "now" before it returns, in the caller's context; "here" the same but with
        interrupts off or in interrupt context, on this or other CPUs; "later" after it returned, in
        a context of its own.
    """

    source: str
    fn: int | None = None
    ops: int | None = None
    ops_struct: str = ""
    runs: Literal["now", "here", "later"] = "now"


@dataclass(frozen=True, slots=True)
class PerCpuCall:
    """An access to this CPU's data.  arg: the variable; pins: it disables preemption itself."""

    access: Access
    source: str
    arg: int = 0
    pins: bool = False


@dataclass(frozen=True, slots=True)
class CounterCall:
    """A call that moves a counter.

    :param by: 1 or -1.
    :param gives: what the call returns.
    :param variable: the argument `arg` is the counter, and no pointer to it.
    """

    by: int
    source: str
    gives: Literal["nothing", "before", "after", "zero"] = "nothing"
    arg: int = 0
    variable: bool = False


@dataclass(frozen=True, slots=True)
class TlbCall:
    """TLB maintenance.

    :param how: the weakest that an architecture may make of it.
    :param batch: it flushes the CPU's batch of invalidations, where there is one.
    """

    scope: TlbScope
    space: Space
    source: str
    how: TlbHow = "now"
    batch: bool = False


@dataclass(frozen=True, slots=True)
class FreeCall:
    """A call that gives a page or a page table back.

    :param arg: the argument that is freed.
    :param what: which of the two.
    :param certain: it is free when the call returns, rather than one reference less.
    """

    arg: int
    what: What
    source: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class QueueCall:
    """A call about an item for which a function runs later.

    :param item: the argument that is the item, or points to it.
    :param fn: the argument that is the function.
    :param runs: who runs it once the call has returned, "never" for a call that only says which
        function an item has (`fn`), or which structure it stands in.
    """

    item: int
    source: str
    runs: Literal["worker", "bound-worker", "interrupt", "grace-period", "never"]
    fn: int | None = None


@dataclass(frozen=True, slots=True)
class FeatureName:
    """A flag that is never set, or a question that is never answered by yes, without `config`."""

    config: str
    source: str


@dataclass(frozen=True, slots=True)
class ContextQuestion:
    """A question about the context that a task runs in.

    :param yes: in which contexts the answer is certainly not 0.
    :param no: in which it is certainly 0.
    """

    source: str
    yes: tuple[TaskContext, ...] = ()
    no: tuple[TaskContext, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """A call that registers a function to run in interrupt context.

    :param declared: it is a macro that does so at file level.
    :param initialises: it is a macro that is the value of a variable which does.
    """

    fn: int
    kind: IrqKind
    source: str
    declared: bool = False
    initialises: bool = False
