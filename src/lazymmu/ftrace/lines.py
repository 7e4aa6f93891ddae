# SPDX-License-Identifier: GPL-2.0-or-later
"""The shapes of a line: tracefs and trace-cmd text, in their variants, and what a line says.

Sources: kernel/trace/trace_output.c, trace_print_context(), trace_print_lat_context() and
trace_print_lat_fmt(); kernel/trace/trace.c, print_func_help_header() and print_lat_help_header();
tools and output of trace-cmd 3.1.6 (`report`, with and without `-l` and `-O parent`).

All patterns work on bytes and are bounded, so that a hostile line costs no more than its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.record import RecordKind, RecordLoss

if TYPE_CHECKING:
    from lazymmu.ftrace.record import Header

__all__ = [
    "FORMATS",
    "REST",
    "STACK",
    "Columns",
    "Format",
    "columns",
    "frame",
    "function_text",
    "head",
    "interrupts",
    "line_text",
    "lost",
    "symbol",
]

# 16 bytes of name and a dash, as the kernel prints it; else whatever precedes `-PID`.  Flags are
# five characters since v5.17 (migrate-disable was added), four before, none with irq-info off, and
# six or seven with PREEMPT_RT's patches, which put need-resched-lazy third.
_NORMAL: Final = re.compile(
    rb"(?:(?P<comm>[^\n]{16})|[ \t]*(?P<name>[^\s][^\n]{0,96}?))-(?P<pid>\d{1,10})[ \t]+"
    rb"(?:\([ ]*(?P<tgid>\d{1,10}|-+)\)[ \t]+)?\[(?P<cpu>\d{1,5})\](?:[ \t]+(?=[^\d]))?"
    rb"(?P<flags>[dDbBX.][^\s:]{3,7}(?=[ \t]))?"
)
# The CPU's number is glued to the flags; delay marks follow the time.
_GLUED: Final = re.compile(
    rb"(?:(?P<comm>[^\n]{8})|[ \t]*(?P<name>[^\s][^\n]{0,96}?))-(?P<pid>\d{1,10})[ \t]+"
    rb"(?P<tgid>(?=x)y)?(?P<cpu>\d{1,5})"
    rb"(?P<flags>[dDbBX.][NnpPlLbB.](?:[hHsSzZ.][0-9a-f.]{1,2}"
    rb"|[NnpPlLbB.][hHsSzZ.][0-9a-f.]{2,3})(?=[ \t]))"
)
REST: Final = re.compile(
    rb"[ \t]++(\d{1,20}+(?>(?:\.\d{1,9}+)?))(?:us[^\n])?[ \t]*+:[ \t]++([^\n]*+)"
)
"""What follows the columns: time, in the latency format with a mark, and text.

Possessive throughout: nothing is tried twice, which takes half of the time away.
"""


@dataclass(frozen=True, slots=True)
class Format:
    """A line format: its name, and the pattern of its columns up to the time."""

    name: str
    pattern: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class Columns:
    """What precedes the time in a line: the task, the CPU, and what interrupts are on.

    :param irq: the interrupts that the task is in, outermost first.
    :param bh: bottom halves are off.
    :param flags: the column, None when there is none.
    :param tgid: -1 when there is none.
    """

    comm: bytes
    pid: bytes
    tgid: int
    cpu: bytes
    flags: bytes | None
    irq: tuple[str, ...]
    bh: bool


_IRQ: Final = {
    "h": ("hard",),
    "H": ("soft", "hard"),
    "s": ("soft",),
    "S": ("soft",),
    "z": ("nmi",),
    "Z": ("hard", "nmi"),
}


_COMM_BYTES: Final = 16
"""Bytes of a name as the kernel pads it: what is before them is dmesg's, or a mail's."""

_RT_COLUMNS: Final = 6
"""From this many characters on the flags are those of PREEMPT_RT's patches (to v6.5-rt)."""


def interrupts(flags: str) -> tuple[str, ...]:
    """The interrupts that the column of flags tells of, outermost first.

    The third character is hardirq/softirq (kernel/trace/trace_output.c, trace_print_lat_fmt());
    PREEMPT_RT's patches have need-resched-lazy before it.
    """
    at = 3 if len(flags) >= _RT_COLUMNS else 2
    return _IRQ.get(flags[at : at + 1], ())


def columns(found: re.Match[bytes]) -> Columns:
    """The columns that a format's pattern found."""
    flags, tgid = found["flags"], found["tgid"]
    comm = found["comm"]
    return Columns(
        comm=(comm if comm is not None else found["name"][-_COMM_BYTES:]).strip(),
        pid=found["pid"],
        tgid=int(tgid) if tgid and tgid.isdigit() else -1,
        cpu=found["cpu"],
        flags=flags,
        irq=interrupts(flags.decode("ascii", "replace")) if flags else (),
        bh=bool(flags) and flags[:1] in (b"b", b"D"),
    )


FORMATS: Final = (Format("normal", _NORMAL), Format("latency", _GLUED))
"""The formats, the likelier first.  A file has one of them."""

