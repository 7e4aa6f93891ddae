# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks and what keeps a task where it is.

Without PREEMPT_RT a page-table lock is a spin lock: preemption off, wait by spinning.  With it the
lock sleeps: migration off, and a task that must wait is switched out (kernel/locking/
spinlock_rt.c, rt_spin_lock()).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.events import Drop, MaySleep, Pin, Take, Unpin
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import Retry, atomic, local, routine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.contract.event_words import LockClass
    from lazymmu.machine.config import LockSpec
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

FREE = -1


class MachineLocks:
    """The locks of one machine, and the pins of its tasks."""

    def __init__(self, locks: Iterable[LockSpec], *, rt: bool) -> None:
        """`rt`: PREEMPT_RT."""
        self.classes: Mapping[str, LockClass] = {lock.name: lock.cls for lock in locks}
        self.rt = rt
        self.columns = (
            Column("owner", "lock", FREE),
            Column("preempt_count", "task", 0),
            Column("migration_disabled", "task", 0),
            Column("bh_off", "task", 0),
            Column("irqs_off", "task", 0),
        )

    @atomic
    def take(self, here: StepContext, lock: str) -> None:
        """Acquire: spin, or on PREEMPT_RT sleep, until the lock is free."""
        slot, current = here.lock(lock), here.current
        if self.rt:
            if slot.owner != FREE:
                # rtlock_slowlock() schedules; whoever disabled preemption before may not.
                current.status = "waiting"
                raise Retry
            current.status = "running"
            current.migration_disabled += 1
        else:
            here.wait_for(slot.owner == FREE)
            here.preempt_disable()
        slot.owner = here.task
        here.emit(Take, lock=lock, cls=self.classes[lock])

    @atomic
    def drop(self, here: StepContext, lock: str) -> None:
        """Release.  A lock that somebody else holds, or nobody, is a BUG of the program."""
        slot, current = here.lock(lock), here.current
        if here.bug_on(slot.owner != here.task, f"spin_unlock({lock}) without holding it"):
            return
        slot.owner = FREE
        if self.rt:
            current.migration_disabled -= 1
        else:
            here.preempt_enable()
        here.emit(Drop, lock=lock, cls=self.classes[lock])

    @atomic
    def _try(self, here: StepContext, lock: str) -> bool:
        slot = here.lock(lock)
        if slot.owner != FREE:
            return False
        slot.owner = here.task
        if self.rt:
            here.current.migration_disabled += 1
        else:
            here.preempt_disable()
        here.emit(Take, lock=lock, cls=self.classes[lock], how="try")
        return True

    # ---- mutexes -----------------------------------------------------------------------------

    @atomic
    def _say_sleep(self, here: StepContext) -> None:
        here.emit(MaySleep, why="mutex_lock")
        if here.this_cpu.irq:
            here.bug_on(True, "scheduling while atomic")

    @atomic
    def _lock(self, here: StepContext, mutex: str) -> None:
        """The task sleeps while another one has it."""
        slot, current = here.lock(mutex), here.current
        if slot.owner != FREE:
            current.status = "sleeping"
            raise Retry
        current.status = "running"
        slot.owner = here.task
        here.emit(Take, lock=mutex, cls="other")

    @atomic
    def _trylock(self, here: StepContext, mutex: str) -> bool:
        slot = here.lock(mutex)
        if slot.owner != FREE:
            return False
        slot.owner = here.task
        here.emit(Take, lock=mutex, cls="other", how="try")
        return True

    @atomic
    def _unlock(self, here: StepContext, mutex: str) -> None:
        slot = here.lock(mutex)
        if here.bug_on(slot.owner != here.task, f"mutex_unlock({mutex}) without holding it"):
            return
        slot.owner = FREE
        here.emit(Drop, lock=mutex, cls="other")

    @routine("kernel/locking/mutex.c")
    def mutex_lock(self, mutex: str) -> Routine:
        """Take a mutex, and sleep until it is free."""
        yield self._say_sleep()
        yield self._lock(mutex)

    @routine("kernel/locking/mutex.c")
    def mutex_trylock(self, mutex: str) -> Routine:
        """Take a mutex if nobody has it; tells whether it did."""
        return (yield self._trylock(mutex))

    @routine("kernel/locking/mutex.c")
    def mutex_unlock(self, mutex: str) -> Routine:
        """Drop a mutex."""
        yield self._unlock(mutex)

    @routine("include/linux/spinlock.h")
    def spin_lock(self, lock: str) -> Routine:
        """Take a lock."""
        yield self.take(lock)

    @routine("include/linux/spinlock.h")
    def spin_trylock(self, lock: str) -> Routine:
        """Take a lock if nobody has it; tells whether it did."""
        return (yield self._try(lock))

    @routine("include/linux/spinlock.h")
    def spin_unlock(self, lock: str) -> Routine:
        """Drop a lock."""
        yield self.drop(lock)

    @local
    def _pin(self, here: StepContext, kind: str, variable: str) -> None:
        self._add_pin(here, kind, variable)

    @atomic
    def _pin_seen(self, here: StepContext, kind: str, variable: str) -> None:
        self._add_pin(here, kind, variable)

    @staticmethod
    def _add_pin(here: StepContext, kind: str, variable: str) -> None:
        current = here.current
        setattr(current, variable, getattr(current, variable) + 1)
        here.emit(Pin, kind=kind)

    @atomic
    def _unpin(self, here: StepContext, kind: str, variable: str) -> None:
        current = here.current
        if here.bug_on(getattr(current, variable) == 0, f"{kind} enabled once too often"):
            return
        setattr(current, variable, getattr(current, variable) - 1)
        here.emit(Unpin, kind=kind)

    @local
    def _preempt_disable(self, here: StepContext) -> None:
        here.preempt_disable(said=True)

    @atomic
    def _preempt_enable(self, here: StepContext) -> None:
        here.preempt_enable(said=True)

    @routine("include/linux/preempt.h")
    def preempt_disable(self) -> Routine:
        """The task keeps its CPU."""
        yield self._preempt_disable()

    @routine("include/linux/preempt.h")
    def preempt_enable(self) -> Routine:
        """And may lose it again."""
        yield self._preempt_enable()

    @routine("kernel/sched/core.c")
    def migrate_disable(self) -> Routine:
        """The task may lose its CPU and comes back to the same one."""
        yield self._pin("migrate", "migration_disabled")

    @routine("kernel/sched/core.c")
    def migrate_enable(self) -> Routine:
        """And may go elsewhere again."""
        yield self._unpin("migrate", "migration_disabled")

    @routine("include/linux/bottom_half.h")
    def local_bh_disable(self) -> Routine:
        """No soft interrupt here; in_interrupt() is true from now on.

        On PREEMPT_RT a sleeping lock of the CPU is taken (kernel/softirq.c), so that the task may
        be preempted and stays where it is.
        """
        if self.rt:
            yield self._pin("migrate", "migration_disabled")
            # A step of its own: the switch that may come now asks in_interrupt().
            yield self._pin_seen("bh", "bh_off")
        else:
            yield self._pin("bh", "bh_off")

    @routine("include/linux/bottom_half.h")
    def local_bh_enable(self) -> Routine:
        """Soft interrupts again."""
        yield self._unpin("bh", "bh_off")
        if self.rt:
            yield self._unpin("migrate", "migration_disabled")

    @local
    def _irq_save(self, here: StepContext) -> int:
        return here.local_irq_save(said=True)

    @atomic
    def _irq_restore(self, here: StepContext, flags: int) -> None:
        here.local_irq_restore(flags, said=True)

    @routine("include/linux/irqflags.h")
    def local_irq_disable(self) -> Routine:
        """No interrupt here; in_interrupt() does not notice. Twice is as once."""
        yield self._irq_save()

    @routine("include/linux/irqflags.h")
    def local_irq_enable(self) -> Routine:
        """Interrupts again, however often they were put off."""
        yield self._irq_restore(0)

    @routine("include/linux/irqflags.h")
    def local_irq_save(self) -> Routine:
        """No interrupt here; gives whether there was none before."""
        return (yield self._irq_save())

    @routine("include/linux/irqflags.h")
    def local_irq_restore(self, flags: int) -> Routine:
        """As local_irq_save() found it."""
        yield self._irq_restore(flags)
