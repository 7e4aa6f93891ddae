# SPDX-License-Identifier: GPL-2.0-or-later
"""Readings of the task's counters, which a recording makes where functions do not show sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.ftrace.record import fields_of
from lazymmu.witness.trace import interned_events as events

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.ftrace.lines import Columns
    from lazymmu.witness.trace.context_switches import SwitchTracker
    from lazymmu.witness.trace.task_monitors import TaskMonitors
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedCpu, TracedTask
    from lazymmu.witness.trace.task_table import TaskTable
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["CounterReader"]


class CounterReader:
    """Tells the monitors what the counters of a task were."""

    def __init__(
        self,
        table: TaskTable,
        monitors: TaskMonitors,
        switches: SwitchTracker,
        cursor: LineCursor,
        features: TraceFeatures,
        seen: Seen,
        doubt: Callable[[str, int], None],
    ) -> None:
        """doubt(reason, line): called for what cannot be told."""
        self._table = table
        self._monitors = monitors
        self._switches = switches
        self._cursor = cursor
        self._only = features.counters_only
        self._seen = seen
        self._doubt = doubt

    def read(self, cpu: TracedCpu, at: str, columns: Columns, stamp: bytes, text: bytes) -> None:
        """A reading; at: what happened to the task, one of the words of `events.Observed`."""
        fields = fields_of("", text)
        numbers = {key: _number(fields.get(key, "")) for key in ("pid", "ec", "pc", "st", "pr")}
        pid, enabled, paused = numbers["pid"], numbers["ec"], numbers["pc"]
        if pid is None or enabled is None or paused is None:
            self._doubt("counters cannot be read", self._cursor.number)
            return
        self._seen.counters += 1
        name = str(pid).encode()
        task = self._table.task(cpu, name, columns.comm if name == columns.pid else b"")
        place: Place = [self._cursor.number, stamp, cpu.number, text, None]
        cpu.stack_place, cpu.stack_needs = place, "__schedule"
        self._unknown(task, place, pauses=bool(paused))
        self._monitors.step(task, events.observed(at, "unknown", (enabled, paused)), place)
        match at:
            case "exit":
                self._monitors.leaves(task, place)
            case "user-return":
                self._monitors.step(task, events.USER_RETURN, place)
                self._monitors.restart(task)
            case "switch-out":
                self._switches.counted(cpu, task, numbers["st"], numbers["pr"], place)
                self._unknown(task, place)

    def _unknown(self, task: TracedTask, place: Place, *, pauses: bool = False) -> None:
        """Before and after a reading nothing is known of a task whose functions do not show.

        Functions that show sections do not show pauses: the counter does.
        """
        if self._only:
            self._monitors.step(task, events.MODE_UNKNOWN, place)
        if self._only or pauses:
            self._monitors.step(task, events.PAUSE_UNKNOWN, place)


def _number(text: str) -> int | None:
    try:
        return int(text[:20], 0)
    except ValueError:
        return None
