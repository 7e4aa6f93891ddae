# SPDX-License-Identifier: GPL-2.0-or-later
"""Goes through the lines of a trace, and hands each to the part that it concerns.

`LineLoop` knows lines, and nothing of the contract: whose line it is says the `TaskTable`, what it
shows goes to the `SectionTracker`, the `SwitchTracker` or the `CounterReader`.  What a line cannot
tell is not made up: a task of which the beginning was not seen may be in a section already
(`inherited`), records that were lost make every task unknown again, and so do lines out of order.

Traps of a trace that these parts mind (each seen on a real kernel):

* the hooks of a context switch enter and leave the mode too, and the entering one is stamped with
  the task that goes, not with the one that comes;
* pid 0 is one task per CPU;
* `prev_state` R+ is a preempted task, R one that called schedule(), X and Z one that ended;
* interrupts show in the flags of a line alone: a function called in one is stamped with the task
  that was interrupted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from lazymmu.ftrace.counter_events import TracedCounters, counter_reading
from lazymmu.ftrace.kernel_checks import EVENT as MESSAGE
from lazymmu.ftrace.lines import STACK, function_text
from lazymmu.ftrace.record import fields_of
from lazymmu.witness.trace import line_class
from lazymmu.witness.trace.context_switches import SwitchTracker
from lazymmu.witness.trace.counter_readings import CounterReader
from lazymmu.witness.trace.kernel_messages import KernelMessages
from lazymmu.witness.trace.sections import SectionTracker
from lazymmu.witness.trace.task_monitors import TaskMonitors
from lazymmu.witness.trace.task_state import LineCursor
from lazymmu.witness.trace.task_table import TaskTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.record import Record
    from lazymmu.witness.trace.memo_monitor import MemoMonitor
    from lazymmu.witness.trace.task_monitors import Found
    from lazymmu.witness.trace.task_state import Place, TracedCpu, TracedTask
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["LineLoop", "TraceObserver"]

_MAX_TEXTS: Final = 1 << 14
"""Texts of functions of which it is remembered what they mean."""

_FRAMES: Final = (b" =>", b"=>")
"""How the lines of a stack begin."""


class TraceObserver(Protocol):
    """Counts what a trace shows, for a summary.  It judges nothing."""

    needles: tuple[bytes, ...]
    """What else a line that it wants contains."""

    def add(self, record: Record, what: str, depth: int, *, known: bool) -> None:
        """One line, before the monitors have it.

        what: "enter", "leave", "flush" of a section; "hook-enter", "hook-leave", "hook-flush" when
        a context switch does it; "switch-begin", "switch-end", "update", "immediate"; "" for all
        else.  depth: sections that the line's task is in; known: the trace saw them all begin.
        """


class LineLoop:
    """See the module.

    seen counts; table: tasks and CPUs; sections: of the trace; effect: what shows whether the mode
    comes to anything; disorders: times that lines were out of order.
    """

    def __init__(
        self,
        monitor: MemoMonitor,
        features: TraceFeatures,
        seen: Seen,
        *,
        found: Found,
        doubt: Callable[[str, int], None],
        observer: TraceObserver | None = None,
    ) -> None:
        """found: called for what the monitors object to; doubt(reason, line): for what cannot be
        told; observer: told of each line."""
        self._cursor = cursor = LineCursor()
        monitors = TaskMonitors(monitor, cursor, found)
        self.seen = seen
        self.table = TaskTable(monitors, cursor, seen, doubt)
        self.sections = SectionTracker(monitors, cursor, features, seen, doubt)
        self.disorders = 0
        self._monitors = monitors
        self._switches = SwitchTracker(self.table, monitors, cursor, features, seen, doubt)
        self._counters = CounterReader(
            self.table, monitors, self._switches, self.sections, cursor, features, seen, doubt
        )
        self.effect = self._counters.effect
        self._messages = KernelMessages(self.table, monitors, cursor, seen, doubt)
        self._no_counters = features.no_counters
        self._observer = observer
        self._doubt = doubt
        self._texts: dict[bytes, int] = {}
        self._stamp = b""

    def block(self, lines: Lines) -> None:
        """Follow the lines of one block."""
        # Long: all that happens to every line stands here, since a call for each takes longer.
        cursor, table = self._cursor, self.table
        cursor.lines = lines
        known_texts, heads, tasks = self._texts, table.heads, table.tasks
        sections, switches = self.sections, self._switches
        enter, leave, begin, nothing = (
            line_class.ENTER,
            line_class.LEAVE,
            line_class.BEGIN,
            line_class.NOTHING,
        )
        observer, last = self._observer, self._stamp
        sections.begin_block()
        if not self._no_counters:
            self.effect.updates(lines)
        if lines.gap:
            self._lost()
        for number, (key, stamp, text, line) in lines.split():
            head = heads.get(key)
            if head is None:
                if line.startswith(_FRAMES):
                    continue
                columns = lines.known.get(key) or lines.meet(key)
                if columns is None:
                    found = lines.other(number)
                    if lines.gap:
                        self._lost()
                    if found is None:
                        self._unreadable(number)
                        continue
                    columns, stamp, text = found
                    stamp = stamp.rjust(lines.wide)
            else:
                columns = head[0]
            if stamp != last:
                if (stamp < last and len(stamp) <= len(last)) or len(stamp) < len(last):
                    self.disorders += 1
                    self._doubt("lines are out of order: what came before them is not used", number)
                    table.forget_all()
                    head = None
                last = stamp
            _, cpu, pid, irq = head or table.head(key, columns)
            cursor.number = number
            act = known_texts.get(text)
            if act is None:
                act = line_class.SWITCH if text.startswith(b"sched_switch:") else self._act(text)
            if observer is not None:
                self._observe(observer, columns, cpu, act)
            if act <= nothing:
                if act == line_class.SWITCH:
                    switches.switch(cpu, pid, columns.comm, stamp, text)
                elif act == line_class.EVENT:
                    self._event(cpu, columns, stamp, text)
                continue
            if act >= begin:
                switches.hook(cpu, act)
                continue
            task = cpu.idle if pid == b"0" else tasks.get(pid)
            if task is None:
                task = table.add(pid, columns.comm)
            if task is not cpu.current and not table.place(task, cpu):
                continue
            if cpu.next_unchecked:
                switches.check_next(cpu, task, stamp, text)
            if irq != task.irq:
                self._monitors.interrupts(task, irq, cpu, stamp)
            if act == enter:
                sections.enter(cpu, task, [number, stamp, cpu.number, text, None], irq)
            elif act == leave:
                sections.leave(cpu, task, irq, stamp, text)
            else:
                cpu.stack_place = None
                self.seen.flushes += 1
        self._stamp = last

    def finish(self) -> None:
        """Judge what was put off to a line that never came."""
        self._switches.finish()

    def _observe(self, observer: TraceObserver, columns: Columns, cpu: TracedCpu, act: int) -> None:
        """Hand the line at hand to whoever counts."""
        task = cpu.idle if columns.pid == b"0" else self.table.tasks.get(columns.pid)
        record = self._cursor.lines.record(self._cursor.number)
        if record is not None:
            what = line_class.WORDS.get(act, "")
            if b" ec=" in record.raw_text:
                reading = counter_reading(f"{record.name}: ".encode() + record.raw_text)
                if isinstance(reading, TracedCounters) and reading.does:
                    # As a call would be, which the instruction is the inlined half of.
                    what = line_class.SITES.get(reading.does, "")
                    record.caller = reading.place
            observer.add(
                record,
                what,
                0 if task is None else task.node.depth,
                known=task is None or not task.inherited,
            )

    # ---- lines -----------------------------------------------------------------------------

    def _act(self, text: bytes) -> int:
        """What a text means; texts of functions are remembered."""
        act = line_class.act_of(text)
        if act is None:
            self.seen.bare += 1
            self._doubt(
                "functions are shown without their callers, so that a context switch cannot be "
                "told from the end of a section: trace-cmd report needs `-O parent`",
                self._cursor.number,
            )
            return line_class.NOTHING
        if act != line_class.EVENT and len(self._texts) < _MAX_TEXTS:
            self._texts[text] = act
        return act

    def _lost(self) -> None:
        """Records are missing before the line at hand."""
        self.table.forget_all()
        self._cursor.lines.gap = False

    def _unreadable(self, number: int) -> None:
        """A line that holds a word that matters and is no record."""
        lines = self._cursor.lines
        text = lines.text(lines.at(number))
        # Frames of stacks, and heads of traces put together, hold such words too.
        frame = re.match(rb"\s*=>|#", text)
        if frame is None and any(needle in text for needle in lines.needles):
            self.seen.unreadable += 1
            self._doubt("a line that matters cannot be read", number)
            self.table.forget_all()

    def _event(self, cpu: TracedCpu, columns: Columns, stamp: bytes, text: bytes) -> None:
        """A line that is no function's: a stack, the end or beginning of a task, a reading."""
        if STACK.match(text):
            self._stack(cpu)
        elif text.startswith(b"sched_process_exit:"):
            task = self.table.task(cpu, columns.pid, columns.comm)
            if task is cpu.current or self.table.place(task, cpu):
                place: Place = [self._cursor.number, stamp, cpu.number, text, None]
                cpu.stack_place, cpu.stack_needs = place, ""
                self._exits(task, place)
        elif text.startswith(b"sched_process_fork:"):
            child = fields_of("sched_process_fork", text[19:]).get("child_pid", "").encode()
            if child.isdigit():
                self.table.add(child, b"").inherited = False
        elif text.startswith(MESSAGE):
            self._messages.message(cpu, columns, stamp, text)
        elif b" ec=" in text:
            self._counters.read(cpu, columns, stamp, text)

    def _exits(self, task: TracedTask, place: Place) -> None:
        """A task is on its way out; where no switch shows its last one, this is its end."""
        if self.seen.switches:
            self._monitors.leaves(task, place)
        else:
            self._monitors.end(task, place)

    def _stack(self, cpu: TracedCpu) -> None:
        """A stack belongs to the record before it on its CPU, if it can be that one's."""
        place, needs = cpu.stack_place, cpu.stack_needs
        cpu.stack_place = None
        if place is None:
            return
        frames = self._cursor.lines.frames(self._cursor.number)
        if isinstance(needs, bytes):
            needs = function_text(needs)[1]
        if not needs or needs in frames:
            place[4] = frames
