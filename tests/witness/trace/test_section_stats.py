# SPDX-License-Identifier: GPL-2.0-or-later
"""What sections were like: counted from lines, one task and one CPU at a time."""

from __future__ import annotations

import io

import pytest

from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.section_stats import SectionStats
from lazymmu.witness.trace.stats_group import OTHERS

HEAD = "# tracer: function\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#\n"


def tally_of(lines: str, *, head: str = HEAD) -> SectionStats:
    """The tally of lines of tracefs, written `TASK-PID CPU FLAGS MICROSECONDS TEXT`."""
    text = head
    for line in lines.strip().splitlines():
        task, cpu, flags, stamp, rest = line.split(maxsplit=4)
        text += f"{task:>20} [{int(cpu):03}] {flags} {int(stamp) / 1e6:12.6f}: {rest}\n"
    tally = SectionStats()
    check_trace("made-up", io.BytesIO(text.encode()), observer=tally)
    return tally


def test_a_section_has_a_length_a_site_and_a_task():
    """From the function that begins it to the one that ends it, named after who called."""
    tally = tally_of("""
        cp-7 0 ...1. 100 xen_enter_lazy_mmu <-copy_page_range
        cp-7 0 ...1. 350 xen_leave_lazy_mmu <-copy_page_range
    """)
    assert tally.everything.sections == 1
    assert tally.everything.lengths.total == 250_000
    assert list(tally.sites) == ["copy_page_range"]
    assert list(tally.tasks) == ["cp-7"]


def test_what_a_context_switch_leaves_and_enters_is_no_section():
    """A preempted section is one section, and the time away from the CPU is known."""
    switch = "sched_switch: prev_comm={} prev_pid={} prev_prio=120 prev_state={} ==> "
    switch += "next_comm={} next_pid={} next_prio=120"
    tally = tally_of(f"""
        cp-7 0 ..... 100 xen_enter_lazy_mmu <-vmap_small_pages_range_noflush
        cp-7 0 d..2. 200 {switch.format("cp", 7, "R+", "dd", 8)}
        cp-7 0 d..2. 201 xen_start_context_switch <-__schedule
        cp-7 0 d..2. 202 xen_leave_lazy_mmu <-xen_start_context_switch
        cp-7 0 d..2. 203 xen_end_context_switch <-__switch_to
        dd-8 0 d..2. 700 {switch.format("dd", 8, "S", "cp", 7)}
        dd-8 0 d..2. 701 xen_start_context_switch <-__schedule
        dd-8 0 d..2. 702 xen_end_context_switch <-__switch_to
        dd-8 0 d..2. 703 xen_enter_lazy_mmu <-xen_end_context_switch
        cp-7 0 ..... 900 xen_leave_lazy_mmu <-vmap_small_pages_range_noflush
    """)
    assert tally.everything.sections == 1
    assert tally.everything.lengths.total == 800_000
    assert tally.everything.off_cpu == 500_000
    assert dict(tally.everything.switches) == {"preempted": 1}


def test_what_was_put_off_goes_in_one_call():
    """Three operations, one hypercall at the end: two saved."""
    put_off = """
        cp-7 0 d..2. {0} xen_mc_batch: start batch LAZY_MMU
        cp-7 0 d..2. {0} xen_mc_issue: start batch LAZY_MMU"""
    tally = tally_of(
        "cp-7 0 ...1. 100 xen_enter_lazy_mmu <-copy_page_range"
        + "".join(put_off.format(at) for at in (110, 120, 130))
        + """
        cp-7 0 ...1. 140 xen_leave_lazy_mmu <-copy_page_range
        cp-7 0 d..2. 141 xen_mc_flush: flushing 1 hypercalls, 48 arg bytes, 0 callbacks"""
    )
    whole = tally.everything
    assert (whole.queued, whole.calls, whole.saved) == (3, 1, 2)
    assert dict(whole.flushes) == {"end of the section": 1}
    assert tally.sites["copy_page_range"].saved == 2
    assert (whole.entries.greatest, whole.idle) == (3, 0)
    assert tally.batches.greatest == 3


def test_a_full_queue_goes_before_the_section_ends_and_says_why():
    """What did not fit goes with the next call."""
    lines = ["cp-7 0 ...1. 100 xen_enter_lazy_mmu <-copy_page_range"]
    for at in range(4):
        lines.append(f"cp-7 0 d..2. {110 + at} xen_mc_batch: start batch LAZY_MMU")
        if at == 2:
            lines.append(f"cp-7 0 d..2. {110 + at} xen_mc_flush_reason: flush reason ARGS")
            lines.append(
                f"cp-7 0 d..2. {110 + at} xen_mc_flush: flushing 1 hypercalls, 496 arg bytes, "
                "0 callbacks"
            )
        lines.append(f"cp-7 0 d..2. {110 + at} xen_mc_issue: start batch LAZY_MMU")
    lines.append("cp-7 0 ...1. 200 xen_leave_lazy_mmu <-copy_page_range")
    lines.append("cp-7 0 d..2. 201 xen_mc_flush: flushing 1 hypercalls, 32 arg bytes, 0 callbacks")
    tally = tally_of("\n".join(lines))
    assert dict(tally.everything.flushes) == {"full (ARGS)": 1, "end of the section": 1}
    assert (tally.everything.queued, tally.everything.calls) == (4, 2)
    assert list(tally.batches.steps()) == [(2, 2)]


