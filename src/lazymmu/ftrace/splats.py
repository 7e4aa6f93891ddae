# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kernel prints when something is wrong: oopses, BUGs, warnings, taken out of any text.

A splat is found by its words, wherever they stand in a line: a time, a facility, a name of dmesg,
journal, syslog or a serial console, and the marks of a mail may be before them.  Which machine
printed it is told by its registers and symbols (`splat_machine`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.kernel_checks import CHECKS
from lazymmu.ftrace.splat_machine import (
    leaves_interrupt,
    machines_of,
    places,
    shows_interrupt,
    take_signs,
)
from lazymmu.ftrace.splat_text import lines_of_text, with_offsets

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Splat", "SplatFrame", "splats"]

_MOST_SPLATS: Final = 1000
"""Splats that are read of one text: a machine that prints more says nothing new."""

_MOST_FRAMES: Final = 256
_MOST_LINES: Final = 4000
"""Lines of one splat, at most: a register dump of each CPU is shorter."""

_HEADS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"BUG: (?P<what>unable to handle (?:kernel |page |fault )?[\w ]+?)(?: at | for |:|$)",
        r"(?P<what>Unable to handle kernel [\w ]+?)(?: at | for |:|$)",
        r"(?P<what>general protection fault)",
        r"(?P<what>Kernel panic - not syncing)",
        r"BUG: (?P<what>soft lockup)",
        r"(?P<what>rcu\w* (?:self-)?detected stalls?)",
        r"(?P<what>rcu: INFO: rcu\w*)",
        r"INFO: (?P<what>task \S+ blocked for more than)",
        r"(?P<what>page allocation failure): ",
        r"invoked (?P<what>oom-killer): ",
        r"INFO: (?P<what>possible (?:circular|recursive) locking)",
        r"WARNING: (?P<what>possible (?:circular|recursive) locking|suspicious RCU usage"
        r"|inconsistent lock state)",
        r"BUG: (?P<what>workqueue leaked (?:lock or atomic|atomic, lock or RCU))",
        r"(?P<what>(?:initcall \S+ returned with|returned with) preemption imbalance)",
        r"huh, entered \S+ .{0,80}(?P<what>preempt_count [0-9a-f]+, exited with [0-9a-f]+)",
        r"(?P<what>\d{1,6} of \d{1,6} multicall\(s\) failed)",
        r"BUG: (?P<what>using \w+\(\) in preemptible)",
        r"BUG: (?P<what>KASAN|KFENCE|KCSAN|KMSAN)",
        r"(?P<what>UBSAN): ",
        r"BUG: (?P<what>[\w -]{3,60})",
        r"(?<!kernel )\b(?P<what>Oops)(?: - BUG)?: ",
        r"(?P<what>Internal error): ",
        r"(?P<what>WARNING): ",
    )
)
"""How other splats than the checks begin, the more exact first."""

_LONG: Final = re.compile(r"\bWARNING: |\bkernel BUG at|\bBUG: sleeping function called from")
_MARKS: Final = re.compile(r"^[>|: \t]+")
"""Lines that mails break, and what they put before the rest."""

_CALLER: Final = re.compile(r"\[ *\d+\.\d+\]\[ *(?P<caller>[TC]\d{1,10})\]")
"""Whose line it is, with CONFIG_PRINTK_CALLER (kernel/printk/printk.c, print_caller())."""

_BEGIN: Final = re.compile(r"-{4,}\[ cut here \]-{4,}")
_END: Final = re.compile(r"---\[ end (?:trace|Kernel panic)")
_TASK: Final = re.compile(
    r"(?:CPU: (?P<cpu>\d{1,5}) (?:UID: \d{1,10} )?PID: (?P<pid>\d{1,10}) Comm: "
    r"|Pid: (?P<old>\d{1,10}), comm: )(?P<comm>.{1,64}?) "
    r"(?:Kdump: loaded )?(?P<taint>Not tainted|Tainted: .{0,80}?) "
    r"(?P<release>\d{1,3}\.\d{1,3}[\w.+~-]{0,100})"
)
_VERSION: Final = re.compile(r"Linux version (?P<release>\d{1,3}\.\d{1,3}[\w.+~-]{0,100})")
_FRAME: Final = re.compile(
    r"(?P<doubt>\? )?\.?(?P<name>[A-Za-z_][\w.$]{0,200})\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}"
    r"(?: \[(?P<module>[\w-]{1,64})[^\]]{0,80}\])?"
)
_PINNED_AT: Final = re.compile(r"Preemption disabled at:")
_IRQ: Final = re.compile(r"<(?:IRQ|SOFTIRQ|NMI)>|\bin_irq\(\): 1|\binterrupt: [0-9a-f]{2,4} at ")
_MULTICALLS: Final = re.compile(r"\d{1,6} of \d{1,6} multicall\(s\) failed")
_CONDITION: Final = re.compile(r"(?:BUG|WARNING): (?:at )?\[(?P<condition>[^\n]{1,400}?)\] ")


