# SPDX-License-Identifier: GPL-2.0-or-later
"""One task and one CPU as a trace shows them: who runs where, and what is not known of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.witness.trace.interned_events import switch_in

if TYPE_CHECKING:
    from lazymmu.ftrace.block import Lines
    from lazymmu.witness.trace.counter_law import TaskCounts
    from lazymmu.witness.trace.findings import PendingFinding
    from lazymmu.witness.trace.interned_events import InternedEvent
    from lazymmu.witness.trace.memo_monitor import MonitorNode

__all__ = ["LineCursor", "Place", "Switch", "TracedCpu", "TracedTask"]

Place = list[Any]
"""Number, time, CPU, text and stack (None: not yet seen) of a line; a list because it is cheap."""


class LineCursor:
    """The line at hand, which all parts that follow a trace look at: its block and its number."""

    __slots__ = ("lines", "number")

    def __init__(self) -> None:
        """Before the first block."""
        self.lines: Lines
        self.number = 0


class TracedTask:
    """One task: where its monitors are, where its open sections began, and where it runs.

    inherited: the trace did not see how it began, so that more sections may be open than are known;
    cpu: where it runs now, None when it does not or nobody knows; last_cpu: where it ran before;
    irq: the interrupts that it is in; switched_out_at: the time when it was switched out last;
    order_unknown: what came before and after that is not known; recent_findings: findings since it
    was switched in; told_at_exit: where the sections began that were told to be open as it ended,
    None when none were; exit_finding: what was told of that; counts: what is known of its counters,
    None before a reading; times_on: how often it got a CPU; met: beginnings and ends of a task
    that were seen of it (`task_table`), each of which a task has once.
    """

    __slots__ = (
        "begins",
        "comm",
        "counts",
        "cpu",
        "entered",
        "exit_finding",
        "inherited",
        "irq",
        "last_cpu",
        "met",
        "node",
        "order_unknown",
        "pid",
        "recent_findings",
        "switched_out_at",
        "times_on",
        "told_at_exit",
    )

    def __init__(self, pid: int, comm: bytes, node: MonitorNode) -> None:
        """A task that was never seen before."""
        self.pid = pid
        self.comm = comm
        self.node = node
        self.inherited = True
        self.cpu: TracedCpu | None = None
        self.last_cpu: TracedCpu | None = None
        self.begins: list[Place] = []
        self.irq: tuple[str, ...] = ()
        self.switched_out_at = b""
        self.order_unknown = False
        self.recent_findings: list[Any] = []
        self.told_at_exit: list[Place] | None = None
        self.exit_finding: PendingFinding | None = None
        self.counts: TaskCounts | None = None
        self.times_on = 0
        self.met = 0
        self.entered = False


Switch = tuple[TracedTask, tuple["InternedEvent", ...], Place]
"""A task that is switched out, the events that this is, and where the trace says so."""


class TracedCpu:
    """One CPU: whose it is, and how far its last context switch got.

    idle_key: its idle task, which has no pid of its own, among others by their pids; mode: whether
    the mode is on there, None when nobody knows; prev: the task that was switched out last;
    last_switch: its switch (task, events, place); pending_switch: the same, still to be judged;
    judged_ahead: who goes, and how often it had got a CPU, where a reading has told of the switch
    before sched_switch does; died: whose end such a reading was, of which more may follow;
    hooks_begun, hook_left_mode: its first hook was seen, and that the hook left the mode;
    next_unchecked: the task that came is still to be looked at; switch_back: a task gets this CPU
    again; stack_place: the place that a stack would belong to; stack_needs: what that stack must
    hold.
    """

    __slots__ = (
        "current",
        "died",
        "hook_left_mode",
        "hooks_begun",
        "idle",
        "idle_key",
        "judged_ahead",
        "last_switch",
        "mode",
        "next_unchecked",
        "number",
        "pending_switch",
        "prev",
        "stack_needs",
        "stack_place",
        "switch_back",
    )

    def __init__(self, number: int, idle: TracedTask) -> None:
        """A CPU of which nothing was seen before."""
        self.number = number
        self.switch_back = switch_in(number, number)
        self.idle = idle
        self.idle_key = b"0/%d" % number
        self.current: TracedTask | None = None
        self.prev: TracedTask | None = None
        self.pending_switch: Switch | None = None
        self.last_switch: Switch | None = None
        self.died: TracedTask | None = None
        self.judged_ahead: tuple[TracedTask, int] | None = None
        self.mode: bool | None = None
        self.hooks_begun = self.hook_left_mode = self.next_unchecked = False
        self.stack_place: Place | None = None
        self.stack_needs: str | bytes = ""