def test_an_update_without_the_mode_is_no_gain():
    """It is issued at once, outside any section."""
    tally = tally_of("""
        cp-7 0 d..2. 100 xen_mc_batch: start batch LAZY_NONE
        cp-7 0 d..2. 101 xen_mc_issue: start batch LAZY_MMU
        cp-7 0 d..2. 102 xen_mc_flush: flushing 1 hypercalls, 24 arg bytes, 0 callbacks
        cp-7 0 ...1. 103 xen_enter_lazy_mmu <-unmap_page_range
        cp-7 0 ...1. 104 xen_leave_lazy_mmu <-unmap_page_range
        cp-7 0 d..2. 105 xen_mc_flush: flushing 0 hypercalls, 0 arg bytes, 0 callbacks
    """)
    assert dict(tally.outside) == {"issued at once": 1}
    assert (tally.everything.queued, tally.everything.calls) == (0, 0)


def test_entries_are_reckoned_from_bytes_where_they_are_not_recorded():
    """struct mmu_update has sixteen; the summary says that it is an estimate."""
    tally = tally_of("""
        cp-7 0 ...1. 100 xen_enter_lazy_mmu <-copy_page_range
        cp-7 0 ...1. 140 xen_leave_lazy_mmu <-copy_page_range
        cp-7 0 d..2. 141 xen_mc_flush: flushing 1 hypercalls, 160 arg bytes, 0 callbacks
    """)
    assert not tally.counted
    assert (tally.everything.queued, tally.everything.calls) == (10, 1)
    assert tally.sites["copy_page_range"].queued == 10


def test_newer_kernels_say_whether_they_flush():
    """From v7.2 on xen_mc_issue says it, and the mode is not named."""
    tally = tally_of("""
        cp-7 0 d..2. 100 xen_mc_batch: start batch lazy flags 200
        cp-7 0 d..2. 101 xen_mc_issue: flush: no, flags 200
        cp-7 0 d..2. 102 xen_mc_batch: start batch lazy flags 200
        cp-7 0 d..2. 103 xen_mc_issue: flush: no, flags 200
        cp-7 0 ...1. 104 xen_flush_lazy_mmu <-copy_page_range
        cp-7 0 d..2. 105 xen_mc_flush: flushing 1 hypercalls, 32 arg bytes, 0 callbacks
    """)
    assert tally.everything.queued == 2
    assert list(tally.batches.steps()) == [(2, 1)]


def test_interrupts_and_nested_sections_are_counted_inside():
    """A nested section has no length of its own."""
    tally = tally_of("""
        cp-7 0 ...1. 100 xen_enter_lazy_mmu <-outer
        cp-7 0 d.h1. 110 irq_handler_entry: irq=24 name=timer0
        cp-7 0 ..s1. 120 softirq_entry: vec=1 [action=TIMER]
        cp-7 0 ...1. 130 xen_enter_lazy_mmu <-inner
        cp-7 0 ...1. 140 xen_leave_lazy_mmu <-inner
        cp-7 0 ...1. 150 xen_leave_lazy_mmu <-outer
        cp-7 0 d.h1. 160 irq_handler_entry: irq=24 name=timer0
    """)
    whole = tally.everything
    assert (whole.sections, whole.nested, list(tally.sites)) == (1, 1, ["outer"])
    assert dict(whole.interrupts) == {"hard": 1, "soft": 1}


def test_powerpc_shows_batches_and_no_sections():
    """How full they are when they are flushed, and whether that was for want of room."""
    lines = ["cp-7 0 ..... 100 hpte_need_flush <-unmap_page_range"] * 3
    lines += ["cp-7 0 ..... 101 __flush_tlb_pending <-unmap_page_range"]
    lines += ["cp-7 0 ..... 102 hpte_need_flush <-copy_page_range"] * 192
    lines += ["cp-7 0 ..... 103 __flush_tlb_pending <-hpte_need_flush"]
    tally = tally_of("\n".join(lines))
    assert tally.everything.sections == 0
    assert dict(tally.everything.flushes) == {"end of the section": 1, "full, or another mm": 1}
    assert (tally.everything.queued, tally.everything.saved) == (195, 193)
    assert tally.sites["copy_page_range"].entries.greatest == 192


def test_counters_tell_who_was_switched_out_inside():
    """Where no function shows sections: the reading says it."""
    reading = "sw: (__probestub_sched_switch+0x4/0x20) pid=7 npid=8 ec={} pc={} st={}"
    tally = tally_of(f"""
        cp-7 0 d..3. 100 {reading.format(1, 0, 0)}
        cp-7 0 d..3. 101 {reading.format(1, 0, 2)}
        cp-7 0 d..3. 102 {reading.format(1, 1, 2)}
        cp-7 0 d..3. 103 {reading.format(0, 0, 0)}
    """)
    assert tally.readings == 4
    assert dict(tally.seen_in) == {"preempted": 1, "blocked": 1, "paused": 1}


