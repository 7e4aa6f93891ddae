# SPDX-License-Identifier: GPL-2.0-or-later
"""What core-mm code stands on, and what all of it shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.config import ConfigError
from lazymmu.machine.memory import page_of
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from lazymmu.machine.arch.base import Arch
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.core_mm_features import CoreMM
    from lazymmu.machine.generic_api import DirectMode
    from lazymmu.machine.locks import MachineLocks
    from lazymmu.machine.memory import Memory
    from lazymmu.machine.mm import CoreCode
    from lazymmu.machine.sched import Sched
    from lazymmu.machine.steps import Routine


class Part:
    """The code of one kernel file; the base of all of them.

    :param operations: names of what programs may call.
    :param locked: whose entries must have a page-table lock for them, "user", "kernel" or both.
    :param alternatives: the most that a choice in its own code has.
    :param code: everything else of the kernel.
    """

    operations: ClassVar[tuple[str, ...]] = ()
    locked: ClassVar[tuple[str, ...]] = ()
    alternatives: ClassVar[int] = 0

    def __init__(self, code: CoreCode) -> None:
        """`code`: what the part belongs to; its other parts may not be there yet."""
        self.code = code

    # ---- what the rest of the machine offers -----------------------------------------------------

    @property
    def arch(self) -> Arch:
        """The architecture's accessors and TLB maintenance."""
        return self.code.arch

    @property
    def mode(self) -> DirectMode:
        """The generic API of the mode."""
        return self.code.mode

    @property
    def locks(self) -> MachineLocks:
        """Locks, pins, migration."""
        return self.code.locks

    @property
    def memory(self) -> Memory:
        """Entries, TLBs, pages."""
        return self.code.memory

    @property
    def sched(self) -> Sched:
        """Sleeping and yielding."""
        return self.code.sched

    @property
    def features(self) -> CoreMM:
        """What this release's core-mm code does."""
        return self.code.features

    # ---- what an entry's place says --------------------------------------------------------------

    def is_kernel(self, entry: str) -> bool:
        """Whether it belongs to init_mm: no page-table lock is taken for it."""
        return self.memory.specs[entry].space == "kernel"

    def ptl(self, entry: str) -> str:
        """pte_lockptr() and pmd_lockptr(): the lock of the table in which the entry lies.

        For kernel entries init_mm.page_table_lock.

        :raises ConfigError: the scenario has none.
        """
        locks = self.memory.specs[entry].locks
        if not locks:
            raise ConfigError(f"{entry} has no page-table lock, and this operation takes it")
        return locks[0]

    def lock_of(self, entry: str) -> str:
        """As `ptl`, "" where there is none."""
        spec = self.memory.specs.get(entry)
        return "" if spec is None or not spec.locks else spec.locks[0]

    def above_of(self, entry: str) -> str:
        """As `pmd`, "" for what is no entry, too."""
        spec = self.memory.specs.get(entry)
        return "" if spec is None else spec.parent

    def pmd(self, entry: str) -> str:
        """The entry above, which leads to the table; "" when that table never goes away."""
        return self.memory.specs[entry].parent

    # ---- reads that only a decision depends on ---------------------------------------------------

    @routine("")
    def none(self, entry: str) -> Routine:
        """pte_none(ptep_get(ptep))."""
        return (yield self.arch.ptep_get(entry)) is None

    @routine("")
    def present(self, entry: str) -> Routine:
        """pte_present(ptep_get(ptep))."""
        return page_of((yield self.arch.ptep_get(entry))) is not None

    # ---- steps -----------------------------------------------------------------------------------

    @atomic
    def read(self, here: StepContext, entry: str, operation: str) -> Value:
        """Read an entry of any level through its pointer."""
        return self.memory.load(here, entry, operation)

    @local
    def folio_reaches(self, _here: StepContext, value: Value, entries: tuple[str, ...]) -> bool:
        """Whether a folio reaches beyond a range, so that it must be split: it stays as it is."""
        return self.code.is_large(value, entries)

    @local
    def bug_on(self, here: StepContext, condition: bool, text: str) -> None:
        """BUG_ON()."""
        here.bug_on(condition, text)

    @local
    def warn_on(self, here: StepContext, condition: bool, text: str) -> None:
        """WARN_ON()."""
        here.warn_on(condition, text)

    @local
    def vm_warn_on(self, here: StepContext, condition: bool, text: str) -> None:
        """VM_WARN_ON()."""
        here.vm_warn_on(condition, text)
