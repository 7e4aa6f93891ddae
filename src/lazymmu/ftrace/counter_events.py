# SPDX-License-Identifier: GPL-2.0-or-later
"""Readings of a task's counters: dynamic events that a recording makes, by name or by place.

Data, as all that a trace shows: profiles/common.toml.  Names are free: where one is not known, the
function that is probed tells of when the reading is.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

__all__ = [
    "TASK_DEAD",
    "TracedCounters",
    "counter_events",
    "counter_reading",
    "is_site",
    "site_events",
]

_DATA: Final = Path(__file__).parent / "profiles" / "common.toml"

_READING: Final = re.compile(
    rb"(?P<name>[^\s:(]{1,64}):[ \t]+"
    # Of a return: (where it goes on <- the probed function), kernel/trace/trace_kprobe.c.
    rb"\((?:[^\s)]{0,256} (?:\[[^\s\]]{1,64}\] )?(?P<returns><-) )?"
    rb"(?P<place>[^\s)+]{0,256})[^)\n]{0,256}\)(?P<fields>[^\n]*)"
)
_FIELD: Final = re.compile(
    rb"[ \t](pid|ec|pc|st|pr|nv)=(-?(?:0x[0-9a-fA-F]{1,16}|\d{1,20}))(?![^\s])"
)
_WRITTEN: Final = (b"tracing_mark_write", b"print", b"bprint", b"bputs")
"""Events whose text somebody wrote: what looks like a reading there is none."""

_DIGITS: Final = "0123456789"
TASK_DEAD: Final = 0x80
"""The state of a task at its last switch (include/linux/sched.h)."""

_HOOKED: Final = ("switch-out", "switch-in")
"""Moments of hooks of a context switch, whose own instructions pause and resume."""


@dataclass(frozen=True, slots=True)
class TracedCounters:
    """One reading.

    :param at: what happened to the task, one of the words of `events.Observed`, "" where nobody
        says.
    :param does: what the probed instruction does to the counters ("begin", "end", "pause",
        "resume", "guard"), "" where it is none.
    :param place: the function that was probed.
    :param pid: of the task whose counters they are, None for the current one.
    :param enabled: the counters, 0 to 255.
    :param paused: likewise.
    :param state: of a task that is switched out, None where not recorded.
    :param preempted: likewise.
    """

    at: str
    does: str
    place: str
    pid: int | None
    enabled: int
    paused: int
    state: int | None = None
    preempted: int | None = None

    @property
    def dead(self) -> bool:
        """Whether it is the task's last switch."""
        return bool((self.state or 0) & TASK_DEAD)


@cache
def _common() -> dict[str, Any]:
    return tomllib.loads(_DATA.read_text("utf-8"))


@cache
def counter_events() -> dict[str, str]:
    """Name of each dynamic event that reads the counters, and the moment it is of."""
    return {one["name"]: one["at"] for one in _common()["event"]}


@cache
def site_events() -> dict[str, str]:
    """Name, without its number, of each event at an instruction, and what that does."""
    return {one["name"]: one["does"] for one in _common()["site"]}


@cache
def _places(*, returns: bool) -> dict[str, str]:
    """Functions whose beginning, or return, tells of when a reading is."""
    places = _common()["place"]
    return {one["function"]: one["at"] for one in places if not (returns and one.get("counts"))}


@lru_cache(maxsize=1024)
def _meaning(name: bytes, place: bytes, *, returns: bool) -> tuple[str, str, str]:
    """Of when a reading is, what its instruction does, and where it is."""
    called, where = name.decode("ascii", "replace"), place.decode("ascii", "replace")
    does = site_events().get(called.rstrip(_DIGITS), "")
    moment = _places(returns=returns).get(where.split(".")[0], "")
    if does in ("pause", "resume") and moment in _HOOKED:
        # What a hook of the switch does, before it does it: nobody has called anything.
        does = ""
    at = "" if does else counter_events().get(called) or moment
    return at, does, where


def is_site(text: bytes) -> bool:
    """Whether a line's text is of a probe at an instruction that touches the counters."""
    return text.partition(b":")[0].rstrip(_DIGITS.encode()).decode("ascii", "replace") in (
        site_events()
    )


def counter_reading(text: bytes) -> TracedCounters | str | None:
    """The reading that a line's text is.

    None when it is no reading of the counters; a sentence without a full stop when it is one that
    cannot be read.
    """
    found = _READING.match(text)
    if found is None or found["name"] in _WRITTEN:
        return None
    at, does, place = _meaning(found["name"], found["place"], returns=found["returns"] is not None)
    fields = {
        key: int(value, 16 if b"x" in value else 10)
        for key, value in _FIELD.findall(found["fields"])
    }
    enabled, paused = fields.get(b"ec"), fields.get(b"pc")
    if b"pid=" in found["fields"] and b"pid" not in fields:
        return "counters cannot be read"
    if enabled is None or paused is None:
        return "counters cannot be read" if at or does else None
    if not (0 <= enabled <= 0xFF and 0 <= paused <= 0xFF):
        return "counters are no bytes"
    if does == "store":
        # v7.0 and v7.1 store the count: the value tells whether a section begins or ends.
        does = {1: "begin", 0xFF: "end"}.get((fields.get(b"nv", enabled) - enabled) & 0xFF, "")
        if not does:
            return "a store of the count cannot be read"
    return TracedCounters(
        at,
        does,
        place,
        fields.get(b"pid"),
        enabled,
        paused,
        fields.get(b"st"),
        fields.get(b"pr"),
    )
