# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes the lines about queues and interrupts out of a trace, of which there are the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace.queue_stats import (
    BATCH,
    ISSUE,
    Told,
    XenQueues,
    told_by,
)
from lazymmu.witness.trace.section_listener import tell_queue
from lazymmu.witness.trace.section_totals import CpuQueue, OpenSection, SectionTotals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import Run
    from lazymmu.witness.trace.observer import ObservedLine
    from lazymmu.witness.trace.section_listener import SectionListener

__all__ = ["NOTHING", "OTHER", "QueueReader", "Who", "task_key"]

_MAX_TEXTS: Final = 1 << 14
"""Texts, and columns, of which it is remembered what they say."""

NOTHING: Final = (b"",) * 8
"""A run without a line."""

OTHER: Final[Told] = (0, None)
"""Of a text that is about no queue and no interrupt."""


Who = tuple[CpuQueue, bytes, "Columns"]
"""A CPU, a task by `task_key()`, and the columns that are of both."""


class QueueReader(XenQueues):
    """See the module.

    cpus: by number; first, stamp: times of the first and the last line that were taken.
    """

    def __init__(
        self,
        totals: SectionTotals,
        opened: Mapping[bytes, OpenSection],
        listener: SectionListener | None,
    ) -> None:
        """opened: the sections that are open, by `task_key()`; listener: told what happens."""
        super().__init__(totals)
        self.first = self.stamp = b""
        self._over = 0
        self._opened = opened
        self._listener = listener
        self.cpus: dict[int, CpuQueue] = {}
        self._texts: dict[bytes, Told] = {}
        self._heads: dict[bytes, Who] = {}

    def take(self, lines: Lines, runs: Iterable[Run]) -> Iterator[Run]:
        """The runs without what was taken, which counts as passed over."""
        for run in runs:
            yield from self._taken(lines, run)
        if self._over:
            yield self._passed(b""), *NOTHING

    def _passed(self, before: bytes) -> bytes:
        """What counts as passed over before a line that is left: as many lines as there were."""
        over, self._over = self._over, 0
        return before + b"\n" * over if over else before

    def _taken(self, lines: Lines, run: Run) -> Iterator[Run]:
        """What is left of a run."""
        texts, opened = self._texts, self._opened
        before, key, stamp, text, second, text2, third, text3, _ = run
        told = texts.get(text) or self._told(text)
        more = second and told is OTHER and (texts.get(text2) or self._told(text2))
        if more is OTHER and third:
            more = texts.get(text3) or self._told(text3)
        who = self._heads.get(key) or self._who(lines, key)
        if (told is OTHER and (not more or more is OTHER)) or who is None:
            # What is left of a run is told as it is: `add()` knows these texts, too.
            yield self._passed(before), *run[1:]
            return
        self._over += before.count(b"\n")
        cpu, task, columns = who
        while True:
            if told is OTHER:
                yield self._passed(b""), key, stamp, text, b"", b"", b"", b"", b""
            else:
                self._over += 1
                self.stamp = stamp
                if not self.first:
                    self.first = stamp
                if told[0] == BATCH:
                    cpu.lazy = told[1]
                elif told[0] == ISSUE:
                    self.issue(told[1], cpu, opened.get(task))
                else:
                    reason = self.tell(told, cpu, opened.get(task), columns)
                    if self._listener is not None:
                        tell_queue(self._listener, told, cpu, stamp, text, reason)
            if not second:
                break
            stamp, text, second, text2, third = second, text2, third, text3, b""
            told = texts.get(text) or self._told(text)

    def line(self, line: ObservedLine, cpu: CpuQueue, held: OpenSection | None) -> None:
        """A line that was not taken; held: the open section of its task."""
        told = self._told(line.text)
        if told is not OTHER:
            reason = self.tell(told, cpu, held, line.columns)
            if self._listener is not None:
                tell_queue(self._listener, told, cpu, line.stamp, line.text, reason)

    def _told(self, text: bytes) -> Told:
        told = told_by(text) or OTHER
        if len(self._texts) >= _MAX_TEXTS:
            self._texts.clear()
        self._texts[text] = told
        return told

    def _who(self, lines: Lines, key: bytes) -> Who | None:
        """The CPU and task of a usual line, by its columns; None of a line that is not usual."""
        columns = lines.known.get(key) or lines.meet(key)
        if columns is None:
            return None
        if len(self._heads) >= _MAX_TEXTS:
            self._heads.clear()
        who = self._heads[key] = self.cpu(int(columns.cpu)), task_key(columns), columns
        return who

    def cpu(self, number: int) -> CpuQueue:
        """The queue of a CPU."""
        cpu = self.cpus.get(number)
        if cpu is None:
            cpu = self.cpus[number] = CpuQueue(number)
        return cpu


def task_key(columns: Columns) -> bytes:
    """A task by its pid; pid 0 is one task for each CPU."""
    return columns.pid if columns.pid != b"0" else b"0/%d" % int(columns.cpu)
