# SPDX-License-Identifier: GPL-2.0-or-later
"""One recording in many forms: what it shows does not depend on how its lines are written."""

from __future__ import annotations

import gzip
import io
import lzma
import re

import pytest

from lazymmu.witness.trace.check import check_trace

from .lines import IDLE0, A, B, Tape

HEAD = "# tracer: function\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#\n"
_LINE = re.compile(r"^( *\S.*?)-(\d+) +\[(\d+)\] (\S+)( +)([\d.]+): (.*)$")
RULES = ("section-in-interrupt", "nested-section")


def scenario(task=A) -> list[str]:
    """A section in an interrupt, one inside another, and a task that behaves."""
    tape = Tape()
    tape.warm(task, B)
    tape.switch(IDLE0, task, 0, "R", hooks="xen")
    tape.enter(task, 0, "handler", "d.h1.")
    tape.leave(task, 0, "handler", "d.h1.")
    tape.enter(task, 0, "outer")
    tape.enter(task, 0, "inner")
    tape.leave(task, 0, "inner")
    tape.leave(task, 0, "outer")
    tape.switch(task, IDLE0, 0, "S", hooks="xen")
    return tape.lines


def each(lines: list[str], form: str) -> list[str]:
    """The lines in another form, from what each says; `{}` fields are the parts of `_LINE`."""
    found = []
    for line in lines:
        parts = _LINE.match(line)
        assert parts is not None, line
        comm, pid, cpu, flags, _, stamp, said = parts.groups()
        whole, _, part = stamp.partition(".")
        found.append(
            form.format(
                comm=comm.strip(),
                pid=pid,
                cpu=cpu,
                number=int(cpu),
                f=flags,
                stamp=stamp,
                said=said,
                ticks=int(whole) * 1_000_000 + int(part),
            )
        )
    return found


def prefixed(prefix: str) -> str:
    """Everything, head included, behind what somebody put before each line."""
    return "".join(f"{prefix}{line}\n" for line in (HEAD.splitlines() + scenario()))


def written(form: str) -> str:
    """The usual head, and lines in this form."""
    return HEAD + "".join(f"{line}\n" for line in each(scenario(), form))


USUAL = "{comm:>16}-{pid:<7} [{cpu}] {f} {stamp:>12}: {said}"
FORMS = {
    "tracefs": written(USUAL),
    "dmesg": prefixed("[   12.345678] "),
    "dmesg with a level": prefixed("<4>[   12.345678] "),
    "dmesg of a task": prefixed("[   12.345678][  T123] "),
    "dmesg with a date": prefixed("[Sat Nov 28 19:10:11 2026] "),
    "journal": prefixed("Nov 28 19:10:11 host kernel: "),
    "quoted": prefixed("> "),
    "quoted twice": prefixed(">> "),
    "indented": prefixed("    "),
    "CRLF": written(USUAL).replace("\n", "\r\n"),
    "BOM": "\ufeff" + written(USUAL),
    "tabs": written("\t{comm}-{pid}\t[{cpu}]\t{f}\t{stamp}:\t{said}"),
    "one blank": written("{comm}-{pid} [{cpu}] {f} {stamp}: {said}"),
    "counter clock": written("{comm:>16}-{pid:<7} [{cpu}] {f} {ticks}: {said}"),
    "nanoseconds": written("{comm:>16}-{pid:<7} [{cpu}] {f} {stamp}000: {said}"),
    "thread group": written("{comm:>16}-{pid:<7} (    100) [{cpu}] {f} {stamp:>12}: {said}"),
    "four flags": written("{comm:>16}-{pid:<7} [{cpu}] {f:.4} {stamp:>12}: {said}"),
    "seven flags": written(
        "{comm:>16}-{pid:<7} [{cpu}] {f[0]}{f[1]}.{f[2]}{f[3]}.{f[4]} {stamp:>12}: {said}"
    ),
    "seven flags, lazy": written(
        "{comm:>16}-{pid:<7} [{cpu}] {f[0]}{f[1]}L{f[2]}{f[3]}.{f[4]} {stamp:>12}: {said}"
    ),
    "six flags": written(
        "{comm:>16}-{pid:<7} [{cpu}] {f[0]}{f[1]}.{f[2]}{f[3]}{f[4]} {stamp:>12}: {said}"
    ),
    "latency": written("{comm:>8}-{pid:<7} {number}{f} {ticks}us+: {said}"),
    "latency, seven flags": written(
        "{comm:>8}-{pid:<7} {number}{f[0]}{f[1]}.{f[2]}{f[3]}.{f[4]} {ticks}us+: {said}"
    ),
    "no head": "".join(f"{line}\n" for line in scenario()),
}


