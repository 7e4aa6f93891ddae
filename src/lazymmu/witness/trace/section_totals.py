# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted of the sections of a trace: all together, and by call site and task."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace.histogram import Histogram
from lazymmu.witness.trace.stats_group import StatsGroup, group_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CpuQueue", "LikeSections", "OpenSection", "SectionTotals"]


_MAX_LIKE: Final = 1 << 12
"""Call sites and tasks of which sections are kept apart before they are counted."""


class OpenSection:
    """A task's open section: where and when it began, and what was seen in it since.

    queued: operations that were put off in it; seen: all else, None where there is nothing; its
    call site and task are in `where`.
    """

    __slots__ = ("began", "depth", "left", "out", "queued", "seen", "where")

    def __init__(self, began: bytes, where: tuple[str, str]) -> None:
        """began: the time as printed; where: who begins it, and the task."""
        self.began = began
        self.where = where
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
    """Sections of one call site and task.

    lengths, entries: how many had each length in nanoseconds, and each number of entries; seen: all
    else, None where there is nothing.
    """

    __slots__ = ("entries", "lengths", "seen", "where")

    def __init__(self, where: tuple[str, str]) -> None:
        """where: call site and task."""
        self.where = where
        self.lengths: dict[int, int] = {}
        self.entries: dict[int, int] = {}
        self.seen: StatsGroup | None = None

    @property
    def group(self) -> StatsGroup:
        """What else happened in them, and at their ends."""
        if self.seen is None:
            self.seen = StatsGroup()
        return self.seen

    def add(self, length: int, entries: int) -> None:
        """Count one section; a length is negative where the clock went back."""
        lengths, counted = self.lengths, self.entries
        lengths[length] = lengths.get(length, 0) + 1
        counted[entries] = counted.get(entries, 0) + 1

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
            if self.seen is not None:
                group.take(self.seen)


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
        self._like: dict[tuple[str, str], LikeSections] = {}

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
            like = self.like(cpu.last)
            if reason not in like.group.flushes:
                # The order of reasons is that in which they were met.
                for group in self.groups(*like.where):
                    group.flushes[reason] += 0
            like.group.flush(reason, calls, queued)
            cpu.last = None

    def like(self, where: tuple[str, str]) -> LikeSections:
        """The sections of a call site and task, which are counted now and then."""
        like = self._like.get(where)
        if like is None:
            if len(self._like) >= _MAX_LIKE:
                self.count_likes()
            like = self._like[where] = LikeSections(where)
        return like

    def take_inside(self, like: LikeSections, inside: StatsGroup) -> None:
        """Count what happened in a section with those that it is like."""
        if any(theirs.keys() - mine.keys() for mine, theirs in like.group.counters(inside)):
            for group in self.groups(*like.where):
                for mine, theirs in group.counters(inside):
                    for what in theirs:
                        mine[what] += 0
        like.group.take(inside)

    def count_likes(self) -> None:
        """Count the sections that are alike."""
        for like in self._like.values():
            if like.lengths or like.seen is not None:
                like.count_to(self.groups(*like.where))
        self._like.clear()

    def groups(self, site: str, task: str) -> tuple[StatsGroup, StatsGroup, StatsGroup]:
        """Those that something of a call site and a task is counted to."""
        return group_of(self.sites, site), group_of(self.tasks, task), self.everything
