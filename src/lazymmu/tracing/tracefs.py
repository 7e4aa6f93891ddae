# SPDX-License-Identifier: GPL-2.0-or-later
"""The tracing file system: where it is, what the kernel offers, what a dead recording left."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Leftover",
    "Offer",
    "TracingError",
    "find_tracefs",
    "group_of",
    "leftovers",
    "name_of",
    "offer_of",
]

_PLACES: Final = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_INSTANCE: Final = re.compile(r"lazymmu-record-(\d{1,10})")
_EVENT: Final = re.compile(r"^[a-z]\d*:(lazymmu_(\d{1,10})/\w{1,64})(?=\s|$)", re.MULTILINE)


class TracingError(Exception):
    """Something cannot be recorded; the text is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a kernel offers; None where it does not say: then trying tells."""

    events: frozenset[str] | None
    functions: frozenset[str] | None
    clocks: tuple[str, ...] | None
    makes_events: bool

    def has_event(self, name: str) -> bool:
        """Whether there may be a trace event, SYSTEM/NAME."""
        return self.events is None or name in self.events

    def has_function(self, name: str) -> bool:
        """Whether the function tracer may take a function."""
        return self.functions is None or name in self.functions


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a recording left: the process that made it, whether it runs, its instance and events."""

    process: int
    runs: bool
    instance: Path | None = None
    events: tuple[str, ...] = field(default=())


def name_of(process: int) -> str:
    """The instance's name of a recording by this process."""
    return f"lazymmu-record-{process}"


def group_of(process: int) -> str:
    """The group of the events that a recording by this process makes."""
    return f"lazymmu_{process}"


def find_tracefs(given: str | None) -> Path:
    """The folder of tracefs: what was given, or where it is mounted.

    :raises TracingError: there is none that has instances.
    """
    places = (given,) if given is not None else _PLACES
    for place in places:
        if (Path(place) / "instances").is_dir():
            return Path(place)
    if given is not None:
        raise TracingError(f"{given} is no tracefs: it has no folder of instances")
    raise TracingError("no tracefs is mounted: mount -t tracefs tracefs /sys/kernel/tracing")


def offer_of(tracefs: Path) -> Offer:
    """What the kernel of a tracefs offers."""
    events, functions = _words(tracefs / "available_events"), None
    listed = _words(tracefs / "available_filter_functions")
    if listed is not None:
        functions = frozenset(listed)
    clocks = _words(tracefs / "trace_clock")
    return Offer(
        events=None if events is None else frozenset(one.replace(":", "/", 1) for one in events),
        functions=functions,
        clocks=None if clocks is None else tuple(one.strip("[]") for one in clocks),
        makes_events=(tracefs / "dynamic_events").exists(),
    )


def leftovers(tracefs: Path) -> tuple[Leftover, ...]:
    """What recordings of ours left in a tracefs, or have there while they run."""
    instances: dict[int, Path] = {}
    for place in sorted((tracefs / "instances").iterdir()):
        found = _INSTANCE.fullmatch(place.name)
        if found is not None and place.is_dir() and not place.is_symlink():
            instances[int(found[1])] = place
    events: dict[int, list[str]] = {}
    for name, process in _EVENT.findall(_text(tracefs / "dynamic_events") or ""):
        events.setdefault(int(process), []).append(name)
    return tuple(
        Leftover(one, _runs(one), instances.get(one), tuple(events.get(one, ())))
        for one in sorted({*instances, *events})
    )


def _runs(process: int) -> bool:
    """Whether a process is there and is one of ours; its number may be another's by now."""
    try:
        return b"lazymmu" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def _words(path: Path) -> list[str] | None:
    text = _text(path)
    return None if text is None else [line.split()[0] for line in _lines(text)]


def _lines(text: str) -> Iterator[str]:
    # The file of clocks has all of them in one line, those of events one a line.
    lines = text.splitlines()
    parts = lines[0].split() if len(lines) == 1 else lines
    return (one for one in parts if one.strip())


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None
