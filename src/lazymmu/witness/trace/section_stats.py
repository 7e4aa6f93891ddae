# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what the sections of a trace were like: how long, over how many entries, and how undone.

It judges nothing.  `SectionStats.add()` is told of each line by the trace witness, with what the
line is to a section; memory does not grow with the trace: distributions are `Histogram`s, and of
tasks and call sites beyond `stats_group.MAX_GROUPS` only the sum is kept.

What was put off is counted where the kernel shows it:

* Xen PV: each xen_mc_issue for the mode, after an xen_mc_batch in the mode (v7.2 on: one that does
  not flush), puts one operation off, which without the mode would have been a hypercall of its own;
  xen_mc_flush issues the queue as one (arch/x86/xen/multicalls.c, xen-ops.h).  Without these bulky
  events, entries are reckoned from the bytes that are flushed: struct mmu_update has 16.
* powerpc hash: hpte_need_flush() adds one entry to the batch, __flush_tlb_pending() flushes it
  (arch/powerpc/mm/book3s64/hash_tlb.c).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

from lazymmu.ftrace.lines import interrupts
from lazymmu.witness.trace.histogram import Histogram
from lazymmu.witness.trace.stats_group import StatsGroup, group_of

if TYPE_CHECKING:
    from lazymmu.ftrace.record import Record

__all__ = ["SectionStats"]

_UPDATE_BYTES: Final = 16  # struct mmu_update, include/xen/interface/xen.h
_FLUSHING: Final = re.compile(rb" ?flushing (\d{1,9}) hypercalls, (\d{1,12}) arg bytes")

_Key: TypeAlias = "int | tuple[int, int]"


class _Open:
    """A task's open section: where and when it began, and what happened in it since."""

    __slots__ = ("began", "depth", "group", "left", "out", "site")

    def __init__(self, began: int, site: str) -> None:
        self.began = began
        self.site = site
        self.depth = 1
        self.group = StatsGroup()
        self.out = 0
        self.left: int | None = None


class _Cpu:
    """What a CPU has queued, and why its next flush happens."""

    __slots__ = ("last", "lazy", "queued", "reason", "site", "switching", "why")

    def __init__(self) -> None:
        self.lazy = b""
        self.site = ""
        self.queued = 0
        self.reason = ""
        self.why = ""
        self.switching = False
        self.last: tuple[str, str] | None = None


