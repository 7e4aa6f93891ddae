# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens to a task, told to its monitors: every step, and where they are given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.witness.trace import interned_events as events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.contract.monitor import Violation
    from lazymmu.witness.trace.findings import PendingFinding
    from lazymmu.witness.trace.interned_events import InternedEvent
    from lazymmu.witness.trace.memo_monitor import MemoMonitor, MonitorNode
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedCpu, TracedTask

    Found = Callable[
        [TracedTask, tuple[Violation, ...], Place, LineCursor, Sequence[Place] | None],
        PendingFinding | None,
    ]
    """(task, violations, place, cursor, began) -> the finding that is kept, if one is."""

__all__ = ["Found", "TaskMonitors"]


class TaskMonitors:
    """Takes the steps of the monitors of all tasks.

    :param monitor: knows the steps; ended: where monitors were when their task ended or was given
        up; last: the finding that was made last, None when it is not kept.
    """

    def __init__(
        self,
        monitor: MemoMonitor,
        cursor: LineCursor,
        found: Found,
    ) -> None:
        """found: called for what the monitors object to."""
        self.monitor = monitor
        self.ended: set[MonitorNode] = set()
        self.last: PendingFinding | None = None
        self._cursor = cursor
        self._found = found

    def step(self, task: TracedTask, event: InternedEvent, place: Place) -> None:
        """`event` happens to `task` at `place`."""
        node = task.node
        task.node, violations = node.next.get(event) or self.monitor.step(node, event)
        if violations:
            self.object(task, violations, place)

    def object(
        self,
        task: TracedTask,
        violations: tuple[Violation, ...],
        place: Place,
        began: Sequence[Place] | None = None,
    ) -> PendingFinding | None:
        """Hand on what the monitors, or the law of the counters, object to.

        Gives the finding, None when it is not kept.

        :param began: where that began, by default the sections that are open.
        """
        self.last = self._found(task, violations, place, self._cursor, began)
        return self.last

    def taken(self) -> PendingFinding | None:
        """The finding that was made last, which is nobody's any more."""
        last, self.last = self.last, None
        return last

    def restart(self, task: TracedTask) -> None:
        """From here on it is known that `task` is in no section."""
        task.node = self.monitor.start
        task.inherited = False
        task.begins.clear()
        task.told_at_exit = task.exit_finding = None

    def leaves(self, task: TracedTask, place: Place) -> None:
        """The task is on its way out.

        It runs on, with its sections, until its last switch (kernel/exit.c, do_exit()): what is
        wrong here is told once, and nothing is forgotten.
        """
        _, violations = self.monitor.step(task.node, events.EXIT)
        if violations and task.told_at_exit != task.begins:
            task.exit_finding = self.object(task, violations, place)
            task.told_at_exit = list(task.begins)

    def end(self, task: TracedTask, place: Place) -> None:
        """The task ends; what it did until then is kept for the judgement of the whole."""
        self.ended.add(task.node)
        self.leaves(task, place)
        self.restart(task)

    def forget(self, task: TracedTask) -> None:
        """Nothing is known of `task` any more."""
        self.ended.add(task.node)
        task.node = self.monitor.start
        task.inherited = True
        task.begins = []
        task.told_at_exit = task.exit_finding = None
        task.irq = ()

    def interrupts(
        self, task: TracedTask, now: tuple[str, ...], cpu: TracedCpu, stamp: bytes
    ) -> None:
        """Bring the interrupts that a task is in to what the flags of its line say."""
        place: Place = [self._cursor.number, stamp, cpu.number, b"", None]
        old = task.irq
        same = 0
        while same < min(len(old), len(now)) and old[same] == now[same]:
            same += 1
        for kind in reversed(old[same:]):
            self.step(task, events.IRQ_EXIT[kind], place)
        for kind in now[same:]:
            self.step(task, events.IRQ_ENTER[kind], place)
        task.irq = now
