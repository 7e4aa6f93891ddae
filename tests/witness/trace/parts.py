# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts that follow a trace, without one: a header, a cursor, and what was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lazymmu.contract.dialects import NO_NESTING
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.ftrace.block import Lines
from lazymmu.ftrace.lines import Columns
from lazymmu.ftrace.record import Header
from lazymmu.witness.trace.check import trace_rules
from lazymmu.witness.trace.context_switches import SwitchTracker
from lazymmu.witness.trace.counter_readings import CounterReader
from lazymmu.witness.trace.memo_monitor import MemoMonitor
from lazymmu.witness.trace.sections import SectionTracker
from lazymmu.witness.trace.task_monitors import TaskMonitors
from lazymmu.witness.trace.task_state import LineCursor, Place, TracedCpu, TracedTask
from lazymmu.witness.trace.task_table import TaskTable
from lazymmu.witness.trace.trace_features import TraceFeatures
from lazymmu.witness.trace.values import Seen


@dataclass
class Parts:
    """All parts for a trace of a machine with two CPUs.

    found: rule and line of each violation; doubts: what could not be told.
    """

    features: TraceFeatures = field(default_factory=lambda: TraceFeatures(no_counters=True))
    found: list[tuple[str, int]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cursor = LineCursor()
        self.cursor.lines = Lines(Header(cpus=2), ())
        self.seen = Seen()
        runtime = Runtime([RULES[name] for name in trace_rules()], NO_NESTING)
        self.monitor = MemoMonitor(runtime, self.features)
        self.monitors = TaskMonitors(self.monitor, self.cursor, self._found)
        self.table = TaskTable(self.monitors, self.cursor, self.seen, self._doubt)
        shared: Any = (self.cursor, self.features, self.seen)
        self.sections = SectionTracker(self.monitors, *shared, self._doubt)
        self.switches = SwitchTracker(self.table, self.monitors, *shared, self._doubt)
        self.counters = CounterReader(
            self.table, self.monitors, self.switches, self.sections, *shared, self._doubt
        )
        self.cpus = [self.table.head(b"", columns(cpu))[1] for cpu in (0, 1)]

    def _found(self, task: TracedTask, violations: Any, place: Place, *_: Any) -> None:
        self.found += [(one.rule, place[0]) for one in violations]

    def _doubt(self, reason: str, line: int) -> None:
        self.doubts.append(reason)

    def place(self) -> Place:
        """The next line, on CPU 0."""
        self.cursor.number += 1
        return [self.cursor.number, b"1.0", 0, b"text", None]

    def task(self, pid: int, cpu: TracedCpu | None = None) -> TracedTask:
        """A task of which all is known, and that runs on `cpu` if that is given."""
        task = self.table.add(str(pid).encode(), b"task")
        task.inherited = False
        if cpu is not None:
            assert self.table.place(task, cpu)
        return task

    def switch(
        self, cpu: TracedCpu, prev: int, nxt: int, state: str = "S", at: str = "1.0"
    ) -> None:
        """A sched_switch on the next line."""
        self.cursor.number += 1
        text = (
            f"sched_switch: prev_comm=a prev_pid={prev} prev_prio=120 prev_state={state} ==> "
            f"next_comm=b next_pid={nxt} next_prio=120"
        )
        self.switches.switch(cpu, str(prev).encode(), b"a", at.encode(), text.encode())


def columns(cpu: int, pid: int = 0) -> Columns:
    """Those of a line without flags."""
    return Columns(b"comm", str(pid).encode(), -1, str(cpu).encode(), None, (), bh=False)
