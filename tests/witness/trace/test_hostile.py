# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces that are cut, shuffled, garbled or hostile: never a crash, never a false finding."""

from __future__ import annotations

import gzip
import io
import lzma
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lazymmu.ftrace.record import TraceError
from lazymmu.report.trace import text as report
from lazymmu.witness.trace.check import check_trace

from .lines import IDLE0, IDLE1, A, B, Tape

HEAD = "# tracer: function\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#\n"
_BLOCK = 1 << 20


def clean(rounds=12):
    """A trace of a kernel that behaves: sections, preemptions in them, interrupts, moves."""
    tape = Tape()
    tape.warm(A, B)
    for _ in range(rounds):
        tape.switch(IDLE0, A, 0, "R", hooks="xen")
        tape.enter(A, 0)
        tape.add(A, 0, "irq_handler_entry: irq=30 name=timer1", "d.h1.")
        tape.switch(A, IDLE0, 0, "R+", hooks="xen leave")
        tape.switch(IDLE1, B, 1, "R", hooks="xen")
        tape.enter(B, 1)
        tape.leave(B, 1)
        tape.switch(B, A, 1, "S", hooks="xen enter")
        tape.leave(A, 1)
        tape.enter(A, 1)
        tape.leave(A, 1)
        tape.switch(A, IDLE1, 1, "S", hooks="xen")
    return tape.lines


LINES = clean()


def judged(data, **options):
    """What is said of these bytes, None when they are no trace."""
    try:
        watched = check_trace("made-up", io.BytesIO(data), **options)
    except TraceError as error:
        assert "\n" not in str(error)
        return None
    report.render([watched], asked=["preempted-in-section"])
    return watched


def text(lines, head=HEAD):
    """Bytes of these lines."""
    return (head + "".join(f"{line}\n" for line in lines)).encode()


def test_the_trace_itself_is_clean():
    """What follows takes something away from it."""
    watched = judged(text(LINES))
    assert watched.violations == ()
    assert watched.seen.sections > 20


@given(st.integers(0, len(LINES)), st.integers(0, len(LINES)))
def test_a_trace_that_begins_and_ends_anywhere_is_clean(start, end):
    """No first line is a first line of a task, no last one its last."""
    watched = judged(text(LINES[start:end]))
    assert watched is None or watched.violations == ()


@given(st.integers(0, len(text(LINES))))
def test_a_trace_cut_in_the_middle_of_a_line_is_clean(at):
    """Half a line can say the opposite of the whole: it is not used."""
    watched = judged(text(LINES)[:at])
    assert watched is None or watched.violations == ()


@given(st.sets(st.integers(0, len(LINES) - 1), min_size=1, max_size=6))
def test_records_that_the_trace_says_are_lost_make_no_finding(lost):
    """Any records, replaced by the mark that says so."""
    lines = [f"CPU:{i % 2} [LOST 1 EVENTS]" if i in lost else line for i, line in enumerate(LINES)]
    watched = judged(text(lines))
    assert watched.violations == ()
    assert watched.caveats


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_lines_in_any_order_make_no_finding(seed):
    """The stamps tell that they are not in order."""
    lines = list(LINES)
    random.Random(seed).shuffle(lines)
    assert judged(text(lines)).violations == ()


@given(st.integers(0, 2**32), st.integers(2, 9))
@settings(max_examples=60)
def test_cpus_mixed_up_at_equal_stamps_make_no_finding(seed, width):
    """A coarse clock leaves the order of CPUs open: each CPU's own lines keep theirs."""
    picked = random.Random(seed)
    lines = []
    for at in range(0, len(LINES), width):
        part = [_stamped(line, at) for line in LINES[at : at + width]]
        queues = {cpu: [line for line in part if cpu in line] for cpu in ("[000]", "[001]")}
        while any(queues.values()):
            cpu = picked.choice([name for name, queue in queues.items() if queue])
            lines.append(queues[cpu].pop(0))
    assert judged(text(lines)).violations == ()


def _stamped(line, at):
    head, _, rest = line.partition("    5.")
    return f"{head}    5.{at:06}{rest[6:]}"


@given(st.binary(max_size=400))
def test_any_bytes_are_a_sentence_or_nothing(data):
    """What is no trace is refused in one sentence."""
    watched = judged(data)
    assert watched is None or watched.findings == ()


