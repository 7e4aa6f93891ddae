# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: stores are immediate, and the mode puts off the barriers after them, per task.

After a store that makes a kernel entry valid, emit_pte_barriers() issues dsb(ishst), which makes
the store visible to page walks of all CPUs, and isb, which throws away what this CPU has fetched on
the strength of the old entry.  In the mode a flag of the task says that they are owed.

Until the dsb a walk may find the old entry, so that `effective` lags behind `stored`.  What is
owed of each store is two things, and they end at different moments:

    dsb    by the CPU that stored, at its next one: of whatever task, in an interrupt, before a
           TLB invalidation, or in __switch_to() (kernel/process.c)
    isb    by the task, when it emits; until then an access may fault although every walk would
           find the entry

A kernel data access that faults for want of the isb alone is looked at again by
is_spurious_el1_translation_fault() (mm/fault.c, 42f91093b043 ("arm64: mm: Ignore spurious
translation faults taken from the kernel") (in v5.4), so before the mode): the kernel warns once in
a while and goes on.  That is no harm; it is counted as "spurious fault".  Its address translation
instruction is a walk like any other and issues no dsb, so that while the dsb is owed nothing
promises that it finds the entry, and instruction fetches are not looked at again at all.

Left out: the isb of one CPU does nothing for another, whose own fetches on the strength of the old
entry end with its next exception or switch; no such CPU is shown to go on before that.  User
entries are taken to be visible at once, because a user fault looks at memory again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from lazymmu.contract.events import UNKNOWN_ENTRY
from lazymmu.machine.arch.base import Arch, accessors
from lazymmu.machine.layout import Column
from lazymmu.machine.memory import NOTHING, page_of
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import FlushWhy, Known
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

PGTABLE_H: Final = "arch/arm64/include/asm/pgtable.h"
PROCESS_C: Final = "arch/arm64/kernel/process.c"
TLBFLUSH_H: Final = "arch/arm64/include/asm/tlbflush.h"
FAULT_C: Final = "arch/arm64/mm/fault.c"

ALWAYS_QUEUED: Final = ("p4d", "pgd")
"""Levels whose setters do not ask whether the new entry is valid (set_p4d(), set_pgd())."""


class Arm64(Arch, ABC):
    """What all releases share.

    unpublished: entries whose last store this CPU made and has issued no dsb after; owed: entries
    that the task owes barriers for.  Hardware knows the former, nobody the latter: the kernel has
    the flag TIF_LAZY_MMU_PENDING alone.
    """

    fault = "arch/arm64/mm/fault.c"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("unpublished", "cpu", NOTHING),
        Column("owed", "task", NOTHING),
        Column("tif_lazy_mmu_pending", "task", 0, 2),
    )
    forked: ClassVar[tuple[str, ...]] = ("tif_lazy_mmu_pending",)

    @abstractmethod
    def lazy(self, here: StepContext) -> bool:
        """Whether the current task's barriers are put off, here and now."""

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """What the task on a CPU owes, by entry."""
        task = here.task_at(here.cpu_at(cpu).curr)
        if task.tif_lazy_mmu_pending and not task.owed:
            return ((UNKNOWN_ENTRY, "barriers"),)
        late = frozenset().union(*(here.cpu_at(number).unpublished for number in here.cpus))
        return tuple(
            (entry, "dsb(ishst) and isb" if entry in late else "isb") for entry in sorted(task.owed)
        )

    # ---- barriers --------------------------------------------------------------------------------

    def dsb(self, here: StepContext) -> None:
        """What this CPU has stored is what page walks find from now on."""
        this_cpu = here.this_cpu
        for entry in this_cpu.unpublished:
            self.memory.publish(here, entry)
        this_cpu.unpublished = NOTHING

    def emit_pte_barriers(self, here: StepContext) -> None:
        """dsb(ishst), isb.  In an interrupt it is not the interrupted task that emits."""
        here.cost("barrier")
        self.dsb(here)
        if not here.this_cpu.irq:
            here.current.owed = NOTHING

    @routine(PGTABLE_H)
    def queue_pte_barriers(self, entry: str) -> Routine:
        """Set the flag, or emit.

        One step, because nobody else touches the flag: interrupts emit, and leave it alone.
        """
        yield self._queue(entry)

    @atomic
    def _queue(self, here: StepContext, entry: str) -> None:
        self.put_off(here, entry, lazy=self.lazy(here))

    def put_off(self, here: StepContext, entry: str, *, lazy: bool) -> None:
        """Owe the barriers for `entry`, or emit them."""
        current = here.current
        current.owed = current.owed | {entry}
        if lazy:
            current.tif_lazy_mmu_pending = 1
        else:
            self.emit_pte_barriers(here)
            if here.this_cpu.irq:
                current.owed = current.owed - {entry}
        self.updated(here, waits=lazy)

    # ---- accessors -------------------------------------------------------------------------------

    # Stores, after which what completes them queues the barriers where `queues()` says so: that of
    # set_pte() is __set_pte_complete(), of set_pmd() and pmd_clear() their own; set_pmd_at() is
    # __set_ptes_anysz().  A store of none needs no barrier: TLB maintenance has them.
    set_pte, pte_clear, ptep_modify_prot_commit, set_pmd, pmd_clear, set_pmd_at = accessors(
        PGTABLE_H,
        "_set",
        ("set_pte", "pte_clear", "ptep_modify_prot_commit", "set_pmd", "pmd_clear", "set_pmd_at"),
    )

    def _set(self, entry: str, value: Value, operation: str) -> Routine:
        queues = self.queues(entry, value, operation)
        yield self._write_once(entry, value, operation, queues)
        if queues:
            yield self.queue_pte_barriers(entry)

    @routine(PGTABLE_H)
    def set_ptes(self, value: Value, entries: tuple[str, ...]) -> Routine:
        """__set_ptes_anysz(): all stores, then __set_pte_complete() of the last entry."""
        for entry in entries:
            yield self._write_once(entry, value, "set_pte", self.queues(entry, value, "set_pte"))
        if self.queues(entries[-1], value, "set_pte"):
            yield self._owe(entries[:-1])
            yield self.queue_pte_barriers(entries[-1])

    @local
    def _owe(self, here: StepContext, entries: tuple[str, ...]) -> None:
        """What completes the last entry is for these as well."""
        here.current.owed = here.current.owed | frozenset(entries)

    def queues(self, entry: str, value: Value, operation: str) -> bool:
        """Whether a store of `value` calls queue_pte_barriers().

        __set_pte_complete() asks for pte_valid_not_user(), set_pmd() and set_pud() for a valid
        entry, kernel or user.
        """
        spec = self.memory.specs[entry]
        if spec.level in ALWAYS_QUEUED:
            return True
        any_space = operation in ("set_pmd", "pmd_clear")
        return page_of(value) is not None and (any_space or spec.space == "kernel")

    @atomic
    def _write_once(
        self, here: StepContext, entry: str, value: Value, operation: str, queues: bool
    ) -> None:
        self.memory.write(here, entry, value, operation, "deferred")
        self.stored(here, entry, value, late=queues)
        if not queues:
            self.updated(here)

    def stored(self, here: StepContext, entry: str, value: Value, *, late: bool) -> None:
        """WRITE_ONCE(); `late`: walks may find the old entry up to this CPU's next dsb."""
        self.memory.store(here, entry, value, walk=not late)
        for number in here.cpus:
            cpu = here.cpu_at(number)
            if entry in cpu.unpublished:
                cpu.unpublished = cpu.unpublished - {entry}
        if late:
            here.this_cpu.unpublished = here.this_cpu.unpublished | {entry}

    # ---- TLB maintenance -------------------------------------------------------------------------

    @routine(TLBFLUSH_H)
    def flush_tlb_range(self, *entries: str) -> Routine:
        """dsb(ishst) before, so that no walk can bring the old entry back, then invalidate."""
        yield self._dsb()
        yield self._invalidate(entries)

    @routine(TLBFLUSH_H)
    def tlb_flush(self, *entries: str) -> Routine:
        """As flush_tlb_range()."""
        yield self._dsb()
        yield self._invalidate(entries)

    @atomic
    def _dsb(self, here: StepContext) -> None:
        self.dsb(here)

    # ---- context switch --------------------------------------------------------------------------

    @routine(PROCESS_C)
    def switch_to(self, prev: int, next_: int) -> Routine:
        """__switch_to(): dsb(ish), with or without the mode; the flags are the tasks' own.

        It says since 5fdd05efa1cd what it is good for here; it is much older.
        """
        yield self._dsb()

    # ---- faults ----------------------------------------------------------------------------------

    @routine(FAULT_C)
    def access(self, entry: str) -> Routine:
        """Read behind `entry`; a fault for want of the isb is spurious."""
        yield self.is_spurious_el1_translation_fault(entry)
        yield self.memory.access(entry)

    @routine(FAULT_C)
    def access_write(self, entry: str) -> Routine:
        """Write there."""
        yield self.is_spurious_el1_translation_fault(entry)
        yield self.memory.access_write(entry)

    @local
    def is_spurious_el1_translation_fault(self, here: StepContext, entry: str) -> None:
        """Every walk finds the entry, and this CPU may not have noticed: a warning, no more."""
        if entry in here.current.owed and here.entry(entry).effective == here.entry(entry).stored:
            here.cost("spurious fault")


class Arm64Flag(Arm64):
    """v6.16 to v6.19: a flag of the task says that it is in a section.

    A section inside a section sets it again, and the first end clears it: what is left of the
    outer one is as if outside (1ef3095b1405 ("arm64/mm: Permit lazy_mmu_mode to be nested")
    (in v6.16)).  In an interrupt every hook returns at once and barriers are emitted
    (b81c688426a9 ("arm64/mm: Disable barrier batching in interrupt contexts") (in v6.16)).
    """

    row = "arm64-flag"
    columns = (*Arm64.columns, Column("tif_lazy_mmu", "task", 0, 2))
    forked = (*Arm64.forked, "tif_lazy_mmu")

    def lazy(self, here: StepContext) -> bool:
        """The flag, and not in an interrupt."""
        return bool(here.current.tif_lazy_mmu) and not here.in_interrupt

    def mode_on(self, here: StepContext) -> Known:
        """The task's flag."""
        return "yes" if here.current.tif_lazy_mmu else "no"

    @routine(PGTABLE_H)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """Set the flag."""
        yield self._enter()

    @routine(PGTABLE_H)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """Emit what is owed, then clear the flag."""
        if (yield self._test_and_clear("leave")):
            yield self._emit()
        yield self._clear()

    @routine(PGTABLE_H)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """Emit what is owed."""
        if (yield self._test_and_clear("api")):
            yield self._emit()

    @atomic
    def _enter(self, here: StepContext) -> None:
        if not here.in_interrupt:
            here.current.tif_lazy_mmu = 1

    @atomic
    def _test_and_clear(self, here: StepContext, why: FlushWhy) -> bool:
        """TIF_LAZY_MMU_PENDING, if it is this task's to clear."""
        return not here.in_interrupt and self.test_and_clear(here, why)

    def test_and_clear(self, here: StepContext, why: FlushWhy) -> bool:
        """test_and_clear_thread_flag(TIF_LAZY_MMU_PENDING): whether barriers must follow."""
        current = here.current
        if not current.tif_lazy_mmu_pending:
            return False
        current.tif_lazy_mmu_pending = 0
        self.flushed(here, why)
        return True

    @atomic
    def _emit(self, here: StepContext) -> None:
        self.emit_pte_barriers(here)

    @atomic
    def _clear(self, here: StepContext) -> None:
        if not here.in_interrupt:
            here.current.tif_lazy_mmu = 0


class Arm64Counted(Arm64):
    """v7.0 on: the generic counters say whether the task is in a section; one flag is left.

    5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0).
    """

    row = "arm64-counted"

    def lazy(self, here: StepContext) -> bool:
        """is_lazy_mmu_mode_active()."""
        return here.lazy_active

    def mode_on(self, here: StepContext) -> Known:
        """The task's counters."""
        current = here.current
        return "yes" if current.enable_count > 0 and current.pause_count == 0 else "no"

    @routine(PGTABLE_H)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """As arch_flush_lazy_mmu_mode()."""
        if (yield self._test_and_clear("leave")):
            yield self._emit()

    @routine(PGTABLE_H)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """Emit what is owed."""
        if (yield self._test_and_clear("api")):
            yield self._emit()

    @atomic
    def _test_and_clear(self, here: StepContext, why: FlushWhy) -> bool:
        current = here.current
        if not current.tif_lazy_mmu_pending:
            return False
        current.tif_lazy_mmu_pending = 0
        self.flushed(here, why)
        return True

    @atomic
    def _emit(self, here: StepContext) -> None:
        self.emit_pte_barriers(here)


class Arm64TrySet(Arm64Counted):
    """7.2 on: ptep_try_set() fills an empty kernel entry by compare and exchange.

    It emits the barriers itself, in the mode and out of it: its caller uses the mapping at once.
    """

    @routine(PGTABLE_H)
    def ptep_try_set(self, entry: str, value: Value) -> Routine:
        """Fill an entry that is none; tells whether it was."""
        done = yield self._try_cmpxchg(entry, value)
        if done:
            yield self._emit()
        return done

    @atomic
    def _try_cmpxchg(self, here: StepContext, entry: str, value: Value) -> bool:
        if here.entry(entry).stored is not None:
            return False
        self.memory.write(here, entry, value, "ptep_try_set", "immediate")
        self.stored(here, entry, value, late=True)
        return True
