# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what the sections of a trace were like: how long, over how many entries, and how undone.

It judges nothing.  `SectionStats` is told of each line by the trace witness, with what the line is
to a section; memory does not grow with the trace: distributions are `Histogram`s, and of tasks and
call sites beyond `stats_group.MAX_GROUPS` only the sum is kept.  What is put off is counted by
`queue_stats`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.counter_events import TracedCounters, counter_reading
from lazymmu.ftrace.lines import function_text
from lazymmu.ftrace.record import elapsed, fields_of, nanoseconds
from lazymmu.witness.trace.call_site import site_of, site_of_stack
from lazymmu.witness.trace.counted_reader import COUNTED, HINT, CountedReader
from lazymmu.witness.trace.observer import ObservedLine, TraceObserver
from lazymmu.witness.trace.queue_reader import task_key
from lazymmu.witness.trace.queue_stats import (
    END,
    HANDLERS_END,
    NEEDLES,
    SWITCH,
    powerpc_batch,
)
from lazymmu.witness.trace.section_listener import (
    tell_reading,
    tell_section,
    tell_switch,
)
from lazymmu.witness.trace.section_totals import (
    CpuQueue,
    LikeSections,
    OpenSection,
    SectionTotals,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import Run
    from lazymmu.witness.trace.section_listener import SectionListener

__all__ = ["SectionStats"]

_MAX_OPEN: Final = 1 << 12
"""Tasks with an open section that are followed; of one too many the first counts as cut."""

_BLOCKS_WITHOUT: Final = 4
_BLOCKS_BETWEEN: Final = 8
"""Blocks without lines to take, one after the other, from which on one in so many is searched."""

_MAX_KEYS: Final = 1 << 12
"""Columns of lines that are remembered of a call site."""

_WAITS: Final = ("switch-in", "start")
"""Moments at which a task has not run yet, and may be paused for that."""


class SectionStats(SectionTotals, TraceObserver):
    """See the module.

    started, stopped: first and last time in nanoseconds; cut: sections of which the end or a part
    is missing; readings: of the counters, and seen_in: those that found their task in a section, by
    what happened to it; paused: those of tasks that run and are paused, so that no section begins;
    calls: of the API that show whether they begin a section, and ignored: those that did not;
    counts: times are of a clock that has no unit (x86-tsc, counter), each a thousand for one count.
    """

    needles: tuple[bytes, ...] = (
        *NEEDLES,
        b"flush_tlb_pending <-",
        b"flush_hash_page <-hpte",
    )

    def __init__(self, listener: SectionListener | None = None) -> None:
        """Nothing seen yet; listener: told what happens."""
        super().__init__()
        if listener is not None:
            self.needles += HANDLERS_END
        self._listener = listener
        self.readings = 0
        self.seen_in: Counter[str] = Counter()
        self.paused = 0
        self.calls = self.ignored = 0
        self.cut = 0
        self.started: int | None = None
        self.stopped = 0
        self.counts = False
        self._open: dict[bytes, OpenSection] = {}
        self._queues = CountedReader(self, self._open, listener)
        self._cpu, self._cpus = self._queues.cpu, self._queues.cpus
        self._blocks = self._without = 0
        self._format = ""
        self._by_text: dict[bytes, dict[bytes, LikeSections]] = {}
        if listener is None:
            self.in_short = self._open

    # ---- lines -----------------------------------------------------------------------------

    def take(self, lines: Lines) -> Iterable[Run] | None:
        """Take the lines about queues and interrupts, of which there are the most."""
        block = lines.block
        self._blocks += 1
        self._format = lines.header.format
        if self._without > _BLOCKS_WITHOUT and self._blocks % _BLOCKS_BETWEEN:
            # It is no mistake to be told of those few that there may be line by line.
            return None
        if not any(word in block for word in self.needles):
            self._without += 1
            return None
        self._without = 0
        if self._listener is None and HINT in block:
            counted = lines.counted_runs(COUNTED)
            if counted is not None:
                return self._queues.take_counted(lines, counted)
        return self._queues.take(lines, lines.runs())

    # ---- in short --------------------------------------------------------------------------

    def hook(self, cpu: int, *, begins: bool) -> None:
        """As `add()` of the same line."""
        queue = self._cpus.get(cpu) or self._cpu(cpu)
        queue.began, queue.why, queue.switching = None, SWITCH, begins

    def switch(self, cpu: int) -> None:
        """As `add()` of the same line."""
        self._cpu(cpu).began = None

    def section(
        self, columns: Columns, key: bytes, cpu: int, begin: tuple[bytes, bytes], stamp: bytes
    ) -> None:
        """As `add()` of the two lines."""
        began, text = begin
        by_key = self._by_text.get(text)
        like = None if by_key is None else by_key.get(key)
        if like is None:
            like = self._like_of(columns, key, cpu, text)
        # As `elapsed()`: a usual line has a time with six digits after the point.
        length = int(stamp.replace(b".", b"")) - int(began.replace(b".", b""))
        like.add(length * 1000, 0)
        queue = self._cpus.get(cpu) or self._cpu(cpu)
        queue.began, queue.why, queue.last = None, END, like.where

    def begins(
        self,
        columns: Columns,
        key: bytes,
        task: bytes,
        cpu: int,
        begin: tuple[bytes, bytes],
        *,
        known: bool,
    ) -> None:
        """As `add()` of the same line."""
        stamp, text = begin
        by_key = self._by_text.get(text)
        like = None if by_key is None else by_key.get(key)
        if like is None:
            like = self._like_of(columns, key, cpu, text)
        queue = self._cpus.get(cpu) or self._cpu(cpu)
        self._begins(task, like.where, queue, stamp, known=known)

    def ends(self, task: bytes, cpu: int, stamp: bytes) -> None:
        """As `add()` of the same line."""
        queue = self._cpus.get(cpu) or self._cpu(cpu)
        queue.began = None
        self._ends(task, self._open[task], queue, stamp)

    def finish(self, first: bytes, last: bytes) -> None:
        """Count the sections that are alike, and the time so far."""
        self.count_likes()
        times = [nanoseconds(one) for one in (first, *self._queues.stamps[:1]) if one]
        if times and self.started is None:
            self.started = min(times)
        times += [nanoseconds(one) for one in (last, *self._queues.stamps) if one]
        self.stopped = max((self.stopped, *times))
        self.counts = bool(last) and b"." not in last and self._format == "normal"

    def _like_of(self, columns: Columns, key: bytes, cpu: int, text: bytes) -> LikeSections:
        """Those that a section is like which begins on a line with these columns and this text."""
        by_key = self._by_text.get(text)
        if by_key is None or len(by_key) > _MAX_KEYS:
            by_key = self._by_text[text] = {}
        where = site_of(function_text(text)[2]), _named(columns, cpu)
        like = by_key[key] = self.like(where)
        return like

    def count_likes(self) -> None:
        """Also forget which these were."""
        super().count_likes()
        self._by_text.clear()

    # ---- line by line ----------------------------------------------------------------------

    def add(self, line: ObservedLine) -> None:
        """One of the other lines."""
        key = task_key(line.columns)
        held = self._open.get(key)
        if held is not None and line.depth == 0 and line.what != "leave" and held.depth:
            # Whoever follows the task knows no more that it is in a section: records are missing.
            del self._open[key]
            self.cut += 1
            held = None
            if self._listener is not None:
                self._listener.lost(int(line.columns.pid), line.cpu, nanoseconds(line.stamp))
        cpu = self._cpu(line.cpu)
        if line.frames:
            if held is not None and held is cpu.began:
                held.where = site_of_stack(line.frames) or held.where[0], held.where[1]
            return
        cpu.began = None
        if line.what:
            if self._listener is not None:
                tell_section(self._listener, line, inside=held is not None)
            self._mode(line, key, held, cpu)
            return
        text = line.text
        if text.startswith(b"sched_switch:"):
            self._switch(line, held)
        elif b" ec=" in text:
            self._reading(line)
        elif text.startswith(b"pend:"):
            filled = fields_of("pend", text[5:]).get("idx", "")
            if filled.isdigit():
                cpu.queued = int(filled)
        elif line.name == "flush_tlb_pending":
            # sparc64: the end of a section calls it when the batch is not empty.
            if line.caller.startswith("arch_"):
                self.flushed(cpu, "end of the section", 1, held)
            else:
                self.outside["TLB flush"] += 1
        else:
            self._queues.line(line, cpu, held)

    def _mode(
        self, line: ObservedLine, key: bytes, held: OpenSection | None, cpu: CpuQueue
    ) -> None:
        """A line of the mode's own functions."""
        match line.what:
            case "enter" if held is not None:
                held.depth += 1
                held.group.nested += 1
            case "enter":
                where = site_of(line.caller), _named(line.columns, line.cpu)
                self._begins(key, where, cpu, line.stamp, known=line.known)
            case "leave" if held is not None:
                self._ends(key, held, cpu, line.stamp)
            case "leave":
                # Of a section that began before the trace, or unseen.
                self.cut += 1
                cpu.why = "end of a section"
            case "flush":
                if held is not None:
                    cpu.why, cpu.last = "asked for", held.where
                if line.name == "__flush_tlb_pending":
                    powerpc_batch(self, cpu, line.caller, _named(line.columns, line.cpu))
                else:
                    cpu.why = "asked for"
            case "hook-leave" | "switch-begin":
                cpu.switching = True
                cpu.why = SWITCH
            case "hook-flush":
                powerpc_batch(self, cpu, line.caller, _named(line.columns, line.cpu), SWITCH)
            case "switch-end":
                cpu.why = SWITCH
                cpu.switching = False
            case "update":
                cpu.queued += 1
                cpu.site = line.caller
                self.counted = True
            case "immediate":
                cpu.queued = max(cpu.queued - 1, 0)
                self.outside["issued at once"] += 1

    def _begins(
        self, key: bytes, where: tuple[str, str], cpu: CpuQueue, stamp: bytes, *, known: bool
    ) -> None:
        """A task's outermost section begins; known: for sure."""
        if len(self._open) >= _MAX_OPEN:
            del self._open[next(iter(self._open))]
            self.cut += 1
        cpu.began = self._open[key] = OpenSection(stamp, where)
        if known:
            cpu.last = None

    def _ends(self, key: bytes, held: OpenSection, cpu: CpuQueue, stamp: bytes) -> None:
        """The innermost section of a task ends."""
        held.depth -= 1
        if held.depth:
            cpu.why = "end of a nested section"
            return
        del self._open[key]
        length, like, inside = elapsed(held.began, stamp), self.like(held.where), held.seen
        if inside is None:
            like.add(length, held.queued)
        else:
            like.add(length, held.queued + inside.queued)
            inside.queued = 0
            self.take_inside(like, inside)
        if held.out:
            like.group.off_cpu += held.out
        cpu.why, cpu.last = END, held.where

    # ---- switches and counters -------------------------------------------------------------

    def _switch(self, line: ObservedLine, held: OpenSection | None) -> None:
        listener = self._listener
        if not self._open and listener is None:
            return
        now = nanoseconds(line.stamp)
        fields = fields_of("sched_switch", line.text[13:])
        if listener is not None and fields:
            tell_switch(listener, line.cpu, now, fields)
        state = fields.get("prev_state", "")
        if held is not None:
            if state.endswith("+"):
                held.group.switches["preempted"] += 1
            elif state.startswith("R"):
                held.group.switches["yielded"] += 1
            else:
                held.group.switches["blocked"] += 1
            held.left = now
        if state[:1] in ("X", "Z", "x") and self._open.pop(line.columns.pid, None) is not None:
            self.cut += 1
            if listener is not None:
                listener.lost(int(line.columns.pid), line.cpu, now)
        pid = fields.get("next_pid", "")
        if pid.isdigit() and self._open:
            come = self._open.get(pid.encode() if pid != "0" else b"0/%d" % line.cpu)
            if come is not None and come.left is not None:
                come.out += max(now - come.left, 0)
                come.left = None

    def _reading(self, line: ObservedLine) -> None:
        """The task's counters, where functions show nothing."""
        reading = counter_reading(line.text)
        if not isinstance(reading, TracedCounters):
            return
        if reading.does:
            if reading.does == "guard":
                self.calls += 1
                self.ignored += reading.paused > 0
            return
        self.readings += 1
        if self._listener is not None:
            tell_reading(self._listener, line, reading)
        if reading.at not in _WAITS:
            self.paused += reading.paused > 0
        if not reading.enabled:
            return
        if reading.paused:
            self.seen_in["paused"] += 1
        elif reading.at != "switch-out":
            self.seen_in["at its end" if reading.at == "exit" else "elsewhere"] += 1
        else:
            # Raw states: 0 is runnable (include/linux/sched.h).
            running = not reading.state or reading.preempted == 1
            self.seen_in["preempted" if running else "blocked"] += 1

    # ---- the whole -------------------------------------------------------------------------

    @property
    def open(self) -> int:
        """Sections that had not ended when the trace did."""
        return len(self._open)

    @property
    def span(self) -> int:
        """Nanoseconds from the first line that was wanted to the last."""
        return self.stopped - (self.started or 0)


def _named(columns: Columns, cpu: int) -> str:
    if columns.pid == b"0":
        return f"<idle>/{cpu}"
    return f"{columns.comm.decode('utf-8', 'replace').strip()}-{int(columns.pid)}"
