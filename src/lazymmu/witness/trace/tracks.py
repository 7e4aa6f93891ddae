# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened in a trace, kept to be drawn: bars on tracks, in bounded memory.

Of a long trace not everything can be kept. Bars of a track between which there is little time are
then made one, which says how many it stands for, and "little" grows until there is room: so the
whole trace is there at a lower resolution, and no part of it is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["KINDS", "MAX_BARS", "MAX_TRACKS", "TraceTrack", "TraceTracks", "TrackBar"]

KINDS: Final = ("section", "inner", "away", "reading", "runs", "flush", "hard", "soft", "lost")
"""Kinds of bars: a section and one inside it, its task switched out, counters that are not zero,
who runs, a flush, the handlers of interrupts, records that are missing."""

MAX_BARS: Final = 16_000
MAX_TRACKS: Final = 48
"""Tracks of tasks that are drawn; those with the most sections, and those with findings."""

_MAX_OPEN: Final = 1 << 12
"""Tasks, and handlers of a CPU, that are followed at a time."""

Key = tuple[str, int]
"""What a track is of: ``task`` and the pid (of an idle task ``idle`` and the CPU), or ``runs``,
``flushes``, ``interrupts`` and the CPU."""


@dataclass(slots=True)
class TrackBar:
    """Something that lasted from start to end, in nanoseconds; the same for what has no length.

    :param label: what it was, "" where several that are not alike became one.
    :param count: how many.
    """

    start: int
    end: int
    kind: str
    label: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class TraceTrack:
    """The bars of a task, or of a CPU, by their beginning; name: as it is shown."""

    key: Key
    name: str
    bars: tuple[TrackBar, ...]


