# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes the lines about queues and interrupts out of a trace, of which there are the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace.queue_stats import BATCH, ISSUE, PAIR_HINT, Told, XenQueues, told_by
from lazymmu.witness.trace.section_listener import tell_queue
from lazymmu.witness.trace.section_totals import CpuQueue, OpenSection, SectionTotals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import PairedRun, Run
    from lazymmu.witness.trace.observer import ObservedLine
    from lazymmu.witness.trace.section_listener import SectionListener

__all__ = ["QueueReader", "task_key"]

_MAX_TEXTS: Final = 1 << 14
"""Texts, and columns, of which it is remembered what they say."""

_NOTHING: Final = (b"",) * 8
"""A run without a line."""

_OTHER: Final[Told] = (0, None)
"""Of a text that is about no queue and no interrupt."""


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
        self._opened = opened
        self._listener = listener
        self.cpus: dict[int, CpuQueue] = {}
        self._texts: dict[bytes, Told] = {}
        self._heads: dict[bytes, tuple[CpuQueue, bytes, Columns]] = {}

    def take(self, lines: Lines, runs: Iterable[Run]) -> Iterator[Run]:
        """The runs without what was taken, which counts as passed over."""
        texts, heads, opened = self._texts, self._heads, self._opened
        passed = b""
        for run in runs:
            before, key, stamp, text, second, text2, third, text3, _ = run
            told = texts.get(text) or self._told(text)
            more = second and told is _OTHER and (texts.get(text2) or self._told(text2))
            if more is _OTHER and third:
                more = texts.get(text3) or self._told(text3)
            who = heads.get(key) or self._who(lines, key)
            if (told is _OTHER and (not more or more is _OTHER)) or who is None:
                # What is left of a run is told as it is: `add()` knows these texts, too.
                yield (passed + before, *run[1:]) if passed else run
                passed = b""
                continue
            passed += before
            cpu, task, columns = who
            while True:
                if told is _OTHER:
                    yield passed, key, stamp, text, b"", b"", b"", b"", b""
                    passed = b""
                else:
                    passed += b"\n"
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
        if passed:
            yield passed, *_NOTHING

    def take_pairs(self, lines: Lines, runs: Iterable[PairedRun]) -> Iterator[Run]:
        """The runs, after what was passed over before each of them was counted."""
        for run in runs:
            passed, _, said, *more = run
            if said:
                self._pairs(lines, passed)
            yield passed, *more  # type: ignore[misc]

    def _pairs(self, lines: Lines, passed: bytes) -> None:
        """Count pairs of lines, each as `take()` would; see `queue_stats.PAIR`."""
        wide, opened, heads = lines.wide, self._opened, self._heads
        at = passed.find(PAIR_HINT)
        while at >= 0:
            after = at + len(PAIR_HINT)
            key = passed[passed.rfind(b"\n", 0, at) + 1 : at - wide]
            who = heads.get(key) or self._who(lines, key)
            if who is not None:
                cpu, task, _ = who
                cpu.lazy = passed[after : after + 3]
                self.issue(cpu.lazy, cpu, opened.get(task))
                self.stamp = passed[at - wide : at]
                self.first = self.first or self.stamp
            at = passed.find(PAIR_HINT, after)

    def line(self, line: ObservedLine, cpu: CpuQueue, held: OpenSection | None) -> None:
        """A line that was not taken; held: the open section of its task."""
        told = self._told(line.text)
        if told is not _OTHER:
            reason = self.tell(told, cpu, held, line.columns)
            if self._listener is not None:
                tell_queue(self._listener, told, cpu, line.stamp, line.text, reason)

    def _told(self, text: bytes) -> Told:
        told = told_by(text) or _OTHER
        if len(self._texts) >= _MAX_TEXTS:
            self._texts.clear()
        self._texts[text] = told
        return told

    def _who(self, lines: Lines, key: bytes) -> tuple[CpuQueue, bytes, Columns] | None:
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
