# SPDX-License-Identifier: GPL-2.0-or-later
"""Tasks: switching, blocking, fork and exit, in the order of kernel/sched/core.c.

A CPU that runs no task of the scenario runs its idle task, which stands for every other task of
the system too: it has never touched the mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import Exit, Fork, MaySleep, SwitchIn, SwitchOut, UserReturn
from lazymmu.machine.layout import Column
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.contract.event_words import SwitchWhy
    from lazymmu.machine.arch.base import Arch
    from lazymmu.machine.config import TaskSpec
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

NOWHERE: Final = -1

GOING: Final[Mapping[str, SwitchWhy]] = {
    "blocked": "blocked",
    "waiting": "lock",
    "sleeping": "blocked",
    "resched": "yielded",
    "dead": "exit",
}
"""States in which a task gives its CPU away by itself, and why it then is switched out."""


class Sched:
    """The scheduler of one machine.

    A task is "running" (on the CPU whose `curr` it is), "ready", "resched" (at a point where it
    may yield), "blocked" or "waiting" (about to sleep), "dead", or "unborn".
    """

    def __init__(self, arch: Arch, tasks: Sequence[TaskSpec]) -> None:
        """`arch`: whose switch hooks run."""
        self.arch = arch
        self.tasks = tasks
        self.numbers = {task.name: number for number, task in enumerate(tasks)}
        idle = len(tasks)
        self.columns = (
            Column("curr", "cpu", lambda cpu: self._first(cpu, idle)),
            Column("thread", "cpu", ()),
            Column("irq", "cpu", ""),
            Column("status", "task", self._status),
            Column("last_cpu", "task", self._last_cpu),
            Column("born", "task", self._born),
        )

    def _first(self, cpu: int, idle: int) -> int:
        there = [number for number, task in enumerate(self.tasks) if task.cpu == cpu]
        return there[0] if there else idle + cpu

    def _status(self, number: int) -> str:
        if number >= len(self.tasks):
            return "running"
        task = self.tasks[number]
        if task.forked:
            return "unborn"
        first = task.cpu >= 0 and self._first(task.cpu, len(self.tasks)) == number
        return "running" if first else "ready"

    def waits(self, number: int) -> bool:
        """Whether a task has run before the beginning and has been switched out since."""
        if number >= len(self.tasks):
            return self._first(number - len(self.tasks), len(self.tasks)) != number
        return self._status(number) == "ready"

    def _last_cpu(self, number: int) -> int:
        if number >= len(self.tasks):
            return number - len(self.tasks)
        return self.tasks[number].cpu

    def _born(self, number: int) -> int:
        """Whether the task has run before; one that waits at the beginning has been preempted."""
        return int(number >= len(self.tasks) or not self.tasks[number].forked)

    # ---- who may run where -----------------------------------------------------------------------

    def idle(self, cpu: int) -> int:
        """Number of a CPU's idle task."""
        return len(self.tasks) + cpu

    def schedulable(self, here: StepContext, number: int) -> bool:
        """Whether a task can be switched in on this CPU.

        The idle task only when no other one can: the scheduler never idles while somebody waits,
        and whoever else might come in his place does not touch the mode either.
        """
        if number >= len(self.tasks):
            others = range(len(self.tasks))
            return number == self.idle(here.cpu) and not any(
                self.schedulable(here, other) for other in others
            )
        task = here.task_at(number)
        if task.status != "ready":
            return False
        stays = task.migration_disabled or self.tasks[number].bound
        return not (stays and task.last_cpu not in (here.cpu, NOWHERE))

    def switch_reason(self, here: StepContext, *, involuntary: bool) -> SwitchWhy | None:
        """Why the current task may be switched out now; None: it may not."""
        number = here.task
        if number >= len(self.tasks):
            return "yielded" if not here.this_cpu.thread else None
        status = here.current.status
        if here.this_cpu.thread:
            return None
        if status in GOING:
            return GOING[status]
        return "preempted" if involuntary and here.preemptible else None

    # ---- the switch ------------------------------------------------------------------------------

    @routine("kernel/sched/core.c")
    def context_switch(self, next_: int, prev: int, why: SwitchWhy) -> Routine:
        """From `prev` to `next_`; interrupts are off from beginning to end."""
        yield self._out(why)
        yield self.arch.arch_start_context_switch(prev)
        yield self.arch.switch_mm_irqs_off(prev, next_)
        yield self.arch.switch_to(prev, next_)
        first = yield self._in(next_)
        if not first:
            yield self.arch.after_switch(next_)
        yield self.arch.observe("switch-in")
        if first:
            yield self.arch.observe("start")

    @local
    def _out(self, here: StepContext, why: SwitchWhy) -> None:
        """schedule_debug().

        Whoever gives its CPU away while atomic is told so, and its count is set to what it should
        have been; then all goes on.
        """
        current = here.current
        if why != "preempted" and here.task < len(self.tasks) and here.atomic:
            here.bug("scheduling while atomic")
            current.preempt_count = 0
            if not here.rt:
                current.bh_off = 0
        here.emit(SwitchOut, why=why)

    @atomic
    def _in(self, here: StepContext, next_: int) -> bool:
        """The next task is current; tells whether it never ran before."""
        prev, task = here.current, here.task_at(next_)
        if here.task < len(self.tasks):
            prev.status = "dead" if prev.status == "dead" else "ready"
        else:
            prev.status = "ready"
        first = not task.born
        here.this_cpu.curr = next_
        if next_ < len(self.tasks):
            here.emit(SwitchIn, first=first, from_cpu=task.last_cpu)
            task.last_cpu = here.cpu
            # finish_lock_switch(): whoever slept with interrupts off has them on now.
            here.local_irq_restore(said=True)
        task.born = 1
        task.status = "running"
        return first

    # ---- operations of programs ------------------------------------------------------------------

    @routine("kernel/sched/core.c")
    def schedule(self) -> Routine:
        """Block: the task sleeps, and wakes up some time later."""
        yield self._become("blocked", "schedule")
        yield self._go_on()

    @routine("kernel/sched/core.c")
    def cond_resched(self) -> Routine:
        """Give the CPU to somebody else, or not.

        Not at all while atomic (should_resched(0)), or with interrupts off.
        """
        yield self._offer()
        yield self._go_on()

    @routine("")
    def may_sleep(self, why: str) -> Routine:
        """Something that sleeps when it must, such as an allocation: as cond_resched()."""
        yield self._become("resched", why)
        yield self._go_on()

    @routine("kernel/fork.c")
    def fork(self, child: str) -> Routine:
        """copy_process(): the child is a copy of its running parent."""
        yield self._fork(child)

    @routine("kernel/exit.c")
    def do_exit(self) -> Routine:
        """The task ends, and somebody else gets its CPU."""
        yield self.arch.observe("exit")
        yield self._exit()

    @routine("kernel/entry/common.c")
    def exit_to_user_mode(self) -> Routine:
        """The task goes back to user mode, and comes again by a system call."""
        yield self.arch.observe("user-return")
        yield self._user()

    @atomic
    def _become(self, here: StepContext, status: str, why: str) -> None:
        """What comes of a sleep in an interrupt is left out: the machine stops there."""
        here.emit(MaySleep, why=why, certain=status == "blocked")
        if here.this_cpu.irq:
            here.bug_on(True, "scheduling while atomic")
            return
        here.current.status = status

    @atomic
    def _offer(self, here: StepContext) -> None:
        here.emit(MaySleep, why="cond_resched", certain=False)
        if not here.atomic and not here.current.irqs_off:
            here.current.status = "resched"

    @atomic
    def _go_on(self, here: StepContext) -> None:
        """Back on a CPU; at a mere offer to yield also without having left it."""
        current = here.current
        here.wait_for(current.status != "blocked")
        if not here.this_cpu.irq:
            current.status = "running"

    @atomic
    def _fork(self, here: StepContext, child: str) -> None:
        number = self.numbers[child]
        names = ("enable_count", "pause_count", *self.arch.forked)
        inherited = tuple(name for name in names if name not in self.arch.fresh)
        here.copy(inherited, here.task, number)
        here.task_at(number).status = "ready"
        here.emit(Fork, child=child)

    @atomic
    def _exit(self, here: StepContext) -> None:
        here.emit(Exit)
        here.current.status = "dead"

    @atomic
    def _user(self, here: StepContext) -> None:
        here.emit(UserReturn)
