# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample replayed in fine steps: everything that its CPUs did, one thing at a time.

A step of a counterexample is what others cannot come between; a trace is finer.  So the machine
takes the steps again, and whatever it does in one go is a `FineStep`: which functions it was in,
and what a tracer would have looked at before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lazymmu.machine import Machine
from lazymmu.machine.continuations import Continuations
from lazymmu.machine.generic_api import PGTABLE_H
from lazymmu.machine.steps import Retry

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from lazymmu.contract.events import Event
    from lazymmu.machine import MachineConfig
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.continuations import RoutineFrame, Stack

__all__ = ["FineReplay", "FineStep", "StackFunction", "TracedContext"]

_SWITCH = "context_switch"


@dataclass(frozen=True, slots=True)
class StackFunction:
    """A kernel function that a CPU is in; source: the kernel's file; new: it has just begun."""

    name: str
    source: str
    new: bool

    @property
    def inline(self) -> bool:
        """Whether it stands in a header, so that no tracer knows it."""
        return self.source.split(",")[0].split(" ")[0].endswith(".h")


@dataclass(frozen=True, slots=True)
class TracedContext:
    """What a tracer would see of the moment at which something is traced.

    :param irq: "" or the kind of interrupt.
    :param switching: in the middle of a context switch; the counts and irqs_off: of the current
        task, as in linux/preempt.h.
    :param mode: what an observer says of it.
    :param pending: whether anything is put off here.
    :param counters: enable_count and pause_count of every task.
    """

    irq: str
    switching: bool
    irqs_off: int
    bh_off: int
    preempt_count: int
    migration_disabled: int
    mode: str
    pending: bool
    counters: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class FineStep:
    """One thing that a CPU did.

    :param task: current before it.
    :param coming: the task that this switch is to, "" outside one.
    :param functions: outermost first.
    :param events: what the rules see of it.
    :param before: around it.
    :param after: likewise.
    """

    cpu: int
    task: str
    coming: str
    functions: tuple[StackFunction, ...]
    events: tuple[Event, ...]
    before: TracedContext
    after: TracedContext


class FineReplay:
    """A machine that replays a counterexample.

    steps: what has happened so far; running: each CPU's task, also of the beginning.
    """

    def __init__(self, config: MachineConfig) -> None:
        """At the beginning.  Raises machine.ConfigError when there is no such machine."""
        self.machine = Machine(config, cached=False)
        self.machine.continuations = _Watched(self)
        self.steps: list[FineStep] = []
        self._view: list[Hashable] = list(self.machine.initial)
        self._numbers = {str(action): at for at, action in enumerate(self.machine.actions)}
        self._stacks: dict[object, Stack] = {}
        here = self.machine.here(self._view, 0)
        self.running = [here.task_name(here.cpu_at(cpu).curr) for cpu in here.cpus]
        self.tasks = self.machine.layout.names["task"]

    def go(self, action: str) -> bool:
        """Take the step of this name; False when it cannot be taken here."""
        view = list(self._view)
        count = len(self.steps)
        number = self._numbers.get(action)
        if number is None or self.machine.step(view, number) is None:
            del self.steps[count:]
            return False
        self._view = view
        return True

    def take(self, cpu: int, kind: str) -> bool:
        """Take the first step of a kind ("run", "switch") that a CPU can; False when it cannot."""
        return any(
            self.go(str(action))
            for action in self.machine.actions
            if action.kind == kind and action.cpu == cpu
        )

    def saw(
        self, stack: Stack, here: StepContext, before: tuple[str, TracedContext], count: int
    ) -> None:
        """Called by the machine's threads after each thing that was done."""
        task, around = before
        owner: object = here.cpu if here.this_cpu.thread else task
        functions = _functions(self._stacks.get(owner, ()), stack)
        self._stacks[owner] = stack
        self.steps.append(
            FineStep(
                cpu=here.cpu,
                task=task,
                coming=_coming(stack, here) if around.switching else "",
                functions=functions,
                events=tuple(here.events[count:]),
                before=around,
                after=self.context(stack, here),
            )
        )

    def context(self, stack: Stack, here: StepContext) -> TracedContext:
        """What there is to see now."""
        current = here.current
        return TracedContext(
            irq=str(here.this_cpu.irq),
            switching=stack[0].call.name == _SWITCH,
            irqs_off=current.irqs_off,
            bh_off=current.bh_off,
            preempt_count=current.preempt_count,
            migration_disabled=current.migration_disabled,
            mode=str(self.machine.arch.mode_on(here)),
            pending=bool(self.machine.arch.pending(here, here.cpu)),
            counters={
                here.task_name(number): (task.enable_count, task.pause_count)
                for number, task in enumerate(here.every("task"))
            },
        )


class _Watched(Continuations):
    """Continuations that report each step to the replay."""

    def __init__(self, replay: FineReplay) -> None:
        super().__init__(cached=False)
        self._replay = replay

    def step(self, stack: Stack) -> Any:
        """As in `Continuations`; the step that it gives reports to the replay."""
        plain = super().step(stack)

        def step(here: StepContext) -> object:
            before = here.task_name(here.task), self._replay.context(stack, here)
            count = len(here.events)
            try:
                value: object = plain(here)
            except Retry:
                self._replay.saw(stack, here, before, count)
                raise
            self._replay.saw(stack, here, before, count)
            return value

        step.__name__ = plain.__name__
        # What the step may be joined with is said by its attributes.
        step.__dict__.update(vars(plain))
        return step


def _coming(stack: Stack, here: StepContext) -> str:
    """Whom a context switch is to: context_switch() takes the next task first."""
    _, coming, *_ = stack[0].call.args
    return here.task_name(cast("int", coming))


def _functions(old: Stack, now: Stack) -> tuple[StackFunction, ...]:
    """The kernel's functions on a stack; those that were not there at the same thread's last."""
    same = _same(old, now)
    return tuple(
        StackFunction(frame.call.name, frame.call.source, depth >= same)
        for depth, frame in enumerate(now)
        if frame.call.source and not _names_a_hook(frame)
    )


def _names_a_hook(frame: RoutineFrame) -> bool:
    """Whether it is the generic API where that is the architecture's hook, which comes below it."""
    return frame.call.source == PGTABLE_H and frame.call.name.startswith("arch_")


def _same(old: Stack, now: Stack) -> int:
    """How many routines of two stacks are the same call, not only calls of the same."""
    for depth, (before, after) in enumerate(zip(old, now, strict=False)):
        if before != after:
            return depth + _goes_on(before, after)
    return min(len(old), len(now))


def _goes_on(before: RoutineFrame, after: RoutineFrame) -> bool:
    """Whether a routine is further on than it was: what it has called since is new."""
    return before.call == after.call and after.sent[: len(before.sent)] == before.sent
