# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as the trace that such a kernel would have recorded, as far as it can be.

The machine replays it (`fine_replay`); what the profile of that kernel shows of it (`visibility`)
becomes lines, and what it does not show is left out.  Beside the lines the contract's monitors see
what these lines say and nothing else: only when that breaks the rule does the text tell it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import (
    Bug,
    Disable,
    Enable,
    Exit,
    Fork,
    FunctionReturn,
    IrqEnter,
    IrqExit,
    MaySleep,
    Observed,
    Pause,
    Resume,
    SwitchOut,
    Unknown,
    UserReturn,
)
from lazymmu.crosscheck.fine_replay import FineReplay
from lazymmu.crosscheck.message_lines import message
from lazymmu.crosscheck.trace_lines import SWITCHING, TraceText
from lazymmu.crosscheck.values import NotVisible, RenderedTrace
from lazymmu.crosscheck.visibility import visibility
from lazymmu.machine.releases import find
from lazymmu.witness.trace.check import trace_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.contract.events import Event
    from lazymmu.crosscheck.fine_replay import FineStep, StackFunction
    from lazymmu.crosscheck.visibility import KernelVisibility
    from lazymmu.ftrace.profile import TracedFunction as Traced
    from lazymmu.witness.machine.product_model import Query
    from lazymmu.witness.machine.verdict import Counterexample

__all__ = ["render_trace"]
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

_SITES: Final = {Enable: "begin", Disable: "end", Pause: "pause", Resume: "resume"}
"""What the instruction of a call does to the counters, in the profiles' words."""

_SOFT: Final = "vec=9 [action=RCU]"
_HARD: Final = "irq=24"


def render_trace(name: str, query: Query, broken: Counterexample) -> RenderedTrace:
    """The trace of the counterexample `broken`, in the scenario `name`, on the machine of `query`.

    Raises machine.ConfigError when there is no such machine, and ValueError when it cannot take
    those steps.
    """
    config = query.config
    kernel = visibility(config.arch, find(config.arch, config.release)[0].name)
    witnessed = broken.rule in trace_rules()
    messages = broken.rule in _SAID and kernel is not None and kernel.messages
    if kernel is None or not (kernel.anything or messages):
        return RenderedTrace(not_visible=NotVisible.KERNEL if witnessed else NotVisible.RULE)
    written = [_written(name, query, broken, kernel, more) for more in _TAILS]
    whole = next((one for one in written if one is not None and one.broken), None)
    writer = whole or written[0]
    if writer is None:
        raise ValueError("there are no steps")
    told = (tuple(one.others) for one in written if one is not None and one.others)
    also = tuple(whole.others) if whole else next(told, ())
    if not witnessed:
        return RenderedTrace(not_visible=NotVisible.RULE, also=also)
    return RenderedTrace(
        lines=tuple(writer.lines),
        cpus=config.cpus,
        task=writer.broken,
        pid=writer.pids.get(writer.broken, -1),
        not_visible=None if whole else NotVisible.EVENT,
        also=also,
    )


_SAID: Final = ("kernel-bug", "kernel-warning")
"""Rules that the kernel's own messages show."""

_TAILS: Final = ("", "switch", "run", "run run")
"""How a replay may go on to where a trace shows what it ends with: a task that is to sleep is
switched out, a section that is counted calls the hook."""


def _written(
    name: str, query: Query, broken: Counterexample, kernel: KernelVisibility, more: str
) -> _Writer | None:
    """The replay, and `more` steps on the CPU of its last; None when it does not go on so."""
    replay = FineReplay(query.config)
    for number, step in enumerate(broken.trace, 1):
        if not replay.go(step.action):
            raise ValueError(f"the machine cannot take step {number}, {step.action}")
    last = replay.steps[-1] if replay.steps else None
    writer = _Writer(name.replace("-", "_"), kernel, broken.rule, replay)
    writer.preface(replay.running)
    if last is None:
        return writer
    gone = all(replay.take(last.cpu, kind) for kind in more.split())
    writer.tell(replay.steps)
    if not gone:
        if more != "switch" or not any(
            isinstance(event, MaySleep) and event.certain for event in last.events
        ):
            return None
        # A machine stops at "scheduling while atomic"; the kernel says so and goes on
        # (kernel/sched/core.c, __schedule_bug()).
        idle = replay.tasks[-len(replay.running) :][last.cpu]
        writer.switch(last, SwitchOut("blocked", task=last.task), idle)
        if last.after.pending:
            writer.flushed(last)
    return writer


