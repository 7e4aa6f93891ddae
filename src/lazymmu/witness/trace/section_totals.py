# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted of the sections of a trace: all together, and by call site and task."""

from __future__ import annotations

from collections import Counter

from lazymmu.witness.trace.histogram import Histogram
from lazymmu.witness.trace.stats_group import StatsGroup, group_of

__all__ = ["CpuQueue", "OpenSection", "SectionTotals"]


class OpenSection:
    """A task's open section: where and when it began, and what was seen in it since."""

    __slots__ = ("began", "depth", "left", "out", "seen", "site")

    def __init__(self, began: int, site: str) -> None:
        """began: in nanoseconds; site: who begins it."""
        self.began = began
        self.site = site
        self.depth = 1
        self.seen: StatsGroup | None = None
        self.out = 0
        self.left: int | None = None

    @property
    def group(self) -> StatsGroup:
        """What happened in it; made when something does, which in most it does not."""
        if self.seen is None:
            self.seen = StatsGroup()
        return self.seen


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

    def put_off(self, held: OpenSection | None, cpu: CpuQueue) -> None:
        """One operation is queued in the mode."""
        self.counted = True
        cpu.queued += 1
        cpu.why = ""
        (self.everything if held is None else held.group).queued += 1

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
