# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as the trace that such a kernel would have recorded, as far as it can be.

The machine goes the way again (`way`); what the profile of that kernel shows of it (`shown`)
becomes lines, and what it does not show is left out.  Beside the lines the contract's monitors see
what these lines say and nothing else: only when that breaks the rule does the text tell it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

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
    SwitchOut,
)
from lazymmu.crosscheck.fine_replay import Way
from lazymmu.crosscheck.trace_lines import SWITCHING, Text
from lazymmu.crosscheck.values import Retold, Untold
from lazymmu.crosscheck.visibility import shown
from lazymmu.machine.releases import find
from lazymmu.witness.trace.check import trace_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.contract.events import Event
    from lazymmu.crosscheck.fine_replay import Function, Moment
    from lazymmu.crosscheck.visibility import Shown
    from lazymmu.ftrace.profile import Function as Traced
    from lazymmu.witness.machine.product_model import Question
    from lazymmu.witness.machine.verdict import Broken

__all__ = ["retell"]
_HOOKS: Final = {
    "arch_enter_lazy_mmu_mode": "enter",
    "arch_leave_lazy_mmu_mode": "leave",
    "arch_flush_lazy_mmu_mode": "flush",
    "arch_start_context_switch": "switch-begin",
    "switch_to": "switch-end",
}
"""What the machine's functions mean, in the profiles' words, whatever a kernel calls them."""
_OUT: Final = {"preempted": "R+", "yielded": "R", "blocked": "D", "lock": "D", "exit": "X"}
"""prev_state of sched_switch; who waits for a sleeping spinlock shows as D (linux/sched.h,
__task_state_index())."""

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


class _Writer(Text):
    """Writes what a machine does."""

    def __init__(self, symbol: str, kernel: Shown, rule: str, way: Way) -> None:
        """`symbol`: what the function is called that the program itself is."""
        super().__init__(kernel, rule, way)
        self._symbol = symbol
        self._went: dict[int, tuple[str, SwitchOut]] = {}

    def tell(self, moments: Sequence[Moment]) -> None:
        """Write what these moments show."""
        for moment in moments:
            for text, event in self._called(moment):
                self.line(moment.cpu, moment.task, moment.before, text)
                if event is not None:
                    self.says(moment.task, event)
            if moment.coming and moment.before.pending and not moment.after.pending:
                self.flushed(moment)
            for happened in moment.events:
                self._happened(moment, happened)

    def flushed(self, moment: Moment) -> None:
        """A context switch flushes what was put off, where that shows: the mode was on."""
        flush = self.kernel.calls.get("flush")
        caller = SWITCHING["switch-end"]
        if flush is None or caller not in flush.hooks:
            return
        task, why = self._went[moment.cpu]
        called = f"{flush.name} <-{caller}"
        self.line(moment.cpu, moment.task, moment.before, called, switching=True)
        if not self.kernel.sections and self.pids[task]:
            self.says(task, Observed("switch-out", counters=(1, 0)))
            self.says(task, why)
            self.unknown(task)

    def _called(self, moment: Moment) -> Iterator[tuple[str, Event | None]]:
        """The traced functions that have just begun, with callers, and what each says."""
        calls = self.kernel.calls
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
            if meaning in SWITCHING:
                yield f"{traced.name} <-{SWITCHING[meaning]}", None
                yield from self._hooked(moment, traced)
                continue
            irq = "yes" if moment.before.irq else "no"
            says: Event | None = None
            if self.kernel.sections and meaning == "enter":
                says = Enable(in_interrupt=irq)  # type: ignore[arg-type]
            elif self.kernel.sections and meaning == "leave":
                says = Disable(in_interrupt=irq)  # type: ignore[arg-type]
            yield f"{traced.name} <-{self._caller(moment, depth)}", says

    def _inside(self, moment: Moment, depth: int, function: Function) -> Traced | None:
        """What of a function shows that is inline, or has no meaning of its own."""
        for traced in self.kernel.calls.values():
            if traced.name == function.name:
                return traced
        flush = self.kernel.calls.get("flush")
        inner = depth == len(moment.functions) - 1 and moment.before.pending
        ends = _HOOKS.get(function.name) in ("leave", "flush") and inner
        return flush if ends else None

    def _hooked(self, moment: Moment, hook: Traced) -> Iterator[tuple[str, None]]:
        """What a hook of the context switch does to the mode, where functions show that."""
        was, now = moment.before.mode, moment.after.mode
        meaning = {("yes", "no"): "leave", ("no", "yes"): "enter"}.get((was, now), "")
        traced = self.kernel.calls.get(meaning)
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
                self.says(task, event)
            case Fork():
                self.forked(cpu, task, around, event.child, moment.after.counters[event.child])
            case Exit():
                self.ended(cpu, task, around)
            case Return() if "update" in self.kernel.calls:
                self._immediate(moment, event)

    def switch(self, moment: Moment, event: SwitchOut, coming: str) -> None:
        """A context switch, and what the counters of the task that goes are."""
        cpu, task, state = moment.cpu, moment.task, _OUT[event.why]
        self._went[cpu] = task, event
        if self.pids[task] == 0:
            self.switched(cpu, task, coming, "R", moment.before)
            return
        counters = moment.before.counters[task]
        self.switched(cpu, task, coming, state, moment.before, counters)
        # A sleeping lock shows as any sleep does.
        event = replace(event, why="blocked" if event.why == "lock" else event.why)
        if self.kernel.sections:
            self.says(task, event)
        if "switch-out" in self.kernel.counters:
            self.unknown(task, counters)
            self.says(task, Observed("switch-out", counters=counters))
            if not self.kernel.sections:
                self.says(task, event)
                self.unknown(task)
        self.last[task] = cpu

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
        self.line(moment.cpu, moment.task, moment.before, said)

    def _immediate(self, moment: Moment, event: Return) -> None:
        """An update that was not put off, as powerpc shows it."""
        traced = self.kernel.calls.get("immediate")
        update = self.kernel.calls["update"]
        began = any(one.new and one.name == update.name for one in moment.functions)
        if traced is not None and event.function == update.name and began:
            self.line(moment.cpu, moment.task, moment.before, f"{traced.name} <-{update.name}")