class SectionStats:
    """See the module.

    needles: what a line that is wanted contains; everything: all sections together; sites, tasks:
    the same by call site and by task; started, stopped: first and last time in nanoseconds; cut:
    sections of which the end or a part is missing; outside: flushes of what no section put off, by
    reason; batches: entries of each flush of a batch (powerpc), or updates of each hypercall (Xen);
    seen_in: readings of the counters that found their task in a section, by what happened to it.
    """

    needles: tuple[bytes, ...] = (
        b"xen_mc_batch",
        b"xen_mc_flush",
        b"xen_mc_issue",
        b"irq_handler_entry",
        b"softirq_entry",
        b"flush_tlb_pending <-",
        b"flush_hash_page <-hpte",
    )

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.everything = StatsGroup()
        self.sites: dict[str, StatsGroup] = {}
        self.tasks: dict[str, StatsGroup] = {}
        self.outside: Counter[str] = Counter()
        self.batches = Histogram()
        self.readings = 0
        self.seen_in: Counter[str] = Counter()
        self.cut = 0
        self.bulk = False
        self.started: int | None = None
        self.stopped = 0
        self._open: dict[_Key, _Open] = {}
        self._cpus: dict[int, _Cpu] = {}

    # ---- lines -----------------------------------------------------------------------------

    def add(self, record: Record, what: str, depth: int, *, known: bool) -> None:
        """One line; see `lazymmu.witness.trace.line_loop.TraceObserver`."""
        now = _nanoseconds(record.stamp)
        if self.started is None:
            self.started = now
        self.stopped = max(self.stopped, now)
        key: _Key = record.pid if record.pid else (0, record.cpu)
        held = self._open.get(key)
        if held is not None and depth == 0 and what != "leave" and held.depth:
            # Whoever follows the task knows no more that it is in a section: records are missing.
            del self._open[key]
            self.cut += 1
            held = None
        cpu = self._cpus.get(record.cpu)
        if cpu is None:
            cpu = self._cpus[record.cpu] = _Cpu()
        if what:
            self._mode(record, what, key, held, cpu, now, known=known)
            return
        name = record.name
        if name == "sched_switch":
            self._switch(record, held, now)
        elif name.startswith("xen_mc_"):
            self._queue(record, held, cpu)
        elif name == "irq_handler_entry" and held is not None:
            held.group.interrupts["hard"] += 1
        elif name == "softirq_entry" and held is not None:
            held.group.interrupts["soft"] += 1
        elif name in ("sw", "ex", "new", "ur"):
            self._reading(record)
        elif name == "pend":
            fields = record.fields
            if fields.get("idx", "").isdigit():
                cpu.queued = int(fields["idx"])
        elif name == "flush_tlb_pending":
            # sparc64: the end of a section calls it when the batch is not empty.
            if record.caller.startswith("arch_"):
                self._flushed(cpu, "end of the section", 1, held)
            else:
                self.outside["TLB flush"] += 1

    def _mode(
        self,
        record: Record,
        what: str,
        key: _Key,
        held: _Open | None,
        cpu: _Cpu,
        now: int,
        *,
        known: bool,
    ) -> None:
        """A line of the mode's own functions."""
        match what:
            case "enter" if held is not None:
                held.depth += 1
                held.group.nested += 1
            case "enter":
                self._open[key] = _Open(now, record.caller or "?")
            case "leave" if held is not None:
                held.depth -= 1
                if held.depth == 0:
                    del self._open[key]
                    self._close(record, held, cpu, now)
                else:
                    cpu.why = "end of a nested section"
            case "leave":
                # Of a section that began before the trace, or unseen.
                self.cut += 1
                cpu.why = "end of a section"
            case "flush":
                if held is not None:
                    cpu.why, cpu.last = "asked for", (held.site, _named(record))
                if record.name == "__flush_tlb_pending":
                    self._batch(record, cpu)
                else:
                    cpu.why = "asked for"
            case "hook-leave" | "switch-begin":
                cpu.switching = True
                cpu.why = "context switch"
            case "hook-flush":
                self._batch(record, cpu, "context switch")
            case "switch-end":
                cpu.why = "context switch"
                cpu.switching = False
            case "update":
                cpu.queued += 1
                cpu.site = record.caller
                self.bulk = True
            case "immediate":
                cpu.queued = max(cpu.queued - 1, 0)
                self.outside["issued at once"] += 1
        if known and what == "enter" and held is None:
            cpu.last = None

    def _close(self, record: Record, held: _Open, cpu: _Cpu, now: int) -> None:
        """The outermost section of a task ends."""
        group = held.group
        group.sections = 1
        group.off_cpu = held.out
        group.lengths.add(now - held.began)
        group.entries.add(group.queued)
        task = _named(record)
        for found, name in ((self.sites, held.site), (self.tasks, task)):
            group_of(found, name).take(group)
        self.everything.take(group)
        cpu.why, cpu.last = "end of the section", (held.site, task)

    # ---- queues ----------------------------------------------------------------------------

    def _queue(self, record: Record, held: _Open | None, cpu: _Cpu) -> None:
        """A line of Xen's multicalls."""
        text = record.raw_text
        match record.name:
            case "xen_mc_batch":
                cpu.lazy = text.rpartition(b"_")[2]
            case "xen_mc_issue" if b"flush: " in text:
                if b"flush: yes" in text:
                    cpu.why = "issued at once"
                elif not cpu.switching:
                    self._put_off(held, cpu)
            case "xen_mc_issue":
                # Put off if the CPU is lazy about what is issued.  trace-cmd cannot print the
                # modes and calls them all LAZY_NONE, which is no mode to be lazy in either.
                about = text.rpartition(b"_")[2]
                if about != cpu.lazy or about == b"NONE":
                    cpu.why = "issued at once"
                elif about == b"MMU":
                    self._put_off(held, cpu)
                else:
                    cpu.why = "context switch"
            case "xen_mc_flush_reason":
                why = text.rpartition(b" ")[2].decode("ascii", "replace")
                cpu.reason = f"full ({why})" if why.isalpha() else "full"
            case "xen_mc_flush":
                found = _FLUSHING.match(text)
                if found is not None:
                    calls, size = int(found[1]), int(found[2])
                    if calls:
                        self._issued(record, held, cpu, calls, size)

    def _put_off(self, held: _Open | None, cpu: _Cpu) -> None:
        """One operation is queued in the mode."""
        self.bulk = True
        cpu.queued += 1
        cpu.why = ""
        self._queued(held, 1)

    def _queued(self, held: _Open | None, number: int) -> None:
        if held is not None:
            held.group.queued += number
        else:
            self.everything.queued += number

    def _issued(self, record: Record, held: _Open | None, cpu: _Cpu, calls: int, size: int) -> None:
        """A queue of `calls` multicall entries, one trap, goes to the hypervisor."""
        reason, cpu.reason = cpu.reason or cpu.why or "not recorded", ""
        entries = size // _UPDATE_BYTES
        went, cpu.queued = (cpu.queued if self.bulk else max(entries, calls)), 0
        if reason == "issued at once":
            if not self.bulk or not went:
                self.outside[reason] += 1
                return
            # It would have been a call without the mode too; what was put off goes along.
            calls = 0
            if interrupts(record.flags):
                reason = "interrupt"
        elif reason == "context switch" and not went:
            self.outside[reason] += 1
            return
        self.batches.add(went)
        self._flushed(cpu, reason, min(calls, 1), held, 0 if self.bulk else went)

    def _batch(self, record: Record, cpu: _Cpu, reason: str = "") -> None:
        """powerpc's batch is flushed."""
        if not reason:
            full = record.caller == "hpte_need_flush"
            reason = "full, or another mm" if full else "end of the section"
        went, cpu.queued = cpu.queued, 0
        self.batches.add(went)
        site = cpu.site if record.caller == "hpte_need_flush" else record.caller
        group = StatsGroup(queued=went, calls=1)
        group.entries.add(went)
        group.flushes[reason] += 1
        for found, name in ((self.sites, site), (self.tasks, _named(record))):
            group_of(found, name or "?").take(group)
        self.everything.take(group)

    def _flushed(
        self, cpu: _Cpu, reason: str, calls: int, held: _Open | None, queued: int = 0
    ) -> None:
        """Work put off takes effect: the task's open section has it, or the one that just ended."""
        group = StatsGroup(calls=calls, queued=queued)
        group.flushes[reason] += 1
        if held is not None:
            held.group.take(group)
            return
        if cpu.last is None:
            self.outside[reason] += 1
            return
        site, task = cpu.last
        group_of(self.sites, site).take(group)
        group_of(self.tasks, task).take(group)
        self.everything.take(group)
        cpu.last = None

    # ---- switches --------------------------------------------------------------------------

    def _switch(self, record: Record, held: _Open | None, now: int) -> None:
        fields = record.fields
        state = fields.get("prev_state", "")
        if held is not None:
            if state.endswith("+"):
                held.group.switches["preempted"] += 1
            elif state.startswith("R"):
                held.group.switches["yielded"] += 1
            else:
                held.group.switches["blocked"] += 1
            held.left = now
        if state[:1] in ("X", "Z", "x") and self._open.pop(record.pid, None) is not None:
            self.cut += 1
        pid = fields.get("next_pid", "")
        if pid.isdigit():
            come = self._open.get(int(pid) or (0, record.cpu))
            if come is not None and come.left is not None:
                come.out += max(now - come.left, 0)
                come.left = None

    def _reading(self, record: Record) -> None:
        """The task's counters, where functions show nothing."""
        self.readings += 1
        fields = record.fields
        if fields.get("ec", "0") == "0":
            return
        if fields.get("pc", "0") != "0":
            self.seen_in["paused"] += 1
        elif record.name != "sw":
            self.seen_in["at its end" if record.name == "ex" else "elsewhere"] += 1
        else:
            # Raw states: 0 is runnable (include/linux/sched.h).
            running = fields.get("st", "0") in ("0", "0x0") or fields.get("pr") == "1"
            self.seen_in["preempted" if running else "blocked"] += 1

    # ---- the whole -------------------------------------------------------------------------

    @property
    def counted(self) -> bool:
        """Whether the entries of each section are known: the trace has each one of them."""
        return self.bulk

    @property
    def open(self) -> int:
        """Sections that had not ended when the trace did."""
        return len(self._open)

    @property
    def span(self) -> int:
        """Nanoseconds from the first line that was wanted to the last."""
        return self.stopped - (self.started or 0)


def _named(record: Record) -> str:
    return f"{record.comm}-{record.pid}" if record.pid else f"<idle>/{record.cpu}"


def _nanoseconds(stamp: str) -> int:
    """Nanoseconds: of seconds with a fraction, else of the latency format's microseconds."""
    whole, dot, part = stamp.partition(".")
    if not dot:
        return int(whole) * 1000
    return int(whole) * 1_000_000_000 + int(part[:9].ljust(9, "0"))
