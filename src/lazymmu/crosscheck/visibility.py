# SPDX-License-Identifier: GPL-2.0-or-later
"""What the trace of one kernel shows of the mode, put together from the profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lazymmu.ftrace.counter_events import counter_events, site_events
from lazymmu.ftrace.probes import plan
from lazymmu.ftrace.profile import (
    ARCHES,
    functions,
    guess,
    profiles,
    version,
)
from lazymmu.ftrace.record import Header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.contract.dialects import Dialect
    from lazymmu.ftrace.profile import TracedFunction, Version

_MESSAGES = (3, 4, 0)
"""include/trace/events/printk.h (in v3.4)."""

__all__ = ["CounterReading", "KernelVisibility", "visibility"]


@dataclass(frozen=True, slots=True)
class CounterReading:
    """A dynamic event that reads the task's counters: its name, and the tracepoint it is at."""

    name: str
    tracepoint: str


@dataclass(frozen=True, slots=True)
class KernelVisibility:
    """What a trace of one kernel shows.

    :param calls: for each meaning of the profiles the function that has it.
    :param counters: for each moment the event by which `lazymmu probes` reads the task's counters
        then, none before v7.0.
    :param sections: whether functions show where sections begin and end.
    :param dialect: of the contract, as that kernel speaks it.
    :param sites: names of the probes at the instructions that change the counters, by what these
        do, none before v7.0.
    :param insists: beginning and end meet a BUG_ON where the CPU's mode is not what they expect.
    :param pauses_out: the hooks of a switch pause the task that goes.
    :param messages: what the kernel prints shows.
    :param release: which it is.
    """

    calls: Mapping[str, TracedFunction]
    counters: Mapping[str, CounterReading]
    sections: bool
    dialect: Dialect | None
    sites: Mapping[str, str] = field(default_factory=dict)
    insists: bool = False
    pauses_out: bool = False
    messages: bool = False
    release: Version = (0, 0, 0)

    @property
    def anything(self) -> bool:
        """Whether anything shows the mode."""
        return bool(self.calls or self.counters or self.sites)

    @property
    def hooks(self) -> bool:
        """Whether what a context switch does to the mode shows, and the mode is no counter's."""
        return not self.counters and {"switch-begin", "switch-end"} <= set(self.calls)


def visibility(arch: str, release: str) -> KernelVisibility | None:
    """What a trace of Linux `release` on `arch` shows; None where there is no profile of that."""
    at = version(release)
    if arch not in ARCHES or at is None:
        return None
    known = guess(Header(), b"", arch=arch, release=release)
    calls: dict[str, TracedFunction] = {}
    there = [one for one in profiles()[arch].functions if one.since <= at < one.until]
    names = {one.name for one in there}
    for one in there:
        same = {name for name in one.inner & names if functions()[name].means == one.means}
        # One that another of the same meaning calls is a part of that one.
        if not same and one.means != "nothing":
            calls.setdefault(one.means, one)
    readings = counter_events()
    counters = {
        readings[one.name]: CounterReading(one.name, one.forms[0].split()[1])
        for one in plan(arch, release).dynamic
        if one.name in readings
    }
    if known.counted:
        # On any tracepoint from v7.3 on, and by a probe on its function before.
        counters.setdefault("user-return", CounterReading("ur", "sys_exit"))
    return KernelVisibility(
        calls=calls,
        counters=counters,
        sections=known.shows_sections,
        dialect=known.dialects[0] if known.dialects else None,
        sites={does: name for name, does in site_events().items()} if known.counted else {},
        insists=known.insists == "yes",
        pauses_out=known.pauses_out == "yes",
        messages=at >= _MESSAGES,
        release=at,
    )
