# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine: its state, what can happen next, and what happens then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.contract.events import IrqEnter, IrqExit
from lazymmu.machine.config import ConfigError, MachineConfig, Preempt
from lazymmu.machine.context import StepContext
from lazymmu.machine.continuations import Continuations, functions, innermost
from lazymmu.machine.control import alternatives
from lazymmu.machine.layout import Column, Layout
from lazymmu.machine.locks import MachineLocks
from lazymmu.machine.memory import Memory
from lazymmu.machine.mm import CoreCode
from lazymmu.machine.operation_names import (
    ARCH_OPERATIONS,
    LOCK_OPERATIONS,
    MODE_OPERATIONS,
)
from lazymmu.machine.operations import Programs, gather
from lazymmu.machine.pages import mapped_by
from lazymmu.machine.releases import PORTS, find
from lazymmu.machine.sched import Sched
from lazymmu.machine.steps import Blocked, Retry, local, routine

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from lazymmu.contract.event_words import IrqKind
    from lazymmu.contract.events import Event
    from lazymmu.machine.config import Op
    from lazymmu.machine.continuations import Stack
    from lazymmu.machine.generic_api import DirectMode
    from lazymmu.machine.layout import StateRow
    from lazymmu.machine.operations import Operation
    from lazymmu.machine.releases import Release
    from lazymmu.machine.steps import Routine, RoutineCall, Step

