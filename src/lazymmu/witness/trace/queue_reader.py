# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes the lines about queues and interrupts out of a trace, of which there are the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace.queue_stats import (
    AT_ONCE,
    BATCH,
    FLUSH,
    INTERRUPT,
    ISSUE,
    PAIR_HINT,
    UPDATE_BYTES,
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
        parts: list[bytes] = []
        for run in runs:
            yield from self._taken(lines, run, parts)
        if parts:
            yield b"".join(parts), *_NOTHING

    def _taken(self, lines: Lines, run: Run, parts: list[bytes]) -> Iterator[Run]:
        """What is left of a run; parts: what was passed over and taken before, and then of it."""
        texts, opened = self._texts, self._opened
        before, key, stamp, text, second, text2, third, text3, _ = run
        told = texts.get(text) or self._told(text)
        more = second and told is _OTHER and (texts.get(text2) or self._told(text2))
        if more is _OTHER and third:
            more = texts.get(text3) or self._told(text3)
        who = self._heads.get(key) or self._who(lines, key)
        if before:
            parts.append(before)
        if (told is _OTHER and (not more or more is _OTHER)) or who is None:
            # What is left of a run is told as it is: `add()` knows these texts, too.
            passed = b"".join(parts)
            parts.clear()
            yield passed, *run[1:]
            return
        cpu, task, columns = who
        while True:
            if told is _OTHER:
                passed = b"".join(parts)
                parts.clear()
                yield passed, key, stamp, text, b"", b"", b"", b"", b""
            else:
                parts.append(b"\n")
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

    def take_pairs(self, lines: Lines, runs: Iterable[PairedRun]) -> Iterator[Run]:
        """The same, of runs that pass over pairs of lines, which are counted here.

        What most runs are is done at once, as `_taken()` does it line by line.
        """
        texts, heads, opened = self._texts, self._heads, self._opened
        totals, outside = self._totals, self._totals.outside
        parts: list[bytes] = []
        for before, _, said, key, stamp, text, second, text2, third, text3, other in runs:
            if said:
                self._pairs(lines, before)
            told, who = texts.get(text), heads.get(key)
            if told is None or who is None or told is _OTHER:
                run = before, key, stamp, text, second, text2, third, text3, other
                yield from self._taken(lines, run, parts)
                continue
            cpu, task, columns = who
            kind = told[0]
            if not second:
                if kind == BATCH:
                    cpu.lazy = told[1]
                elif kind == ISSUE:
                    self.issue(told[1], cpu, opened.get(task))
                elif kind != INTERRUPT or opened:
                    self.tell(told, cpu, opened.get(task), columns)
                parts += before, b"\n"
                self.stamp = stamp
                continue
            told2, told3 = texts.get(text2), texts.get(text3)
            if (
                kind == BATCH
                and told2 is not None
                and told3 is not None
                and told2[0] == ISSUE
                and told3[0] == FLUSH
                and (told2[1] != told[1] or told2[1] == b"NONE")
                and told3[1][0]
                and not cpu.reason
                and not (totals.counted and cpu.queued)
            ):
                # Something is issued at once, and nothing was put off that would go along.
                calls, size = told3[1]
                cpu.lazy, cpu.why, cpu.queued = told[1], AT_ONCE, 0
                cpu.went = 0 if totals.counted else max(size // UPDATE_BYTES, calls)
                outside[AT_ONCE] += 1
                parts += before, b"\n\n\n"
                self.stamp = third
                continue
            run = before, key, stamp, text, second, text2, third, text3, other
            yield from self._taken(lines, run, parts)
        if parts:
            yield b"".join(parts), *_NOTHING

    def _pairs(self, lines: Lines, passed: bytes) -> None:
        """Count pairs of lines, each as `take()` would; see `queue_stats.PAIR`."""
        wide = lines.wide
        line = lines.width + wide
        pieces = passed.split(PAIR_HINT)
        if len(pieces) == 1:
            return
        self.first = self.first or pieces[0][-wide:]
        self.stamp = pieces[-2][-wide:]
        keys = [piece[-line:-wide] for piece in pieces[:-1]]
        modes = [piece[:3] for piece in pieces[1:]]
        if keys.count(keys[0]) == len(keys) == modes.count(modes[0]):
            self._issues(lines, keys[0], modes[0], len(keys))
        else:
            for key, about in zip(keys, modes, strict=True):
                self._issues(lines, key, about, 1)

    def _issues(self, lines: Lines, key: bytes, about: bytes, times: int) -> None:
        """So many pairs of lines with these columns, one behind the other, about this mode."""
        who = self._heads.get(key) or self._who(lines, key)
        if who is None:
            return
        cpu, task, _ = who
        cpu.lazy = about
        held = self._opened.get(task)
        self.issue(about, cpu, held)
        if times > 1 and about == b"MMU":
            self._totals.put_off(held, cpu, times - 1)

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
