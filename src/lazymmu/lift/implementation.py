# SPDX-License-Identifier: GPL-2.0-or-later
"""An implementation for the machine, made of lifted code: its hooks and its generic API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from lazymmu.contract.events import Disable, Enable, Event, Pause, Resume
from lazymmu.lift.execute import TASK
from lazymmu.lift.kept_runs import KeptRuns
from lazymmu.lift.lifted import SWITCH, Lifted
from lazymmu.lift.steps import Going, PositionCall, Runner, Steps
from lazymmu.lift.values import CPointer
from lazymmu.machine.arch.base import Arch
from lazymmu.machine.generic_api import DirectMode
from lazymmu.machine.steps import atomic, local, routine

if TYPE_CHECKING:
    from lazymmu.lift.code import Code
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.frames import Called
    from lazymmu.lift.values import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.memory import Memory
    from lazymmu.machine.steps import Routine, RoutineCall

__all__ = ["LiftedApi", "LiftedArch", "out_of_interrupts", "source_of"]

_EVENTS: dict[str, type[Event]] = {
    "lazy_mmu_mode_enable": Enable,
    "lazy_mmu_mode_disable": Disable,
    "lazy_mmu_mode_pause": Pause,
    "lazy_mmu_mode_resume": Resume,
}


def out_of_interrupts(apart: StepContext) -> None:
    """Take a copy of a state out of what interrupts its task."""
    apart.this_cpu.irq = ""
    apart.current.bh_off = 0


def source_of(name: str) -> Any:
    """Return what finds the place of a function in the tree, for a routine that is named so."""
    return lambda self: self.lifted.place(name)


def _switch_to(self: LiftedArch) -> str:
    """Where the tree has what a switch does to the mode."""
    halves = self.lifted.halves
    return self.lifted.place(SWITCH[1]) if halves is None else halves.before.place


class LiftedArch(Arch):
    """The hooks of a tree; a subclass knows what the architecture's words do.

    :param lifted: what was lifted.
    :param steps: what is one of its steps; why: what is going on, for who tells of a flush.
    """

    lifted: ClassVar[Lifted]
    steps: ClassVar[Steps] = Steps.COARSE

    def __init__(self, memory: Memory) -> None:
        """As for every implementation."""
        super().__init__(memory)
        self.runner = Runner(self.lifted, self.does, self.steps)
        self.kept = KeptRuns()
        self.why = ""
        self._begun: dict[str, RoutineCall | None] = {}

    def does(self, here: Execution, call: Called) -> Value:
        """Do a word of the architecture, or one of all."""
        raise NotImplementedError

    def update(self, here: StepContext) -> None:
        """Change an entry, as the machine does before it is searched (see `tree.rehearse`)."""
        raise NotImplementedError

    # ---- the mode's hooks ------------------------------------------------------------------------

    @routine(source_of("arch_enter_lazy_mmu_mode"))
    def arch_enter_lazy_mmu_mode(self) -> Routine:
        """As the tree has it."""
        yield from self._hook("arch_enter_lazy_mmu_mode")

    @routine(source_of("arch_leave_lazy_mmu_mode"))
    def arch_leave_lazy_mmu_mode(self) -> Routine:
        """As the tree has it."""
        yield from self._hook("arch_leave_lazy_mmu_mode")

    @routine(source_of("arch_flush_lazy_mmu_mode"))
    def arch_flush_lazy_mmu_mode(self) -> Routine:
        """As the tree has it."""
        yield from self._hook("arch_flush_lazy_mmu_mode")

    def _hook(self, name: str) -> Routine:
        if name not in self._begun:
            self._begun[name] = self._begin(name)
        begun = self._begun[name]
        if begun is not None:
            yield begun

    def _begin(self, name: str) -> RoutineCall | None:
        code = self.lifted.functions.get(name)
        if code is None or self.lifted.is_empty(code):
            return None
        return self.going(self.runner.begin(self.lifted.real(code)))

    def going(self, going: Going) -> RoutineCall:
        """A hook from where it is on."""
        return PositionCall(_hook_goes_on, (self, going))

    @atomic
    def on(self, here: StepContext, going: Going) -> Going:
        """A step of a hook."""
        self.why = ""
        return self.runner.on(here, going, hooks=False)[0]

    # ---- context switch --------------------------------------------------------------------------

    @routine(source_of(SWITCH[0]))
    def arch_start_context_switch(self, prev: int) -> Routine:
        """As the tree has it."""
        if SWITCH[0] in self.lifted.functions:
            yield self.switching(SWITCH[0], prev)
        else:
            yield super().arch_start_context_switch(prev)

    @routine(_switch_to)
    def switch_to(self, prev: int, next_: int) -> Routine:
        """As the tree has it."""
        if SWITCH[1] in self.lifted.functions:
            yield self.switching(SWITCH[1], next_)
        elif self.lifted.halves is not None:
            yield self.going_away(prev, next_)
        else:
            yield super().switch_to(prev, next_)

    @routine(lambda self: self.lifted.halves.after.place if self.lifted.halves else "")
    def after_switch(self, next_: int) -> Routine:
        """The rest of a switch_to() of the tree, which no new task comes by."""
        if self.lifted.halves is not None:
            yield self.coming_back(next_)

    @local
    def going_away(self, here: StepContext, prev: int, next_: int) -> None:
        """What a switch_to() does as the task that goes: interrupts are off, and so it is one."""
        code = self.lifted.halves.before if self.lifted.halves else None
        self.kept.run(here, (code, prev, next_), lambda apart: self.half(apart, code, prev, next_))

    @local
    def coming_back(self, here: StepContext, next_: int) -> None:
        """What it does as the one that comes back."""
        code = self.lifted.halves.after if self.lifted.halves else None
        self.kept.run(here, (code, next_), lambda apart: self.half(apart, code, next_, next_))

    def half(self, here: StepContext, code: Code | None, prev: int, next_: int) -> None:
        """Run a half of a switch_to()."""
        if code is not None:
            self.why = "switch"
            tasks = (CPointer("task", prev, (), TASK), CPointer("task", next_, (), TASK))
            self.runner.whole(here, code, tasks)

    @local
    def switching(self, here: StepContext, name: str, task: int) -> None:
        """A hook of a context switch: interrupts are off, and so it is one step."""
        self.why = "switch"
        code, tasks = self.lifted.functions[name], (CPointer("task", task, (), TASK),)
        self.kept.run(here, (name, task), lambda apart: self.runner.whole(apart, code, tasks))


def _hook_goes_on(arch: LiftedArch, going: Going) -> Routine:
    yield from arch.runner.go(going, None, arch.on, arch.going)


class LiftedApi(DirectMode):
    """The generic API of a tree, above the hooks."""

    counted = True
    arch: LiftedArch

    @routine("include/linux/pgtable.h")
    def lazy_mmu_mode_enable(self) -> Routine:
        """As the tree has it."""
        yield from self._framed("lazy_mmu_mode_enable", self._api("lazy_mmu_mode_enable"))

    @routine("include/linux/pgtable.h")
    def lazy_mmu_mode_disable(self) -> Routine:
        """As the tree has it."""
        yield from self._framed("lazy_mmu_mode_disable", self._api("lazy_mmu_mode_disable"))

    @routine("include/linux/pgtable.h")
    def lazy_mmu_mode_pause(self) -> Routine:
        """As the tree has it."""
        yield from self._framed("lazy_mmu_mode_pause", self._api("lazy_mmu_mode_pause"))

    @routine("include/linux/pgtable.h")
    def lazy_mmu_mode_resume(self) -> Routine:
        """As the tree has it."""
        yield from self._framed("lazy_mmu_mode_resume", self._api("lazy_mmu_mode_resume"))

    def _api(self, name: str) -> Routine:
        arch = self.arch
        code = arch.lifted.functions[name]
        done: Going = yield self.going(arch.runner.begin(code), name, True)
        if name == "lazy_mmu_mode_enable" or (name == "lazy_mmu_mode_disable" and done.hooked):
            yield arch.observe(name.removeprefix("lazy_mmu_mode_"))

    def going(self, going: Going, name: str, first: bool = False) -> RoutineCall:
        """A function of the API from where it is on."""
        return PositionCall(_api_goes_on, (self, going, name, first))

    @atomic
    def on(self, here: StepContext, going: Going, name: str, first: bool) -> Going:
        """Go on for a step, up to a hook; the first one says what is asked for."""
        before = len(here.events)
        self.arch.why = ""
        after, did = self.arch.runner.on(here, going, hooks=True)
        if first:
            fields: dict[str, Any] = {}
            if name in ("lazy_mmu_mode_enable", "lazy_mmu_mode_disable"):
                fields = {"in_interrupt": "yes" if here.in_interrupt else "no", "counted": did}
            said = list(here.events[before:])
            del here.events[before:]
            here.emit(_EVENTS[name], **fields)
            here.events.extend(said)
        return after


def _api_goes_on(api: LiftedApi, going: Going, name: str, first: bool) -> Routine:
    return (
        yield from api.arch.runner.go(
            going,
            lambda hook: getattr(api.arch, hook)(),
            lambda then: api.on(then, name, first),
            lambda then: api.going(then, name),
        )
    )
