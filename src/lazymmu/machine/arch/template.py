# SPDX-License-Identifier: GPL-2.0-or-later
"""A template for an implementation of one's own: copy it, rename it, and change what differs.

It is the design that powerpc hash and sparc64 have from v7.0 on, in its shortest form: stores are
immediate, TLB invalidations wait in a batch of the CPU, preemption is off while the mode is on.
docs/porting.rst says how to run every scenario against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.events import TlbFlush
from lazymmu.machine.arch.base import Arch, protected
from lazymmu.machine.layout import Column
from lazymmu.machine.memory import NOTHING
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import FlushWhy, How, Known
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

# Where the kernel has (or will have) what a routine says: printed beside each step.
TLB_C = "arch/mine/mm/tlb.c"


class Mine(Arch):
    """One class for each state of the features; no question about releases in it."""

    # The name that reports print, and that `--release` takes.
    row = "mine-batch"
    # Variables: name, what there is one of ("cpu", "task", "entry", "system"), value at first.
    # Few and small: every combination of values is a state to be searched.
    columns = (Column("batch", "cpu", NOTHING),)
    # Variables of a task that fork() copies with its task_struct or thread_info: none here.
    forked = ()

    # ---- the truth about it: reports and rules look here, nothing else does --------------------

    def mode_on(self, here: StepContext) -> Known:
        """Whether an update made now would be put off, were it not for an interrupt."""
        current = here.current
        return "yes" if current.enable_count and not current.pause_count else "no"

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """What waits on a CPU, or with the task that runs there: (entry, what)."""
        return tuple((entry, "invalidate") for entry in sorted(here.cpu_at(cpu).batch))

    # ---- the hooks: routines, named as in the kernel, that yield steps and calls ----------------

    @routine(TLB_C)
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """The generic counters say that the mode is on (from v7.0); only the pin is left to do."""
        yield self._pin()

    @routine(TLB_C)
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """Two steps: an interrupt may come between them, and here nothing else can."""
        yield self._flush("leave")
        yield self._unpin()

    @routine(TLB_C)
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """From v7.0 on the end of an inner section, too: it must do something."""
        yield self._flush("api")

    # ---- the accessors; those not named here are immediate (base.py) ----------------------------

    @routine(TLB_C)
    def flush_tlb_range(self, *entries: str) -> Routine:
        """Changes put their invalidations into the batch themselves."""
        yield self._flush_tlb(entries)

    @routine(TLB_C)
    def tlb_flush(self, *entries: str) -> Routine:
        """mmu_gather frees pages after this, so that the batch must be empty."""
        yield self._flush("full")

    # ---- steps: each happens in one go, as with interrupts off ----------------------------------

    @atomic
    def _store(self, here: StepContext, entry: str, value: Value, operation: str) -> None:
        """set_pte(), pte_clear(), set_pmd() and ptep_modify_prot_commit() (see base.py)."""
        self._change(here, entry, value, operation, "deferred")

    @atomic
    def _exchange(self, here: StepContext, entry: str, value: Value, operation: str) -> Value:
        """ptep_get_and_clear() and ptep_modify_prot_start()."""
        found: Value = here.entry(entry).stored
        self._change(here, entry, value, operation, "immediate")
        return found

    @atomic
    def _protect(self, here: StepContext, entry: str, operation: str) -> None:
        """ptep_set_wrprotect()."""
        self._change(here, entry, protected(here.entry(entry).stored), operation, "immediate")

    def _change(
        self, here: StepContext, entry: str, value: Value, operation: str, how: How
    ) -> None:
        """Not a step: part of one."""
        # Says what the code does, and that the invalidation of an immediate change may wait.
        self.memory.write(here, entry, value, operation, how, put_off=True)
        self.memory.store(here, entry, value)  # and does it: TLBs may hold the old entry now
        lazy = here.lazy_active  # is_lazy_mmu_mode_active(): false in interrupt context
        if lazy:
            here.this_cpu.batch = here.this_cpu.batch | {entry}
        else:
            here.cost("invalidation")
            self.memory.invalidate(here, (entry,), here.cpus)
        self.updated(here, waits=lazy)  # what an interrupt finds, for the rule irq-deferred

    @atomic
    def _flush_tlb(self, here: StepContext, entries: tuple[str, ...]) -> None:
        for entry in entries:
            space = self.memory.specs[entry].space
            here.emit(TlbFlush, scope="entry", space=space, how="noop", entry=entry)

    @atomic
    def _flush(self, here: StepContext, why: FlushWhy) -> None:
        batch = here.this_cpu.batch
        if batch:
            here.this_cpu.batch = NOTHING
            here.cost("invalidation")  # what takes time, for who counts
            self.memory.invalidate(here, sorted(batch), here.cpus)
            self.flushed(here, why)

    @atomic
    def _pin(self, here: StepContext) -> None:
        here.preempt_disable(said=True)

    @atomic
    def _unpin(self, here: StepContext) -> None:
        here.preempt_enable(said=True)