class TraceTracks:
    """Keeps bars; a `SectionListener`."""

    def __init__(self, most: int = MAX_BARS) -> None:
        """Nothing seen yet; most: bars that are kept."""
        self._most = most
        self._bars: dict[Key, list[TrackBar]] = {}
        self._names: dict[Key, str] = {}
        self._number = 0
        self._gap = 0
        self._first: int | None = None
        self._last = 0
        self._open: dict[Key, list[tuple[int, str]]] = {}
        self._away: dict[Key, tuple[int, str]] = {}
        self._runs: dict[int, tuple[int, tuple[int, str]]] = {}
        self._handlers: dict[int, list[tuple[int, str, str]]] = {}
        self._finished = False

    @property
    def started(self) -> int:
        """The time of what was told first."""
        return self._first or 0

    @property
    def span(self) -> int:
        """Nanoseconds from the first to the last."""
        return max(self._last - self.started, 0)

    @property
    def merged(self) -> int:
        """Nanoseconds between two bars that may have become one; 0: everything is as it was."""
        return self._gap

    def tracks(self, wanted: Iterable[Key] = ()) -> tuple[list[TraceTrack], int]:
        """CPUs first, then the tasks with the most sections; and how many tasks are left out.

        :param wanted: tasks that are not left out.
        """
        self._finish()
        cpus = sorted(key for key in self._bars if key[0] not in _OF_TASKS)
        tasks = [key for key in self._bars if key[0] in _OF_TASKS]
        always = set(wanted)
        order = sorted(tasks, key=lambda key: (key not in always, -self._sections(key), key))
        kept = sorted(order[:MAX_TRACKS], key=lambda key: (-self._sections(key), key))
        return [self._track(key) for key in (*_by_cpu(cpus), *kept)], len(tasks) - len(kept)

    def _sections(self, key: Key) -> int:
        return sum(bar.count for bar in self._bars[key] if bar.kind == "section")

    def _track(self, key: Key) -> TraceTrack:
        bars = sorted(self._bars[key], key=lambda bar: (bar.start, -bar.end))
        return TraceTrack(key, self._names.get(key) or f"CPU {key[1]} {key[0]}", tuple(bars))

    # ---- what is told ----------------------------------------------------------------------

    def begins(self, pid: int, comm: str, cpu: int, now: int, site: str) -> None:
        """A section begins."""
        key = self._task(pid, comm, cpu)
        self._see(now)
        if len(self._open) < _MAX_OPEN or key in self._open:
            self._open.setdefault(key, []).append((now, site))

    def ends(self, pid: int, cpu: int, now: int) -> None:
        """The innermost section of a task ends."""
        key = _key(pid, cpu)
        self._see(now)
        opened = self._open.get(key)
        self._away.pop(key, None)
        if opened:
            began, site = opened.pop()
            if not opened:
                del self._open[key]
            self._put(key, began, now, "inner" if opened else "section", site)

    def lost(self, pid: int, cpu: int, now: int) -> None:
        """Records are missing: what is open is not drawn."""
        key = _key(pid, cpu)
        self._open.pop(key, None)
        self._away.pop(key, None)
        if key in self._names:
            self._put(key, now, now, "lost", "records are missing")

    def flushed(self, cpu: int, now: int, reason: str, operations: int) -> None:
        """What was put off on a CPU takes effect."""
        more = f", {operations} put off" if operations else ""
        self._put(("flushes", cpu), now, now, "flush", f"{reason}{more}")

    def switched(
        self, cpu: int, now: int, gone: tuple[int, str], state: str, comes: tuple[int, str]
    ) -> None:
        """A context switch."""
        since = self._runs.get(cpu)
        if since is not None and since[1][0] == gone[0]:
            self._put(("runs", cpu), since[0], now, "runs", _named(*gone, cpu))
        self._runs[cpu] = now, comes
        self._see(now)
        key = _key(gone[0], cpu)
        if key in self._open:
            self._away[key] = now, state
        key = _key(comes[0], cpu)
        left = self._away.pop(key, None)
        if left is not None and key in self._open:
            self._put(key, left[0], now, "away", f"switched out ({left[1]})")

    def interrupted(self, cpu: int, now: int, kind: str, name: str, *, begins: bool) -> None:
        """A handler of an interrupt begins or ends."""
        opened = self._handlers.setdefault(cpu, [])
        if begins:
            # What has no end in the trace is not waited for.
            self._handlers[cpu] = [*opened[-3:], (now, kind, name)]
            return
        while opened:
            began, was, title = opened.pop()
            if was == kind:
                self._put(("interrupts", cpu), began, now, kind, title)
                return

    def read(self, pid: int, comm: str, cpu: int, now: int, enabled: int, paused: int) -> None:
        """The counters of a task were read: a bar where they are not zero."""
        if enabled or paused:
            said = f"enable_count {enabled}, pause_count {paused}"
            self._put(self._task(pid, comm, cpu), now, now, "reading", said)

    # ---- keeping ---------------------------------------------------------------------------

    def _task(self, pid: int, comm: str, cpu: int) -> Key:
        key = _key(pid, cpu)
        if comm or key not in self._names:
            self._names[key] = _named(pid, comm, cpu)
        return key

    def _see(self, now: int) -> None:
        if self._first is None or now < self._first:
            self._first = now
        self._last = max(self._last, now)

    def _put(self, key: Key, start: int, end: int, kind: str, label: str) -> None:
        self._see(start)
        self._see(end)
        bars = self._bars.setdefault(key, [])
        bar = TrackBar(start, max(end, start), kind, label)
        if self._gap and bars and self._joins(bars[-1], bar):
            return
        bars.append(bar)
        self._number += 1
        if self._number > self._most:
            self._thin()

    def _joins(self, before: TrackBar, bar: TrackBar) -> bool:
        """Take a bar into the one before it, if they are alike and near each other."""
        if before.kind != bar.kind or bar.start - before.end > self._gap:
            return False
        before.start = min(before.start, bar.start)
        before.end = max(before.end, bar.end)
        before.count += bar.count
        before.label = before.label if before.label == bar.label else ""
        return True

    def _thin(self) -> None:
        """Make neighbours one until half of the room is free again."""
        while self._number > self._most // 2:
            self._gap = 2 * self._gap or max(self.span // self._most, 1)
            self._number = 0
            for key, bars in self._bars.items():
                kept: list[TrackBar] = []
                # Each kind for itself: a flush between two sections is no end of them.
                last: dict[str, TrackBar] = {}
                for bar in sorted(bars, key=lambda one: one.start):
                    before = last.get(bar.kind)
                    if before is None or not self._joins(before, bar):
                        kept.append(bar)
                        last[bar.kind] = bar
                self._bars[key] = kept
                self._number += len(kept)
            if self._gap > self.span:
                return

    def _finish(self) -> None:
        """The end of the trace: what is open lasts until there."""
        if self._finished:
            return
        self._finished = True
        for key, opened in self._open.items():
            for depth, (began, site) in enumerate(opened):
                kind = "inner" if depth else "section"
                self._put(key, began, self._last, kind, f"{site}, open at the end")
        for cpu, (since, task) in self._runs.items():
            self._put(("runs", cpu), since, self._last, "runs", _named(*task, cpu))


_OF_TASKS: Final = ("task", "idle")


def _key(pid: int, cpu: int) -> Key:
    return ("task", pid) if pid else ("idle", cpu)


def _named(pid: int, comm: str, cpu: int) -> str:
    return f"{comm or '<...>'}-{pid}" if pid else f"idle/{cpu}"


def _by_cpu(keys: Iterable[Key]) -> Iterator[Key]:
    """Of each CPU who runs, then flushes and interrupts."""
    order = ("runs", "flushes", "interrupts")
    yield from sorted(keys, key=lambda key: (key[1], order.index(key[0])))