def test_what_the_trace_cut_is_said_and_not_counted():
    """The end of a section that began before, and the beginning of one that did not end."""
    tally = tally_of("""
        cp-7 0 ...1. 100 xen_leave_lazy_mmu <-copy_page_range
        cp-7 0 ...1. 150 xen_enter_lazy_mmu <-copy_page_range
    """)
    assert (tally.everything.sections, tally.cut, tally.open) == (0, 1, 1)


def test_tasks_without_end_do_not_fill_the_memory():
    """Beyond a number they are counted together."""
    lines = []
    for pid in range(100, 1700):
        lines.append(f"cp-{pid} 0 ...1. {pid} xen_enter_lazy_mmu <-copy_page_range")
        lines.append(f"cp-{pid} 0 ...1. {pid} xen_leave_lazy_mmu <-copy_page_range")
    tally = tally_of("\n".join(lines))
    assert tally.everything.sections == 1600
    assert len(tally.tasks) == 513
    assert sum(group.sections for group in tally.tasks.values()) == 1600
    assert tally.tasks[OTHERS].sections > 1000


@pytest.mark.parametrize(
    "wrapper", ["lazy_mmu_mode_enable", "arch_enter_lazy_mmu_mode", "class_lazy_mmu_constructor"]
)
def test_the_call_site_is_the_caller_and_never_a_wrapper(wrapper):
    """A stack tells who called the wrapper; without one, that the caller is not shown is said."""
    section = f"""
        cp-7 0 ...1. 100 xen_enter_lazy_mmu <-{wrapper}
        cp-7 0 ...1. 150 xen_leave_lazy_mmu <-lazy_mmu_mode_disable
    """
    assert list(tally_of(section).sites) == [f"(behind {wrapper})"]
    stack = f"""{HEAD}
              cp-7       [000] ...1.     1.000100: xen_enter_lazy_mmu <-{wrapper}
              cp-7       [000] ...1.     1.000101: <stack trace>
 => [FTRACE TRAMPOLINE]
 => xen_enter_lazy_mmu
 => {wrapper}
 => zap_pte_range
 => unmap_page_range
              cp-7       [000] ...1.     1.000200: xen_leave_lazy_mmu <-lazy_mmu_mode_disable
"""
    tally = SectionStats()
    check_trace("made-up", io.BytesIO(stack.encode()), observer=tally)
    assert list(tally.sites) == ["zap_pte_range"]


def test_calls_that_a_pause_had_ignored_are_counted():
    """The guard of a beginning sees the call, and the pause because of which nothing begins."""
    guard = "ge1: (copy_page_range+0x10/0x20) pid=7 ec=0 pc={}"
    tally = tally_of(f"""
        cp-7 0 ...1. 100 {guard.format(255)}
        cp-7 0 ...1. 101 {guard.format(255)}
        cp-7 0 ...1. 102 {guard.format(0)}
        cp-7 0 ...1. 103 ur: (__probestub_sys_exit+0x4/0x20) pid=7 ec=0 pc=255
        cp-7 0 d..2. 104 sw_in: (xen_end_context_switch+0x0/0x20) pid=7 ec=0 pc=1
    """)
    assert (tally.calls, tally.ignored, tally.readings, tally.paused) == (3, 2, 2, 1)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("x618-6.18.15-default/small.trace.gz", (737, {"preempted": 1}, 19231, 822)),
        ("x71-7.1.13-default/small.trace.gz", (332, {}, 11826, 472)),
        ("sparc64-7.1.13-sun4u/small.trace.gz", (298, {}, 0, 145)),
        ("ppc64le-6.12.107-hash-power8/load.trace.gz", (0, {}, 16644, 513)),
    ],
)
def test_real_recordings_add_up(recordings, file, expected):
    """Sections, switches inside, operations and calls; the parts are the whole."""
    tally = SectionStats()
    check_trace(str(recordings / file), observer=tally)
    whole = tally.everything
    assert (whole.sections, dict(whole.switches), whole.queued, whole.calls) == expected
    for groups in (tally.sites, tally.tasks):
        assert sum(group.sections for group in groups.values()) == whole.sections
        assert sum(group.lengths.total for group in groups.values()) == whole.lengths.total
        assert sum(group.calls for group in groups.values()) == whole.calls


@pytest.mark.parametrize(
    "file",
    [
        "x618-6.18.15-default/small.trace.gz",
        "v612-6.12.107-preempt-full-violations/viol.trace.gz",
        "sparc64-7.1.13-sun4u/small.trace.gz",
    ],
)
def test_who_counts_changes_nothing_of_what_is_found(recordings, file):
    """Findings, doubts and what was seen are the same with a summary and without one."""
    path = str(recordings / file)
    plain, counted = check_trace(path), check_trace(path, observer=SectionStats())
    assert counted.findings == plain.findings
    assert counted.caveats == plain.caveats
    assert counted.seen == plain.seen
