# SPDX-License-Identifier: GPL-2.0-or-later
"""An architecture: the mode's hooks, the accessors of entries, and what a context switch does.

`Arch` itself is one that defers nothing, as x86 without Xen, powerpc radix and all architectures
outside the deferral table are.  A subclass is one feature state of an architecture; it overrides
what differs, under the kernel's names, in the kernel's order of steps.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, ClassVar, Final

from lazymmu.contract.events import Flush, Observed, TlbFlush
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lazymmu.contract.event_words import FlushHow, FlushWhy, Known, Mode
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.generic_api import DirectMode
    from lazymmu.machine.layout import Column
    from lazymmu.machine.memory import Memory
    from lazymmu.machine.steps import Routine, RoutineCall

PGTABLE_H: Final = "include/linux/pgtable.h"

_MODES: Final[Mapping[Known, Mode]] = {"yes": "on", "no": "off", "unknown": "unknown"}


def protected(value: Value) -> Value:
    """An entry's value without the permission to write, its flags in their order."""
    if value is None or "ro" in value.split(":"):
        return value
    page, *flags = value.split(":")
    return ":".join((page, "ro", *flags))


def aged(value: Value) -> Value:
    """An entry's value without the accessed bit, its flags in their order (`mm.values.FLAGS`)."""
    if value is None or "old" in value.split(":"):
        return value
    page, *flags = value.split(":")
    at = 1 if flags[:1] == ["ro"] else 0
    return ":".join((page, *flags[:at], "old", *flags[at:]))


def accessors(
    source: str, through: str, names: tuple[str, ...]
) -> tuple[Callable[..., RoutineCall], ...]:
    """Accessors of an architecture that differ in their names alone, for the body of its class.

    An accessor whose name ends in `clear` stores none, and has no value for an argument.

    :param through: its method `(entry, value, name)`, a step or a generator of steps, which does
        the work.
    """
    return tuple(routine(source)(_accessor(name, through)) for name in names)


def _accessor(name: str, through: str) -> Callable[..., Routine]:
    def work(self: Arch, entry: str, value: Value) -> Routine:
        done = getattr(self, through)(entry, value, name)
        return (yield from done) if isinstance(done, Generator) else (yield done)

    def store(self: Arch, entry: str, value: Value) -> Routine:
        return (yield from work(self, entry, value))

    def clear(self: Arch, entry: str) -> Routine:
        return (yield from work(self, entry, None))

    made = clear if name.endswith("clear") else store
    made.__name__ = name
    made.__doc__ = _DONE[through == "_exchange", made is clear]
    return made


_DONE: Final[Mapping[tuple[bool, bool], str]] = {
    (False, False): "Store an entry, by a store that may be put off.",
    (False, True): "Store none, by a store that may be put off.",
    (True, False): "Exchange an entry for another one, at once; gives what was there.",
    (True, True): "Exchange an entry for none, at once; gives what was there.",
}


