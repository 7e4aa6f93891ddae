# SPDX-License-Identifier: GPL-2.0-or-later
"""What the trace witness returns, as values that every renderer reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.record import nanoseconds
from lazymmu.witness.finding import Finding

if TYPE_CHECKING:
    from lazymmu.witness.trace.basis import RuleBasis

__all__ = [
    "BEGAN",
    "READ",
    "Caveat",
    "Seen",
    "TraceFinding",
    "TraceLocation",
    "TraceResult",
    "TraceVerdict",
]

BEGAN: Final = "the section began here"
"""What a step of a finding's path says of a line where a section began."""

READ: Final = "the counters were read before"
"""The same of a line from which on counters are wrong."""


class TraceVerdict(StrEnum):
    """What a finding is: a broken rule, or something that this architecture may do."""

    VIOLATION = "violation"
    ALLOWED = "allowed"
    UNKNOWN = "cannot-tell"


@dataclass(frozen=True, slots=True)
class TraceLocation:
    """A line of the trace: number, time and CPU as printed, text after the time, and its stack."""

    line: int
    stamp: str
    cpu: int
    text: str
    frames: tuple[str, ...] = ()

    @property
    def nanoseconds(self) -> int:
        """The time: of seconds, or of the latency format's microseconds."""
        return nanoseconds(self.stamp.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFinding(Finding):
    """One event that breaks a rule, or that is worth knowing.

    file and line are the trace's; path: `began`, then `spot`; harms: what comes of it on this
    implementation, none when nobody is hurt or nobody can tell.

    :param comm: the task, pid 0 being the CPU's idle task.
    :param pid: likewise.
    :param location: the line that broke the rule.
    :param began: where the sections that were open began, outermost first (empty: before the
        trace), or the reading before of a finding about counters, and since, which of the two that
        is.
    :param notes: what else the lines show.
    :param context: numbers and text of the lines around.
    """

    verdict: TraceVerdict
    comm: str
    pid: int
    location: TraceLocation
    began: tuple[TraceLocation, ...] = ()
    since: str = BEGAN
    notes: tuple[str, ...] = ()
    context: tuple[tuple[int, str], ...] = ()

    def of(self, *, pid: int | None = None, cpu: int | None = None) -> bool:
        """Whether it is of a task, and on a CPU; None: of any."""
        return pid in (None, self.pid) and cpu in (None, self.location.cpu)


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something that cannot be told, and why; line: where it shows first (0: everywhere)."""

    reason: str
    line: int = 0
    times: int = 1


@dataclass(slots=True)
class Seen:
    """How much there was to judge.

    :param sections: beginnings seen.
    :param ends: ends seen; paired: those of which the beginning was seen, too.
    :param flushes: explicit ones; batches: flushes that a batch's own function shows.
    :param counters: readings of the task's counters, and readings: the same by what happened to the
        task, as in `events.Observed`, "" of one that runs.
    :param telling: those of them that a rule about sections can be judged by alone.
    :param held: those that were held to what the counters must be there.
    :param sites: probes at the instructions of the API.
    :param ignored: calls of it that its guards ignored, as they show.
    :param bare: functions of the mode without their callers.
    :param tasks: that did any of it.
    :param lines: of the trace.
    :param unreadable: of the lines that matter.
    :param hooks: switches of which the hooks show.
    :param first_batches: sections whose first update shows whether the mode is on.
    :param messages: of the kernel.
    """

    lines: int = 0
    sections: int = 0
    ends: int = 0
    paired: int = 0
    flushes: int = 0
    updates: int = 0
    switches: int = 0
    counters: int = 0
    readings: Counter[str] = field(default_factory=Counter)
    telling: Counter[str] = field(default_factory=Counter)
    held: int = 0
    sites: int = 0
    ignored: int = 0
    hooks: int = 0
    first_batches: int = 0
    bare: int = 0
    unreadable: int = 0
    messages: int = 0
    tasks: set[tuple[int, int]] = field(default_factory=set)

    @property
    def anything(self) -> bool:
        """Whether the mode showed at all."""
        return bool(self.sections or self.ends or self.flushes or self.updates or self.counters)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceResult:
    """Everything that one trace has to say.

    :param name: of the file.
    :param arch: "" when not known exactly.
    :param release: likewise.
    :param kernel: architecture, release and how they are known, one phrase each.
    :param dialect: of the contract, "" when several may be.
    :param cut: findings beyond those listed, by rule.
    :param unjudgeable: what shows the mode cannot be judged.
    :param hidden: what no recording of such a kernel shows, a phrase or "".
    :param ended: why it was not read to its end, "" when it was.
    :param lost: the first of its words of records that are missing amid others, "" when none is.
    :param basis: what each rule could be judged by.
    :param interrupted: by Ctrl-C.
    """

    name: str
    arch: str
    release: str
    kernel: tuple[str, ...]
    dialect: str
    findings: tuple[TraceFinding, ...]
    caveats: tuple[Caveat, ...]
    seen: Seen
    cut: tuple[tuple[str, int], ...] = ()
    unjudgeable: bool = False
    hidden: str = ""
    ended: str = ""
    lost: str = ""
    basis: tuple[RuleBasis, ...] = ()
    interrupted: bool = False

    @property
    def violations(self) -> tuple[TraceFinding, ...]:
        """The findings that break a rule."""
        return tuple(one for one in self.findings if one.verdict is TraceVerdict.VIOLATION)

    @property
    def conclusive(self) -> bool:
        """Whether the trace showed enough to say that all is well, and was there and read whole."""
        judged = any(one.over for one in self.basis)
        return self.seen.anything and judged and not self.unjudgeable and not self.incomplete

    @property
    def incomplete(self) -> str:
        """Why there may be more to see than was there and read, as a phrase; "" where all was."""
        if self.ended:
            return f"not read to its end: {self.ended}"
        return f"records are missing: {self.lost}" if self.lost else ""

    def only(self, *, pid: int | None = None, cpu: int | None = None) -> TraceResult:
        """The same with the findings of one task, and on one CPU, alone."""
        kept = tuple(one for one in self.findings if one.of(pid=pid, cpu=cpu))
        return self if len(kept) == len(self.findings) else replace(self, findings=kept)
