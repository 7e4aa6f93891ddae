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
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.counter_events import TracedCounters, counter_reading
from lazymmu.ftrace.kernel_checks import EVENT as MESSAGE
from lazymmu.ftrace.lines import STACK, function_text
from lazymmu.ftrace.record import fields_of
from lazymmu.ftrace.runs import lines_of
from lazymmu.witness.trace import line_class
from lazymmu.witness.trace.counter_readings import CounterReader
from lazymmu.witness.trace.kernel_messages import KernelMessages
from lazymmu.witness.trace.observer import ObservedLine
from lazymmu.witness.trace.run_loop import RunLoop
from lazymmu.witness.trace.task_table import EXIT, FORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import Run
    from lazymmu.witness.trace.memo_monitor import MemoMonitor
    from lazymmu.witness.trace.observer import TraceObserver
    from lazymmu.witness.trace.task_monitors import Found
    from lazymmu.witness.trace.task_state import Place, TracedCpu, TracedTask
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["LineLoop"]

_MAX_TEXTS: Final = 1 << 14
"""Texts of functions of which it is remembered what they mean."""

_FRAMES: Final = (b" =>", b"=>")
"""How the lines of a stack begin."""


class LineLoop(RunLoop):
    """See the module, and `RunLoop` for what is most of a trace.

    effect: what shows whether the mode comes to anything; disorders: times that lines were out of
    order.
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
        """Tell `found` what the monitors object to.

        doubt(reason, line): called for what cannot be told; observer: told of each line.
        """
        super().__init__(monitor, features, seen, found, doubt, observer)
        cursor, monitors, table = self._cursor, self._monitors, self.table
        self.disorders = 0
        self._counters = CounterReader(
            table, monitors, self._switches, self.sections, cursor, features, seen, doubt
        )
        self.effect = self._counters.effect
        self._messages = KernelMessages(table, monitors, cursor, seen, doubt)
        self._no_counters = features.no_counters
        self._first = b""

    @property
    def one_sided(self) -> bool:
        """Whether sections begin and none ends, or the other way round."""
        seen = self.seen
        return bool(seen.sections) != bool(seen.ends) and not seen.sites

    @property
    def disordered(self) -> bool:
        """Whether lines are out of order more often than where a recording was put together."""
        return self.disorders > 2 + (self.seen.lines - self.passed) // 1000

    def block(self, lines: Lines) -> None:
        """Follow the lines of one block."""
        self._cursor.lines = lines
        self.sections.begin_block()
        if not self._no_counters:
            self.effect.updates(lines)
        if lines.gap:
            self._lost()
        taken = None if self._observer is None else self._observer.take(lines)
        self._runs(lines.runs() if taken is None else taken, waits=taken is None)

    def _unusual(self, number: int, run: Run) -> int:
        """Follow the lines of a run that are not usual, after line `number`; gives the last one."""
        lines = self._cursor.lines
        if run[-1].startswith(_FRAMES):
            return number + 1
        for number in range(number + 1, number + 1 + lines_of(run)):  # noqa: B020, PLR1704
            found = lines.other(number)
            if lines.gap:
                self._lost()
            if found is None:
                self._unreadable(number)
            else:
                columns, stamp, text = found
                self._line(columns, b"", number, stamp.rjust(lines.wide), text)
        return number

    def _line(self, columns: Columns, key: bytes, number: int, stamp: bytes, text: bytes) -> None:
        """Follow one line; key: the bytes of its columns if it is usual."""
        table, last = self.table, self._stamp
        if stamp != last:
            if (stamp < last and len(stamp) <= len(last)) or len(stamp) < len(last):
                self.disorders += 1
                self._doubt("lines are out of order: what came before them is not used", number)
                table.forget_all()
            self._stamp = stamp
            self._first = self._first or stamp
        _, cpu, pid, irq = table.heads.get(key) or table.head(key, columns)
        self._cursor.number = number
        act = self._texts.get(text)
        if act is None:
            act = line_class.SWITCH if text.startswith(b"sched_switch:") else self._act(text)
        if self._observer is not None:
            self._observe(self._observer, columns, cpu, stamp, text, act)
        if act == line_class.SWITCH:
            self._switches.switch(cpu, pid, columns.comm, stamp, text)
        elif act == line_class.EVENT:
            self._event(cpu, columns, stamp, text)
        elif act >= line_class.BEGIN:
            self._switches.hook(cpu, act)
        elif act != line_class.NOTHING:
            task = cpu.idle if pid == b"0" else table.tasks.get(pid) or table.add(pid, columns.comm)
            if task is not cpu.current and not table.place(task, cpu):
                return
            if cpu.next_unchecked:
                self._switches.check_next(cpu, task, stamp, text)
            if irq != task.irq:
                self._monitors.interrupts(task, irq, cpu, stamp)
            if act == line_class.ENTER:
                self.sections.enter(cpu, task, [number, stamp, cpu.number, text, None], irq)
            elif act == line_class.LEAVE:
                self.sections.leave(cpu, task, irq, stamp, text)
            else:
                cpu.stack_place = None
                self.seen.flushes += 1

    def finish(self) -> None:
        """Judge what was put off to a line that never came."""
        self._switches.finish()
        if self._observer is not None:
            self._observer.finish(self._first, self._stamp)

    def _observe(
        self,
        observer: TraceObserver,
        columns: Columns,
        cpu: TracedCpu,
        stamp: bytes,
        text: bytes,
        act: int,
    ) -> None:
        """Hand the line at hand to whoever counts."""
        task = cpu.idle if columns.pid == b"0" else self.table.tasks.get(columns.pid)
        what, name, caller = line_class.WORDS.get(act, ""), "", ""
        frames: tuple[str, ...] = ()
        if act >= line_class.NOTHING or b"<-" in text:
            _, name, caller, _ = function_text(text)
        elif b" ec=" in text:
            reading = counter_reading(text)
            if isinstance(reading, TracedCounters) and reading.does:
                # As a call would be, which the instruction is the inlined half of.
                what, caller = line_class.SITES.get(reading.does, ""), reading.place
        elif STACK.match(text):
            frames = self._cursor.lines.frames(self._cursor.number)
        observer.add(
            ObservedLine(
                self._cursor.number,
                columns,
                cpu.number,
                stamp,
                text,
                what,
                name,
                caller,
                0 if task is None else task.node.depth,
                known=task is None or not task.inherited,
                frames=frames,
            )
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
            task = self.table.meets(self.table.task(cpu, columns.pid, columns.comm), EXIT)
            if task is cpu.current or self.table.place(task, cpu):
                place: Place = [self._cursor.number, stamp, cpu.number, text, None]
                cpu.stack_place, cpu.stack_needs = place, ""
                self._exits(task, place)
        elif text.startswith(b"sched_process_fork:"):
            child = fields_of("sched_process_fork", text[19:]).get("child_pid", "").encode()
            if child.isdigit():
                self.table.meets(self.table.task(cpu, child, b""), FORK).inherited = False
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