MAX_CPUS = 3


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can happen next.

    :param kind: "run" (the CPU's current task, its interrupt or its switch goes on), "choose" (the
        same, where it has a choice: alternative `number`), "switch" (to task `number`), "interrupt"
        (number `number`) or "walk" (the CPU's page walker caches an entry).
    """

    kind: str
    cpu: int
    number: int = 0
    text: str = ""

    def __str__(self) -> str:
        """As reports print it."""
        return f"cpu{self.cpu} {self.text}"


@dataclass(frozen=True, slots=True)
class StepDescription:
    """Whose step an action is, where the program is, and what the step is called.

    :param stack: kernel functions, outermost first.
    :param source: where the kernel has the innermost one.
    """

    task: str
    stack: tuple[str, ...]
    what: str
    source: str


class Machine:
    """A machine built from a `MachineConfig`.

    fields: (name, number of values or None) of each place in a state; initial: the first state;
    actions: everything that can ever happen; see `step()`.
    """

    def __init__(
        self,
        config: MachineConfig,
        *,
        cached: bool = True,
        core_mode: Callable[[DirectMode], DirectMode] | None = None,
    ) -> None:
        """Make a machine.

        :param cached: see `Continuations`.
        :param core_mode: makes the API that core-mm code calls, for what sections cost.
        :raises ConfigError: for a machine that no kernel is.
        """
        self.config = config
        self.release, implementation = find(config.arch, config.release)
        # A port is tried on whatever kernel its author has in mind.
        _refuse(config, self.release)
        self.memory = Memory(config.entries, config.cpus, walks=config.walks)
        self.arch = implementation(self.memory)
        self.sched = Sched(self.arch, config.tasks)
        self.mode = (self.arch.api or self.release.mode)(self.arch, self.sched.waits)
        self.locks = MachineLocks(config.locks, rt=config.rt)
        self.core = CoreCode(
            config.arch,
            self.release.mm,
            arch=self.arch,
            mode=self.mode if core_mode is None else core_mode(self.mode),
            locks=self.locks,
            pages=self.memory,
            sched=self.sched,
            forms=self.release.forms,
        )
        self.operations: dict[str, Operation] = {
            name: operation
            for name, operation in gather(self._parts()).items()
            if name not in self.release.mm.lacks
        }
        given = (*(t.program for t in config.tasks), *(irq.program for irq in config.interrupts))
        for program in given:
            self.core.check(program, self.operations)
        for spec in config.entries:
            self.core.check_word(spec.value)
        self.programs = Programs(self.operations)
        self.continuations = Continuations(cached=cached)
        self.memory.know_pages(mapped_by(config, self.operations))
        own = (self.arch.alternatives, self.core.alternatives)
        self._alternatives = max((*own, *map(alternatives, given)))
        self._handlers = tuple(self.handler(irq.kind, irq.program) for irq in config.interrupts)
        for irq in config.interrupts:
            self.programs.run(irq.program)  # an operation that is not there is refused now
        self.layout = Layout(self._columns(), self._names())
        self.fields = tuple(self.layout.fields)
        self.initial = self.layout.initial
        self.actions = tuple(self._actions())
        self._index = {
            kind: {name: number for number, name in enumerate(names)}
            for kind, names in self.layout.names.items()
        }

    # ---- assembly --------------------------------------------------------------------------------

    def _parts(self) -> Iterator[tuple[object, tuple[str, ...]]]:
        yield self.arch, ARCH_OPERATIONS
        yield self.memory, ("access", "access_write", "settle", "free_page")
        yield self.arch, ("access", "access_write")
        yield self.locks, LOCK_OPERATIONS
        yield self.sched, ("schedule", "cond_resched", "fork", "do_exit", "exit_to_user_mode")
        yield self.mode, MODE_OPERATIONS
        yield from self.core.parts()

    def _names(self) -> dict[str, tuple[str, ...]]:
        config = self.config
        cpus = tuple(f"cpu{number}" for number in range(config.cpus))
        entries = tuple(spec.name for spec in config.entries)
        return {
            "system": ("system",),
            "cpu": cpus,
            "task": (
                *(task.name for task in config.tasks),
                *(f"swapper/{number}" for number in range(config.cpus)),
            ),
            "entry": entries,
            "lock": tuple(lock.name for lock in config.locks),
            "page": self.memory.pages,
            "irq": tuple(irq.name for irq in config.interrupts),
            "tlb": tuple(f"{cpu}.{entry}" for cpu in cpus for entry in entries),
        }

    def _columns(self) -> Iterator[Column]:
        yield Column("panicked", "system", 0, 2)
        yield Column("stack", "task", self._program)
        yield from self.sched.columns
        yield from self.locks.columns
        yield from self.mode.columns
        yield from self.arch.columns
        yield from self.memory.columns
        yield Column("left", "irq", lambda number: self.config.interrupts[number].times)

    def _program(self, number: int) -> Stack:
        if number >= len(self.config.tasks):
            return ()
        return self.continuations.begin(self._life(self.config.tasks[number].program))

    @routine("")
    def _life(self, program: tuple[Op, ...]) -> Routine:
        yield self.programs.run(program)
        yield self.sched.do_exit()

    def handler(self, kind: IrqKind, program: tuple[Op, ...]) -> RoutineCall:
        """What a CPU does in an interrupt whose handler is `program`."""
        return self._interrupt(kind, program)

    @routine("")
    def _interrupt(self, kind: str, program: tuple[Op, ...]) -> Routine:
        yield self._irq_enter(kind)
        yield self.programs.run(program)
        yield self._irq_exit(kind)

    @local
    def _irq_enter(self, here: StepContext, kind: str) -> None:
        here.emit(IrqEnter, kind=kind)

    @local
    def _irq_exit(self, here: StepContext, kind: str) -> None:
        # Whoever was interrupted had interrupts on, and has them again.
        here.local_irq_restore(said=True)
        here.this_cpu.irq = ""
        here.emit(IrqExit, kind=kind)

    def _actions(self) -> Iterator[Action]:
        tasks = self.layout.names["task"]
        for cpu in range(self.config.cpus):
            yield Action("run", cpu, 0, "goes on")
        for cpu in range(self.config.cpus):
            for number in range(self._alternatives):
                yield Action("choose", cpu, number, f"goes on with choice {number + 1}")
        for cpu in range(self.config.cpus):
            for number, name in enumerate(tasks):
                if number < len(self.config.tasks) or number == self.sched.idle(cpu):
                    yield Action("switch", cpu, number, f"switches to {name}")
        for number, irq in enumerate(self.config.interrupts):
            for cpu in range(self.config.cpus):
                if irq.cpu in (-1, cpu):
                    yield Action("interrupt", cpu, number, f"gets interrupt {irq.name}")
        if self.config.walks:
            for cpu in range(self.config.cpus):
                for number, spec in enumerate(self.config.entries):
                    yield Action("walk", cpu, number, f"walks to {spec.name}")

    # ---- what happens ----------------------------------------------------------------------------

    def here(
        self, view: StateRow, cpu: int, costs: Callable[[str], None] | None = None
    ) -> StepContext:
        """A look at a state from a CPU."""
        config = self.config
        # CONFIG_PREEMPTION selects PREEMPT_COUNT (kernel/Kconfig.preempt).
        counts = config.preempt.involuntary
        return StepContext(view, self.layout, self._index, cpu, costs, rt=config.rt, counts=counts)

    def step(
        self, view: StateRow, number: int, costs: Callable[[str], None] | None = None
    ) -> tuple[Event, ...] | None:
        """Let action `number` happen; gives what happened, or None when it cannot happen now."""
        action = self.actions[number]
        here = self.here(view, action.cpu, costs)
        if here.system.panicked:
            return None
        match action.kind:
            case "run":
                done = self._run(here)
            case "choose":
                here.choice = action.number
                done = self._run(here)
            case "switch":
                done = self._switch(here, action.number)
            case "interrupt":
                done = self._deliver(here, action.number)
            case _:
                done = self.memory.fill(here, self.config.entries[action.number].name)
        return tuple(here.events) if done else None

    def _run(self, here: StepContext) -> bool:
        """Steps of this CPU: local ones and the one after them.

        At the end of a switch or an interrupt the CPU may be taken away again before the task has
        done anything (preempt_schedule_irq()), so that no step of the task's joins them, and local
        ones that are left there join the step before them: nothing comes between on this CPU.
        """
        done = False
        while True:
            this_cpu = here.this_cpu
            on_cpu = bool(this_cpu.thread)
            stack: Stack = this_cpu.thread if on_cpu else here.current.stack
            if not stack or (not on_cpu and here.current.status in ("blocked", "dead")):
                return done
            step = self.continuations.step(stack)
            if done and _alternatives(step):
                return True
            if not done and not _takes(step, here.choice):
                return False
            try:
                value: Hashable = step(here)
            except Blocked:
                return done
            except Retry:
                return True
            done = True
            stack = self.continuations.after(stack, value)
            if on_cpu:
                here.this_cpu.thread = stack
            else:
                here.current.stack = stack
            if not self.config.merge_steps or here.system.panicked or (on_cpu and not stack):
                return True
            if self._joins(step, on_cpu=on_cpu):
                continue
            if not (on_cpu and _local(self.continuations.step(stack))):
                return True

    def _joins(self, step: Step, *, on_cpu: bool) -> bool:
        """Whether nobody can come between a step and the one after it.

        A switch is not interrupted, and neither is an interrupt (`_deliver()`).
        """
        alone = on_cpu or not self.config.interrupts
        return _local(step) or (alone and getattr(step, "per_cpu", False))

    def _switch(self, here: StepContext, number: int) -> bool:
        if here.task == number or not self.sched.schedulable(here, number):
            return False
        why = self.sched.switch_reason(here, involuntary=self.config.preempt.involuntary)
        if why is None:
            return False
        # Taken off the list of those who wait, so that no other CPU takes it as well.
        here.task_at(number).status = "coming"
        here.this_cpu.thread = self.continuations.begin(
            self.sched.context_switch(number, here.task, why)
        )
        return self._run(here)

    def _deliver(self, here: StepContext, number: int) -> bool:
        irq, slot = self.config.interrupts[number], here.irq(number)
        this_cpu, current = here.this_cpu, here.current
        if this_cpu.thread or slot.left == 0 or current.irqs_off:
            return False
        if irq.kind == "soft" and current.bh_off:
            return False
        if current.status not in ("running", "resched"):
            return False
        slot.left -= 1
        this_cpu.irq = irq.kind
        this_cpu.thread = self.continuations.begin(self._handlers[number])
        return self._run(here)

    def describe_step(self, view: StateRow, number: int) -> StepDescription:
        """What action `number` would be in this state, in words."""
        action = self.actions[number]
        here = self.here(view, action.cpu)
        current = here.task_name(here.task)
        if action.kind not in ("run", "choose"):
            return StepDescription(current, (), action.text, "")
        on_cpu = bool(here.this_cpu.thread)
        stack: Stack = here.this_cpu.thread if on_cpu else here.current.stack
        if not stack:
            return StepDescription(current, (), action.text, "")
        step = self.continuations.step(stack)
        return StepDescription(
            current, functions(stack), step.__name__.strip("_"), innermost(stack)
        )

    def all_done(self, view: StateRow) -> bool:
        """Whether every task has ended: a state in which nothing happens is not a deadlock then."""
        tasks = range(len(self.config.tasks))
        return all(
            self.layout.slot(view, "task", number).status in ("dead", "unborn") for number in tasks
        )


def _alternatives(step: Step) -> int:
    return int(getattr(step, "alternatives", 0))


def _takes(step: Step, choice: int) -> bool:
    """Whether this is how a step is taken: with one of its alternatives, or with none."""
    number = _alternatives(step)
    return 0 <= choice < number if number else choice < 0


def _local(step: Step) -> bool:
    return getattr(step, "local", False)


def _refuse(config: MachineConfig, release: Release) -> None:
    if not 1 <= config.cpus <= MAX_CPUS:
        raise ConfigError(f"a machine has 1 to {MAX_CPUS} CPUs, not {config.cpus}")
    if config.rt and config.arch not in (*release.rt, *PORTS):
        raise ConfigError(
            f"PREEMPT_RT cannot be selected on {config.arch} in {config.release}: no such kernel"
        )
    if config.rt and not config.preempt.involuntary:
        raise ConfigError("PREEMPT_RT implies full preemption (kernel/Kconfig.preempt)")
    lazy = config.arch in (*release.lazy_preempt, *PORTS)
    if config.preempt is Preempt.LAZY and not lazy:
        raise ConfigError(
            f"PREEMPT_LAZY cannot be selected on {config.arch} in {config.release}: no such kernel"
        )
    if release.must_preempt and lazy and not config.preempt.involuntary:
        raise ConfigError(
            f"{config.arch} in {config.release} is always preemptible (kernel/Kconfig.preempt): "
            "bound the preemptions instead"
        )
    for task in config.tasks:
        if task.cpu >= config.cpus:
            raise ConfigError(f"task {task.name} begins on cpu{task.cpu}, which is not there")
