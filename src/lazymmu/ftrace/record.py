# SPDX-License-Identifier: GPL-2.0-or-later
"""One line of a trace as a value, and what a trace says about itself.

A `Record` keeps the line's bytes and takes them apart when asked: of millions of lines only few are
looked at closely.  Text of a trace is not trusted: names of tasks hold whatever the task chose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DAMAGED",
    "SWITCH",
    "SWITCH_PLUGIN",
    "Header",
    "Record",
    "RecordKind",
    "RecordLoss",
    "TraceError",
    "elapsed",
    "fields_of",
    "nanoseconds",
]


class TraceError(Exception):
    """A trace cannot be read; the text is one sentence without a full stop.

    :param read: what was read of a text that is none; it may be something else that is of use.
    """

    def __init__(self, sentence: str, read: bytes = b"") -> None:
        super().__init__(sentence)
        self.read = read


class RecordKind(StrEnum):
    """What a line is."""

    FUNCTION = "function"
    """A traced function was called: `callee <-caller`."""
    EVENT = "event"
    """A trace event, a dynamic event, or trace_printk(): `name: fields`."""
    STACK = "stack"
    """The stack of the record before it on the same CPU, frames innermost first."""


DAMAGED: Final = "the data is damaged, here or before"
"""How what is said of an end begins that says something of what was read before, too."""


@dataclass(frozen=True, slots=True)
class RecordLoss:
    """Records that are not in the trace.

    :param line: where the trace says so (0: in its header).
    :param cpu: whose (-1: nobody says).
    :param count: how many (None: nobody says).
    :param what: the trace's own words, or ours.
    :param ended: nothing after it was read, although there was to be more.
    :param begins: a CPU's buffer begins here, later than another's.
    """

    line: int
    cpu: int
    count: int | None
    what: str
    ended: bool = False
    begins: bool = False

    @property
    def amid(self) -> bool:
        """Whether records are missing between others that were read."""
        return not (self.ended or self.begins)

    @property
    def damaged(self) -> bool:
        """Whether what was read before may be wrong as well."""
        return self.ended and self.what.startswith(DAMAGED)


@dataclass(slots=True)
class Header:
    """What a trace says of itself.  It grows while the trace is read.

    :param name: the file's, for messages.
    :param entries: of the header line "entries-in-buffer/ entries-written", which differ when the
        oldest records were overwritten.
    :param written: likewise.
    :param cpus: of "#P:"; release and machine: the kernel's, where the trace names them.
    :param preempt: the preemption model of a latency header.
    :param format: of the lines, as first met.
    """

    name: str = ""
    entries: int | None = None
    written: int | None = None
    cpus: int | None = None
    release: str = ""
    machine: str = ""
    preempt: str = ""
    format: str = ""
    losses: list[RecordLoss] = field(default_factory=list)


# Names of tasks have 15 bytes at most: too few to hold what follows them here.
SWITCH: Final = re.compile(
    rb"sched_switch:[ \t]+prev_comm=(?P<prev_comm>.{0,64}?) prev_pid=(?P<prev_pid>\d{1,10})"
    rb" prev_prio=(?P<prev_prio>-?\d+) prev_state=(?P<prev_state>\S+)"
    rb" (?:==> )?next_comm=(?P<next_comm>.{0,64}?) next_pid=(?P<next_pid>\d{1,10})"
    rb" next_prio=(?P<next_prio>-?\d+)",
    re.DOTALL,
)
# trace-cmd's plugin (lib/traceevent/plugins/plugin_sched_switch.c) prints it in its own way.
SWITCH_PLUGIN: Final = re.compile(
    rb"sched_switch:[ \t]+(?P<prev_comm>.{0,64}):(?P<prev_pid>\d{1,10}) \[(?P<prev_prio>-?\d+)\]"
    rb" (?P<prev_state>\S+) ==> (?P<next_comm>.{0,64}):(?P<next_pid>\d{1,10})"
    rb" \[(?P<next_prio>-?\d+)\]",
    re.DOTALL,
)
_PAIR: Final = re.compile(rb"(?:^|(?<=\s))(\w+)=(.*?)(?=\s+\w+=|\s+==>|\s*$)", re.DOTALL)


def fields_of(name: str, text: bytes) -> dict[str, str]:
    """The fields of event `name` in `text`, what follows the name; {} when there are none.

    A task's name may hold blanks and "=": sched_switch is taken apart from its numbers outwards.
    """
    if name == "sched_switch":
        whole = b"sched_switch: " + text
        found = SWITCH.match(whole) or SWITCH_PLUGIN.match(whole)
        if found is not None:
            return {
                key: value.decode("utf-8", "replace") for key, value in found.groupdict().items()
            }
        return {}
    return {
        key.decode(): value.decode("utf-8", "replace").strip() for key, value in _PAIR.findall(text)
    }


def nanoseconds(stamp: bytes) -> int:
    """Nanoseconds: of seconds with a fraction, else of the latency format's microseconds."""
    if stamp[-7:-6] == b".":
        return int(stamp.replace(b".", b"")) * 1000
    whole, dot, part = stamp.partition(b".")
    if not dot:
        return int(whole) * 1000
    return int(whole) * 1_000_000_000 + int(part[:9].ljust(9, b"0"))