# `func`, `func+0x10/0x20` (options/sym-offset), `func [module]`, `func <address>`
# (options/sym-addr), `func(args)` (options/func-args, v6.15).
_FUNCTION: Final = re.compile(
    rb"(?P<name>[^\s:<(]+)(?:[ ]\[[^\]\s]*\])?(?:[ ]<[0-9a-f]{1,16}>)?(?:\([^\n]*\))?[ \t]+"
    rb"<-[ \t]*(?P<caller>[^\s][^\n]*)"
)
_CMD_FUNCTION: Final = re.compile(
    rb"function:[ \t]+(?P<name>[^\s:<=(]+)(?:[ ]\[[^\]\s]*\])?"
    rb"(?:[ \t]+<--[ \t]*(?P<caller>[^\s][^\n]*))?[ \t\r]*$"
)
_CMD_RAW: Final = re.compile(
    rb"function:[ \t]+ip=(?P<name>[^\s]+)[ \t]+parent_ip=(?P<caller>[^\s]+)"
)
_EVENT: Final = re.compile(rb"(?P<name>[^\s:]+):[ \t]*(?P<text>[^\n]*)")
_OFFSET: Final = re.compile(rb"\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?$")

STACK: Final = re.compile(rb"(?:kernel_stack:[ \t]*)?<stack trace ?>")
"""The text of a line that frames follow."""

_FRAME: Final = re.compile(rb"[ \t]*=>[ \t]+(?P<name>[^\n]*)")
_LOST: Final = re.compile(
    rb"CPU:[ ]?(?P<cpu>\d{1,5}) \[(?:LOST(?: (?P<count>\d{1,18}))? EVENTS"
    rb"|(?:(?P<dropped>\d{1,18}) )?EVENTS DROPPED)\]"
)
_STARTED: Final = re.compile(rb"#+ CPU (?P<cpu>\d{1,5}) buffer started #*")


@lru_cache(maxsize=4096)
def symbol(name: bytes) -> str:
    """A function's name without offset, module, and the suffixes that the compiler adds."""
    # `cat -A` ends lines with a dollar, which no name of C ends with.
    name = _OFFSET.sub(b"", name.split(b" [")[0].split(b" <")[0].strip(b" \t\r$"))
    return name.partition(b".")[0].decode("ascii", "replace") if name[:1] != b"." else ""


@lru_cache(maxsize=4096)
def function_text(text: bytes) -> tuple[RecordKind, str, str, bytes]:
    """As `line_text()`, and remembered: of functions and heads of stacks there are few."""
    return line_text(text)


def line_text(text: bytes) -> tuple[RecordKind, str, str, bytes]:
    """What the text of a line says: its kind, name, caller, and what follows an event's name."""
    if STACK.match(text):
        return RecordKind.STACK, "stack", "", b""
    if text.startswith(b"function:"):
        found = _CMD_RAW.match(text) or _CMD_FUNCTION.match(text)
        if found is not None:
            return RecordKind.FUNCTION, symbol(found["name"]), symbol(found["caller"] or b""), b""
    event = _EVENT.match(text)
    if event is not None:
        return RecordKind.EVENT, event["name"].decode("ascii", "replace"), "", event["text"]
    found = _FUNCTION.match(text)
    if found is not None:
        return RecordKind.FUNCTION, symbol(found["name"]), symbol(found["caller"]), b""
    return RecordKind.EVENT, "", "", text


def frame(line: bytes) -> str | None:
    """The function of a stack's line ` => name`, None when the line is none."""
    found = _FRAME.match(line)
    return None if found is None else symbol(found["name"].split(b" (")[0]) or "?"


def lost(line: bytes, number: int = 0) -> RecordLoss | None:
    """What a line tells of lost records, None for one that tells of none.

    Whatever stands before it, as dmesg or a mail has it: a record says no such thing.

    :param number: of the line.
    """
    found = _LOST.search(line)
    if found is not None:
        count = found["count"] or found["dropped"]
        known = None if count is None else int(count)
        return RecordLoss(number, int(found["cpu"]), known, found[0].decode())
    found = _STARTED.search(line)
    if found is not None:
        cpu = int(found["cpu"])
        return RecordLoss(number, cpu, None, f"the buffer of CPU {cpu} starts here", begins=True)
    return None


_ENTRIES: Final = re.compile(rb"# entries-in-buffer/entries-written: (\d{1,18})/(\d{1,18})")
_LATENCY: Final = re.compile(rb"# \S+ latency trace v\S+ on (\S+)")
_SHOWN: Final = re.compile(rb"# latency: \d+ us, #(\d{1,18})/(\d{1,18}), CPU")
_MODEL: Final = re.compile(rb"\(M:(\S+)")
_CPUS: Final = re.compile(rb"#P:(\d{1,5})")
_CMD_CPUS: Final = re.compile(rb"cpus=(\d{1,5})\s*$")
_UNAME: Final = re.compile(
    rb"(?:[^\n]{0,80}[ \t>\]])?Linux \S+ (\S+) "
    rb"(x86_64|aarch64|ppc64le|ppc64|sparc64|sparc|i686|s390x|riscv64)\s*$"
)


def head(line: bytes, header: Header) -> bool:
    """Take what a line of the head says into `header`; False when it is no line of a head."""
    if line.startswith(b"# tracer: "):
        return True
    if (found := _CMD_CPUS.match(line)) is not None:
        header.cpus = int(found[1])
        return True
    if (found := _UNAME.match(line)) is not None:
        header.release, header.machine = found[1].decode("ascii", "replace"), found[2].decode()
        return True
    if not line.startswith(b"#"):
        return False
    if (found := _ENTRIES.match(line) or _SHOWN.match(line)) is not None:
        header.entries, header.written = int(found[1]), int(found[2])
    if (found := _LATENCY.match(line)) is not None:
        header.release = found[1].decode("ascii", "replace")
    if (found := _MODEL.search(line)) is not None:
        header.preempt = found[1].decode("ascii", "replace")
    if (found := _CPUS.search(line)) is not None:
        header.cpus = int(found[1])
    return True
