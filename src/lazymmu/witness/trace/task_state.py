# SPDX-License-Identifier: GPL-2.0-or-later
"""Tasks and CPUs as a trace shows them: who runs where, and what is not known of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lazymmu.ftrace.lines import what
from lazymmu.witness.trace import memo_monitor as moments
from lazymmu.witness.trace.values import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.contract.monitor import Violation
    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.record import Record
    from lazymmu.witness.trace.memo_monitor import InternedEvent, MemoMonitor, MonitorNode

__all__ = ["Head", "Place", "SwitchRecord", "TaskTable", "TraceObserver", "TracedCpu", "TracedTask"]

Place = list[Any]
"""Number, time, CPU, text and stack (None: not yet seen) of a line; a list because it is cheap."""


class TraceObserver(Protocol):
    """Whoever counts what a trace shows: a summary.  It judges nothing."""

    needles: tuple[bytes, ...]
    """What else a line that it wants contains."""

    def add(self, record: Record, what: str, depth: int, *, known: bool) -> None:
        """One line, before the monitors have it.

        what: "enter", "leave", "flush" of a section; "hook-enter", "hook-leave", "hook-flush" when
        a context switch does it; "switch-begin", "switch-end", "update", "immediate"; "" for all
        else.  depth: sections that the line's task is in; known: the trace saw them all begin.
        """


class TracedTask:
    """One task: where its monitors are, where its open sections began, and where it runs.

    inherited: the trace did not see how it began, so that more sections may be open than are known;
    cpu: where it runs now, None when it does not or nobody knows; last_cpu: where it ran before;
    irq: the interrupts that it is in; switched_out_at: the time when it was switched out last;
    order_unknown: what came before and after that is not known; recent_findings: findings since it
    was switched in.
    """

    __slots__ = (
        "begins",
        "comm",
        "cpu",
        "inherited",
        "irq",
        "last_cpu",
        "node",
        "order_unknown",
        "pid",
        "recent_findings",
        "switched_out_at",
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


class TracedCpu:
    """One CPU: whose it is, and how far its last context switch got.

    mode: whether the mode is on there, None when nobody knows; prev: the task that was switched
    out last; last_switch: its switch (task, moments, place); pending_switch: the same, still to be
    judged; hooks_begun, hook_left_mode: its first hook was seen, and that the hook left the mode;
    next_unchecked: the task that came is still to be looked at; switch_back: a task gets this CPU
    again; stack_place: the place that a stack would belong to; stack_needs: what that stack must
    hold.
    """

    __slots__ = (
        "current",
        "hook_left_mode",
        "hooks_begun",
        "idle",
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
        self.switch_back = moments.switch_in(number, number)
        self.idle = idle
        self.current: TracedTask | None = None
        self.prev: TracedTask | None = None
        self.pending_switch: tuple[TracedTask, tuple[InternedEvent, ...], Place] | None = None
        self.last_switch: tuple[TracedTask, tuple[InternedEvent, ...], Place] | None = None
        self.mode: bool | None = None
        self.hooks_begun = self.hook_left_mode = self.next_unchecked = False
        self.stack_place: Place | None = None
        self.stack_needs: str | bytes = ""


Head = tuple["Columns", TracedCpu, bytes, tuple[str, ...]]
"""A line's columns, and what a follower asks of them: the CPU, the pid, the interrupts."""


SwitchRecord = tuple[bytes, tuple["InternedEvent", ...], bytes, bytes]
"""What a sched_switch says: the pid that went, why, the pid that came and its name."""


