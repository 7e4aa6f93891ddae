# SPDX-License-Identifier: GPL-2.0-or-later
"""One recording in many forms: what it shows does not depend on how its lines are written."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile

import pytest

from lazymmu.ftrace.record import TraceError
from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.section_stats import SectionStats

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


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
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


def packed(name: str) -> bytes:
    """A zip archive of one trace, not compressed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, FORMS["tracefs"])
    return content.getvalue()


def callers(form: str) -> str:
    """The usual text with each function and its caller in this form."""
    return re.sub(r"(xen_\w+) <-(\w+)", form, FORMS["tracefs"])


CALLERS = {
    "sym-offset": r"\1+0x0/0x20 <-\2+0x30/0x100",
    "sym-addr": r"\1 <ffffffff81061320> <-\2 <ffffffff8106f320>",
    "sym-addr, sym-offset": r"\1+0x0/0x20 <ffffffff81061320> <-\2+0x4/0x8 <ffffffff8106f320>",
    "func-args": r"\1() <-\2",
    "func-args with some": r"\1(next=0xffff888) <-\2",
    "a module's caller": r"\1 <-\2 [mod]",
}


@pytest.mark.parametrize("name", CALLERS)
def test_options_of_tracefs_that_write_functions_otherwise_change_nothing(name: str) -> None:
    """Offsets, addresses, arguments and modules stand beside a name, and are no part of it."""
    assert found(callers(CALLERS[name])) == RULES


PREFIXES = {
    "dmesg -x": "kern  :warn  : [   12.345678] ",
    "dmesg, ISO": "2026-11-28T19:10:11,123456+00:00 ",
    "dmesg, delta": "[   12.345678 <    0.000012>] ",
    "dmesg, relative": "[  +0.000012] ",
    "dmesg of a CPU": "[   12.345678][    C1] ",
    "pstore": "<4>[   12.345678] ",
    "rsyslog": "2026-11-28T19:10:11.123456+00:00 host kernel: [   12.345678] ",
    "journal, precise": "Nov 28 19:10:11.123456 host kernel: ",
    "journal, monotonic": "[   12.345678] host kernel: ",
    "netconsole": "4,1234,12345678,-;",
    "a console with times": "[2026-11-28 19:10:11.123] ",
    "a container's log": "2026-11-28T19:10:11.123456789Z stdout F ",
    "a patch": "+",
    "grep of a file": "trace.txt:",
    "a pipe": "| ",
}


@pytest.mark.parametrize("name", PREFIXES)
def test_what_others_put_before_a_line_changes_nothing(name: str) -> None:
    """Consoles, logs, containers, patches and grep."""
    assert found(prefixed(PREFIXES[name])) == RULES


