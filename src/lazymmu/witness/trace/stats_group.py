# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections that are counted together: of one call site, of one task, or all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["OTHERS", "StatsGroup", "group_of", "ranked"]

MAX_GROUPS: Final = 512
"""Tasks, or call sites, that are told apart."""

OTHERS: Final = "(others)"


@dataclass(slots=True)
class StatsGroup:
    """The sections of one call site, of one task, or all.

    :param sections: outermost ones that ended.
    :param lengths: of them, in nanoseconds.
    :param entries: put off in each.
    :param nested: sections inside.
    :param off_cpu: nanoseconds that their tasks were not running.
    :param switches: out of them by why.
    :param interrupts: in them by kind.
    :param flushes: in them and at their end, by reason.
    :param queued: operations put off.
    :param calls: hypercalls (or batches) that they went in.
    """

    sections: int = 0
    nested: int = 0
    off_cpu: int = 0
    lengths: Histogram = field(default_factory=Histogram)
    entries: Histogram = field(default_factory=Histogram)
    switches: Counter[str] = field(default_factory=Counter)
    interrupts: Counter[str] = field(default_factory=Counter)
    flushes: Counter[str] = field(default_factory=Counter)
    queued: int = 0
    calls: int = 0

    @property
    def saved(self) -> int:
        """Hypercalls (or flushes of one entry) that the mode saved."""
        return max(self.queued - self.calls, 0)

    @property
    def idle(self) -> int:
        """Sections in which nothing, or one entry, was put off: the mode gained nothing there."""
        return self.entries.at_most(1)

    def flush(self, reason: str, calls: int, queued: int) -> None:
        """Count a flush: why, in how many calls, of how many operations not counted before."""
        self.flushes[reason] += 1
        self.calls += calls
        self.queued += queued

    def counters(self, other: StatsGroup) -> Iterator[tuple[Counter[str], Counter[str]]]:
        """What is counted by words, each with the same of another group."""
        yield self.switches, other.switches
        yield self.interrupts, other.interrupts
        yield self.flushes, other.flushes

    def take(self, other: StatsGroup) -> None:
        """Add what another group counted."""
        self.sections += other.sections
        self.nested += other.nested
        self.off_cpu += other.off_cpu
        self.lengths.merge(other.lengths)
        self.entries.merge(other.entries)
        for mine, theirs in self.counters(other):
            if theirs:
                mine.update(theirs)
        self.queued += other.queued
        self.calls += other.calls


def group_of(found: dict[str, StatsGroup], name: str) -> StatsGroup:
    """The group of a name; of one too many, the group of all others."""
    group = found.get(name)
    if group is None:
        name = name if len(found) < MAX_GROUPS else OTHERS
        group = found.setdefault(name, StatsGroup())
    return group


def ranked(groups: Mapping[str, StatsGroup]) -> Iterator[tuple[str, StatsGroup]]:
    """Groups with the most time in sections first; without times, with the most entries."""
    return iter(
        sorted(
            groups.items(),
            key=lambda item: (-item[1].lengths.total, -item[1].queued, item[0]),
        )
    )