class TaskTable:
    """All tasks and CPUs of a trace, and the steps of their monitors.

    found(task, violations, place, lines, number): called for what the judge finds;
    doubt(reason, line): for what cannot be told.  seen counts; disorders: times that lines were out
    of order; ended: where monitors were when they were given up; off: the first
    section that was seen to begin with the mode off.
    """

    def __init__(
        self,
        judge: MemoMonitor,
        found: Callable[[TracedTask, tuple[Violation, ...], Place, Lines, int], None],
        doubt: Callable[[str, int], None],
        *,
        flags: bool,
        blind: bool,
        uncounted: bool,
        tally: TraceObserver | None = None,
    ) -> None:
        """flags: lines show interrupts; blind: no function shows sections, counters may; uncounted:
        the kernel surely has no counters, so that its functions are the mode; tally: told of each
        line."""
        self.judge = judge
        self.seen = Seen()
        self.tasks: dict[bytes, TracedTask] = {}
        self.cpus: dict[bytes, TracedCpu] = {}
        self.tally = tally
        self.disorders = 0
        self._found = found
        self._doubt = doubt
        self._flags = flags
        self._blind = blind
        self._uncounted = uncounted
        self._acts: dict[bytes, int] = {}
        self._heads: dict[bytes, Head] = {}
        self._switches: dict[bytes, SwitchRecord] = {}
        self._stamp = b""
        self.ended: set[MonitorNode] = set()
        self.off: tuple[TracedTask, Place, tuple[tuple[int, str], ...]] | None = None
        self._lines: Lines
        self._partly = True
        self._number = 0
        self._batches = False

    # ---- steps -----------------------------------------------------------------------------

    def _step(self, task: TracedTask, event: InternedEvent, place: Place) -> None:
        node, violations = task.node.next.get(event) or self.judge.step(task.node, event)
        task.node = node
        if violations:
            self._found(task, violations, place, self._lines, self._number)

    def _exit(self, task: TracedTask, place: Place) -> None:
        """The task ends; what it did until then is kept for the judgement of the whole."""
        self.ended.add(task.node)
        self._step(task, moments.EXIT, place)
        task.node = self.judge.start
        task.inherited = False
        task.begins.clear()

    def _interrupts(self, task: TracedTask, now: tuple[str, ...]) -> None:
        """Bring the interrupts that a task is in to what the flags of its line say."""
        place: Place = [self._number, self._stamp, 0, b"", None]
        old = task.irq
        same = 0
        while same < min(len(old), len(now)) and old[same] == now[same]:
            same += 1
        for kind in reversed(old[same:]):
            self._step(task, moments.IRQ_EXIT[kind], place)
        for kind in now[same:]:
            self._step(task, moments.IRQ_ENTER[kind], place)
        task.irq = now

    def _stack(self, cpu: TracedCpu) -> None:
        """A stack belongs to the record before it on its CPU, if it can be that one's."""
        place, needs = cpu.stack_place, cpu.stack_needs
        cpu.stack_place = None
        if place is None:
            return
        frames = self._lines.frames(self._number)
        if isinstance(needs, bytes):
            needs = what(needs)[1]
        if not needs or needs in frames:
            place[4] = frames

    # ---- who runs where --------------------------------------------------------------------

    def _cpu(self, name: bytes) -> TracedCpu:
        number = int(name)
        cpu = TracedCpu(number, TracedTask(0, b"<idle>", self.judge.start))
        self.cpus[name] = cpu
        self._partly = self._partial()
        return cpu

    def _task(self, pid: bytes, comm: bytes) -> TracedTask:
        task = self.tasks[pid] = TracedTask(int(pid), comm.strip(), self.judge.start)
        return task

    def _placed(self, task: TracedTask, cpu: TracedCpu, number: int) -> bool:
        """Make `task` the one that runs on `cpu`, which nobody said; False: its line is no use."""
        if task is cpu.prev and not cpu.next_unchecked and cpu.current is not None:
            # Between sched_switch and the switch itself lines are still stamped with who goes.
            return False
        if cpu.current is not None:
            if self.seen.switches:
                return self._gap("a context switch is missing", number)
            cpu.current.cpu, cpu.current.last_cpu = None, cpu
        if (task.cpu or task.last_cpu or cpu) is not cpu:
            if self.seen.switches:
                return self._gap("a task moved to another CPU unseen", number)
            self._forget(task)
        if task.cpu is not None:
            task.cpu.current = None
        task.cpu = cpu
        cpu.current = task
        cpu.next_unchecked = False
        return True

    def _partial(self) -> bool:
        """Whether what happens on some CPU is not in the trace, so far."""
        header = self._lines.header
        if len(self.cpus) == 1:
            return header.cpus != 1
        lossy = header.written is not None and header.written != header.entries
        return lossy and len(self.cpus) < (header.cpus or 0)

    # ---- what is not known -----------------------------------------------------------------

    def _gap(self, reason: str, number: int) -> bool:
        """Records are missing, nobody knows since when: what was found lately is void."""
        self._doubt(f"{reason}: what is known until then is not used", number)
        for cpu in self.cpus.values():
            if cpu.current is not None:
                self._retract(cpu.current)
        self._forget_all()
        return False

    def _retract(self, task: TracedTask) -> None:
        """The order of a task's lines is not known: what was found in them is void."""
        for one in task.recent_findings:
            one.void = True
        self._forget(task)

    def _forget(self, task: TracedTask) -> None:
        self.ended.add(task.node)
        task.node = self.judge.start
        task.inherited = True
        task.begins = []
        task.irq = ()

    def _forget_all(self) -> None:
        """Records are missing: nothing is known of any task or CPU."""
        self.ended.update(task.node for task in self.tasks.values())
        self.ended.update(cpu.idle.node for cpu in self.cpus.values())
        self.tasks.clear()
        self.cpus.clear()
        self._heads.clear()
