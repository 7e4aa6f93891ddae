# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as the trace that such a kernel would have recorded, as far as it can be.

The machine goes the way again (`way`); what the profile of that kernel shows of it (`shown`)
becomes lines, and what it does not show is left out.  Beside the lines the contract's monitors see
what these lines say and nothing else: only when that breaks the rule does the text tell it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import PTL_HELD
from lazymmu.contract.events import (
    Disable,
    Enable,
    Exit,
    Fork,
    IrqEnter,
    IrqExit,
    MaySleep,
    Observed,
    Return,
    SwitchIn,
    SwitchOut,
    Unknown,
)
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.contract.section import TaskState
from lazymmu.machine.releases import find
from lazymmu.witness.shown import shown
from lazymmu.witness.trace import trace_rules
from lazymmu.witness.verdict import Line, Retold, Untold
from lazymmu.witness.way import Context, Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.contract.events import Event
    from lazymmu.contract.monitor import Product
    from lazymmu.ftrace.profile import Function as Traced
    from lazymmu.witness.judged import Question
    from lazymmu.witness.shown import Shown
    from lazymmu.witness.verdict import Broken
    from lazymmu.witness.way import Function, Moment

__all__ = ["retell"]

_HOOKS: Final = {
    "arch_enter_lazy_mmu_mode": "enter",
    "arch_leave_lazy_mmu_mode": "leave",
    "arch_flush_lazy_mmu_mode": "flush",
    "arch_start_context_switch": "switch-begin",
    "switch_to": "switch-end",
}
"""What the machine's functions mean, in the profiles' words, whatever a kernel calls them."""

_SWITCHING: Final = {"switch-begin": "__schedule", "switch-end": "__switch_to"}
"""Who calls the hooks of a context switch, as all traces show them (kernel/sched/core.c,
context_switch(), which is inline; arch/x86/kernel/process_64.c, __switch_to())."""

_OUT: Final = {"preempted": "R+", "yielded": "R", "blocked": "D", "lock": "D", "exit": "X"}
"""prev_state of sched_switch; who waits for a sleeping spinlock shows as D (linux/sched.h,
__task_state_index())."""

_RAW: Final = {"R+": 0, "R": 0, "S": 1, "D": 2, "X": 0x80}
"""The same as numbers (linux/sched.h, TASK_RUNNING to TASK_DEAD)."""

_SOFT: Final = "vec=9 [action=RCU]"
_HARD: Final = "irq=24"


def retell(name: str, question: Question, broken: Broken) -> Retold:
    """The trace of the way to `broken`, in the scenario `name`, on the machine of `question`.

    Raises machine.ConfigError when there is no such machine, and ValueError when it cannot go that
    way.
    """
    config = question.config
    kernel = shown(config.arch, find(config.arch, config.release)[0].name)
    if broken.rule not in trace_rules():
        return Retold(untold=Untold.RULE)
    if kernel is None or not kernel.anything:
        return Retold(untold=Untold.KERNEL)
    written = [_written(name, question, broken, kernel, more) for more in _TAILS]
    whole = next((one for one in written if one is not None and one.broken), None)
    writer = whole or written[0]
    if writer is None:
        raise ValueError("there is no way")
    return Retold(
        lines=tuple(writer.lines),
        cpus=config.cpus,
        task=writer.broken,
        pid=writer.pids.get(writer.broken, -1),
        untold=None if whole else Untold.EVENT,
    )


_TAILS: Final = ("", "switch", "run", "run run")
"""How a way may go on to where a trace shows what it ends with: a task that is to sleep is switched
out, a section that is counted calls the hook."""


def _written(
    name: str, question: Question, broken: Broken, kernel: Shown, more: str
) -> _Writer | None:
    """The way, and `more` steps on the CPU of its last; None when it does not go on so."""
    way = Way(question.config)
    for number, step in enumerate(broken.trace, 1):
        if not way.go(step.action):
            raise ValueError(f"the machine cannot take step {number}, {step.action}")
    last = way.moments[-1] if way.moments else None
    writer = _Writer(name.replace("-", "_"), kernel, broken.rule, way)
    writer.preface(way.running)
    if last is None:
        return writer
    gone = all(way.take(last.cpu, kind) for kind in more.split())
    writer.tell(way.moments)
    if not gone:
        if more != "switch" or not any(
            isinstance(event, MaySleep) and event.certain for event in last.events
        ):
            return None
        # A machine stops at "scheduling while atomic"; the kernel says so and goes on
        # (kernel/sched/core.c, __schedule_bug()).
        idle = way.tasks[-len(way.running) :][last.cpu]
        writer.switch(last, SwitchOut("blocked", task=last.task), idle)
        if last.after.pending:
            writer.flushed(last)
    return writer