class Arch:
    """An implementation that defers nothing; the base of all others.

    :param row: name of its row in the deferral table.
    :param columns: its variables.
    :param forked: variables of a task that a child inherits, because its task_struct and
        thread_info are a copy of its parent's (kernel/fork.c, dup_task_struct()).
    :param fresh: those, and counts of the generic API, that are zero in a child all the same.
    :param flush_how: whether arch_flush_lazy_mmu_mode() does anything.
    :param paused_out: what the switch hooks have put into the pause count of a task that waits.
    :param invalidates_late: in the mode, the invalidation of what is changed at once may wait.
    :param alternatives: the most that a choice in its own code has.
    :param api: the generic API that a posted design brings along, None for the release's.
    :param fault: the file that looks at what the MMU refuses.
    """

    row: ClassVar[str] = "none"
    columns: ClassVar[tuple[Column, ...]] = ()
    forked: ClassVar[tuple[str, ...]] = ()
    fresh: ClassVar[tuple[str, ...]] = ()
    flush_how: ClassVar[FlushHow] = "now"
    paused_out: ClassVar[int] = 0
    invalidates_late: ClassVar[bool] = False
    alternatives: ClassVar[int] = 0
    api: ClassVar[type[DirectMode] | None] = None
    fault: ClassVar[str] = "mm/memory.c"

    def __init__(self, memory: Memory) -> None:
        """`memory`: what the accessors work on."""
        self.memory = memory
        memory.fault = self.fault

    # ---- what the mode really is, for whoever looks ----------------------------------------------

    def mode_on(self, here: StepContext) -> Known:
        """Whether this implementation would defer now, here: "yes", "no", "unknown" (no mode)."""
        return "unknown"

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """What waits on a CPU (or with its task): (entry, what) in order."""
        return ()

    @local
    def observe(self, here: StepContext, at: str) -> None:
        """Say what the implementation's state really is."""
        self._observed(here, at, pending=bool(self.pending(here, here.cpu)))

    def updated(self, here: StepContext, *, waits: bool | None = None) -> None:
        """An entry was changed: say whether that change waits.

        None: it is of a kind that never does here, which counts in interrupts alone.
        """
        if here.this_cpu.irq:
            self._observed(here, "irq", pending=bool(waits))
        elif waits is not None:
            self._observed(here, "update", pending=waits)

    def _observed(self, here: StepContext, at: str, *, pending: bool) -> None:
        current = here.current
        here.emit(
            Observed,
            mode=_MODES[self.mode_on(here)],
            counters=(current.enable_count, current.pause_count),
            pending=pending,
            at=at,
        )

    # ---- the mode's hooks ------------------------------------------------------------------------

    @routine(PGTABLE_H)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """Nothing."""
        yield from ()

    @routine(PGTABLE_H)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """Nothing."""
        yield from ()

    @routine(PGTABLE_H)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """Nothing."""
        yield from ()

    # ---- context switch, in the order of kernel/sched/core.c, context_switch() ----------------

    @routine(PGTABLE_H)
    def arch_start_context_switch(self, prev: int) -> Routine:
        """Before the address space is switched."""
        yield from ()

    @routine("kernel/sched/core.c")
    def switch_mm_irqs_off(self, prev: int, next_: int) -> Routine:
        """The address space is switched."""
        yield from ()

    @routine("kernel/sched/core.c")
    def switch_to(self, prev: int, next_: int) -> Routine:
        """Up to where the next task's stack is in use; runs for a new task as well."""
        yield from ()

    @routine("kernel/sched/core.c")
    def after_switch(self, next_: int) -> Routine:
        """What the next task does when it comes back from switch_to(); a new task does not."""
        yield from ()

    # ---- accessors -------------------------------------------------------------------------------

    @routine(PGTABLE_H)
    def ptep_get(self, entry: str) -> Routine:
        """Read an entry."""
        return (yield self._load(entry, "ptep_get"))

    # Stores that may be deferred: of an entry, and of one of the level above.
    set_pte, pte_clear, set_pmd, pmd_clear, ptep_modify_prot_commit = accessors(
        PGTABLE_H,
        "_store",
        ("set_pte", "pte_clear", "set_pmd", "pmd_clear", "ptep_modify_prot_commit"),
    )

    @routine(PGTABLE_H)
    def set_ptes(self, value: Value, entries: tuple[str, ...]) -> Routine:
        """Store consecutive entries, each as set_pte() does."""
        for entry in entries:
            yield self.set_pte(entry, value)

    # Exchanges for none, at once, which give what was there: of a huge page's entry, and of any.
    pmdp_huge_get_and_clear, ptep_get_and_clear = accessors(
        PGTABLE_H, "_exchange", ("pmdp_huge_get_and_clear", "ptep_get_and_clear")
    )

    @routine(PGTABLE_H)
    def set_pmd_at(self, entry: str, value: Value) -> Routine:
        """Change an entry of the level above that maps a huge page, or is to map one."""
        yield self.set_pmd(entry, value)

    @routine(PGTABLE_H)
    def ptep_set_wrprotect(self, entry: str) -> Routine:
        """Take the write permission away, at once."""
        yield self._protect(entry, "ptep_set_wrprotect")

    @routine(PGTABLE_H)
    def ptep_test_and_clear_young(self, entry: str) -> Routine:
        """Take the accessed bit away, at once; translations stay good."""
        yield self._age(entry)

    @routine(PGTABLE_H)
    def ptep_modify_prot_start(self, entry: str) -> Routine:
        """Begin to change an entry that hardware may change as well; gives its value."""
        return (yield self._exchange(entry, None, "ptep_modify_prot_start"))

    # ---- TLB maintenance -------------------------------------------------------------------------

    @routine("include/asm-generic/tlb.h")
    def flush_tlb_range(self, *entries: str) -> Routine:
        """No CPU has an old translation of these entries when it returns."""
        yield self._invalidate(entries)

    @routine("include/asm-generic/tlb.h")
    def tlb_flush(self, *entries: str) -> Routine:
        """The same on behalf of mmu_gather (mm/mmu_gather.c)."""
        yield self._invalidate(entries)

    # ---- steps -----------------------------------------------------------------------------------

    @atomic
    def _load(self, here: StepContext, entry: str, operation: str) -> Value:
        return self.memory.load(here, entry, operation)

    @atomic
    def _store(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        self.memory.write(here, entry, value, operation, "deferred")
        self.memory.store(here, entry, value)
        self.updated(here)

    @atomic
    def _exchange(self, here: StepContext, entry: str, value: Value, operation: str) -> Value:
        found: Value = here.entry(entry).stored
        late = self.invalidates_late
        self.memory.write(here, entry, value, operation, "immediate", put_off=late)
        self.memory.store(here, entry, value)
        self.updated(here)
        return found

    @atomic
    def _protect(self, here: StepContext, entry: str, operation: str) -> None:
        found: Value = here.entry(entry).stored
        value = protected(found)
        late = self.invalidates_late
        self.memory.write(here, entry, value, operation, "immediate", put_off=late)
        self.memory.store(here, entry, value)
        self.updated(here)

    @atomic
    def _age(self, here: StepContext, entry: str) -> None:
        value = aged(here.entry(entry).stored)
        self.memory.write(here, entry, value, "ptep_test_and_clear_young", "immediate")
        self.memory.store(here, entry, value)
        self.updated(here)

    @atomic
    def _invalidate(self, here: StepContext, entries: tuple[str, ...]) -> None:
        for entry in entries:
            space = self.memory.specs[entry].space
            here.emit(TlbFlush, scope="entry", space=space, how="now", entry=entry)
        here.cost("invalidation")
        self.memory.invalidate(here, entries, here.cpus)

    @staticmethod
    def flushed(here: StepContext, why: FlushWhy) -> None:
        """Say that pending work took effect."""
        here.emit(Flush, why=why)
