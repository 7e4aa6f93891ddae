# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the mode comes to anything, on kernels that have counters (v7.0 on).

Three things show it: readings of running tasks, all of which are paused; calls that begin a
section, all of which are ignored because of a pause; and Xen's batches, in which hardly an update
joins one before it (xen_mc_extend_args; arch/x86/xen/multicalls.c, xen_mc_extend_args()).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.ftrace.block import Lines
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedTask
    from lazymmu.witness.trace.task_table import TaskTable

__all__ = ["EffectEvidence"]

_FEWEST_TASKS: Final = 2
_FEWEST: Final = {True: 4, False: 20}
"""Readings, or calls, that are enough: where a count has wrapped, and where tasks may be in pauses
of their own, from which no call but a few is recorded."""
_WRAPPED: Final = 0x80
"""A pause count from here on has gone below zero, which no pause does."""

_FEWEST_UPDATES: Final = 200
_JOINED_AT_LEAST: Final = 50
"""One update in so many joins another where the mode is on at all: it is nine in ten on v7.1.13,
and one in nine thousand where the mode never is."""

_MOST_UPDATES: Final = 5_000
"""Updates that are counted: what they show is clear by then."""

_UPDATE: Final = re.compile(
    rb"xen_mc_extend_args: extending op 1(?:\(mmu_update\))? by \d{1,9} bytes res (OK|BAD_OP)\b"
)

Shown = tuple["TracedTask", "Place", tuple[tuple[int, str], ...]]
"""Where something shows: the task, the line, and the lines around."""


class EffectEvidence:
    """Counts what shows the mode on and off.

    readings: of tasks that run, and paused: those of them that found it paused; begun, ignored:
    calls; joined, alone: updates.
    """

    def __init__(self, cursor: LineCursor) -> None:
        """Nothing seen yet."""
        self.readings = self.paused = 0
        self.begun = self.ignored = 0
        self.joined = self.alone = 0
        self._tasks: set[int] = set()
        self._tasks_ignored: set[int] = set()
        self._wrapped = False
        self._cursor = cursor
        self._first: Shown | None = None
        self._batch: tuple[int, bytes, bytes, bytes, bytes, bytes] | None = None

    def reading(self, task: TracedTask, paused: int, place: Place) -> None:
        """A reading of a task that runs; idle tasks begin no sections."""
        if not task.pid:
            return
        self.readings += 1
        if len(self._tasks) < _FEWEST_TASKS:
            self._tasks.add(task.pid)
        if paused:
            self.paused += 1
            self._wrapped |= paused >= _WRAPPED
            self._show(task, place)

    def call(self, task: TracedTask, paused: int, place: Place) -> None:
        """A call that begins a section, or would."""
        if paused:
            self.ignored += 1
            self._wrapped |= paused >= _WRAPPED
            if len(self._tasks_ignored) < _FEWEST_TASKS:
                self._tasks_ignored.add(task.pid)
            self._show(task, place)
        else:
            self.begun += 1

    def _show(self, task: TracedTask, place: Place) -> None:
        if self._first is None:
            self._first = task, place, self._cursor.lines.around(self._cursor.number)

    def updates(self, lines: Lines) -> None:
        """The updates of a block, which are not looked at one by one."""
        if self.joined + self.alone >= _MOST_UPDATES or b"xen_mc_extend_args" not in lines.block:
            return
        for found in _UPDATE.finditer(lines.block):
            if found[1] == b"OK":
                self.joined += 1
                continue
            self.alone += 1
            if self._batch is None:
                start = lines.block.rfind(b"\n", 0, found.start()) + 1
                parts = lines.parts(start)
                if parts is not None:
                    columns, stamp, text = parts
                    number = lines.number_of(start)
                    self._batch = number, columns.cpu, columns.pid, columns.comm, stamp, text

    @property
    def fault(self) -> tuple[str, str] | None:
        """What is wrong, a detail of the rule, and what shows it; None when nothing does."""
        fewest = _FEWEST[self._wrapped]
        many = self._wrapped or len(self._tasks_ignored) >= _FEWEST_TASKS
        if self.ignored >= fewest and many and not self.begun:
            return "never-on", f"all {self.ignored} calls that begin a section are ignored"
        enough = self.readings >= fewest and len(self._tasks) >= _FEWEST_TASKS
        if enough and self.paused == self.readings and not self.begun:
            return "never-on", f"all {self.readings} readings of running tasks find it paused"
        updates = self.joined + self.alone
        if updates >= _FEWEST_UPDATES and self.joined * _JOINED_AT_LEAST < updates:
            return "never-batches", f"{self.joined} of {updates} updates join one before"
        return None

    def ways(self) -> Iterator[tuple[int, str]]:
        """How many of which things show that it does, or would show that it does not.

        Those that are too few for that are left out.
        """
        updates, calls = self.joined + self.alone, self.begun + self.ignored
        shown = updates >= _FEWEST_UPDATES or self.joined >= _FEWEST[True]
        yield updates if shown else 0, "updates"
        yield calls if calls >= _FEWEST[True] else 0, "calls that begin a section"
        varied = len(self._tasks) >= _FEWEST_TASKS or self.paused < self.readings
        enough = varied and self.readings >= _FEWEST[True]
        yield self.readings if enough else 0, "readings of tasks that run"

    @property
    def any(self) -> bool:
        """Whether there is anything of the kind."""
        return bool(self.joined + self.alone + self.begun + self.ignored + self.readings)

    def shown(self) -> Shown | None:
        """Where a task was paused first."""
        return self._first

    def batch(self, table: TaskTable) -> Shown | None:
        """The first update that joined none before it."""
        if self._batch is None:
            return None
        number, cpu, pid, comm, stamp, text = self._batch
        return table.stranger(pid, comm), [number, stamp, int(cpu), text, None], ()