def found(text: bytes | str) -> tuple[str, ...]:
    """The rules that are broken, in order, of a trace that leaves no doubt."""
    data = text if isinstance(text, bytes) else text.encode()
    watched = check_trace("made", io.BytesIO(data), arch="x86", release="6.17.8")
    assert watched.caveats == ()
    return tuple(one.rule for one in watched.violations)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_writing_changes_nothing_that_is_found(name: str) -> None:
    """The same two mistakes, whatever stands before a line and however wide its columns are."""
    assert found(FORMS[name]) == RULES


@pytest.mark.parametrize(
    "comm",
    [
        "a b",
        "a-1 [000]",
        "x: y <-z",
        "<idle>",
        "-1",
        "[000] .....",
        "1.000001: a",
        "# tracer: x",
        "CPU:1 [LOST 1",
        "pid=0 ec=9 pc=9",
        "a\tb",
        "é" * 7,
    ],
)
def test_the_name_of_a_task_is_only_a_name(comm: str) -> None:
    """It may look like columns, heads, readings or lost records, and is none."""
    lines = "".join(f"{line}\n" for line in scenario((comm, 100)))
    assert found(HEAD + lines) == RULES


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_packed_form_says_the_same(pack) -> None:
    """Packing is undone before anything is read."""
    assert found(pack(FORMS["tracefs"].encode())) == RULES


LOST = ("CPU:1 [LOST 123 EVENTS]", "CPU:0 [LOST EVENTS]", "CPU:1 [EVENTS DROPPED]")


@pytest.mark.parametrize(
    "loss", [*LOST, "CPU:1 [7 EVENTS DROPPED]", "##### CPU 1 buffer started ####"]
)
@pytest.mark.parametrize("prefix", ["", "[   12.345678] ", "> ", "Nov 28 19:10:11 host kernel: "])
def test_lost_records_are_seen_behind_whatever_is_before_the_line(loss: str, prefix: str) -> None:
    """The end of a section that was lost is nobody's mistake, and the loss is a doubt."""
    lines = scenario()
    cut = next(at for at, line in enumerate(lines) if "<-inner" in line) + 1
    told = [*lines[:cut], loss, *lines[cut + 2 :]]
    text = "".join(f"{prefix}{line}\n" for line in (HEAD.splitlines() + told))
    watched = check_trace("made", io.BytesIO(text.encode()), arch="x86", release="6.17.8")
    assert [one.rule for one in watched.violations] == list(RULES)
    assert any("records are missing" in one.reason for one in watched.caveats)


@pytest.mark.parametrize("prefix", ["", "[   12.345678] "])
def test_overwritten_records_are_told_by_a_head_behind_a_prefix(prefix: str) -> None:
    """The head says how many were written, and how many are there."""
    head = HEAD.replace("written: 1/1", "written: 1/9")
    text = "".join(f"{prefix}{line}\n" for line in (head.splitlines() + scenario()))
    watched = check_trace("made", io.BytesIO(text.encode()), arch="x86", release="6.17.8")
    assert any("overwritten" in one.reason for one in watched.caveats)


@pytest.mark.parametrize("form", ["xen_enter_lazy_mmu", "function:             xen_enter_lazy_mmu"])
def test_functions_without_callers_are_named_as_such(form: str) -> None:
    """They show the mode, and nothing can be told of it: the answer is open, and says why."""
    lines = [line.replace("xen_enter_lazy_mmu <-outer", form) for line in scenario()]
    lines = [line for line in lines if "<-" not in line]
    text = HEAD + "".join(f"{line}\n" for line in lines)
    watched = check_trace("made", io.BytesIO(text.encode()), arch="x86", release="6.17.8")
    reasons = [one.reason for one in watched.caveats]
    assert any("without their callers" in reason for reason in reasons)
    assert not any("nothing in it shows" in reason for reason in reasons)
    assert not watched.conclusive