class _Writer(TraceText):
    """Writes what a machine does."""

    def __init__(
        self, symbol: str, kernel: KernelVisibility, rule: str, replay: FineReplay
    ) -> None:
        """`symbol`: what the function is called that the program itself is."""
        super().__init__(kernel, rule, replay)
        self._symbol = symbol
        self._went: dict[int, tuple[str, SwitchOut]] = {}

    def tell(self, steps: Sequence[FineStep]) -> None:
        """Write what these moments show."""
        for step in steps:
            for text, event in self._called(step):
                self.line(step.cpu, step.task, step.before, text)
                if event is not None:
                    self.says(step.task, event)
            if step.coming and step.before.pending and not step.after.pending:
                self.flushed(step)
            for happened in step.events:
                self._happened(step, happened)

    def flushed(self, step: FineStep) -> None:
        """A context switch flushes what was put off, where that shows: the mode was on."""
        flush = self.kernel.calls.get("flush")
        caller = SWITCHING["switch-end"]
        if flush is None or caller not in flush.hooks:
            return
        task, why = self._went[step.cpu]
        called = f"{flush.name} <-{caller}"
        self.line(step.cpu, step.task, step.before, called, switching=True)
        if not self.sections and not self.kernel.sites and self.pids[task]:
            self.says(task, Observed("switch-out", counters=(1, 0)))
            self.says(task, why)
            self.unknown(task)

    def _called(self, step: FineStep) -> Iterator[tuple[str, Event | None]]:
        """The traced functions that have just begun, with callers, and what each says."""
        calls = self.kernel.calls
        for depth, function in enumerate(step.functions):
            if not function.new:
                continue
            meaning = _HOOKS.get(function.name, "")
            traced = calls.get(meaning)
            if traced is None or (function.inline and traced.name != function.name):
                traced = self._inside(step, depth, function)
                if traced is not None:
                    yield f"{traced.name} <-{self._caller(step, depth)}", None
                continue
            if meaning in SWITCHING:
                yield f"{traced.name} <-{SWITCHING[meaning]}", None
                yield from self._hooked(step, traced)
                continue
            irq = "yes" if step.before.irq else "no"
            says: Event | None = None
            if self.sections and meaning == "enter":
                says = Enable(in_interrupt=irq)  # type: ignore[arg-type]
            elif self.sections and meaning == "leave":
                says = Disable(in_interrupt=irq)  # type: ignore[arg-type]
            yield f"{traced.name} <-{self._caller(step, depth)}", says

    def _inside(self, step: FineStep, depth: int, function: StackFunction) -> Traced | None:
        """What of a function shows that is inline, or has no meaning of its own."""
        for traced in self.kernel.calls.values():
            if traced.name == function.name:
                return traced
        flush = self.kernel.calls.get("flush")
        inner = depth == len(step.functions) - 1 and step.before.pending
        ends = _HOOKS.get(function.name) in ("leave", "flush") and inner
        return flush if ends else None

    def _hooked(self, step: FineStep, hook: Traced) -> Iterator[tuple[str, None]]:
        """What a hook of the context switch does to the mode, where functions show that."""
        was, now = step.before.mode, step.after.mode
        meaning = {("yes", "no"): "leave", ("no", "yes"): "enter"}.get((was, now), "")
        traced = self.kernel.calls.get(meaning)
        if traced is not None and hook.name in traced.hooks:
            yield f"{traced.name} <-{hook.name}", None

    def _caller(self, step: FineStep, depth: int) -> str:
        """The function that called the one at `depth`: the next that is not inline."""
        outer = (one.name for one in reversed(step.functions[:depth]) if not one.inline)
        return next(outer, self._symbol)

    def _happened(self, step: FineStep, event: Event) -> None:
        cpu, task, around = step.cpu, step.task, step.before
        match event:
            case SwitchOut():
                self.switch(step, event, step.coming)
            case IrqEnter() | IrqExit():
                self._interrupt(step, event)
                self.says(task, event)
            case Fork():
                self.forked(cpu, task, around, event.child, step.after.counters[event.child])
            case Exit():
                self.wrapped(task, around.counters[task])
                self.ended(cpu, task, around)
            case UserReturn() if "user-return" in self.kernel.counters:
                self.wrapped(task, around.counters[task])
                self.counted(cpu, task, around, "user-return", around.counters[task])
                self.says(task, event)
            case Enable() | Disable() | Pause() | Resume() if self.kernel.sites:
                self._site(step, event)
            case Bug() if self.kernel.messages:
                said = message(event, step, self.pids[task], self.kernel.release)
                self.line(cpu, task, around, said)
                self.noticed(task, said, event)
            case FunctionReturn() if "update" in self.kernel.calls:
                self._immediate(step, event)

    def _site(self, step: FineStep, event: Enable | Disable | Pause | Resume) -> None:
        """A call of the API, at its instruction: guards keep some calls from coming so far."""
        around = step.before
        if around.irq or around.bh_off:
            return
        ignored = around.counters[step.task][1] > 0 and isinstance(event, Enable | Disable)
        here = self._caller(step, len(step.functions))
        if isinstance(event, Enable):
            self.site(step.cpu, step.task, around, here, "guard", None)
        if not ignored:
            self.site(step.cpu, step.task, around, here, _SITES[type(event)], event)

    def switch(self, step: FineStep, event: SwitchOut, coming: str) -> None:
        """A context switch, and what the counters of the task that goes are."""
        cpu, task, state = step.cpu, step.task, _OUT[event.why]
        self._went[cpu] = task, event
        if self.pids[task] == 0:
            self.switched(cpu, task, coming, "R", step.before)
            return
        counters = step.before.counters[task]
        self.switched(cpu, task, coming, state, step.before, counters)
        # A sleeping lock shows as any sleep does.
        event = replace(event, why="blocked" if event.why == "lock" else event.why)
        self.wrapped(task, counters)
        if self.sections:
            self.says(task, event)
        if "switch-out" in self.kernel.counters:
            self.unknown(task, counters)
            if not (counters[0] or self.kernel.sections):
                # Where probes have told of a section and none is counted, a count went round.
                self.says(task, Unknown("mode"))
            self.says(task, Observed("switch-out", counters=counters))
            if not self.sections:
                self.says(task, event)
                self.unknown(task)
        self.last[task] = cpu

    def _interrupt(self, step: FineStep, event: IrqEnter | IrqExit) -> None:
        begins = isinstance(event, IrqEnter)
        match event.kind:
            case "hard":
                said = f"irq_handler_entry: {_HARD} name=timer0"
                said = said if begins else f"irq_handler_exit: {_HARD} ret=handled"
            case "soft":
                said = f"softirq_{'entry' if begins else 'exit'}: {_SOFT}"
            case _:
                return
        self.line(step.cpu, step.task, step.before, said)

    def _immediate(self, step: FineStep, event: FunctionReturn) -> None:
        """An update that was not put off, as powerpc shows it."""
        traced = self.kernel.calls.get("immediate")
        update = self.kernel.calls["update"]
        began = any(one.new and one.name == update.name for one in step.functions)
        if traced is not None and event.function == update.name and began:
            self.line(step.cpu, step.task, step.before, f"{traced.name} <-{update.name}")