WRAPPINGS = {
    "a systrace page": lambda text: f"<html>\n<script>\n{text}</script>\n</html>\n",
    "a page's source": lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
    "grep --color": lambda text: text.replace("lazy_mmu", "\x1b[01;31m\x1b[Klazy_mmu\x1b[m\x1b[K"),
    "a fence": lambda text: f"```\n{text}```\n",
    "a mail": lambda text: f"Hello,\n\nI see this:\n\n{text}\nThanks\n",
    "numbers of lines": lambda text: "".join(
        f"{number}:{line}\n" for number, line in enumerate(text.splitlines(), 1)
    ),
    "cat -A": lambda text: text.replace("\n", "$\n"),
    "blanks at the end": lambda text: text.replace("\n", "   \n"),
    "trace-cmd report --ts-diff": lambda text: re.sub(
        r"(?m)(\d: )(?=\w)", lambda hit: f"{hit[1]}(+{hit.start() % 977})   ", text
    ),
    "a head of atrace": lambda text: f"TRACE:\n{text}",
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_what_a_text_was_wrapped_in_changes_nothing(name: str) -> None:
    """Pages, mails, terminals and tools: what they add is taken off, or passed over."""
    assert found(WRAPPINGS[name](FORMS["tracefs"])) == RULES


@pytest.mark.parametrize("name", [*FORMS, *WRAPPINGS])
def test_a_summary_names_the_same_functions_in_every_form(name: str) -> None:
    """What stands around a line is no part of the name of a call site."""
    text = WRAPPINGS[name](FORMS["tracefs"]) if name in WRAPPINGS else FORMS[name]
    tally = SectionStats()
    check_trace("made", io.BytesIO(text.encode()), arch="x86", release="6.17.8", observer=tally)
    assert set(tally.sites) == {"warm", "outer", "handler"}
    assert tally.everything.sections == 6


def test_a_name_that_looks_like_an_entity_stays_a_name() -> None:
    """Entities are taken back only where all arrows are such."""
    lines = "".join(f"{line}\n" for line in scenario(("a &lt;- b", 100)))
    watched = check_trace("made", io.BytesIO((HEAD + lines).encode()), arch="x86", release="6.17.8")
    assert {one.comm for one in watched.violations} == {"a &lt;- b"}


REMEDIES = {
    "function_graph": (
        "# tracer: function_graph\n#\n 0)   0.531 us    |  xen_enter_lazy_mmu();\n",
        "current_tracer",
    ),
    "verbose": (
        written("{comm:>16} {pid:>7} {number:>3} 0 00000000 00000000 [004c4b41] 5.001ms : {said}"),
        "options/verbose",
    ),
    "no context": (written("{said}"), "options/context-info"),
    "numbers": (written("{pid} {number} {ticks} ffffffff81 ffffffff82"), "options/raw"),
    "perf": (written("{comm:>16} {pid:>5} [{cpu}] {stamp:>12}: ftrace:{said}"), "lazymmu record"),
    "flags as numbers": (
        written("{comm:>16}-{pid:<7} {number}-0x10 {stamp:>12}: {said}"),
        "without -R",
    ),
    "--stat": ("cpus=2\n\nKernel buffer statistics:\n\nCPU: 0\nentries: 833\n", "leave out"),
    "--profile": (
        "cpus=2\n\ntask: swapper/1-0\n  Event: func: xen_enter_lazy_mmu() (11)\n",
        "leave out --profile",
    ),
    "bpftrace": ("Attaching 2 probes...\n@at[\n    xen_leave_lazy_mmu+1\n]: 5\n", "--bpftrace"),
    "babeltrace": (
        "[12:00:01.000000001] (+0.000000102) host sched_switch: { cpu_id = 1 }, { prev_tid = 7 }\n",
        "LTTng",
    ),
    "strace": ("[pid    71] 12:00:01 madvise(0x7f00, 4096, MADV_DONTNEED) = 0\n", "system calls"),
    "UTF-16": (FORMS["tracefs"].encode("utf-16"), "iconv"),
    "zip": (packed("trace"), "unpack"),
    "lz4": (b"\x04\x22\x4d\x18" + bytes(99), "unpack"),
    "JSON": ('{"traceEvents":[]}\n', "text of tracefs"),
    "perf.data": (b"PERFILE2" + bytes(99), "lazymmu record"),
    "Macintosh": (FORMS["tracefs"].replace("\n", "\r"), "LF"),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_a_form_that_is_not_read_is_named_with_its_remedy(name: str) -> None:
    """Which form it is, and what makes one that is read: a sentence, and no verdict."""
    text, word = REMEDIES[name]
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(TraceError, match=re.escape(word)):
        check_trace("made", io.BytesIO(data), arch="x86", release="6.17.8")


@pytest.mark.parametrize(
    ("form", "word"),
    [
        (r"function: ip=0xffffffff81061320 parent_ip=0xffffffff8106f320", "without -R"),
        (r"0xffffffff81061320 <-0xffffffff8106f320", "as root"),
    ],
)
def test_functions_that_are_addresses_are_named_as_such(form: str, word: str) -> None:
    """Nothing can be said of them, and what brings their names is."""
    lines = [line for line in callers(form).splitlines() if "sched_switch" not in line]
    text = "".join(f"{line}\n" for line in lines)
    watched = check_trace("made", io.BytesIO(text.encode()), arch="x86", release="6.17.8")
    assert any(word in one.reason for one in watched.caveats)
    assert not watched.conclusive


def test_without_the_column_of_interrupts_a_nested_section_is_no_clean_answer() -> None:
    """It is one or was begun in an interrupt, both wrong there: it is said, and left open."""
    text = written("{comm:>16}-{pid:<7} [{cpu}] {stamp:>12}: {said}")
    watched = check_trace("made", io.BytesIO(text.encode()), arch="x86", release="6.17.8")
    assert watched.violations == ()
    assert not watched.conclusive


def test_lines_that_a_mail_has_wrapped_are_said_to_be() -> None:
    """Half a line says nothing, or the opposite."""
    lines = FORMS["tracefs"].splitlines()
    text = "".join(
        f"{line[:72]}\n{line[72:]}\n" if len(line) > 72 else f"{line}\n" for line in lines
    )
    watched = check_trace("made", io.BytesIO(text.encode()), arch="x86", release="6.17.8")
    assert any("wrapped" in one.reason for one in watched.caveats)
    assert not watched.conclusive
