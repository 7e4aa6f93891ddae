# SPDX-License-Identifier: GPL-2.0-or-later
"""What bpftrace prints: sorted by time, with its losses where they were told."""

from __future__ import annotations

from lazymmu.ftrace.bpftrace_text import MARK, in_order


def line(second: int, text: str = "x") -> bytes:
    """A line at a time."""
    return f"          a-9       [000] .....     {second}.000001: {text}\n".encode()


def read(*blocks: bytes) -> bytes:
    """The text of these blocks."""
    return b"".join(block for block, _, _ in in_order((one, "", False) for one in blocks))


def test_lines_of_bpftrace_are_sorted_by_time():
    """Its CPUs come in turns; what has no time, and equal times, stay in their order."""
    head = b"Attaching 64 probes...\n" + MARK + b"#\n"
    text = read(head + line(3), line(1) + b"odd\n", line(3, "y") + line(2))
    assert text == head + line(1) + b"odd\n" + line(2) + line(3) + line(3, "y")


def test_lost_events_of_bpftrace_are_in_the_kernel_s_words():
    """So that they are a loss as any other."""
    assert b"CPU:0 [LOST 199 EVENTS]\n" in read(MARK + line(1) + b"Lost 199 events\n" + line(2))


def test_what_bpftrace_warns_of_first_hides_nothing():
    """One warning for each of many probes that cannot be attached, in the same file."""
    warnings = b"WARNING: could not attach probe kprobe:f+0x4, skipping.\n" * 200
    assert read(warnings + MARK + line(3) + line(1)).endswith(line(1) + line(3))


def test_other_texts_stay_as_they_are():
    """Lines out of order are theirs to explain."""
    blocks = (b"# tracer: nop\n" + line(3), line(1))
    assert read(*blocks) == b"".join(blocks)
    assert read() == b""
