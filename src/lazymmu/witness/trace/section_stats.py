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
from lazymmu.ftrace.record import fields_of, nanoseconds
from lazymmu.witness.trace.call_site import site_of, site_of_stack
from lazymmu.witness.trace.histogram import Histogram
from lazymmu.witness.trace.observer import ObservedLine, TraceObserver
from lazymmu.witness.trace.queue_reader import QueueReader, task_key
from lazymmu.witness.trace.queue_stats import HANDLERS_END, NEEDLES, SWITCH, powerpc_batch
from lazymmu.witness.trace.section_listener import (
    tell_reading,
    tell_section,
    tell_switch,
)
from lazymmu.witness.trace.section_totals import CpuQueue, OpenSection, SectionTotals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import Run
    from lazymmu.witness.trace.section_listener import SectionListener

__all__ = ["SectionStats"]

_MAX_OPEN: Final = 1 << 12
"""Tasks with an open section that are followed; of one too many the first counts as cut."""

_WAITS: Final = ("switch-in", "start")
"""Moments at which a task has not run yet, and may be paused for that."""


class SectionStats(SectionTotals, TraceObserver):
    """See the module.

    started, stopped: first and last time in nanoseconds; cut: sections of which the end or a part
    is missing; readings: of the counters, and seen_in: those that found their task in a section, by
    what happened to it; paused: those of tasks that run and are paused, so that no section begins;
    calls: of the API that show whether they begin a section, and ignored: those that did not.
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
        self._open: dict[bytes, OpenSection] = {}
        self._queues = QueueReader(self, self._open, listener)
        self._cpu = self._queues.cpu
        self._stamp = b""
        self._whole: dict[tuple[Columns, bytes], tuple[tuple[str, str], list[int]]] = {}

    # ---- lines -----------------------------------------------------------------------------

    def take(self, lines: Lines, runs: Iterable[Run]) -> Iterable[Run]:
        """Take the lines about queues and interrupts, of which there are the most."""
        self.finish()
        block = lines.block
        if not any(word in block for word in self.needles):
            return runs
        return self._queues.take(lines, runs)

    # ---- in short --------------------------------------------------------------------------

    def quiet(self, pid: bytes) -> bool:
        """Whether a task is in no section, and nobody else listens."""
        if self._listener is not None or self.started is None:
            return False
        return not self._open or (pid not in (b"", b"0") and pid not in self._open)

    def hook(self, cpu: int, stamp: bytes, *, begins: bool) -> None:
        """As `add()` of the same line."""
        self._stamp = stamp
        queue = self._cpu(cpu)
        queue.began, queue.why, queue.switching = None, SWITCH, begins

    def switch(self, cpu: int, stamp: bytes) -> None:
        """As `add()` of the same line."""
        self._stamp = stamp
        self._cpu(cpu).began = None

    def section(self, columns: Columns, cpu: int, begin: tuple[bytes, bytes], stamp: bytes) -> None:
        """As `add()` of the two lines; how long it was is counted with those that are like it."""
        self._stamp = stamp
        began, text = begin
        key = columns, text
        whole = self._whole.get(key)
        if whole is None:
            site = site_of(function_text(text)[2])
            whole = self._whole[key] = (site, _named(columns, cpu)), []
        whole[1].append(0 if began == stamp else nanoseconds(stamp) - nanoseconds(began))
        queue = self._cpu(cpu)
        queue.began, queue.why, queue.last = None, "end of the section", whole[0]

    def finish(self) -> None:
        """Count the sections that ended at once, and the time so far."""
        for where, lengths in self._whole.values():
            spread = Histogram()
            for length in lengths:
                spread.add(length)
            for group in self.groups(*where):
                group.sections += len(lengths)
                group.lengths.merge(spread)
                group.entries.add(0, len(lengths))
        self._whole.clear()
        for stamp in (self._stamp, self._queues.stamp):
            if stamp:
                self.stopped = max(self.stopped, nanoseconds(stamp))

    # ---- line by line ----------------------------------------------------------------------

    def add(self, line: ObservedLine) -> None:
        """One of the other lines."""
        self._stamp = line.stamp
        if self.started is None:
            self.started = nanoseconds(line.stamp)
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
                held.site = site_of_stack(line.frames) or held.site
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
                if len(self._open) >= _MAX_OPEN:
                    del self._open[next(iter(self._open))]
                    self.cut += 1
                self._open[key] = OpenSection(nanoseconds(line.stamp), site_of(line.caller))
                cpu.began = self._open[key]
                if line.known:
                    cpu.last = None
            case "leave" if held is not None:
                held.depth -= 1
                if held.depth == 0:
                    del self._open[key]
                    self._close(_named(line.columns, line.cpu), held, cpu, nanoseconds(line.stamp))
                else:
                    cpu.why = "end of a nested section"
            case "leave":
                # Of a section that began before the trace, or unseen.
                self.cut += 1
                cpu.why = "end of a section"
            case "flush":
                if held is not None:
                    cpu.why, cpu.last = "asked for", (held.site, _named(line.columns, line.cpu))
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

    def _close(self, task: str, held: OpenSection, cpu: CpuQueue, now: int) -> None:
        """The outermost section of a task ends."""
        length, inside = now - held.began, held.seen
        for group in self.groups(held.site, task):
            group.sections += 1
            group.off_cpu += held.out
            group.lengths.add(length)
            group.entries.add(0 if inside is None else inside.queued)
            if inside is not None:
                group.take(inside)
        cpu.why, cpu.last = "end of the section", (held.site, task)

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