@given(st.integers(0, len(LINES) - 1), st.binary(min_size=1, max_size=60), st.integers(0, 90))
def test_bytes_changed_in_a_line_never_crash(number, data, column):
    """A line that was overwritten in part: whatever is said of it, it is said."""
    lines = [line.encode() for line in LINES]
    lines[number] = lines[number][:column] + data + lines[number][column + len(data) :]
    judged(HEAD.encode() + b"\n".join(lines) + b"\n")


@given(
    st.integers(0, len(LINES) - 1),
    st.binary(min_size=1, max_size=60).filter(lambda b: b"\n" not in b),
)
def test_lines_of_garbage_between_records_make_no_finding(number, data):
    """They are no records, and if they hold words that matter, that is a doubt."""
    lines = [line.encode() for line in LINES]
    lines.insert(number, b"\x00" + data)
    assert judged(HEAD.encode() + b"\n".join(lines) + b"\n").violations == ()


def test_a_huge_line_is_passed_over():
    """Longer than a block: it is dropped, said so, and nothing is judged across it."""
    lines = [line.encode() for line in LINES]
    data = HEAD.encode() + b"\n".join([*lines[:40], b"x" * (3 * _BLOCK), *lines[40:]]) + b"\n"
    watched = judged(data)
    assert watched.violations == ()
    assert any("longer than" in one.reason for one in watched.caveats)


def test_a_file_without_any_newline_is_no_trace():
    """However long it is, it does not fill the memory, and ends in a sentence."""
    assert judged(b"x" * (5 * _BLOCK)) is None


ESCAPES = [
    "\x1b[31mred",
    "a\tb",
    "\x07bell",
    "\u202egnp.exe",
    "x-1 [000] d",
    "<...>",
    "p=q r=s",
    "é",
]


@pytest.mark.parametrize("name", ESCAPES)
def test_names_of_tasks_are_followed_and_never_printed_raw(name):
    """A task calls itself what it likes."""
    gamma = (name, 300)
    tape = Tape()
    tape.warm(gamma)
    tape.switch(IDLE0, gamma, 0, "R", hooks="xen")
    tape.enter(gamma, 0)
    line = tape.switch(gamma, IDLE0, 0, "D", hooks="xen leave")
    watched = judged(text(tape.lines))
    assert [(one.rule, one.location.line) for one in watched.violations] == [
        ("sleep-in-section", line)
    ]
    assert watched.violations[0].pid == 300
    printed = report.render([watched])
    assert all(char == "\n" or char.isprintable() for char in printed)


@pytest.mark.parametrize("name", ["a prev_pid=1", "x next_pid=9 y", "a ==> b", "q:5 [120] R"])
def test_names_that_look_like_fields_do_not_lead_astray(name):
    """The fields of sched_switch are told from the name by what follows them."""
    gamma = (name[:15], 300)
    tape = Tape()
    tape.warm(gamma)
    tape.switch(IDLE0, gamma, 0, "R", hooks="xen")
    tape.enter(gamma, 0)
    tape.leave(gamma, 0)
    tape.switch(gamma, IDLE0, 0, "D", hooks="xen")
    watched = judged(text(tape.lines))
    assert (watched.findings, watched.caveats) == ((), ())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_text_in_another_encoding_is_no_trace(encoding):
    """It is refused, not guessed at."""
    data = "".join(f"{line}\n" for line in LINES).encode(encoding)
    watched = judged(data)
    assert watched is None or watched.findings == ()


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
@given(st.floats(0.05, 0.95))
@settings(max_examples=25)
def test_packed_data_that_is_cut_is_judged_as_far_as_it_goes(pack, share):
    """The end is missing, and that is said; what is there makes no false finding."""
    data = pack(text(LINES * 1))
    watched = judged(data[: int(len(data) * share)])
    assert watched is None or watched.violations == ()


@given(st.binary(min_size=1, max_size=30), st.integers(30, 400))
@settings(max_examples=40)
@example(b"\xdb", 169)
def test_packed_data_that_is_damaged_is_no_crash(noise, at):
    """A checksum fails, a block does not unpack: what came before is used."""
    for pack in (gzip.compress, lzma.compress):
        data = pack(text(LINES))
        watched = judged(data[:at] + noise + data[at + len(noise) :])
        assert watched is None or watched.violations == ()


def test_carriage_returns_are_passed_over():
    """A trace that went over a serial console, or through a mail."""
    watched = judged(text(LINES).replace(b"\n", b"\r\n"))
    assert watched.violations == ()
    assert watched.seen.sections > 20
