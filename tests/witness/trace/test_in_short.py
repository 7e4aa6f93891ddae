# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told in short, for speed, is what would have been told line by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.report.trace import stats
from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.context_switches import SwitchTracker
from lazymmu.witness.trace.section_stats import SectionStats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.runs import Run

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "trace").glob("*.gz"))
COLUMNS = "           a{pid:<10}-{pid}     [000] d..2.  {time:5}.{part:06}: "
TEXTS = (
    "xen_enter_lazy_mmu <-copy_page_range",
    "xen_leave_lazy_mmu <-copy_page_range",
    "xen_enter_lazy_mmu <-unmap_page_range",
    "xen_start_context_switch <-__switch_to",
    "xen_end_context_switch <-__switch_to",
    "xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks",
    "sched_switch: prev_comm=a prev_pid=7 prev_prio=120 prev_state=R+ ==> next_comm=b next_pid=8 "
    "next_prio=120",
    "sched_switch: prev_comm=b prev_pid=8 prev_prio=120 prev_state=S ==> next_comm=a next_pid=7 "
    "next_prio=120",
)


class AtLength(SectionStats):
    """Is told of every line."""

    def __init__(self) -> None:
        """Of nobody in short."""
        super().__init__()
        self.in_short = None

    def take(self, lines: Lines) -> Iterable[Run] | None:
        """No two lines at once."""
        del lines
        return None


def told(path: Path, tally: SectionStats) -> tuple[str, list[str]]:
    """The summary of a trace, and its findings."""
    result = check_trace(str(path), observer=tally)
    return stats.render_json([("x", tally)]), [str(one) for one in result.findings]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_real_recordings_say_the_same_of_switches_that_are_done_in_one_go(path, monkeypatch):
    """Of each example, findings, doubts and what was seen are those that line by line gives."""
    in_short = check_trace(str(path))
    monkeypatch.setattr(SwitchTracker, "whole", lambda *_: False)
    at_length = check_trace(str(path))
    assert in_short == at_length


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_real_recordings_give_the_same_summary_in_short(path):
    """Of each example, the numbers are those that all lines one by one give."""
    assert told(path, SectionStats()) == told(path, AtLength())


SWITCH_OF = {7: TEXTS[6], 8: TEXTS[7]}
"""The context switch that each of the two tasks is stamped with."""

STEPS = st.one_of(
    st.tuples(st.just(0), st.integers(7, 8), st.integers(0, 3), st.sampled_from(TEXTS)),
    # What is done in one go: a whole section, and a switch with its hooks, in their order or not.
    st.tuples(st.just(0), st.integers(7, 8), st.integers(0, 3), st.just("whole")),
    st.tuples(st.integers(0, 2), st.integers(7, 8), st.integers(0, 3), st.just("switch")),
)


def written(steps: list[tuple[int, int, int, str]]) -> str:
    """Lines of one CPU on which two tasks run."""
    now, text = 5_000_000, ["# tracer: function"]
    for more, pid, step, said in (*steps, (0, 7, 1, TEXTS[0]), (0, 7, 1, TEXTS[1])):
        some = {"whole": TEXTS[:2], "switch": (SWITCH_OF[pid], *TEXTS[3:5])}.get(said, (said,))
        for one in some:
            now += step
            head = COLUMNS.format(pid=pid, time=now // 1_000_000, part=now % 1_000_000)
            text.append(head + one)
        if said == "switch" and more:
            # The task that comes goes again, so that both are known.
            other = 15 - pid
            for one in (*TEXTS[: 2 * (more - 1)], SWITCH_OF[other], *TEXTS[3:5]):
                now += step
                head = COLUMNS.format(pid=other, time=now // 1_000_000, part=now % 1_000_000)
                text.append(head + one)
    return "\n".join(text) + "\n"


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=60), st.booleans())
def test_any_order_of_lines_gives_the_same_summary_in_short(tmp_path_factory, steps, alone):
    """Hooks, switches, flushes and sections as they may come: both ways count and find alike."""
    path = tmp_path_factory.mktemp("short") / "trace"
    head = "# entries-in-buffer/entries-written: 1/1   #P:1\n" if alone else ""
    path.write_text(head + written(steps))
    in_short, at_length = told(path, SectionStats()), told(path, AtLength())
    assert in_short == at_length
    assert in_short[1] == [str(one) for one in check_trace(str(path)).findings]


def test_a_section_that_two_runs_of_lines_share_is_whole(tmp_path):
    """Its beginning is the last line of one run, and its end the first of the next."""
    lines = ""
    for number in range(40):
        lines += COLUMNS.format(pid=7, time=5, part=number * 2) + TEXTS[0] + "\n"
        lines += COLUMNS.format(pid=7, time=5, part=number * 2 + 1) + TEXTS[1] + "\n"
    path = tmp_path / "trace"
    path.write_text("# tracer: function\n" + lines)
    tally = SectionStats()
    result = check_trace(str(path), observer=tally)
    assert (result.seen.sections, result.seen.ends) == (40, 40)
    assert (tally.everything.sections, tally.everything.lengths.total) == (40, 40_000)
