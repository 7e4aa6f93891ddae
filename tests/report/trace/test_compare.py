# SPDX-License-Identifier: GPL-2.0-or-later
"""Two recordings side by side: what differs is told, and what depends on the length is not."""

from __future__ import annotations

import io
import json
import re

from lazymmu.report.trace import compare, stats
from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.section_stats import SectionStats

HEAD = "# tracer: function\n#\n# entries-in-buffer/entries-written: 1/1   #P:1\n#\n"
ENTER, LEAVE = "xen_enter_lazy_mmu <-copy_page_range", "xen_leave_lazy_mmu <-copy_page_range"
LAZY = ["xen_mc_batch: start batch LAZY_MMU", "xen_mc_issue: start batch LAZY_MMU"]
AT_ONCE = [
    "xen_mc_batch: start batch LAZY_NONE",
    "xen_mc_issue: start batch LAZY_MMU",
    "xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks",
]
FLUSH = ["xen_mc_flush: flushing 1 hypercalls, 512 arg bytes, 0 callbacks"]


def recorded(name, texts, step=100, stamp="{:12.6f}"):
    """What is told of a recording in which one task did all of this, so many us apart."""
    lines = [
        "cp-7".rjust(16) + f"    [000] ...1. {stamp.format(at * step / 1e6)}: {text}\n"
        for at, text in enumerate(texts, 1)
    ]
    tally = SectionStats()
    found = check_trace(name, io.BytesIO((HEAD + "".join(lines)).encode()), observer=tally)
    return found, tally


GOOD = [ENTER, *LAZY * 32, LEAVE, *FLUSH] * 4
BAD = [ENTER, *AT_ONCE * 32, LEAVE] * 4


def test_a_mode_that_saves_nothing_any_more_is_told_first():
    """Nearly all calls saved in one, none in the other: no need to look for it in two summaries."""
    told = compare.sentences(recorded("a", GOOD), recorded("b", BAD))
    assert "saved: 96.9 % (124 of 128), then 0.0 % (0 of 128)" in told
    assert "put off: 100.0 % (128 of 128), then 0.0 % (0 of 128)" in told


def test_a_recording_is_alike_to_itself_and_to_a_longer_one():
    """How long was recorded is no difference between kernels."""
    once, twice = recorded("a", GOOD), recorded("b", GOOD * 2)
    assert compare.sentences(once, once) == []
    assert compare.sentences(once, twice) == []
    assert "the two are alike" in compare.render(once, twice)


def test_what_is_broken_in_one_alone_is_told():
    """A rule that only one of the two breaks, and which of them."""
    nested = [ENTER, ENTER, LEAVE, LEAVE]
    good, bad = recorded("a", GOOD), recorded("b", nested + GOOD)
    assert compare.sentences(good, bad)[0] == "nested-section is broken in b alone"
    assert compare.sentences(bad, good)[0] == "nested-section is broken in b alone"


def test_sites_that_only_one_has_are_named():
    """A function that begins sections in one kernel alone."""
    other = [text.replace("copy_page_range", "zap_pte_range") for text in GOOD]
    told = compare.sentences(recorded("a", GOOD), recorded("b", GOOD + other))
    assert told == ["in b alone are sections of zap_pte_range"]


def test_a_pause_that_never_ends_is_told():
    """Readings that find the task paused are no readings outside of sections."""
    reading = "ur: (__probestub_sys_exit+0x4/0x20) ec=0 pc={}"
    fine, broken = (recorded(name, [reading.format(pc)] * 9) for name, pc in (("a", 0), ("b", 253)))
    told = compare.sentences(fine, broken)
    assert "readings that find it paused: 0.0 % (0 of 9), then 100.0 % (9 of 9)" in told


def test_what_a_recording_does_not_show_is_said():
    """No events of queues in the first: that is not the same as nothing saved."""
    quiet = [ENTER, LEAVE] * 4
    text = compare.render(recorded("a", quiet), recorded("b", GOOD))
    (row,) = [line for line in text.splitlines() if line.startswith("saved ")]
    assert "not shown" in row
    made = json.loads(compare.render_json(recorded("a", quiet), recorded("b", GOOD)))
    (saved,) = [one for one in made["compared"] if one["what"] == "saved"]
    assert saved["values"] == [None, 96.875]


def test_a_clock_that_counts_says_no_time():
    """As x86-tsc does: what a count is, no recording says; all else is compared."""
    counted = recorded("b", GOOD, step=10**6, stamp="{:12.0f}")
    assert counted[1].counts
    assert not recorded("a", GOOD)[1].counts
    for first, second in ((recorded("a", GOOD), counted), (counted, counted)):
        units = {row.unit for row in compare.rows(first, second)}
        assert "%" in units
        assert not units & {"ns", "span", "/s"}
        assert compare.sentences(first, second) == []
        assert not re.search(r"\d (?:s|ms|us|ns)\b", compare.render(first, second))
    text = stats.render([("b", counted[1])])
    assert "b: times are counts of the trace's clock" in text
    assert "b: length p50 65 p90 65 p99 65 max 65" in text
    assert not re.search(r"\d (?:s|ms|us|ns)\b", text)
    (one,) = json.loads(stats.render_json([("b", counted[1])]))["traces"]
    assert one["counts"] is True
