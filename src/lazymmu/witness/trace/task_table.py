# SPDX-License-Identifier: GPL-2.0-or-later
"""All tasks and CPUs of a trace: who runs where, and what is given up when that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace.task_state import TracedCpu, TracedTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lazymmu.ftrace.lines import Columns
    from lazymmu.witness.trace.memo_monitor import MonitorNode
    from lazymmu.witness.trace.task_monitors import TaskMonitors
    from lazymmu.witness.trace.task_state import LineCursor
    from lazymmu.witness.trace.values import Seen

__all__ = ["EXIT", "EXIT_READ", "FORK", "FORK_READ", "USER_RETURN", "Head", "TaskTable"]

FORK: Final = 1
FORK_READ: Final = 2
EXIT: Final = 4
EXIT_READ: Final = 8
USER_RETURN: Final = 16
"""What tells a task from the one that had its pid before: it is forked once and ends once, each of
which an event and a reading of the counters may show, and after its end it returns no more."""

_PAST: Final = {
    FORK: FORK | EXIT | EXIT_READ,
    FORK_READ: FORK_READ | EXIT | EXIT_READ,
    EXIT: EXIT,
    EXIT_READ: EXIT_READ,
    USER_RETURN: EXIT | EXIT_READ,
}
"""And what a task has met that this can happen to no more."""

_MAX_HEADS: Final = 1 << 14
"""Columns of which it is remembered what they stand for."""

_MAX_TASKS: Final = 1 << 14
"""Tasks that are followed at once; each takes half a KiB, and more with its sections."""

Head = tuple["Columns", TracedCpu, bytes, tuple[str, ...]]
"""A line's columns, and what is asked of them: the CPU, the pid, the interrupts."""


