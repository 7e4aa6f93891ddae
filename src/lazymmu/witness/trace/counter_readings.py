# SPDX-License-Identifier: GPL-2.0-or-later
"""Readings of the task's counters, and of the instructions that change them.

Whether functions or counters speak is decided by what the recording shows.  Where no function of
the mode has told anything of a task, its counters do; where both do, each is held to the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.counter_events import TracedCounters, counter_reading
from lazymmu.witness.trace import interned_events as events
from lazymmu.witness.trace.counter_law import CounterLaw
from lazymmu.witness.trace.effect_evidence import EffectEvidence
from lazymmu.witness.trace.findings import SLEPT
from lazymmu.witness.trace.task_table import EXIT_READ, FORK_READ, USER_RETURN

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.contract.monitor import Violation
    from lazymmu.ftrace.lines import Columns
    from lazymmu.witness.trace.context_switches import SwitchTracker
    from lazymmu.witness.trace.findings import PendingFinding
    from lazymmu.witness.trace.sections import SectionTracker
    from lazymmu.witness.trace.task_monitors import TaskMonitors
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedCpu, TracedTask
    from lazymmu.witness.trace.task_table import TaskTable
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["CounterReader"]

_SETTLED: Final = ("exit", "user-return")
_BALANCE: Final = (*_SETTLED, "start")
"""Moments at which the monitors object to counters that are not zero."""

_MEETS: Final = {"start": FORK_READ, "exit": EXIT_READ, "user-return": USER_RETURN}
"""Which of them tell a task from the one that had its pid before."""


class CounterReader:
    """Tells the monitors what the counters of a task were.

    law: what holds between readings; effect: what shows whether the mode comes to anything.
    """

    def __init__(
        self,
        table: TaskTable,
        monitors: TaskMonitors,
        switches: SwitchTracker,
        sections: SectionTracker,
        cursor: LineCursor,
        features: TraceFeatures,
        seen: Seen,
        doubt: Callable[[str, int], None],
    ) -> None:
        """doubt(reason, line): called for what cannot be told."""
        self.law = CounterLaw(features.pauses_out, self._tell)
        self.effect = EffectEvidence(cursor)
        self._table = table
        self._monitors = monitors
        self._switches = switches
        self._sections = sections
        self._cursor = cursor
        self._seen = seen
        self._doubt = doubt

    def read(self, cpu: TracedCpu, columns: Columns, stamp: bytes, text: bytes) -> None:
        """A line that may be a reading."""
        reading = counter_reading(text)
        if reading is None:
            return
        if isinstance(reading, str):
            self._doubt(reading, self._cursor.number)
            return
        self._seen.counters += 1
        hook = reading.at == "switch-out" and not _reason(reading)
        if hook and self._is_of_the_dead(cpu, columns, reading):
            return
        name = columns.pid if reading.pid is None else str(reading.pid).encode()
        task = self._table.task(cpu, name, columns.comm if name == columns.pid else b"")
        # The last switch of a task is its end, as far as its counters go.
        dies = reading.at == "switch-out" and (reading.dead or self._switches.last(cpu, task))
        at = "exit" if dies else reading.at
        what = _MEETS.get(reading.at)
        if what is not None:
            task = self._table.meets(task, what)
        place: Place = [self._cursor.number, stamp, cpu.number, text, None]
        if reading.does:
            self._site(cpu, task, reading, place)
            return
        cpu.stack_place, cpu.stack_needs = place, "__schedule"
        self._count(task, reading, at)
        counters = self.law.reading(
            task,
            at,
            reading.enabled,
            reading.paused,
            place,
            switches=self._seen.switches > 0,
        )
        self._seen.held = self.law.held
        if reading.at == "switch-in":
            return
        if reading.at != "start":
            self.effect.reading(task, reading.paused, place)
        if not reading.at:
            return
        self._judge(cpu, task, reading, at, counters, place)

    def _is_of_the_dead(self, cpu: TracedCpu, columns: Columns, reading: TracedCounters) -> bool:
        """Whether a hook reads the counters at a task's last switch, which was judged."""
        pid = int(columns.pid) if reading.pid is None else reading.pid
        died, cpu.died = cpu.died, None
        if died is None or died.pid != pid or b"%d" % pid in self._table.tasks:
            return False
        self._seen.readings[reading.at] += 1
        return True

    def _count(self, task: TracedTask, reading: TracedCounters, at: str) -> None:
        """Count a reading, and whether rules about sections can be judged by it alone.

        Idle tasks begin no sections; and whether a task that is switched out sleeps must be known.
        """
        seen = self._seen
        seen.readings[reading.at] += 1
        known = at in _SETTLED or (at == "switch-out" and (seen.switches or _reason(reading)))
        if task.pid and known:
            seen.telling[at] += 1

    def _judge(
        self,
        cpu: TracedCpu,
        task: TracedTask,
        reading: TracedCounters,
        at: str,
        counters: tuple[int, int],
        place: Place,
    ) -> None:
        """Let the monitors judge what is left of the counters once told causes are taken off."""
        monitors, before = self._monitors, task.node
        shown = self._shown(task)
        if shown and before.depth and not reading.enabled:
            # Of a task that is switched out this may be: counted down, and not yet left.
            if at in _BALANCE:
                self._doubt(
                    "functions show a section where the counters show none: one of them is not "
                    "whole",
                    place[0],
                )
                # What its functions have told of its exit is as little whole.
                if task.exit_finding is not None:
                    task.exit_finding.void = True
            monitors.forget(task)
            before, shown = task.node, False
        monitors.taken()
        silent = at == "switch-out" and not self._speaks(task, shown=shown)
        if not silent:
            if not shown or at == "switch-out":
                monitors.step(task, events.MODE_UNKNOWN, place)
            if not shown or counters[1]:
                # Functions do not tell a pause from an end: the counter does.
                monitors.step(task, events.PAUSE_UNKNOWN, place)
            monitors.step(task, events.observed(at, "unknown", counters), place)
        if at == "exit":
            monitors.leaves(task, place)
        if at == "user-return":
            monitors.step(task, events.USER_RETURN, place)
        if reading.at == "switch-out":
            self._switches.counted(cpu, task, reading, place, shown=shown)
        self._keep(task, at)
        task.node = before
        if reading.at == "user-return":
            monitors.restart(task)

    def _shown(self, task: TracedTask) -> bool:
        """Whether functions, or probes of the API's own instructions, have told of its sections."""
        return not task.inherited and bool(self._seen.sections or self._seen.ends)

    def _speaks(self, task: TracedTask, *, shown: bool) -> bool:
        """Whether a switch is to be judged by the counters.

        Not where functions have told of the section, nor where a sleep in it has been told.  Beyond
        the depth that monitors tell apart they know nothing, and counters do.
        """
        if task.counts is not None and task.counts.slept is not None:
            task.counts.slept.readings += 1
            return False
        return not (shown and task.node.depth and task.node.product.task.knows("mode"))

    def _keep(self, task: TracedTask, at: str) -> None:
        """What the monitors have told is the cause of readings to come."""
        told, counts = self._monitors.taken(), task.counts
        if told is None or counts is None:
            return
        if at in _BALANCE:
            self.law.told(task, told)
        elif told.violation.rule == SLEPT:
            counts.slept = told

    def _site(
        self, cpu: TracedCpu, task: TracedTask, reading: TracedCounters, place: Place
    ) -> None:
        """A call of the API, at the instruction that touches the counters.

        What it finds there is what they are: a task of which nothing was known is known from here.
        Interrupts do not matter: there the API does not come so far.
        """
        if task is not cpu.current and not self._table.place(task, cpu):
            return
        unseen = self.law.unseen
        counters = self.law.site(task, reading.does, reading.enabled, reading.paused, place)
        self._seen.held = self.law.held
        if self.law.unseen > unseen:
            self._doubt("a section begins or ends at an instruction that no probe is on", place[0])
        if reading.does in ("guard", "begin"):
            self.effect.call(task, reading.paused, place)
        if reading.does == "guard":
            if reading.paused:
                self._seen.ignored += 1
            return
        self._seen.sites += 1
        monitors, task.inherited = self._monitors, False
        task.node = monitors.monitor.known(task.node, *counters)
        del task.begins[counters[0] :]
        cpu.stack_place, cpu.stack_needs = place, reading.place
        monitors.taken()
        match reading.does:
            case "begin":
                self._sections.begin(task, place)
            case "end":
                self._sections.end(cpu, task, (), place[1], place[3])
            case "pause":
                monitors.step(task, events.PAUSE, place)
            case "resume":
                monitors.step(task, events.RESUME, place)
        slip = monitors.taken()
        if slip is not None:
            self.law.slipped(task, slip)

    def _tell(
        self, task: TracedTask, violation: Violation, place: Place, began: Place | None
    ) -> PendingFinding | None:
        return self._monitors.object(task, (violation,), place, () if began is None else (began,))


def _reason(reading: TracedCounters) -> bool:
    """Whether a reading at a switch tells why the task goes."""
    return reading.state is not None or reading.preempted is not None