def elapsed(began: bytes, ended: bytes) -> int:
    """Nanoseconds between two times of one trace."""
    if began == ended:
        return 0
    if began[-7:-6] == b"." == ended[-7:-6]:
        return (int(ended.replace(b".", b"")) - int(began.replace(b".", b""))) * 1000
    return nanoseconds(ended) - nanoseconds(began)


class Record:
    """One record of a trace.

    :param line: its number in the file, from 1.
    :param pid: of the task that was current (0: idle, one task per CPU).
    :param tgid: -1 when not recorded.
    :param flags: irqs-off, need-resched, hard/soft interrupt, preempt depth, migrate-disable, ""
        when not recorded.
    :param stamp: the time as the trace prints it.
    :param name: of the function or event.
    :param caller: of a function, "" when not recorded.
    :param text: what follows an event's name.
    :param frames: of a stack.
    """

    __slots__ = (
        "__dict__",
        "caller",
        "cpu",
        "flags",
        "frames",
        "kind",
        "line",
        "name",
        "pid",
        "raw_comm",
        "raw_text",
        "stamp",
        "tgid",
    )

    def __init__(
        self,
        line: int,
        raw_comm: bytes,
        pid: int,
        cpu: int,
        flags: str,
        stamp: str,
        kind: RecordKind,
        name: str,
        caller: str = "",
        raw_text: bytes = b"",
        tgid: int = -1,
        frames: tuple[str, ...] = (),
    ) -> None:
        """Take the parts of a line; see the class."""
        self.line = line
        self.raw_comm = raw_comm
        self.pid = pid
        self.cpu = cpu
        self.flags = flags
        self.stamp = stamp
        self.kind = kind
        self.name = name
        self.caller = caller
        self.raw_text = raw_text
        self.tgid = tgid
        self.frames = frames

    def __repr__(self) -> str:
        """For tests and debugging."""
        return (
            f"<Record {self.line}: {self.comm}-{self.pid} [{self.cpu}] {self.flags} {self.stamp} "
            f"{self.kind} {self.name} {self.caller or self.text}>"
        )

    @property
    def comm(self) -> str:
        """The task's name, as it chose it: for a terminal it must be cleaned first."""
        return self.raw_comm.decode("utf-8", "replace").strip()

    @property
    def text(self) -> str:
        """What follows an event's name."""
        return self.raw_text.decode("utf-8", "replace")

    @property
    def time(self) -> float:
        """The time in the unit of the trace: seconds, microseconds (latency format), or counts."""
        return float(self.stamp)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """`key=value` pairs of an event, in order; sched_switch has them in every format."""
        return fields_of(self.name, self.raw_text)