class TaskTable:
    """The tasks and CPUs that were met, and where each task runs.

    tasks: by pid as printed, without idle tasks, which their CPUs have; cpus: by number as printed;
    heads: what the columns of a line stand for, by their bytes; partial: whether what happens on
    some CPU is not in the trace, so far; forgotten: how often all of it was given up.
    """

    def __init__(
        self,
        monitors: TaskMonitors,
        cursor: LineCursor,
        seen: Seen,
        doubt: Callable[[str, int], None],
    ) -> None:
        """doubt(reason, line): called for what cannot be told."""
        self.tasks: dict[bytes, TracedTask] = {}
        self.cpus: dict[bytes, TracedCpu] = {}
        self.heads: dict[bytes, Head] = {}
        self.partial = True
        self.forgotten = 0
        self._monitors = monitors
        self._start = monitors.monitor.start
        self._cursor = cursor
        self._seen = seen
        self._doubt = doubt

    # ---- finding ---------------------------------------------------------------------------

    def head(self, key: bytes, columns: Columns) -> Head:
        """What the columns of a line stand for, remembered by their bytes."""
        cpu = self.cpus.get(columns.cpu) or self._add_cpu(columns.cpu)
        head = (columns, cpu, columns.pid, columns.irq)
        if key and self._cursor.lines.known.get(key) is columns:
            if len(self.heads) > _MAX_HEADS:
                self.heads.clear()
            self.heads[key] = head
        return head

    def task(self, cpu: TracedCpu, pid: bytes, comm: bytes) -> TracedTask:
        """The task of a pid; pid 0 is one task for each CPU."""
        return cpu.idle if pid == b"0" else self.tasks.get(pid) or self.add(pid, comm)

    def meets(self, task: TracedTask, what: int) -> TracedTask:
        """The task that this happens to: another one where it can happen to `task` no more.

        :param what: `FORK` and those after it.
        """
        if not task.pid:
            return task
        forked = what in (FORK, FORK_READ) and _has_run(task)
        if forked or task.met & _PAST[what]:
            task = self.add(b"%d" % task.pid, task.comm if what == USER_RETURN else b"")
        task.met |= what
        return task

    def add(self, pid: bytes, comm: bytes) -> TracedTask:
        """A new task, also where another one had its pid."""
        old = self.tasks.pop(pid, None)
        if old is not None:
            self._monitors.ended.add(old.node)
        if len(self.tasks) >= _MAX_TASKS:
            self._make_room()
        task = self.tasks[pid] = self.stranger(pid, comm)
        return task

    def _make_room(self) -> None:
        """Give up half of the tasks, those that were met first, and first those at rest.

        One that comes again is a new one, of which nothing is known.
        """
        self._doubt(
            f"more than {_MAX_TASKS} tasks at once: of some of them nothing is known any more",
            self._cursor.number,
        )
        resting = [pid for pid, task in self.tasks.items() if task.cpu is None and not _busy(task)]
        wanted = _MAX_TASKS // 2
        if len(resting) < wanted:
            resting += [pid for pid, task in self.tasks.items() if task.cpu is None and _busy(task)]
        for pid in resting[:wanted]:
            self._monitors.ended.add(self.tasks.pop(pid).node)

    def stranger(self, pid: bytes, comm: bytes) -> TracedTask:
        """A task of which nothing is known, and that is not followed."""
        return TracedTask(int(pid), comm.strip(), self._start)

    def remove(self, task: TracedTask) -> None:
        """The task has ended, and its pid is free, if no other has it by now."""
        pid = b"%d" % task.pid
        if self.tasks.get(pid) is task:
            del self.tasks[pid]

    def nodes(self) -> set[MonitorNode]:
        """Where all monitors are, and were when they were given up."""
        return self._monitors.ended.union(self._nodes_now())

    def _nodes_now(self) -> Iterator[MonitorNode]:
        for task in self.tasks.values():
            yield task.node
        for cpu in self.cpus.values():
            yield cpu.idle.node

    def _add_cpu(self, name: bytes) -> TracedCpu:
        number = int(name)
        cpu = TracedCpu(number, TracedTask(0, b"<idle>", self._start))
        self.cpus[name] = cpu
        self.partial = self._partial()
        return cpu

    def _partial(self) -> bool:
        header = self._cursor.lines.header
        if len(self.cpus) == 1:
            return header.cpus != 1
        lossy = header.written is not None and header.written != header.entries
        return lossy and len(self.cpus) < (header.cpus or 0)

    # ---- who runs where --------------------------------------------------------------------

    def place(self, task: TracedTask, cpu: TracedCpu) -> bool:
        """Make `task` the one that runs on `cpu`, which nobody said; False: its line is no use."""
        if task is cpu.prev and not cpu.next_unchecked and cpu.current is not None:
            # Between sched_switch and the switch itself lines are still stamped with who goes.
            return False
        if cpu.current is not None:
            if self._seen.switches:
                return self._gap("a context switch is missing")
            cpu.current.cpu, cpu.current.last_cpu = None, cpu
        if (task.cpu or task.last_cpu or cpu) is not cpu:
            if self._seen.switches:
                return self._gap("a task moved to another CPU unseen")
            self._monitors.forget(task)
        if task.cpu is not None:
            task.cpu.current = None
        task.cpu = cpu
        cpu.current = task
        cpu.next_unchecked = False
        return True

    # ---- what is not known -----------------------------------------------------------------

    def _gap(self, reason: str) -> bool:
        """Records are missing, nobody knows since when: what was found lately is void."""
        self._doubt(f"{reason}: what is known until then is not used", self._cursor.number)
        for cpu in self.cpus.values():
            if cpu.current is not None:
                self.retract(cpu.current)
        self.forget_all()
        return False

    def retract(self, task: TracedTask) -> None:
        """The order of a task's lines is not known: what was found in them is void."""
        for one in task.recent_findings:
            one.void = one.retracted = True
        self._monitors.forget(task)

    def forget_all(self) -> None:
        """Records are missing: nothing is known of any task or CPU."""
        self._monitors.ended.update(self._nodes_now())
        self.tasks.clear()
        self.cpus.clear()
        self.heads.clear()
        self.forgotten += 1


def _has_run(task: TracedTask) -> bool:
    """Whether anything was seen of a task that one just forked does not do."""
    counts = task.counts
    ran = task.times_on or task.cpu is not None or task.last_cpu is not None
    return bool(ran or (counts is not None and not counts.fresh))


def _busy(task: TracedTask) -> bool:
    """Whether a task is in a section, or its counters are not at zero."""
    counts = task.counts
    return bool(task.node.depth or (counts and (counts.enabled or counts.paused)))