@dataclass(frozen=True, slots=True)
class SplatFrame:
    """A frame of a call trace: the function, without offset.

    :param module: "" for the kernel's own.
    :param sure: the unwinder vouches for it.
    """

    name: str
    module: str = ""
    sure: bool = True


@dataclass(slots=True)
class Splat:
    """One complaint of a kernel.

    :param line: its first, from 1.
    :param what: the kind, in the kernel's words.
    :param head: its first line.
    :param file: where the check stands, "" and 0 where it does not say.
    :param at: likewise.
    :param condition: the check's, where it is printed.
    :param function: where it fired.
    :param frames: the call trace, innermost first.
    :param pinned_at: where preemption was disabled.
    :param interrupt: it came in one.
    :param release: "" and -1 where it does not say.
    :param comm: likewise.
    :param pid: likewise.
    :param cpu: likewise.
    :param arch: of the machine, "" unknown.
    :param lacks_mode: why it has none, or "".
    :param xen: signs of each.
    :param native: likewise; of x86 without Xen PV.
    :param radix: likewise.
    :param hash: likewise.
    :param rt: likewise.
    :param refused: of updates that the hypervisor refused.
    :param interrupted: at which frame those of the task begin that an interrupt came to, -1 where
        all are of one.
    :param cut: its beginning, which says what it is, is not in the text.
    """

    line: int
    what: str
    head: str
    file: str = ""
    at: int = 0
    condition: str = ""
    function: str = ""
    frames: list[SplatFrame] = field(default_factory=list)
    pinned_at: str = ""
    interrupt: bool = False
    refused: bool = False
    release: str = ""
    comm: str = ""
    pid: int = -1
    cpu: int = -1
    arch: str = ""
    lacks_mode: str = ""
    xen: bool = False
    native: bool = False
    radix: bool = False
    hash: bool = False
    rt: bool = False
    interrupted: int = -1
    cut: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Where it fired, and who had called that, innermost first; doubtful frames last.

        Of an interrupt its own: who was interrupted has not called it.
        """
        frames = self.frames[: self.interrupted] if self.interrupted >= 0 else self.frames
        sure = [one.name for one in frames if one.sure]
        doubtful = [one.name for one in frames if not one.sure]
        first = [self.function] if self.function else []
        return tuple(dict.fromkeys([*first, *sure, *doubtful]))


def splats(content: bytes) -> list[Splat]:
    """The splats of a text, in order; [] where there is none."""
    found: list[Splat] = []
    held: dict[str, _Held] = {}
    release = ""
    for number, line, following in _with_next(lines_of_text(content)):
        caller = _CALLER.search(line)
        key = caller["caller"] if caller is not None else ""
        if (version := _VERSION.search(line)) is not None:
            release = version["release"]
            # A machine that boots again is past what it printed before.
            held.clear()
        if _BEGIN.search(line):
            held.pop(key, None)
            continue
        same = key in held and _SAME.search(line) is not None
        head = None if same else _head(line, number, following)
        if head is None and not found and not held:
            head = _cut(line, number)
        if head is not None and _belongs(head, found):
            found[-1].refused = True
        elif head is not None:
            if len(found) >= _MOST_SPLATS:
                break
            head.release = release
            found.append(head)
            held[key] = _Held(head)
        now = held.get(key)
        if now is None:
            continue
        _add(now.splat, line, following)
        now.lines += 1
        if _END.search(line) or now.lines > _MOST_LINES:
            del held[key]
    machines_of(found)
    return found


@dataclass(slots=True)
class _Held:
    """A splat to which lines are added, and how many were."""

    splat: Splat
    lines: int = 0


def _with_next(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """Each line with its number, and the one after it, which a mail may have broken off."""
    last: tuple[int, str] | None = None
    for number, line in lines:
        if last is not None:
            yield *last, line
        last = number, line
    if last is not None:
        yield *last, ""


def _belongs(head: Splat, found: list[Splat]) -> bool:
    """Whether what the hypervisor refused is told of right after the warning about it."""
    return bool(found) and "multicall(s)" in head.what and head.line - found[-1].line < _MOST_LINES


_SAME: Final = re.compile(r"\bOops\b|Internal error: |Kernel panic|multicall\(s\) failed")
"""What follows a BUG and is of it: its oops, its panic, and what the hypervisor refused."""


_SUBJECT: Final = re.compile(r"^[>|\s]*(?:Subject|Title): ")
"""A mail's own line, which repeats the first of the splat that it is about."""

