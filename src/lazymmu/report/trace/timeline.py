# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened in a trace as a timeline that Perfetto and Chrome show: JSON trace events.

Format: "Trace Event Format" (the Chromium project), JSON Object Format; opened by ui.perfetto.dev.
Written as it comes, so that memory does not grow with the trace.  Tracks are "threads" of three
"processes": one for each task with its sections, one for each CPU with the tasks that run there and
the flushes, and one for each CPU with its interrupts.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any, Final

from lazymmu.report.common.words import clean

if TYPE_CHECKING:
    from lazymmu.witness.trace.values import TraceResult

__all__ = ["COUNTS", "Timeline"]

_SECTIONS, _CPUS, _INTERRUPTS = 1, 2, 3
_PROCESSES: Final = {
    _SECTIONS: "lazy MMU sections, by task",
    _CPUS: "CPUs: who runs, and flushes",
    _INTERRUPTS: "interrupts, by CPU",
}
COUNTS: Final = "a microsecond here is one count of the trace's clock, which has no unit"
"""What is said of a trace whose clock counts: times of this format are microseconds."""

_IDLE: Final = 1 << 23
"""Tracks of idle tasks begin here: no pid is so large (PID_MAX_LIMIT, linux/threads.h)."""

_MAX_KNOWN: Final = 1 << 14
"""Tracks of which it is remembered that they have a name; one that is told twice does no harm."""

_MAX_OPEN: Final = 1 << 14
"""Tasks with open sections that are followed."""


