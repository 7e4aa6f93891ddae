# SPDX-License-Identifier: GPL-2.0-or-later
"""The weakest implementations that the text of each dialect allows.

Generic code is not written for the architectures that happen to exist, but for the comment above
the mode's API in include/linux/pgtable.h.  These classes do the worst that it lets one do.  All
texts up to 7.3 say:

    "allows PTE updates ... to be delayed until a call to leave lazy MMU mode is issued"
        -> every store that some architecture defers waits, of user and of kernel entries; of two
           stores to one entry the first is never seen
    "... and page invalidations"
        -> a TLB flush that is asked for in the mode waits as well, when the entry's change did not
           (powerpc hash and sparc64: flush_tlb_range() is empty, the batch invalidates)
    "may be delayed"
        -> it need not: a TLB flush is done at once, when the entry's change waits, so that what it
           drops may be cached again before the change is stored; no text orders the two
    "reads though a raw PTE pointer after it has been modified are not guaranteed to be up to date"
        -> reads look at memory; so do the atomic accessors, which change it there and then

No text says what becomes of a batch whose task exits in its section: it waits for ever, or goes out
at the switch (as Xen's queue does), over what others did meanwhile.  That is a choice.

What the texts do not say holds for the worst case too, where a rule for implementations follows
from the rest: an update made in an interrupt takes effect at once, whatever waits; a section's end
makes all of it effective; an entry's last store wins.

A text that lets an implementation disable preemption does not make it do so: a caller may not sleep
in a section because one may, and may be preempted in it because one may not.  So each dialect has
two, of which the pinned one is the other with preemption off.

Barriers need no class: a store that waits is later than its barriers could be.  Stores that waited
are stored in one step, whatever their order: no text promises one, and the steps between are
nobody's business who holds the lock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from lazymmu.contract.events import TlbFlush
from lazymmu.machine.arch.base import Arch
from lazymmu.machine.control import chance
from lazymmu.machine.layout import Column
from lazymmu.machine.memory import NOTHING
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.contract.event_words import FlushWhy, Known
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.layout import Slot
    from lazymmu.machine.steps import Routine

TEXT: Final = "include/linux/pgtable.h"


_OF_A_CPU: Final[tuple[Column, ...]] = (
    Column("batch", "cpu", ()),
    Column("batched_flushes", "cpu", NOTHING),
    Column("lazy_mmu", "cpu", 0, 2),
)
"""Batch and mode of who takes care that a task keeps its CPU, or trusts its callers to."""


class WorstCase(Arch, ABC):
    """What all dialects share: a batch of stores and of TLB flushes, and who owns it.

    A batch of a task is weaker than one of a CPU that is flushed when the task leaves it: what
    waits may wait longer.

    :param pins: a section's beginning disables preemption.
    :param owner: "task" or "cpu".
    """

    pins: ClassVar[bool] = False
    invalidates_late: ClassVar[bool] = True
    alternatives: ClassVar[int] = 2
    owner: ClassVar[str] = "task"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("batch", "task", ()),
        Column("batched_flushes", "task", NOTHING),
    )

    @abstractmethod
    def lazy(self, here: StepContext) -> bool:
        """Whether an update here and now may wait."""

    def holder(self, here: StepContext) -> Slot:
        """Whose batch an update goes to, here and now."""
        return here.this_cpu if self.owner == "cpu" else here.current

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """Stores that wait, then TLB flushes."""
        there = here.cpu_at(cpu)
        holder = there if self.owner == "cpu" else here.task_at(there.curr)
        stores = tuple((entry, f"set {value or 'none'}") for entry, value in holder.batch)
        return stores + tuple((entry, "flush") for entry in sorted(holder.batched_flushes))

    # ---- the batch -------------------------------------------------------------------------------

    def put_off(self, here: StepContext, entry: str, value: Value) -> None:
        """The store waits, instead of one to the same entry that already does."""
        holder = self.holder(here)
        others = tuple(item for item in holder.batch if item[0] != entry)
        holder.batch = tuple(sorted((*others, (entry, value)), key=lambda item: item[0]))

    def flush_batch(self, here: StepContext, why: FlushWhy) -> None:
        """All that waits takes effect."""
        holder = self.holder(here)
        stores, flushes = holder.batch, holder.batched_flushes
        if not (stores or flushes):
            return
        holder.batch, holder.batched_flushes = (), NOTHING
        for entry, value in stores:
            self.memory.take_effect(here, entry, value, self._waiting(here, entry))
        if flushes:
            here.cost("invalidation")
            self.memory.invalidate(here, sorted(flushes), here.cpus)
        self.flushed(here, why)

    def _waiting(self, here: StepContext, entry: str) -> Iterator[Value]:
        """Values of the stores to an entry that wait anywhere."""
        for holder in here.every(self.owner):
            for name, value in holder.batch:
                if name == entry:
                    yield value

    @routine(TEXT)
    def arch_start_context_switch(self, prev: int) -> Routine:
        """What a task that exits leaves behind goes out, or never does."""
        if (yield self._leaves(prev)) and (yield chance()):
            yield self._left()

    @local
    def _leaves(self, here: StepContext, prev: int) -> bool:
        holder = self.holder(here)
        return here.task_at(prev).status == "dead" and bool(holder.batch or holder.batched_flushes)

    @atomic
    def _left(self, here: StepContext) -> None:
        self.flush_batch(here, "switch")

    # ---- accessors -------------------------------------------------------------------------------

    @atomic
    def _store(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        """What set_pte(), pte_clear(), set_pmd() and ptep_modify_prot_commit() do."""
        self.memory.write(here, entry, value, operation, "deferred")
        lazy = self.lazy(here)
        if lazy:
            self.put_off(here, entry, value)
        else:
            self.memory.store(here, entry, value)
        self.updated(here, waits=lazy)

    @routine(TEXT)
    def flush_tlb_range(self, *entries: str) -> Routine:
        """Outside the mode at once; in it, whichever is worse for the entry."""
        yield self._flush_tlb(entries)

    @routine(TEXT)
    def tlb_flush(self, *entries: str) -> Routine:
        """The same for mmu_gather: no text excepts it."""
        yield self._flush_tlb(entries)

    @atomic
    def _flush_tlb(self, here: StepContext, entries: tuple[str, ...]) -> None:
        holder = self.holder(here)
        waiting = {entry for entry, _ in holder.batch}
        later = frozenset(entries) - waiting if self.lazy(here) else NOTHING
        holder.batched_flushes = holder.batched_flushes | later
        now = [entry for entry in entries if entry not in later]
        if now:
            here.cost("invalidation")
            self.memory.invalidate(here, now, here.cpus)
        for entry in entries:
            here.emit(
                TlbFlush,
                scope="entry",
                space=self.memory.specs[entry].space,
                how="queued" if entry in later else "now",
                entry=entry,
            )

    # ---- pinning ---------------------------------------------------------------------------------

    def pin(self, here: StepContext) -> None:
        """preempt_disable(), in the classes that do."""
        if self.pins:
            here.preempt_disable(said=True)

    def unpin(self, here: StepContext) -> None:
        """preempt_enable(), likewise."""
        if self.pins:
            here.preempt_enable(said=True)


class WorstNoNesting(WorstCase):
    """6.15 to 6.19 and 6.12.y (691ee97e1a9d ("mm: fix lazy mmu docs and usage") (in v6.15)).

    "no lock is guaranteed to be held between entry and exit of the lazy mode. So the implementation
    must assume preemption may be enabled and cpu migration is possible"
        -> batch and mode are the task's, and a context switch leaves them as they are
    "Nesting is not permitted"
        -> BUG() at a beginning in a section, or at an end outside of one
    "and the mode cannot be used in interrupt context"
        -> BUG() there as well
    Nothing is said of arch_flush_lazy_mmu_mode(), and no architecture but x86 had more than a name:
        -> it does nothing
    """

    row = "worst-no-nesting"
    columns = (*WorstCase.columns, Column("lazy_mmu", "task", 0, 2))
    forked: ClassVar[tuple[str, ...]] = ("lazy_mmu",)
    flush_how = "noop"

    def lazy(self, here: StepContext) -> bool:
        """The mode, and not in an interrupt."""
        return bool(self.holder(here).lazy_mmu) and not here.in_interrupt

    def mode_on(self, here: StepContext) -> Known:
        """The mode."""
        return "yes" if self.holder(here).lazy_mmu else "no"

    @routine(TEXT)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """The mode is on."""
        yield self._enter()

    @routine(TEXT)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """All takes effect, and the mode is off."""
        yield self._leave()

    @atomic
    def _enter(self, here: StepContext) -> None:
        if self.forbidden(here, "entered"):
            return
        if here.bug_on(self.holder(here).lazy_mmu, "lazy MMU mode entered twice"):
            return
        self.pin(here)
        self.holder(here).lazy_mmu = 1

    @atomic
    def _leave(self, here: StepContext) -> None:
        if self.forbidden(here, "left"):
            return
        if here.bug_on(not self.holder(here).lazy_mmu, "lazy MMU mode left without entering it"):
            return
        self.flush_batch(here, "leave")
        self.holder(here).lazy_mmu = 0
        self.unpin(here)

    def forbidden(self, here: StepContext, done: str) -> bool:
        """Whether the mode must not be used here; if so, BUG()."""
        return here.bug_on(here.in_interrupt, f"lazy MMU mode {done} in interrupt context")


class WorstNoNestingPinned(WorstNoNesting):
    """The same with preemption off: "it must take steps to be robust against this".

    Batch and mode are the CPU's, as such steps allow: who sleeps all the same may wake elsewhere.
    """

    row = "worst-no-nesting-pinned"
    pins = True
    owner = "cpu"
    columns = _OF_A_CPU
    forked = ()


class WorstPtlHeld(WorstNoNesting):
    """To 6.14, from the beginning (6606c3e0da53 ("[PATCH] paravirt: lazy mmu mode hooks.patch")).

    "This mode can only be entered and left under the protection of the page table locks for all
    page tables which may be modified.  In the UP case, this is required so that preemption is
    disabled, and in the SMP case, it must synchronize the delayed page table writes properly on
    other CPUs."
        -> nothing else keeps the task on its CPU: batch and mode are the CPU's, and nobody carries
           them over a context switch, as on sparc64
    Above arch_start_context_switch(), of the lazy modes: "entry should never be nested, and entry
    and exits should always be paired"
        -> BUG() at a beginning in a section, or at an end outside of one
    Nothing is said of interrupts
        -> no check
    """

    row = "worst-ptl-held"
    owner = "cpu"
    columns = _OF_A_CPU
    forked = ()

    def forbidden(self, here: StepContext, done: str) -> bool:
        """The text says nothing."""
        return False


class WorstPtlHeldPinned(WorstPtlHeld):
    """The same with preemption off, as powerpc since v6.2.

    b9ef323ea168 ("powerpc/64s: Disable preemption in hash lazy mmu mode") (in v6.2).
    """

    row = "worst-ptl-held-pinned"
    pins = True


class WorstCounted(WorstCase):
    """7.0 on (5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0)).

    "no lock is guaranteed to be held ... must therefore assume preemption may be enabled upon entry
    to the mode and cpu migration is possible"
        -> as in WorstNoNesting
    "The mode is disabled in interrupt context and calls to the lazy_mmu API have no effect"; "A
    nested call to enable() has no functional effect"; "pause() ensures that the mode is exited
    regardless of the nesting level"
        -> the generic counters see to it
    "disable() causes any batched architectural state to be flushed regardless of nesting"
        -> and not more than that: all waits until some end
    """

    row = "worst-counted"

    def lazy(self, here: StepContext) -> bool:
        """is_lazy_mmu_mode_active()."""
        return here.lazy_active

    def mode_on(self, here: StepContext) -> Known:
        """The task's counters."""
        current = here.current
        return "yes" if current.enable_count > 0 and current.pause_count == 0 else "no"

    @routine(TEXT)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """The counters say that the mode is on; pin, in the class that does."""
        if self.pins:
            yield self._pin()

    @routine(TEXT)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """All takes effect."""
        yield self._flush("leave")
        if self.pins:
            yield self._unpin()

    @routine(TEXT)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """All takes effect."""
        yield self._flush("api")

    @atomic
    def _flush(self, here: StepContext, why: FlushWhy) -> None:
        self.flush_batch(here, why)

    @atomic
    def _pin(self, here: StepContext) -> None:
        self.pin(here)

    @atomic
    def _unpin(self, here: StepContext) -> None:
        self.unpin(here)


class WorstCountedPinned(WorstCounted):
    """The same with preemption off.

    "An implementation may handle this by disabling preemption, as a consequence generic code may
    not sleep while the lazy MMU mode is active".
    """

    row = "worst-counted-pinned"
    pins = True
    owner = "cpu"
    columns = _OF_A_CPU[:2]


class WorstCountedTask(WorstCounted):
    """7.2 on: as before; that another task's mode can be paused is for architectures to use."""

    row = "worst-counted-task"


class WorstCountedTaskPinned(WorstCountedPinned):
    """The same with preemption off."""

    row = "worst-counted-task-pinned"


WORST: Final[dict[str, tuple[type[WorstCase], type[WorstCase]]]] = {
    "ptl-held": (WorstPtlHeld, WorstPtlHeldPinned),
    "no-nesting": (WorstNoNesting, WorstNoNestingPinned),
    "counted": (WorstCounted, WorstCountedPinned),
    "counted-task": (WorstCountedTask, WorstCountedTaskPinned),
}
"""Of each dialect the one that does not pin, and the one that does."""
