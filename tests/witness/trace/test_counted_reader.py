# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines about queues that are passed over and counted are what they are one by one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.ftrace.block import Lines
from lazymmu.ftrace.record import Header
from lazymmu.report.trace import stats
from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.counted_reader import COUNTED, CountedReader
from lazymmu.witness.trace.section_stats import SectionStats

MIX = {
    "idle": ("xen_mmu_set_pte: ptep 00000000d43cf37f pteval 800000010dee0867",),
    "off": ("xen_mc_batch: start batch LAZY_MMU", "xen_mc_issue: start batch LAZY_MMU"),
    "cpu": ("xen_mc_batch: start batch LAZY_CPU", "xen_mc_issue: start batch LAZY_CPU"),
    "once": (
        "xen_mc_batch: start batch LAZY_NONE",
        "xen_mc_issue: start batch LAZY_CPU",
        "xen_mc_flush: flushing 2 hypercalls, 48 arg bytes, 1 callbacks",
    ),
    "other mode": ("xen_mc_batch: start batch LAZY_MMU", "xen_mc_issue: start batch LAZY_CPU"),
    "late": ("xen_mc_flush: flushing 1 hypercalls, 32 arg bytes, 0 callbacks",),
    "none": ("xen_mc_flush: flushing 0 hypercalls, 0 arg bytes, 0 callbacks",),
    "full": ("xen_mc_flush_reason: flush reason ARGS",),
    "hard": ("irq_handler_entry: irq=24 name=timer0",),
    "soft": ("softirq_entry: vec=1 [action=TIMER]",),
    "begin": ("xen_enter_lazy_mmu <-copy_page_range",),
    "end": ("xen_leave_lazy_mmu <-copy_page_range",),
    "whole": ("xen_enter_lazy_mmu <-unmap_page_range", "xen_leave_lazy_mmu <-unmap_page_range"),
    "hooks": ("xen_start_context_switch <-__schedule", "xen_end_context_switch <-__switch_to"),
    "odd": ("xen_mc_batch: start batch LAZY_MMU or so",),
    "said": ("tracing_mark_write: x: xen_mc_batch: start batch LAZY_",),
}
HEADS = ("              wl-7       [000] d..2.", "              wl-8       [001] d..2.")


class OneByOne(SectionStats):
    """Is given each line about queues."""

    needles = (*SectionStats.needles, b"said: nothing is idle")

    def take(self, lines):
        """No line is passed over that holds a needle."""
        return self._queues.take(lines, lines.runs())


def written(steps: list[tuple[int, str, bool]]) -> str:
    """Lines of two tasks, each on its CPU; what a step says may have an idle line in between."""
    now, text = 5_000_000, ["# tracer: function"]
    some = [(0, "off", False), (1, "once", False), *((0, "idle", False),) * 4]
    for cpu, what, apart in (*some, *steps):
        lines = [(cpu, one) for one in MIX[what]]
        if apart and len(lines) > 1:
            lines.insert(1, (cpu, MIX["idle"][0]))
        elif apart:
            lines += [(1 - cpu, one) for one in MIX["idle"]]
        for at, one in lines:
            now += 1
            text.append(f"{HEADS[at]} {now // 1_000_000:5}.{now % 1_000_000:06}: {one}")
    return "\n".join(text) + "\n"


STEPS = st.tuples(st.integers(0, 1), st.sampled_from(sorted(MIX)), st.booleans())


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_any_order_of_lines_counts_as_it_does_one_by_one(tmp_path_factory, steps):
    """Groups of any kind, whole or not, of two CPUs, in sections or outside."""
    path = tmp_path_factory.mktemp("counted") / "trace"
    path.write_text(written(steps))
    told = []
    for tally in (SectionStats(), OneByOne()):
        result = check_trace(str(path), observer=tally)
        told.append((stats.render_json([("x", tally)]), result.seen.lines, result.findings))
    assert told[0] == told[1]


def runs_of(*steps: tuple[int, str, bool]) -> list[tuple[bytes, ...]]:
    """The counted runs of a text of which enough is known."""
    lines = Lines(Header(), (*SectionStats.needles, b"_lazy_mmu", b"_context_switch"))
    lines.load(written([(0, "idle", False)] * 40).encode())
    lines.sniff()
    lines.counted_runs(COUNTED)
    lines.load(written(list(steps)).encode())
    found = lines.counted_runs(COUNTED)
    assert found is not None
    return list(found)


@pytest.mark.parametrize(
    ("what", "kind"), [("off", b"MMU"), ("cpu", b"CPU"), ("once", b"NONE"), ("other mode", b"")]
)
def test_a_group_is_passed_over_as_one_kind(what, kind):
    """Of several of one task, the kind is told, and that there are several; no line is given."""
    last = [run for run in runs_of((0, "end", False), *((0, what, True),) * 3) if run[2]][-1]
    given = b"".join(b"".join(run[8::2]) for run in runs_of(*((0, what, True),) * 3))
    assert ((last[4], bool(last[5])) == (kind, True)) == (kind != b"")
    assert (b"xen_mc_" in given) == (kind == b"")


def test_groups_of_two_tasks_are_apart():
    """Each run passes over those of one task."""
    runs = runs_of((0, "end", False), (0, "off", False), (1, "off", False), (0, "off", False))
    tail = [run[3] for run in runs if run[2]][-3:]
    assert [head.split()[0] for head in tail] == [b"wl-7", b"wl-8", b"wl-7"]


def test_times_are_those_of_the_first_and_the_last_line(tmp_path):
    """Lines that are passed over are lines of the trace: it lasts from the first to the last."""
    path = tmp_path / "trace"
    path.write_text(written([(0, "begin", False), (0, "end", False), (1, "none", False)]))
    tally = SectionStats()
    check_trace(str(path), observer=tally)
    assert isinstance(tally._queues, CountedReader)
    assert (tally.started, tally.stopped) == (5_000_001_000, 5_000_012_000)