class Timeline:
    """Writes a timeline; a `SectionListener`.

    error: why it could not be written, "" while it can: nothing is raised, because whoever tells
    has more to do than this.
    """

    def __init__(self, out: IO[str], name: str) -> None:
        """out: where to, closed by who opened it; name: of the trace."""
        self.error = ""
        self._out = out
        self._comma = ""
        self._known: set[tuple[int, int]] = set()
        self._sections: dict[int, list[tuple[int, str]]] = {}
        self._away: dict[int, tuple[int, str]] = {}
        self._runs: dict[int, tuple[int, str]] = {}
        self._handlers: dict[int, list[tuple[int, str, str]]] = {}
        self._last = 0
        self._name_of_trace = clean(name)
        self._write('{"displayTimeUnit": "ns", "traceEvents": [')
        for process, title in _PROCESSES.items():
            self._put(ph="M", name="process_name", pid=process, tid=0, args={"name": title})
            self._put(
                ph="M", name="process_sort_index", pid=process, tid=0, args={"sort_index": process}
            )

    def finish(self, result: TraceResult | None = None, *, counts: bool = False) -> None:
        """The end of the trace.

        :param result: what was found in it, to be marked on the tracks.
        :param counts: its clock counts something, so that what a viewer shows as a microsecond is
            one count.
        """
        for track, opened in self._sections.items():
            for began, site in opened:
                self._put(
                    ph="X", name=site, cat="section", pid=_SECTIONS, tid=track, ts=_us(began),
                    dur=_us(max(self._last - began, 0)), args={"end": "after the trace"},
                )  # fmt: skip
        for cpu, (since, task) in self._runs.items():
            self._run(cpu, since, self._last, task, "")
        for one in result.findings if result is not None else ():
            spot = one.location
            track = one.pid or _IDLE + spot.cpu
            self._name(_SECTIONS, track, _task(one.pid, one.comm, spot.cpu))
            self._put(
                ph="i", s="t", name=f"{one.verdict}: {one.rule}", cat="finding", pid=_SECTIONS,
                tid=track, ts=_us(spot.nanoseconds),
                args={"line": spot.line, "cpu": spot.cpu, "what": clean(one.message)},
            )  # fmt: skip
        about = {"trace": self._name_of_trace, "tool": "lazymmu"}
        if counts:
            about["clock"] = COUNTS
            for process in _PROCESSES:
                label = {"labels": COUNTS}
                self._put(ph="M", name="process_labels", pid=process, tid=0, args=label)
        self._write(f'\n], "otherData": {json.dumps(about)}}}\n')

    # ---- what is told ----------------------------------------------------------------------

    def begins(self, pid: int, comm: str, cpu: int, now: int, site: str) -> None:
        """A section begins."""
        track = self._track(pid, comm, cpu, now)
        self._away.pop(track, None)
        if len(self._sections) < _MAX_OPEN or track in self._sections:
            self._sections.setdefault(track, []).append((now, clean(site)))

    def ends(self, pid: int, cpu: int, now: int) -> None:
        """The innermost section of a task ends."""
        track, self._last = pid or _IDLE + cpu, max(self._last, now)
        opened = self._sections.get(track)
        self._away.pop(track, None)
        if not opened:
            return
        began, site = opened.pop()
        if not opened:
            del self._sections[track]
        self._put(
            ph="X", name=site, cat="section", pid=_SECTIONS, tid=track, ts=_us(began),
            dur=_us(max(now - began, 0)), args={"cpu": cpu},
        )  # fmt: skip

    def lost(self, pid: int, cpu: int, now: int) -> None:
        """Records are missing: what is open is not shown."""
        track = pid or _IDLE + cpu
        self._sections.pop(track, None)
        self._away.pop(track, None)
        self._mark(_SECTIONS, track, now, "records are missing", {})

    def flushed(self, cpu: int, now: int, reason: str, operations: int) -> None:
        """What was put off on a CPU takes effect."""
        self._name(_CPUS, cpu, f"CPU {cpu}")
        self._mark(_CPUS, cpu, now, f"flush: {clean(reason)}", {"operations": operations})

    def switched(
        self, cpu: int, now: int, gone: tuple[int, str], state: str, comes: tuple[int, str]
    ) -> None:
        """A context switch."""
        self._last = max(self._last, now)
        since, task = self._runs.get(cpu, (0, ""))
        if task == _task(*gone, cpu) and since <= now:
            self._run(cpu, since, now, task, state)
        self._runs[cpu] = now, _task(*comes, cpu)
        track = gone[0] or _IDLE + cpu
        if track in self._sections:
            self._away[track] = now, clean(state)
        track = comes[0] or _IDLE + cpu
        left = self._away.pop(track, None)
        if left is not None and track in self._sections:
            self._put(
                ph="X", name=f"switched out ({left[1]})", cat="switch", pid=_SECTIONS, tid=track,
                ts=_us(left[0]), dur=_us(max(now - left[0], 0)), args={"to_cpu": cpu},
            )  # fmt: skip

    def interrupted(self, cpu: int, now: int, kind: str, name: str, *, begins: bool) -> None:
        """A handler of an interrupt begins or ends."""
        opened = self._handlers.setdefault(cpu, [])
        if begins:
            # What has no end in the trace is not waited for.
            self._handlers[cpu] = [*opened[-3:], (now, kind, clean(name))]
            return
        while opened:
            began, was, title = opened.pop()
            if was == kind:
                self._name(_INTERRUPTS, cpu, f"CPU {cpu}")
                self._put(
                    ph="X", name=title, cat=kind, pid=_INTERRUPTS, tid=cpu, ts=_us(began),
                    dur=_us(max(now - began, 0)),
                )  # fmt: skip
                return

    def read(self, pid: int, comm: str, cpu: int, now: int, enabled: int, paused: int) -> None:
        """The counters of a task were read: marked where they are not zero."""
        if enabled or paused:
            track = self._track(pid, comm, cpu, now)
            counts = {"enable_count": enabled, "pause_count": paused, "cpu": cpu}
            self._mark(_SECTIONS, track, now, "in a section" if enabled else "paused", counts)

    # ---- writing ---------------------------------------------------------------------------

    def _track(self, pid: int, comm: str, cpu: int, now: int) -> int:
        self._last = max(self._last, now)
        track = pid or _IDLE + cpu
        self._name(_SECTIONS, track, _task(pid, comm, cpu))
        return track

    def _name(self, process: int, track: int, name: str) -> None:
        if (process, track) in self._known:
            return
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known.add((process, track))
        self._put(ph="M", name="thread_name", pid=process, tid=track, args={"name": name})

    def _run(self, cpu: int, since: int, now: int, task: str, state: str) -> None:
        self._name(_CPUS, cpu, f"CPU {cpu}")
        self._put(
            ph="X", name=task, cat="sched", pid=_CPUS, tid=cpu, ts=_us(since),
            dur=_us(max(now - since, 0)), args={"state": clean(state)} if state else {},
        )  # fmt: skip

    def _mark(self, process: int, track: int, now: int, name: str, args: dict[str, Any]) -> None:
        self._last = max(self._last, now)
        self._put(
            ph="i", s="t", name=name, cat="mark", pid=process, tid=track, ts=_us(now), args=args
        )

    def _put(self, **event: Any) -> None:
        self._write(f"{self._comma}\n{json.dumps(event)}")
        self._comma = ","

    def _write(self, text: str) -> None:
        if self.error:
            return
        try:
            self._out.write(text)
        except (OSError, ValueError) as error:
            self.error = (error.strerror if isinstance(error, OSError) else None) or str(error)


def _task(pid: int, comm: str, cpu: int) -> str:
    return f"{clean(comm) or '<...>'}-{pid}" if pid else f"idle/{cpu}"


def _us(nanoseconds: int) -> float:
    """The format's times are microseconds."""
    return nanoseconds / 1000