_MIDDLE: Final = re.compile(r"\bCall [Tt]race:")


def _cut(line: str, number: int) -> Splat | None:
    """A splat whose beginning is missing, by the first of its lines that tells of one."""
    plain = with_offsets(line)
    told = next(filter(None, (one.search(plain) for one in (_MIDDLE, *places()))), None)
    if told is None:
        return None
    return Splat(number, "call trace", line[told.start() :].strip()[:300], cut=True)


def _head(line: str, number: int, following: str) -> Splat | None:
    """The splat that a line begins; None where it begins none.

    following: the line after it, to which a mail may have moved the end of a long one.
    """
    if _SUBJECT.match(line):
        return None
    if _LONG.search(line):
        found = _checked(line, number) or _checked(f"{line} {_MARKS.sub('', following)}", number)
        if found is not None:
            return found
    else:
        found = _checked(line, number)
        if found is not None:
            return found
    for head in _HEADS:
        match = head.search(line)
        if match is not None:
            said = line[match.start() :].strip()[:300]
            return Splat(number, match["what"].strip(), said)
    return None


def _checked(line: str, number: int) -> Splat | None:
    """The splat of a check that fired, whose place the line names."""
    plain = with_offsets(line)
    for check in CHECKS:
        found = check.search(plain)
        if found is not None:
            parts = {name: value or "" for name, value in found.groupdict().items()}
            return Splat(
                number,
                parts["what"],
                line[found.start() :].strip()[:300],
                file=parts.get("file", "").removeprefix("./"),
                at=int(parts.get("line") or 0),
                function=_symbol(parts.get("function", "")),
                condition=(m["condition"] if (m := _CONDITION.search(line)) else ""),
            )
    return None


def _add(held: Splat, line: str, following: str) -> None:
    """Take what a line of a splat says into it.

    following: the line after it, to which a mail may have moved the end of a long one.
    """
    line = with_offsets(line)
    task = _TASK.search(line)
    if task is None and line.rstrip().endswith("tainted"):
        task = _TASK.search(f"{line.rstrip()} {_MARKS.sub('', following)}")
    if task is not None and held.pid < 0:
        held.release, held.comm = task["release"], task["comm"]
        held.pid, held.cpu = int(task["pid"] or task["old"]), int(task["cpu"] or -1)
    if not held.function:
        for place in places():
            found = place.search(line)
            if found is not None:
                held.function = _symbol(found["function"])
                break
    if _PINNED_AT.search(line):
        held.pinned_at = "?"
    if _IRQ.search(line):
        held.interrupt = True
    # A task that is preempted when an interrupt is over is in none any more.
    left = any(leaves_interrupt(one.name) for one in held.frames)
    first = held.interrupted < 0 and held.frames and not left
    if first and shows_interrupt(line):
        held.interrupt, held.interrupted = True, len(held.frames)
    if _MULTICALLS.search(line):
        held.refused = True
    take_signs(held, line)
    for found in _frames(line):
        if held.pinned_at == "?":
            held.pinned_at = _symbol(found["name"])
            continue
        if len(held.frames) < _MOST_FRAMES and not _is_place(line):
            held.frames.append(
                SplatFrame(_symbol(found["name"]), found["module"] or "", not found["doubt"])
            )


def _frames(line: str) -> Iterator[re.Match[str]]:
    return _FRAME.finditer(line) if "+0x" in line else iter(())


def _is_place(line: str) -> bool:
    """Whether a line is one of registers, or the head itself, and no frame of a call trace."""
    return (
        any(place.search(line) for place in places())
        or re.search(r"\b(?:WARNING|BUG|lr|LR|RPC|I7|ra)\b *[:\[]", line) is not None
    )


def _symbol(name: str) -> str:
    """A function's name without offset, and the suffixes that the compiler adds."""
    return name.lstrip(".").partition("+")[0].partition(".")[0]
