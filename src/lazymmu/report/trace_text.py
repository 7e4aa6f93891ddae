# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample of a machine, written as the trace that such a kernel would have recorded.

So what a model says of a kernel can be held against a recording of it, line by line, and
`lazymmu trace` says of the text what `lazymmu verify` said of the machine, as far as a trace shows
it.  Before the counterexample each task runs one section in order, so that the text shows which
functions are traced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import (
    Disable,
    Enable,
    Event,
    Exit,
    IrqEnter,
    IrqExit,
    MaySleep,
    Observed,
    Pause,
    Resume,
    SwitchIn,
    SwitchOut,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lazymmu.witness.verdict import Broken, TraceStep

__all__ = ["Shown", "render", "shown", "tells"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a kernel's trace shows of the mode.

    enter, leave: its functions, "" where they are inline; hooks: the context switch's functions are
    shown; outermost: only the outermost section calls them; counted: the task's counters are read.
    """

    enter: str = ""
    leave: str = ""
    hooks: bool = False
    outermost: bool = False
    counted: bool = False


_XEN_FIRST: Final = Shown("paravirt_enter_lazy_mmu", "xen_leave_lazy_mmu", hooks=True)
_SHOWN: Final[Mapping[str, Shown]] = {
    "xen-nesting-count": Shown("xen_enter_lazy_mmu", "xen_leave_lazy_mmu", hooks=True),
    "xen-cpu-mode": Shown(
        "xen_enter_lazy_mmu", "xen_leave_lazy_mmu", hooks=True, outermost=True, counted=True
    ),
    "xen-task": Shown(counted=True),
    "hash-counted": Shown(counted=True),
    "arm64-counted": Shown(counted=True),
    "sparc-unpinned": Shown("arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode"),
    "sparc-active": Shown("arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode"),
    "sparc-counted": Shown(
        "arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode", outermost=True, counted=True
    ),
}


def shown(feature: str, release: str) -> Shown | None:
    """What a trace of an implementation shows; None when it shows nothing of the mode.

    feature: the name of its row of the deferral table; release: the kernel's.
    """
    if feature == "xen-exclusive":
        numbers = tuple(int(part) for part in re.findall(r"\d+", release)[:2])
        return _XEN_FIRST if numbers < (6, 6) else _SHOWN["xen-nesting-count"]
    return _SHOWN.get(feature)


def tells(broken: Broken, kernel: Shown) -> bool:
    """Whether the trace of such a kernel can show that the rule is broken.

    It shows what did happen, not what may; a mode that stays with a CPU only where the context
    switch has hooks; what sections came to only with Xen's own events, which are not written here.
    """
    events = [event for step in broken.trace for event in step.events]
    match broken.rule:
        case "unbalanced-section" | "nested-section" | "section-in-interrupt":
            return bool(kernel.enter) or (kernel.counted and _ends(events))
        case "mode-left-on-cpu":
            return kernel.hooks and not kernel.counted
        case "sleep-in-section":
            # Possible sleep is what source and machines know of.
            sleeps = [event for event in events if isinstance(event, MaySleep)]
            return not sleeps or sleeps[-1].certain
        case "unbalanced-pause":
            return kernel.counted and _ends(events)
        case "dirty-start":
            # Later than at its start, counters alone do not tell whether the task itself forgot.
            at = [event.at for event in events if isinstance(event, Observed)][-1:]
            return kernel.counted and (bool(kernel.enter) or at == ["start"])
        case "preempted-in-section":
            return True
    return False


def _ends(events: Sequence[Event]) -> bool:
    return any(isinstance(event, Exit) for event in events)


def render(steps: Sequence[TraceStep], kernel: Shown) -> str:
    """The text of tracefs for a counterexample on a kernel of which a trace shows `kernel`."""
    writer = _Writer(kernel)
    events = [event for step in steps for event in step.events if event.task and event.cpu >= 0]
    writer.preface(events)
    for at, event in enumerate(events):
        later = any(
            isinstance(other, SwitchOut) and other.task == event.task for other in events[at + 1 :]
        )
        writer.event(event, last=not later)
    cpus = max((event.cpu for event in events), default=0) + 1
    count = len(writer.lines)
    head = (
        "# tracer: function\n#\n"
        f"# entries-in-buffer/entries-written: {count}/{count}   #P:{cpus}\n#\n"
    )
    return head + "".join(f"{line}\n" for line in writer.lines)


class _Task:
    """A task of the machine, as the text follows it."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name[:15]
        self.pid = pid
        self.depth = 0
        self.paused = 0
        self.irq: list[str] = []
        self.cpu = -1

    @property
    def on(self) -> bool:
        return self.depth > 0 and self.paused == 0


class _Writer:
    """Writes lines, one microsecond each."""

    def __init__(self, kernel: Shown) -> None:
        self.kernel = kernel
        self.lines: list[str] = []
        self.tasks: dict[str, _Task] = {}

    def preface(self, events: Iterable[Event]) -> None:
        """Each task's first CPU, and a section of it in order; then it is on that CPU."""
        first: dict[str, int] = {}
        for event in events:
            first.setdefault(event.task, event.cpu)
        used: set[int] = set()
        for number, (name, cpu) in enumerate(first.items()):
            task = self.tasks[name] = _Task(name, 1000 + number)
            self._switch_in(task, cpu)
            self._enter(task)
            self._leave(task)
            self._switch_out(task, "S")
            used.add(cpu)
        for event in events:
            task = self.tasks[event.task]
            if task.cpu < 0 and event.cpu in used and not isinstance(event, SwitchIn):
                used.discard(event.cpu)
                self._switch_in(task, event.cpu)

    def event(self, event: Event, *, last: bool) -> None:
        """The lines of one event; last: its task is not switched out any more."""
        task = self.tasks[event.task]
        match event:
            case Enable():
                self._enter(task)
            case Disable():
                self._leave(task)
            case Pause(whose="current"):
                was = task.on
                task.paused += 1
                if was:
                    self._function(task, self.kernel.leave)
            case Resume(whose="current"):
                task.paused = max(0, task.paused - 1)
                if task.on:
                    self._function(task, self.kernel.enter)
            case IrqEnter():
                task.irq.append(event.kind)
            case IrqExit() if task.irq:
                task.irq.pop()
            case SwitchOut():
                self._switch_out(task, _STATES.get(event.why, "R+"))
            case SwitchIn():
                self._switch_in(task, event.cpu)
            case MaySleep(certain=True) if last:
                self._switch_out(task, "D")
            case Observed(at="start" | "user-return") if event.counters and self.kernel.counted:
                name, where = _READ[event.at]
                self._counters(task, name, where, event.counters)
            case Exit():
                self._line(task, f"sched_process_exit: comm={task.name} pid={task.pid} prio=120")
                if self.kernel.counted:
                    self._counters(task, "ex", "sched_process_exit", (task.depth, task.paused))

    # ---- sections and switches -------------------------------------------------------------

    def _enter(self, task: _Task) -> None:
        kernel = self.kernel
        ignored = kernel.counted and bool(task.irq or task.paused)
        task.depth += not ignored
        if not ignored and (not kernel.outermost or task.depth == 1):
            self._function(task, kernel.enter)

    def _leave(self, task: _Task) -> None:
        kernel = self.kernel
        if kernel.counted and (task.irq or task.paused):
            return
        task.depth = max(0, task.depth - 1)
        if not kernel.outermost or task.depth == 0:
            self._function(task, kernel.leave)

    def _switch_out(self, task: _Task, state: str) -> None:
        self._switch(task, _idle(task.cpu), state)
        if self.kernel.counted:
            extra = f" npid=0 ec={task.depth} pc={task.paused} st={_RAW[state]}"
            extra += f" pr={int(state == 'R+')}"
            self._line(task, f"sw: (__probestub_sched_switch+0x4/0x20) pid={task.pid}{extra}")
        self._hooks(task, leaving=task.on, coming=False)
        task.cpu = -1

    def _switch_in(self, task: _Task, cpu: int) -> None:
        if task.cpu == cpu:
            return
        task.cpu = cpu
        idle = _idle(cpu)
        self._switch(idle, task, "R")
        self._hooks(idle, leaving=False, coming=task.on)

    def _switch(self, before: _Task, after: _Task, state: str) -> None:
        self._line(
            before,
            f"sched_switch: prev_comm={before.name} prev_pid={before.pid} prev_prio=120 "
            f"prev_state={state} ==> next_comm={after.name} next_pid={after.pid} next_prio=120",
            "d..2.",
        )

    def _hooks(self, task: _Task, *, leaving: bool, coming: bool) -> None:
        """What Xen's hooks show; stamped with the task that goes."""
        if not self.kernel.hooks:
            return
        self._line(task, "xen_start_context_switch <-__schedule", "d..2.")
        if leaving:
            self._line(task, f"{self.kernel.leave} <-xen_start_context_switch", "d..2.")
        self._line(task, "xen_end_context_switch <-__switch_to", "d..2.")
        if coming:
            self._line(task, f"{self.kernel.enter} <-xen_end_context_switch", "d..2.")

    # ---- lines -----------------------------------------------------------------------------

    def _function(self, task: _Task, name: str) -> None:
        if name:
            self._line(task, f"{name} <-{task.name.lower()}_operation")

    def _counters(self, task: _Task, name: str, where: str, counters: tuple[int, int]) -> None:
        enabled, paused = counters
        text = f"pid={task.pid} ec={enabled} pc={paused}"
        self._line(task, f"{name}: (__probestub_{where}+0x4/0x20) {text}")

    def _line(self, task: _Task, text: str, flags: str = "") -> None:
        if not flags:
            flags = f"..{_FLAGS.get(task.irq[-1] if task.irq else '', '.')}.."
        stamp = f"{100:5}.{len(self.lines):06}"
        self.lines.append(
            f"{task.name:>16}-{task.pid:<7} [{max(task.cpu, 0):03}] {flags} {stamp}: {text}"
        )


_READ: Final = {
    "start": ("new", "sched_process_fork"),
    "user-return": ("ur", "sched_process_exit"),
}
_STATES: Final = {"preempted": "R+", "yielded": "R", "blocked": "D", "exit": "X"}
_RAW: Final = {"R+": 0, "R": 0, "S": 1, "D": 2, "X": 0x80}
_FLAGS: Final = {"hard": "h", "soft": "s", "nmi": "z"}


def _idle(cpu: int) -> _Task:
    task = _Task(f"swapper/{cpu}", 0)
    task.cpu = cpu
    return task
