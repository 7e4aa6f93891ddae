# SPDX-License-Identifier: GPL-2.0-or-later
"""s390 as posted: entries of one table go to a cache of the CPU, and to memory at the end.

Not in any release.  "[PATCH v6 0/4] s390/mm: Batch PTE updates in lazy MMU mode" (A. Gordeev,
linux-s390, 2026-07-15; RFC 2026-03-25, v8 2026-10-07) has arch/s390/mm/lazy_mmu.c and, in
include/linux/pgtable.h, lazy_mmu_mode_enable_with_ptes(mm, addr, end, ptep).  It is the worked
example of a port (docs/porting.rst).

A valid entry must be invalidated before it is changed; IPTE does that, in the entry and in all
TLBs, for up to 256 entries of one table, and may stop the whole machine meanwhile.  So the mode

    is given a range of entries when it begins; without one it batches nothing
    disables preemption, from the beginning to the end
    puts every change of an entry in the range into the CPU's cache: the atomic ones as well
    reads entries of the range through the cache
    at the end stores what was cached, with one IPTE for each run of valid entries

A beginning inside a section changes nothing, whatever range it names: updates outside the range of
the outermost one are made at once.  lazy_mmu_mode_resume() has no range to give: from there to the
end of the section nothing is batched.

A question for the series, which this class answers as it is written (asm/pgtable.h, read in v4 and
v5): the accessors ask a count of the CPU (lowcore's lazy_mmu_count), and not in_interrupt(), so
that an interrupt which changes an entry of the interrupted section's range has its change put off.

Left out: that other CPUs may see an entry invalid between IPTE and store, the flushes that
ptep_xchg_lazy() puts off itself when no other CPU uses the mm, and protected guests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from lazymmu.machine.arch.base import Arch, protected
from lazymmu.machine.generic_api import CountedMode
from lazymmu.machine.layout import Column
from lazymmu.machine.memory import page_of
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import FlushWhy, Known
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

LAZY_MMU_C: Final = "arch/s390/mm/lazy_mmu.c"
PGTABLE_H: Final = "arch/s390/include/asm/pgtable.h"


class PostedMode(CountedMode):
    """The generic API with lazy_mmu_mode_enable_with_ptes().

    From "mm: make lazy MMU mode context-aware", 1/4 of the series.
    """

    arch: S390Posted

    @routine("include/linux/pgtable.h")
    def lazy_mmu_mode_enable_with_ptes(self, *entries: str) -> Routine:
        """A section that will change these entries, mostly."""
        yield from self._framed("lazy_mmu_mode_enable_with_ptes", self._enter_with_ptes(entries))

    def _enter_with_ptes(self, entries: tuple[str, ...]) -> Routine:
        if (yield self._enable()):
            if entries:
                yield self.arch.arch_enter_lazy_mmu_mode_with_ptes(entries)
            else:
                yield self.arch.arch_enter_lazy_mmu_mode()
        yield self.arch.observe("enable")

    @routine("include/linux/pgtable.h")
    def lazy_mmu_mode_enable(self) -> Routine:
        """What a scenario says: the series has core-mm name the table that it walks."""
        yield self.lazy_mmu_mode_enable_with_ptes(*self.arch.table())


class S390Posted(Arch):
    """v6 of the series, on top of 7.3.

    lazy_mmu_count: sections that have begun on this CPU, of which there is one at most; range: the
    entries it was begun with; cache: (entry, value) of those that were changed since.
    """

    fault = "arch/s390/mm/fault.c"
    row = "s390-posted"
    api = PostedMode
    columns: ClassVar[tuple[Column, ...]] = (
        Column("lazy_mmu_count", "cpu", 0),
        Column("range", "cpu", ()),
        Column("cache", "cpu", ()),
    )

    def mode_on(self, here: StepContext) -> Known:
        """Whether a section has begun here, and with a range."""
        return "yes" if here.this_cpu.lazy_mmu_count and here.this_cpu.range else "no"

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """The CPU's cache."""
        return tuple((entry, f"set {value or 'none'}") for entry, value in here.cpu_at(cpu).cache)

    def table(self) -> tuple[str, ...]:
        """The entries that a walk over a scenario's first table goes through, in their order."""
        tables = [
            (spec.space, spec.mm, spec.parent)
            for spec in self.memory.specs.values()
            if spec.level == "pte"
        ]
        return tuple(
            name
            for name, spec in self.memory.specs.items()
            if spec.level == "pte" and [(spec.space, spec.mm, spec.parent)] == tables[:1]
        )

    # ---- the mode's hooks ------------------------------------------------------------------------

    @routine(LAZY_MMU_C)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """enter_ipte_norange(): count, and batch nothing."""
        yield self._enter(())

    @routine(LAZY_MMU_C)
    def arch_enter_lazy_mmu_mode_with_ptes(self, entries: tuple[str, ...]) -> Routine:
        """enter_ipte_range()."""
        yield self._enter(entries)

    @routine(LAZY_MMU_C)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """leave_ipte_range(): store what is cached, forget the range."""
        yield self._leave()

    @routine(LAZY_MMU_C)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """flush_lazy_mmu_mode(): leave, and enter again with the same range."""
        yield self._flush()

    @atomic
    def _enter(self, here: StepContext, entries: tuple[str, ...]) -> None:
        # get_cpu_var() comes first: from here on the CPU is the task's.
        here.preempt_disable(said=True)
        here.this_cpu.lazy_mmu_count += 1
        here.this_cpu.range = entries

    @atomic
    def _leave(self, here: StepContext) -> None:
        here.warn_on(
            here.preemptible, "lockdep_assert_preemption_disabled()", "CONFIG_PROVE_LOCKING"
        )
        self.store_cached(here, "leave")
        here.this_cpu.range = ()
        here.this_cpu.lazy_mmu_count -= 1
        here.preempt_enable(said=True)

    @atomic
    def _flush(self, here: StepContext) -> None:
        self.store_cached(here, "api")

    def store_cached(self, here: StepContext, why: FlushWhy) -> None:
        """set_pte_range(): one IPTE for each run of valid entries, then the stores."""
        this_cpu = here.this_cpu
        cache: dict[str, Value] = dict(this_cpu.cache)
        this_cpu.cache = ()
        in_a_run = False
        for entry in this_cpu.range:
            valid = entry in cache and page_of(here.entry(entry).stored) is not None
            if valid and not in_a_run:
                here.cost("invalidation")
            in_a_run = valid
            if entry in cache:
                self.memory.take_effect(here, entry, cache[entry], ())
                self.memory.invalidate(here, (entry,), here.cpus)
        if cache:
            self.flushed(here, why)

    # ---- the cache -------------------------------------------------------------------------------

    @staticmethod
    def cached(here: StepContext, entry: str) -> bool:
        """is_lazy_mmu_active() and this_ipte_range(): whether the cache is asked for an entry."""
        return bool(here.this_cpu.lazy_mmu_count) and entry in here.this_cpu.range

    def found(self, here: StepContext, entry: str) -> Value:
        """__ipte_range_ptep_get(): from the cache, else from memory."""
        if self.cached(here, entry):
            for name, value in here.this_cpu.cache:
                if name == entry:
                    return value  # type: ignore[no-any-return]
        return here.entry(entry).stored  # type: ignore[no-any-return]

    def put(self, here: StepContext, entry: str, value: Value) -> None:
        """__ipte_range_set_pte()."""
        others = tuple(item for item in here.this_cpu.cache if item[0] != entry)
        here.this_cpu.cache = tuple(sorted((*others, (entry, value)), key=lambda item: item[0]))

    # ---- accessors -------------------------------------------------------------------------------

    @atomic
    def _load(self, here: StepContext, entry: str, operation: str) -> Value:
        """ptep_get(): what this CPU reads is what it wrote."""
        return self.memory.seen(here, entry, operation, self.found(here, entry))

    @atomic
    def _store(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        """set_pte(), pte_clear(), ptep_modify_prot_commit(); set_pmd() is in no range."""
        self.memory.write(here, entry, value, operation, "deferred")
        late = self.cached(here, entry)
        if late:
            self.put(here, entry, value)
        else:
            self.memory.store(here, entry, value)
        self.updated(here, waits=late)

    @atomic
    def _exchange(self, here: StepContext, entry: str, value: Value, operation: str) -> Value:
        """ptep_get_and_clear(), ptep_modify_prot_start(): in the range no exchange at all."""
        found = self.found(here, entry)
        self._change(here, entry, value, operation)
        return found

    @atomic
    def _protect(self, here: StepContext, entry: str, operation: str) -> None:
        """ptep_set_wrprotect(), likewise."""
        self._change(here, entry, protected(self.found(here, entry)), operation)

    def _change(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        late = self.cached(here, entry)
        self.memory.write(here, entry, value, operation, "immediate", put_off=late)
        if late:
            self.put(here, entry, value)
        else:
            # ptep_xchg_lazy() invalidates what it changes.
            self.memory.store(here, entry, value)
            here.cost("invalidation")
            self.memory.invalidate(here, (entry,), here.cpus)
        self.updated(here, waits=late)
