# SPDX-License-Identifier: GPL-2.0-or-later
"""Goes through runs of lines: in one go what comes all the time, and all else line by line.

What is done in one go is what `LineLoop` would do of the same lines, one after the other: a context
switch with its hooks, a section that ends at once, a section's beginning or end in a task that runs
where it should.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace import line_class
from lazymmu.witness.trace.context_switches import SwitchTracker
from lazymmu.witness.trace.sections import SectionTracker
from lazymmu.witness.trace.task_monitors import TaskMonitors
from lazymmu.witness.trace.task_state import LineCursor
from lazymmu.witness.trace.task_table import TaskTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import Run
    from lazymmu.witness.trace.memo_monitor import MemoMonitor
    from lazymmu.witness.trace.observer import TraceObserver
    from lazymmu.witness.trace.task_monitors import Found
    from lazymmu.witness.trace.task_table import Head
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["RunLoop"]

_NOBODY: Final[dict[bytes, object]] = {}
"""Tasks of whom each line is told where nobody listens."""


class RunLoop:
    """See the module.

    seen counts; table: tasks and CPUs; sections: of the trace; passed: lines that were not looked
    at.
    """

    def __init__(
        self,
        monitor: MemoMonitor,
        features: TraceFeatures,
        seen: Seen,
        found: Found,
        doubt: Callable[[str, int], None],
        observer: TraceObserver | None,
    ) -> None:
        """See `LineLoop`."""
        self._cursor = cursor = LineCursor()
        monitors = TaskMonitors(monitor, cursor, found)
        self.seen = seen
        self.table = TaskTable(monitors, cursor, seen, doubt)
        self.sections = SectionTracker(monitors, cursor, features, seen, doubt)
        self.passed = 0
        self._monitors = monitors
        self._switches = SwitchTracker(self.table, monitors, cursor, features, seen, doubt)
        self._observer = observer
        self._doubt = doubt
        self._texts: dict[bytes, int] = {}
        self._stamp = b""

    def _line(self, columns: Columns, key: bytes, number: int, stamp: bytes, text: bytes) -> None:
        """Follow one line; key: the bytes of its columns if it is usual."""
        raise NotImplementedError

    def _unusual(self, number: int, run: Run) -> int:
        """Follow the lines of a run that are not usual, after line `number`; gives the last one."""
        raise NotImplementedError

    def _runs(self, runs: Iterable[Run], *, waits: bool) -> None:
        """Follow runs of lines: in one go what comes all the time, and all else line by line.

        waits: a beginning that a run ends with may wait for the next run, and its end there.
        """
        # Long: one loop, because a call for each line would take a third of the time.
        table, texts, heads = self.table, self._texts, self.table.heads
        switches, follow, ends, part = self._switches, self._line, self._ends, self._part
        enter, hooks, begin = line_class.ENTER, line_class.HOOKS, line_class.BEGIN
        end, whole_switch = line_class.END, switches.whole
        acts = enter, line_class.LEAVE
        some = _NOBODY if self._observer is None else self._observer.in_short
        short, told = some is not None, _NOBODY if some is None else some
        observer, number = self._observer, self._cursor.lines.first - 1
        begun: tuple[Head, bytes, bytes, bytes] | None = None
        plain, whole, tasks, leave = (
            observer is None,
            self.sections.whole,
            table.tasks,
            line_class.LEAVE,
        )
        for run in runs:
            passed, key, stamp, text, second, text2, third, text3, _ = run
            if begun is not None:
                mine, begun = begun, None
                if not passed and key == mine[1] and ends(mine[0], key, mine[2:], stamp, text):
                    number += 1
                    if not second:
                        continue
                    stamp, text, second, text2, third = second, text2, third, text3, b""
                else:
                    part(mine[0], mine[1], number, *mine[2:])
            if passed:
                more = passed.count(b"\n")
                number += more
                self.passed += more
            head = heads.get(key) or self._head(key)
            if head is None:
                number = self._unusual(number, run)
                continue
            columns, cpu, pid, irq = head
            if (
                third
                and texts.get(text3) == end
                and texts.get(text2) == begin
                and text not in texts
                and self._stamp <= stamp <= second <= third
                and len(self._stamp) == len(stamp)
                and short
                and whole_switch(cpu, pid, stamp, text, number + 1, told)
            ):
                self._stamp = third
                number += 3
                if observer is not None:
                    observer.hook(cpu.number, begins=False)
                continue
            known = table.forgotten
            while True:
                quiet = plain or (
                    short and (not told or (pid if pid != b"0" else cpu.idle_key) not in told)
                )
                number += 1
                act = texts.get(text)
                last = self._stamp
                sorts = len(stamp) == len(last) and stamp >= last and known == table.forgotten
                if not sorts:
                    follow(columns, key, number, stamp, text)
                elif quiet and act in hooks:
                    self._stamp = stamp
                    switches.hook(cpu, act or 0)
                    if observer is not None:
                        observer.hook(cpu.number, begins=act == begin)
                elif act is None and short and not told and text[:13] == b"sched_switch:":
                    self._stamp, self._cursor.number = stamp, number
                    switches.switch(cpu, pid, columns.comm, stamp, text)
                    if observer is not None:
                        observer.switch(cpu.number)
                elif (
                    act == enter
                    and texts.get(text2) == leave
                    and stamp <= second
                    and len(second) == len(stamp)
                    and not irq
                    and quiet
                    and whole(cpu, cpu.idle if pid == b"0" else tasks.get(pid))
                ):
                    self._stamp = second
                    number += 1
                    if observer is not None:
                        observer.section(columns, key, cpu.number, (stamp, text), second)
                    second, text2, third = third, text3, b""
                elif act == enter and not second and waits and not irq:
                    begun = head, key, stamp, text
                elif act in acts:
                    part(head, key, number, stamp, text)
                else:
                    follow(columns, key, number, stamp, text)
                if not second:
                    break
                stamp, text, second, text2, third = second, text2, third, text3, b""
        if begun is not None:
            part(begun[0], begun[1], number, *begun[2:])
        self._cursor.lines.ended(number)

    def _part(self, head: Head, key: bytes, number: int, stamp: bytes, text: bytes) -> None:
        """A section begins or ends, in a task of which that may be told in short."""
        columns, cpu, pid, irq = head
        task = cpu.idle if pid == b"0" else self.table.tasks.get(pid)
        begins = self._texts.get(text) == line_class.ENTER
        observer, last = self._observer, self._stamp
        usual = stamp >= last and len(stamp) == len(last) and not irq
        if task is None or task is not cpu.current or task.irq or not usual:
            self._line(columns, key, number, stamp, text)
            return
        if observer is not None:
            told = observer.in_short
            key_of_task = pid if pid != b"0" else cpu.idle_key
            if told is None or begins == (key_of_task in told):
                self._line(columns, key, number, stamp, text)
                return
            if begins:
                observer.begins(
                    columns, key, key_of_task, cpu.number, (stamp, text), known=not task.inherited
                )
            else:
                observer.ends(key_of_task, cpu.number, stamp)
        self._stamp, self._cursor.number = stamp, number
        if cpu.next_unchecked:
            self._switches.check_next(cpu, task, stamp, text)
        if begins:
            self.sections.enter(cpu, task, [number, stamp, cpu.number, text, None], irq)
        else:
            self.sections.leave(cpu, task, irq, stamp, text)

    def _ends(
        self, head: Head, key: bytes, begin: tuple[bytes, bytes], stamp: bytes, text: bytes
    ) -> bool:
        """Whether a line ends the section of the line before it, and there is no more to either.

        head, key: of both; begin: time and text of the line before.
        """
        columns, cpu, pid, irq = head
        if irq or self._texts.get(text) != line_class.LEAVE:
            return False
        if self._observer is not None:
            told = self._observer.in_short
            if told is None or (pid if pid != b"0" else cpu.idle_key) in told:
                return False
        if stamp < begin[0] or len(stamp) != len(begin[0]):
            return False
        if not self.sections.whole(cpu, cpu.idle if pid == b"0" else self.table.tasks.get(pid)):
            return False
        self._stamp = stamp
        if self._observer is not None:
            self._observer.section(columns, key, cpu.number, begin, stamp)
        return True

    def _head(self, key: bytes) -> Head | None:
        """What the columns of a usual line stand for; None when they are none."""
        lines = self._cursor.lines
        columns = lines.known.get(key) or lines.meet(key)
        return None if columns is None else self.table.head(key, columns)
