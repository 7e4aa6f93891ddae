# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace is read in blocks, and nobody can tell where one ends and the next begins."""

from __future__ import annotations

import io

import pytest

from lazymmu.ftrace import RecordKind, read
from lazymmu.ftrace.streams import BLOCK_BYTES

OTHER = b"            init-1       [001] .....     1.000001: other <-f\n"
WANTED = b"            init-1       [001] .....     1.000002: wanted <-f\n"
STACK = b"            init-1       [001] .....     1.000003: <stack trace>\n"
FRAMES = b"".join(b" => frame_%d\n" % number for number in range(5))


def trace(text):
    """A trace with this text."""
    return read("made-up", io.BytesIO(text))


def filled(size):
    """Records of so many bytes, the last with a longer name."""
    lines, more = divmod(size, len(OTHER))
    return OTHER * (lines - 1) + OTHER.replace(b"other", b"other" + b"r" * more)


@pytest.mark.parametrize("inside", range(0, len(STACK + FRAMES) + 40, 19))
def test_a_stack_that_goes_on_in_the_next_block_is_whole(inside):
    """A stack has all of its frames, wherever in it a block ends."""
    text = filled(BLOCK_BYTES - inside) + STACK + FRAMES + WANTED * 3
    *before, stack, one, two, three = trace(text)
    assert (stack.kind, stack.line) == (RecordKind.STACK, len(before) + 1)
    assert stack.frames == tuple(f"frame_{number}" for number in range(5))
    assert [record.line - stack.line for record in (one, two, three)] == [6, 7, 8]


def test_a_stack_at_the_end_of_a_trace_is_whole():
    """A stack that was held back because it might go on is given out at the end."""
    stack = list(trace(OTHER + STACK + FRAMES))[-1]
    assert (stack.line, len(stack.frames)) == (2, 5)


def test_after_a_line_that_is_none_the_next_one_is_whole():
    """A line that is too long is told as missing, and takes no byte of the next one."""
    whole = WANTED.lstrip()
    found = trace(OTHER + b"x" * (3 * BLOCK_BYTES) + b"\n" + whole)
    assert [(one.comm, one.name) for one in found] == [("init", "other"), ("init", "wanted")]
    assert [loss.what for loss in found.losses] == [f"a line longer than {BLOCK_BYTES} bytes"]


@pytest.mark.parametrize("gap", [1, 10, 100, 30_000])
def test_records_that_are_looked_for_have_their_line_numbers(gap):
    """A record has its number in the trace, however many lines lie before it, in any block."""
    some = [record.line for record in trace((OTHER * gap + WANTED) * 4).records([b"wanted"])]
    assert some == [(gap + 1) * time for time in (1, 2, 3, 4)]


def test_a_line_with_two_words_that_are_looked_for_is_one_record():
    """A line that is found by two words is one record, and hides none that follows."""
    twice = WANTED.replace(b"<-f", b"<-wanted")
    found = trace((OTHER * 9 + twice) * 3 + OTHER * 9).records([b"wanted", b"wanted <-"])
    assert [record.line for record in found] == [10, 20, 30]


def test_a_line_is_shown_among_its_neighbours():
    """A line is shown with three on each side; frames of stacks and comments are left out."""
    lines = [b"line %d" % number for number in range(1, 12)]
    lines[2], lines[6] = b" => frame", b"# a comment"
    lines[4] = WANTED.rstrip()
    (block,) = trace(b"\n".join(lines) + b"\n").lines()
    block.sniff()
    list(block.numbers())
    shown = block.around(5)
    assert [number for number, _ in shown] == [1, 2, 4, 5, 6, 8]
    assert [text for number, text in shown if number != 5] == [
        f"line {number}" for number in (1, 2, 4, 6, 8)
    ]


def test_the_first_line_has_nothing_before_it_and_the_last_nothing_after():
    """At the ends of a block only the lines that are there are shown."""
    (block,) = trace(OTHER + WANTED).lines()
    list(block.numbers())
    assert [number for number, _ in block.around(1)] == [1, 2]
    assert [number for number, _ in block.around(2)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "blank"),
    [(b"# tracer: function\n#\n", True), (b"\n\n", True), (b"# tracer: nop\n" + OTHER, False)],
)
def test_a_block_with_nothing_but_the_head_of_a_trace_is_blank(text, blank):
    """A head alone has nothing to be judged."""
    assert {lines.blank for lines in trace(text).lines()} == {blank}
