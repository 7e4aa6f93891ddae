# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted of the sections of a trace: all together, and by call site and task."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lazymmu.witness.trace.histogram import Histogram
from lazymmu.witness.trace.stats_group import StatsGroup, group_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CpuQueue", "LikeSections", "OpenSection", "SectionTotals"]


class OpenSection:
    """A task's open section: where and when it began, and what was seen in it since.

    queued: operations that were put off in it; seen: all else, None where there is nothing.
    """

    __slots__ = ("began", "depth", "left", "out", "queued", "seen", "site")

    def __init__(self, began: int, site: str) -> None:
        """began: in nanoseconds; site: who begins it."""
        self.began = began
        self.site = site
        self.depth = 1
        self.queued = 0
        self.seen: StatsGroup | None = None
        self.out = 0
        self.left: int | None = None

    @property
    def group(self) -> StatsGroup:
        """What happened in it; made when something does, which in most it does not."""
        if self.seen is None:
            self.seen = StatsGroup()
        return self.seen


class LikeSections:
    """Sections of one call site and task in which nothing was but what was put off.

    lengths, entries: how many had each length in nanoseconds, and each number of entries.
    """

    __slots__ = ("entries", "lengths", "where")

    def __init__(self, where: tuple[str, str]) -> None:
        """where: call site and task."""
        self.where = where
        self.lengths: dict[int, int] = {}
        self.entries: dict[int, int] = {}

    def add(self, length: int, entries: int) -> None:
        """Count one section."""
        self.lengths[length] = self.lengths.get(length, 0) + 1
        self.entries[entries] = self.entries.get(entries, 0) + 1

    def count_to(self, groups: Iterable[StatsGroup]) -> None:
        """Add all of them to each of the groups."""
        lengths, entries = Histogram(), Histogram()
        for length, times in self.lengths.items():
            lengths.add(length, times)
        for some, times in self.entries.items():
            entries.add(some, times)
        for group in groups:
            group.sections += lengths.count
            group.queued += entries.total
            group.lengths.merge(lengths)
            group.entries.merge(entries)


class CpuQueue:
    """What a CPU has queued, and why its next flush happens.

    began: the section that began on the line before, of which a stack may follow; went: operations
    that went with its last flush; last: call site and task of the section that ended last, if what
    is flushed next is its.
    """

    __slots__ = (
        "began",
        "last",
        "lazy",
        "number",
        "queued",
        "reason",
        "site",
        "switching",
        "went",
        "why",
    )

    def __init__(self, number: int) -> None:
        """Of the CPU with this number, with nothing in it."""
        self.number = number
        self.lazy = b""
        self.site = ""
        self.queued = self.went = 0
        self.reason = ""
        self.why = ""
        self.switching = False
        self.last: tuple[str, str] | None = None
        self.began: OpenSection | None = None


class SectionTotals:
    """What the parts that count add to.

    everything: all sections together; sites, tasks: the same by call site and by task; outside:
    flushes of what no section put off, by reason; batches: entries of each flush of a batch
    (powerpc), or updates of each hypercall (Xen); counted: the trace has an event for each entry.
    """

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.everything = StatsGroup()
        self.sites: dict[str, StatsGroup] = {}
        self.tasks: dict[str, StatsGroup] = {}
        self.outside: Counter[str] = Counter()
        self.batches = Histogram()
        self.counted = False

    def put_off(self, held: OpenSection | None, cpu: CpuQueue, times: int = 1) -> None:
        """One operation is queued in the mode, or so many."""
        self.counted = True
        cpu.queued += times
        cpu.why = ""
        if held is None:
            self.everything.queued += times
        else:
            held.queued += times

    def flushed(
        self, cpu: CpuQueue, reason: str, calls: int, held: OpenSection | None, queued: int = 0
    ) -> None:
        """Work put off takes effect: the task's open section has it, or the one that just ended."""
        if held is not None:
            held.group.flush(reason, calls, queued)
        elif cpu.last is None:
            self.outside[reason] += 1
        else:
            for group in self.groups(*cpu.last):
                group.flush(reason, calls, queued)
            cpu.last = None

    def groups(self, site: str, task: str) -> tuple[StatsGroup, StatsGroup, StatsGroup]:
        """Those that something of a call site and a task is counted to."""
        return group_of(self.sites, site), group_of(self.tasks, task), self.everything