_QUIET: Final = Context("", False, 0, 0, 0, 0, "no", False, {})
_COPYING: Final = replace(_QUIET, preempt_count=2)
"""fork() copies a page table with the locks of two held (mm/memory.c, copy_pte_range())."""


class _Writer:
    """Writes lines, and follows what they say.

    broken: the name of the task that, by what the lines say, has broken the rule; pids: of tasks.
    """

    def __init__(self, symbol: str, kernel: Shown, rule: str, way: Way) -> None:
        self.lines: list[Line] = []
        self.broken = ""
        self._symbol = symbol
        self._kernel = kernel
        self._runtime = Runtime((RULES[rule],), kernel.dialect or PTL_HELD)
        self._monitors: dict[str, Product] = {}
        self._last: dict[str, int] = {}
        self._went: dict[int, tuple[str, SwitchOut]] = {}
        idle = len(way.tasks) - len(way.running)
        self.pids = {name: 1000 + at if at < idle else 0 for at, name in enumerate(way.tasks)}

    # ---- the beginning -------------------------------------------------------------------------

    def preface(self, running: Sequence[str]) -> None:
        """A task that forks all others, with a section in order; then everybody is in place.

        So the text shows which functions are traced, and that no task is in a section yet.
        """
        born = [name for name, pid in self.pids.items() if pid]
        self.pids["init"] = 1
        for meaning in ("enter", "leave"):
            if self._kernel.sections and meaning in self._kernel.calls:
                called = f"{self._kernel.calls[meaning].name} <-copy_page_range"
                self._line(0, "init", _COPYING, called)
        for name in born:
            self._forked(0, "init", _QUIET, name, (0, 0))
        # The first CPU last, so that all are in the trace by the time that tasks run.
        for cpu, name in reversed(list(enumerate(running))):
            before = "init"
            if cpu:
                before = f"cpuhp/{cpu}"
                self.pids[before] = 10 + cpu
            self._switched(cpu, before, name, "S")
            if "switch-begin" in self._kernel.calls:
                for meaning, caller in _SWITCHING.items():
                    called = f"{self._kernel.calls[meaning].name} <-{caller}"
                    self._line(cpu, before, _QUIET, called, switching=True)

    # ---- the way -------------------------------------------------------------------------------

    def tell(self, moments: Sequence[Moment]) -> None:
        """Write what these moments show."""
        for moment in moments:
            for text, event in self._called(moment):
                self._line(moment.cpu, moment.task, moment.before, text)
                if event is not None:
                    self._says(moment.task, event)
            if moment.coming and moment.before.pending and not moment.after.pending:
                self.flushed(moment)
            for happened in moment.events:
                self._happened(moment, happened)

    def flushed(self, moment: Moment) -> None:
        """A context switch flushes what was put off, where that shows: the mode was on."""
        flush = self._kernel.calls.get("flush")
        caller = _SWITCHING["switch-end"]
        if flush is None or caller not in flush.hooks:
            return
        task, why = self._went[moment.cpu]
        called = f"{flush.name} <-{caller}"
        self._line(moment.cpu, moment.task, moment.before, called, switching=True)
        if not self._kernel.sections and self.pids[task]:
            self._says(task, Observed("switch-out", counters=(1, 0)))
            self._says(task, why)
            self._unknown(task)

    def _called(self, moment: Moment) -> Iterator[tuple[str, Event | None]]:
        """The traced functions that have just begun, with callers, and what each says."""
        calls = self._kernel.calls
        for depth, function in enumerate(moment.functions):
            if not function.new:
                continue
            meaning = _HOOKS.get(function.name, "")
            traced = calls.get(meaning)
            if traced is None or (function.inline and traced.name != function.name):
                traced = self._inside(moment, depth, function)
                if traced is not None:
                    yield f"{traced.name} <-{self._caller(moment, depth)}", None
                continue
            if meaning in _SWITCHING:
                yield f"{traced.name} <-{_SWITCHING[meaning]}", None
                yield from self._hooked(moment, traced)
                continue
            irq = "yes" if moment.before.irq else "no"
            says: Event | None = None
            if self._kernel.sections and meaning == "enter":
                says = Enable(in_interrupt=irq)  # type: ignore[arg-type]
            elif self._kernel.sections and meaning == "leave":
                says = Disable(in_interrupt=irq)  # type: ignore[arg-type]
            yield f"{traced.name} <-{self._caller(moment, depth)}", says

    def _inside(self, moment: Moment, depth: int, function: Function) -> Traced | None:
        """What of a function shows that is inline, or has no meaning of its own."""
        for traced in self._kernel.calls.values():
            if traced.name == function.name:
                return traced
        flush = self._kernel.calls.get("flush")
        inner = depth == len(moment.functions) - 1 and moment.before.pending
        ends = _HOOKS.get(function.name) in ("leave", "flush") and inner
        return flush if ends else None

    def _hooked(self, moment: Moment, hook: Traced) -> Iterator[tuple[str, None]]:
        """What a hook of the context switch does to the mode, where functions show that."""
        was, now = moment.before.mode, moment.after.mode
        meaning = {("yes", "no"): "leave", ("no", "yes"): "enter"}.get((was, now), "")
        traced = self._kernel.calls.get(meaning)
        if traced is not None and hook.name in traced.hooks:
            yield f"{traced.name} <-{hook.name}", None

    def _caller(self, moment: Moment, depth: int) -> str:
        """The function that called the one at `depth`: the next that is not inline."""
        outer = (one.name for one in reversed(moment.functions[:depth]) if not one.inline)
        return next(outer, self._symbol)

    def _happened(self, moment: Moment, event: Event) -> None:
        cpu, task, around = moment.cpu, moment.task, moment.before
        match event:
            case SwitchOut():
                self.switch(moment, event, moment.coming)
            case IrqEnter() | IrqExit():
                self._interrupt(moment, event)
                self._says(task, event)
            case Fork():
                self._forked(cpu, task, around, event.child, moment.after.counters[event.child])
            case Exit():
                self._counted(cpu, task, around, "exit", around.counters[task])
                said = f"sched_process_exit: comm={_comm(task)} pid={self.pids[task]} prio=120"
                self._line(cpu, task, around, said)
                self._says(task, event)
            case Return() if "update" in self._kernel.calls:
                self._immediate(moment, event)

    def switch(self, moment: Moment, event: SwitchOut, coming: str) -> None:
        """A context switch, and what the counters of the task that goes are."""
        cpu, task, state = moment.cpu, moment.task, _OUT[event.why]
        self._went[cpu] = task, event
        if self.pids[task] == 0:
            self._switched(cpu, task, coming, "R", moment.before)
            return
        counters = moment.before.counters[task]
        self._switched(cpu, task, coming, state, moment.before, counters)
        # A sleeping lock shows as any sleep does.
        event = replace(event, why="blocked" if event.why == "lock" else event.why)
        if self._kernel.sections:
            self._says(task, event)
        if "switch-out" in self._kernel.counters:
            self._unknown(task, counters)
            self._says(task, Observed("switch-out", counters=counters))
            if not self._kernel.sections:
                self._says(task, event)
                self._unknown(task)
        self._last[task] = cpu

    def _switched(
        self,
        cpu: int,
        task: str,
        coming: str,
        state: str,
        around: Context = _QUIET,
        counters: tuple[int, int] = (0, 0),
    ) -> None:
        pid, after = self.pids[task], self.pids[coming]
        said = (
            f"sched_switch: prev_comm={_comm(task)} prev_pid={pid} prev_prio=120 "
            f"prev_state={state} ==> next_comm={_comm(coming)} next_pid={after} next_prio=120"
        )
        self._line(cpu, task, around, said, switching=True)
        more = f" st={_RAW[state]} pr={int(state == 'R+')}"
        self._reading(cpu, task, around, "switch-out", f"pid={pid} npid={after}", counters, more)
        if coming in self._last:
            self._says(coming, SwitchIn(cpu=cpu, from_cpu=self._last[coming]))

    def _forked(
        self, cpu: int, task: str, around: Context, child: str, counters: tuple[int, int]
    ) -> None:
        said = (
            f"sched_process_fork: comm={_comm(task)} pid={self.pids[task]} "
            f"child_comm={_comm(task)} child_pid={self.pids[child]}"
        )
        self._line(cpu, task, around, said)
        self._counted(cpu, task, around, "start", counters, child)

    def _interrupt(self, moment: Moment, event: IrqEnter | IrqExit) -> None:
        begins = isinstance(event, IrqEnter)
        match event.kind:
            case "hard":
                said = f"irq_handler_entry: {_HARD} name=timer0"
                said = said if begins else f"irq_handler_exit: {_HARD} ret=handled"
            case "soft":
                said = f"softirq_{'entry' if begins else 'exit'}: {_SOFT}"
            case _:
                return
        self._line(moment.cpu, moment.task, moment.before, said)

    def _immediate(self, moment: Moment, event: Return) -> None:
        """An update that was not put off, as powerpc shows it."""
        traced = self._kernel.calls.get("immediate")
        update = self._kernel.calls["update"]
        began = any(one.new and one.name == update.name for one in moment.functions)
        if traced is not None and event.function == update.name and began:
            self._line(moment.cpu, moment.task, moment.before, f"{traced.name} <-{update.name}")

    # ---- counters ------------------------------------------------------------------------------

    def _counted(
        self,
        cpu: int,
        task: str,
        around: Context,
        at: str,
        counters: tuple[int, int],
        of: str = "",
    ) -> None:
        """The counters of `task`, or of another task, and what they say."""
        of = of or task
        if at in self._kernel.counters:
            self._reading(cpu, task, around, at, f"pid={self.pids[of]}", counters)
            self._unknown(of, counters)
            self._says(of, Observed(at, counters=counters))  # type: ignore[arg-type]

    def _reading(
        self,
        cpu: int,
        task: str,
        around: Context,
        at: str,
        whose: str,
        counters: tuple[int, int],
        more: str = "",
    ) -> None:
        reading = self._kernel.counters.get(at)
        if reading is not None:
            where = f"__probestub_{reading.tracepoint}+0x4/0x20"
            said = f"{reading.name}: ({where}) {whose} ec={counters[0]} pc={counters[1]}{more}"
            self._line(cpu, task, around, said, switching=at == "switch-out")

    def _unknown(self, task: str, counters: tuple[int, int] = (0, 0)) -> None:
        """Between two readings of its counters nothing is known of a task without functions.

        Nor of its pauses where there are functions: they do not tell a pause from an end.
        """
        if not self._kernel.sections:
            self._says(task, Unknown("mode"))
        if not self._kernel.sections or counters[1]:
            self._says(task, Unknown("pause"))

    # ---- lines and what they say ---------------------------------------------------------------

    def _says(self, task: str, event: Event) -> None:
        vague = {"locks", "pending"}
        if not self._kernel.sections:
            vague |= {"mode", "pause"}
        before = self._monitors.get(task)
        if before is None:
            before = self._runtime.start(TaskState(vague=frozenset(vague)))
        self._monitors[task], violations = self._runtime.step(before, event)
        if violations and not self.broken:
            self.broken = task

    def _line(
        self, cpu: int, task: str, around: Context, text: str, *, switching: bool = False
    ) -> None:
        pid = self.pids[task]
        comm = _comm(task) if pid else "<idle>"
        self.lines.append(Line(cpu, comm, pid, _flags(around, switching=switching), text))


def _comm(task: str) -> str:
    """A task's name as the kernel keeps it (linux/sched.h, TASK_COMM_LEN)."""
    return task[:15]


def _flags(around: Context, *, switching: bool) -> str:
    """The column of flags (kernel/trace/trace_output.c, trace_print_lat_fmt()).

    A context switch has interrupts off, and holds a lock with preemption off.
    """
    switching = switching or around.switching
    count = around.preempt_count + 2 * switching
    hard_off = bool(around.irqs_off or switching or around.irq in ("hard", "nmi"))
    off = {(True, True): "D", (True, False): "d", (False, True): "b"}.get(
        (hard_off, bool(around.bh_off)), "."
    )
    irq = {"hard": "h", "soft": "s", "nmi": "z"}.get(around.irq, ".")
    depth = f"{count:x}" if count else "."
    stays = f"{around.migration_disabled:x}" if around.migration_disabled else "."
    return f"{off}.{irq}{depth}{stays}"
