# SPDX-License-Identifier: GPL-2.0-or-later
"""Timelines: JSON trace events, as Perfetto and Chrome read them."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.report.trace.timeline import Timeline
from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.section_stats import SectionStats

HEAD = b"# tracer: function\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#\n"
SECTIONS, CPUS, INTERRUPTS = 1, 2, 3


def timeline(text: bytes) -> list[dict[str, Any]]:
    """The events of the timeline of a trace; fails for one that is no timeline."""
    out = io.StringIO()
    made = Timeline(out, "made-up")
    tally = SectionStats(made)
    made.finish(check_trace("made-up", io.BytesIO(text), observer=tally))
    assert made.error == ""
    document = json.loads(out.getvalue())
    assert set(document) == {"displayTimeUnit", "otherData", "traceEvents"}
    return valid(document["traceEvents"])


def valid(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events that are as the Trace Event Format has them; slices of one track are nested."""
    named, slices = set(), defaultdict(list)
    for event in events:
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        track = event["pid"], event["tid"]
        match event["ph"]:
            case "M":
                assert event["name"] in {"process_name", "process_sort_index", "thread_name"}
                named.add(track)
            case "X":
                assert event["ts"] >= 0
                assert event["dur"] >= 0
                slices[track].append((event["ts"], -event["dur"]))
            case "i":
                assert event["s"] == "t"
                assert event["ts"] >= 0
            case other:
                pytest.fail(f"a phase that is not used: {other}")
    assert {(event["pid"], event["tid"]) for event in events} <= named
    for some in slices.values():
        ends: list[float] = []
        for begin, length in sorted(some):
            while ends and ends[-1] <= begin:
                ends.pop()
            assert not ends or begin - length <= ends[-1] + 1e-6
            ends.append(begin - length)
    return events


def lines(text: str) -> bytes:
    """Lines of tracefs, from `TASK-PID CPU FLAGS MICROSECONDS TEXT`."""
    made = []
    for line in text.strip().splitlines():
        task, cpu, flags, stamp, rest = line.split(maxsplit=4)
        made.append(f"{task:>20} [{int(cpu):03}] {flags} {int(stamp) / 1e6:12.6f}: {rest}\n")
    return HEAD + "".join(made).encode()


def switch(prev: str, pid: int, state: str, comes: str, other: int) -> str:
    """The text of a context switch."""
    return (
        f"sched_switch: prev_comm={prev} prev_pid={pid} prev_prio=120 prev_state={state} ==> "
        f"next_comm={comes} next_pid={other} next_prio=120"
    )


STORY = f"""
    cp-7 0 ..... 100 xen_enter_lazy_mmu <-vmap_small_pages_range_noflush
    cp-7 0 d.h1. 120 irq_handler_entry: irq=24 name=timer0
    cp-7 0 d.h1. 130 irq_handler_exit: irq=24 ret=handled
    cp-7 0 ..s1. 131 softirq_entry: vec=1 [action=TIMER]
    cp-7 0 ..s1. 139 softirq_exit: vec=1 [action=TIMER]
    cp-7 0 d..2. 140 xen_mc_batch: start batch LAZY_MMU
    cp-7 0 d..2. 140 xen_mc_issue: start batch LAZY_MMU
    cp-7 0 d..2. 200 {switch("cp", 7, "R+", "dd", 8)}
    cp-7 0 d..2. 201 xen_start_context_switch <-__schedule
    cp-7 0 d..2. 202 xen_leave_lazy_mmu <-xen_start_context_switch
    cp-7 0 d..2. 203 xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks
    cp-7 0 d..2. 204 xen_end_context_switch <-__switch_to
    dd-8 0 d..2. 700 {switch("dd", 8, "S", "cp", 7)}
    dd-8 0 d..2. 701 xen_start_context_switch <-__schedule
    dd-8 0 d..2. 702 xen_end_context_switch <-__switch_to
    dd-8 0 d..2. 703 xen_enter_lazy_mmu <-xen_end_context_switch
    cp-7 0 ..... 900 xen_leave_lazy_mmu <-vmap_small_pages_range_noflush
"""


def test_a_section_its_switch_its_flush_and_its_interrupts_are_on_their_tracks():
    """Each with its time in microseconds and its length."""
    events = timeline(lines(STORY))
    shown = {
        (one["pid"], one["tid"], one["name"]): (one["ts"], one.get("dur"))
        for one in events
        if one["ph"] != "M" and one.get("cat") != "finding"
    }
    assert shown == {
        (SECTIONS, 7, "vmap_small_pages_range_noflush"): (100, 800),
        (SECTIONS, 7, "switched out (R+)"): (200, 500),
        (CPUS, 0, "flush: context switch"): (203, None),
        (CPUS, 0, "dd-8"): (200, 500),
        (CPUS, 0, "cp-7"): (700, 200),
        (INTERRUPTS, 0, "timer0"): (120, 10),
        (INTERRUPTS, 0, "TIMER"): (131, 8),
    }


