# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is told what happens in a trace, one thing after the other, with its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lazymmu.ftrace.record import nanoseconds
from lazymmu.witness.trace.call_site import site_of
from lazymmu.witness.trace.queue_stats import HANDLED, INTERRUPT, Told, handler_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.ftrace.counter_events import TracedCounters
    from lazymmu.witness.trace.observer import ObservedLine
    from lazymmu.witness.trace.section_totals import CpuQueue

__all__ = [
    "SectionListener",
    "tell_queue",
    "tell_reading",
    "tell_section",
    "tell_switch",
]


class SectionListener(Protocol):
    """Is told what `SectionStats` counts.

    Times are nanoseconds; a task is its pid and its name, pid 0 being the idle task of `cpu`.
    """

    def begins(self, pid: int, comm: str, cpu: int, now: int, site: str) -> None:
        """A section begins, also inside another one of the task; site: who begins it."""

    def ends(self, pid: int, cpu: int, now: int) -> None:
        """The innermost section of a task ends."""

    def lost(self, pid: int, cpu: int, now: int) -> None:
        """What is known of a task's sections is not known any more: records are missing."""

    def flushed(self, cpu: int, now: int, reason: str, operations: int) -> None:
        """What was put off on a CPU takes effect."""

    def switched(
        self, cpu: int, now: int, gone: tuple[int, str], state: str, comes: tuple[int, str]
    ) -> None:
        """A context switch; state: of the task that goes, as sched_switch prints it."""

    def interrupted(self, cpu: int, now: int, kind: str, name: str, *, begins: bool) -> None:
        """A handler of an interrupt begins or ends; kind: "hard" or "soft"."""

    def read(self, pid: int, comm: str, cpu: int, now: int, enabled: int, paused: int) -> None:
        """The counters of a task were read."""


def tell_section(listener: SectionListener, line: ObservedLine, *, inside: bool) -> None:
    """Tell the beginning or the end of a section; inside: the task is known to be in one."""
    pid, now = int(line.columns.pid), nanoseconds(line.stamp)
    if line.what == "enter":
        listener.begins(pid, _comm(line), line.cpu, now, site_of(line.caller))
    elif line.what == "leave" and inside:
        listener.ends(pid, line.cpu, now)


def tell_queue(
    listener: SectionListener,
    told: Told,
    cpu: CpuQueue,
    stamp: bytes,
    text: bytes,
    reason: str | None,
) -> None:
    """Tell a flush, or the beginning or end of a handler; reason: of a flush, else None."""
    if reason is not None:
        listener.flushed(cpu.number, nanoseconds(stamp), reason, cpu.went)
    elif told[0] in (INTERRUPT, HANDLED):
        name, begins = handler_of(text), told[0] == INTERRUPT
        listener.interrupted(cpu.number, nanoseconds(stamp), told[1], name, begins=begins)


def tell_switch(listener: SectionListener, cpu: int, now: int, fields: Mapping[str, str]) -> None:
    """Tell a context switch."""
    gone, comes = ((int(fields[f"{who}_pid"]), fields[f"{who}_comm"]) for who in ("prev", "next"))
    listener.switched(cpu, now, gone, fields["prev_state"], comes)


def tell_reading(listener: SectionListener, line: ObservedLine, reading: TracedCounters) -> None:
    """Tell a reading; of another task than the one that runs the name is not known."""
    pid = int(line.columns.pid)
    other = reading.pid is not None and reading.pid != pid
    comm = "" if other else _comm(line)
    now = nanoseconds(line.stamp)
    listener.read(
        (reading.pid or 0) if other else pid, comm, line.cpu, now, reading.enabled, reading.paused
    )


def _comm(line: ObservedLine) -> str:
    return line.columns.comm.decode("utf-8", "replace").strip()