def test_findings_are_marked_on_the_track_of_their_task():
    """With their rule and the line of the trace."""
    nested = """
        cp-7 0 ...1. 100 xen_enter_lazy_mmu <-outer
        cp-7 0 ...1. 130 xen_enter_lazy_mmu <-inner
        cp-7 0 ...1. 140 xen_leave_lazy_mmu <-inner
        cp-7 0 ...1. 150 xen_leave_lazy_mmu <-outer
    """
    events = timeline(lines(nested))
    (found,) = [one for one in events if one.get("cat") == "finding"]
    assert found["name"] == "violation: nested-section"
    assert (found["ts"], found["tid"], found["args"]["line"]) == (130, 7, 6)
    slices = {one["name"]: (one["ts"], one["dur"]) for one in events if one["ph"] == "X"}
    assert slices == {"outer": (100, 50), "inner": (130, 10)}


def test_a_section_that_does_not_end_is_shown_to_the_end_of_the_trace():
    """And says that its end is not in the trace."""
    events = timeline(
        lines("""
        cp-7 0 ...1. 100 xen_enter_lazy_mmu <-copy_page_range
        dd-8 1 ...1. 190 xen_enter_lazy_mmu <-copy_page_range
        dd-8 1 ...1. 195 xen_leave_lazy_mmu <-copy_page_range
    """)
    )
    (open_one,) = [one for one in events if "end" in one.get("args", {})]
    assert (open_one["ts"], open_one["dur"], open_one["tid"]) == (100, 95, 7)


def test_counters_that_are_not_zero_are_marked():
    """Where no function shows sections, readings do."""
    reading = "sw: (__probestub_sched_switch+0x4/0x20) pid=7 npid=8 ec={} pc={} st=0"
    events = timeline(
        lines(f"""
        cp-7 0 d..3. 100 {reading.format(1, 0)}
        cp-7 0 d..3. 101 {reading.format(0, 253)}
        cp-7 0 d..3. 102 {reading.format(0, 0)}
    """)
    )
    marks = [(one["ts"], one["name"]) for one in events if one.get("cat") == "mark"]
    assert marks == [(100, "in a section"), (101, "paused")]


def test_names_from_the_trace_are_harmless():
    """What a task calls itself is text in JSON, and does nothing to who looks at it."""
    text = lines(STORY).replace(b"cp-7", b"\x1b]0-7").replace(b"prev_comm=cp", b"prev_comm=\x1b]0")
    names = json.dumps(timeline(text))
    assert "\\u001b" not in names


TEXTS = st.sampled_from([line.split(maxsplit=4) for line in STORY.strip().splitlines()])


@given(st.lists(st.tuples(TEXTS, st.integers(0, 1), st.integers(0, 50)), max_size=40))
def test_whatever_happens_the_timeline_is_one(some):
    """Also where lines are missing, and where they belong to other CPUs."""
    now, story = 1000, []
    for (task, _, flags, _, rest), cpu, later in some:
        now += later
        story.append(f"{task} {cpu} {flags} {now} {rest}")
    if story:
        timeline(lines("\n".join(story)))


@pytest.mark.parametrize(
    "file",
    [
        "x618-6.18.15-default/small.trace.gz",
        "v612-6.12.107-preempt-full-violations/viol.trace.gz",
        "sparc64-7.1.13-sun4u/small.trace.gz",
        "x71-7.1.13-default/small.latency.trace.gz",
    ],
)
def test_real_recordings_become_timelines(recordings, file):
    """Each section that is counted is a slice."""
    out = io.StringIO()
    made = Timeline(out, file)
    tally = SectionStats(made)
    made.finish(check_trace(str(recordings / file), observer=tally))
    events = valid(json.loads(out.getvalue())["traceEvents"])
    whole = [one for one in events if one.get("cat") == "section" and "end" not in one["args"]]
    assert len(whole) == tally.everything.sections + tally.everything.nested


def test_a_full_disk_is_said_and_nothing_is_raised():
    """Whoever reads the trace has more to do than this."""

    class Full(io.StringIO):
        def write(self, _text: str, /) -> int:
            raise OSError(28, "No space left on device")

    made = Timeline(Full(), "made-up")
    made.begins(7, "cp", 0, 100, "f")
    made.finish()
    assert made.error == "No space left on device"
