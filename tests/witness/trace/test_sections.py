# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections that functions show: what breaks a rule, what is allowed, and what cannot be told."""

from __future__ import annotations

import pytest

from lazymmu.witness.trace.values import TraceVerdict

from .lines import IDLE0, IDLE1, A, B, Tape


def rules(watched):
    """Rule and line of each violation."""
    return [(one.rule, one.location.line) for one in watched.violations]


@pytest.fixture
def tape():
    """A tape that has seen both CPUs and both tasks, and alpha running on CPU 0."""
    tape = Tape()
    tape.warm(A, B)
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    return tape


def test_a_pair_is_fine(tape, judge):
    """A section that begins and ends says nothing."""
    tape.enter(A, 0)
    tape.leave(A, 0)
    watched = judge(tape.text, release="6.12.107")
    assert (watched.findings, watched.caveats) == ((), ())
    assert watched.conclusive


def test_an_end_without_a_beginning_is_found_once_the_task_is_known(tape, judge):
    """Alpha was seen to be switched out with the mode off: this end has no beginning."""
    line = tape.leave(A, 0)
    assert rules(judge(tape.text)) == [("unbalanced-section", line)]


def test_an_end_at_the_start_of_a_trace_is_no_error(judge):
    """The section began before the trace."""
    tape = Tape()
    tape.leave(A, 0)
    tape.enter(A, 0)
    tape.leave(A, 0)
    assert judge(tape.text).findings == ()


def test_after_an_inherited_end_balance_is_known(judge):
    """One end may belong to the time before; the next one cannot."""
    tape = Tape()
    tape.leave(A, 0)
    tape.enter(A, 0)
    tape.leave(A, 0)
    line = tape.leave(A, 0)
    assert rules(judge(tape.text)) == [("unbalanced-section", line)]


def test_a_task_that_ends_in_a_section_is_found_at_its_last_switch(tape, judge):
    """Without sched_process_exit, state X tells it."""
    tape.enter(A, 0)
    line = tape.switch(A, IDLE0, 0, "X", hooks="xen leave")
    assert rules(judge(tape.text)) == [("unbalanced-section", line)]


def test_a_pid_that_is_used_again_is_another_task(tape, judge):
    """What a dead task left open is not its successor's."""
    tape.switch(A, IDLE0, 0, "X", hooks="xen")
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    tape.leave(A, 0)
    assert judge(tape.text).findings == ()


@pytest.mark.parametrize("state", ["S", "D", "I", "T", "t", "D|K"])
def test_a_task_that_blocks_in_a_section_sleeps(tape, judge, state):
    """Every state but running is a wait."""
    tape.enter(A, 0)
    line = tape.switch(A, IDLE0, 0, state, hooks="xen leave")
    assert rules(judge(tape.text)) == [("sleep-in-section", line)]


def stack(tape, *frames):
    """The stack of the record before, as tracefs prints it."""
    tape.add(A, 0, "<stack trace>", "d..2.")
    tape.lines += [f" => {frame}" for frame in frames]


def test_a_stack_tells_a_wait_for_a_spinlock_of_preempt_rt(tape, judge):
    """It is no sleep, and like a preemption to the mode."""
    tape.enter(A, 0)
    line = tape.switch(A, IDLE0, 0, "D")
    stack(tape, "__schedule", "schedule_rtlock", "rtlock_slowlock_locked", "rt_spin_lock")
    watched = judge(tape.text, release="6.12.107")
    assert watched.violations == ()
    assert [(one.rule, one.location.line) for one in watched.findings] == [
        ("preempted-in-section", line)
    ]
    only = judge(tape.text, release="6.12.107", rules=["sleep-in-section"])
    assert only.findings == ()


def test_a_stack_tells_a_sleep(tape, judge):
    """A stack tells a sleep from another reason to be switched out."""
    tape.enter(A, 0)
    line = tape.switch(A, IDLE0, 0, "D")
    stack(tape, "__schedule", "schedule", "io_schedule", "folio_wait_bit")
    assert rules(judge(tape.text)) == [("sleep-in-section", line)]


@pytest.mark.parametrize("release", ["6.12.9-rt5", "6.12.9"])
def test_without_a_stack_preempt_rt_leaves_open_what_a_task_waits_for(tape, judge, release):
    """Where the trace says that the kernel has it; else nobody waits for a spinlock."""
    tape.enter(A, 0)
    tape.switch(A, IDLE0, 0, "D", hooks="xen leave")
    head = f"Linux box {release} x86_64\n" if "rt" in release else ""
    watched = judge(tape.text, head=head) if head else judge(tape.text)
    (one,) = (one for one in watched.findings if one.rule == "sleep-in-section")
    assert one.verdict is (TraceVerdict.UNKNOWN if head else TraceVerdict.VIOLATION)


def test_state_r_is_a_call_of_schedule(tape, judge):
    """R without + is no preemption: the task asked for it."""
    tape.enter(A, 0)
    line = tape.switch(A, IDLE0, 0, "R", hooks="xen leave")
    assert rules(judge(tape.text)) == [("sleep-in-section", line)]


def test_trace_cmds_plugin_does_not_tell_preempted_from_yielded(tape, judge):
    """Its R stands for both, so that nothing is claimed."""
    tape.enter(A, 0)
    line = tape.add(A, 0, "sched_switch: alpha:100 [120] R ==> swapper/0:0 [120]", "d..2.")
    watched = judge(tape.text)
    assert watched.violations == ()
    assert [(one.verdict, one.location.line) for one in watched.findings] == [
        (TraceVerdict.UNKNOWN, line)
    ]


def preempted(tape):
    """Alpha is preempted in a section on CPU 0 and goes on on CPU 1."""
    tape.enter(A, 0)
    out = tape.switch(A, IDLE0, 0, "R+", hooks="xen leave")
    back = tape.switch(IDLE1, A, 1, "R", hooks="xen enter")
    tape.leave(A, 1)
    return out, back


@pytest.mark.parametrize("release", ["", "6.1.176", "6.12.107", "6.18.15", "7.1.13"])
def test_xen_may_be_preempted_and_moved(tape, judge, release):
    """The hooks take the mode along; both things are told, and neither is a violation."""
    lines = preempted(tape)
    watched = judge(tape.text, release=release)
    assert watched.violations == ()
    assert tuple(one.location.line for one in watched.findings) == lines
    assert {one.verdict for one in watched.findings} == {TraceVerdict.ALLOWED}


@pytest.mark.parametrize("release", ["6.1.176", "6.12.8", "6.18.5", "7.1.13"])
def test_sparc_may_not_be_preempted(judge, release):
    """The beginning disables preemption, or the mode stays with the CPU."""
    tape = Tape()
    for cpu, idle in enumerate((IDLE0, IDLE1)):
        tape.switch(idle, B, cpu, "R")
        tape.switch(B, idle, cpu, "S")
    tape.switch(IDLE0, A, 0, "R")
    tape.add(A, 0, "arch_enter_lazy_mmu_mode <-zap_pte_range")
    line = tape.switch(A, IDLE0, 0, "R+")
    tape.switch(IDLE0, A, 0, "R")
    tape.add(A, 0, "arch_leave_lazy_mmu_mode <-zap_pte_range")
    watched = judge(tape.text, release=release)
    assert watched.arch == "sparc"
    assert rules(watched) == [("preempted-in-section", line)]


def test_the_context_switch_ends_no_section(tape, judge):
    """Leave and enter of the hooks, stamped with the task that goes, count for nobody."""
    tape.enter(A, 0)
    tape.switch(A, B, 0, "R+", hooks="xen leave")
    tape.enter(B, 0)
    tape.leave(B, 0)
    tape.switch(B, A, 0, "S", hooks="xen enter")
    tape.leave(A, 0)
    assert judge(tape.text).violations == ()


def test_a_flush_is_no_boundary(tape, judge):
    """xen_flush_lazy_mmu() leaves and enters; the section goes on."""
    tape.enter(A, 0)
    tape.add(A, 0, "xen_flush_lazy_mmu <-kmap_atomic")
    tape.leave(A, 0, "xen_flush_lazy_mmu")
    tape.enter(A, 0, "xen_flush_lazy_mmu")
    tape.leave(A, 0)
    watched = judge(tape.text)
    assert watched.findings == ()
    assert watched.seen.flushes == 1


def test_an_interrupt_in_a_section_is_normal(tape, judge):
    """Only a section that begins in one is suspect."""
    tape.enter(A, 0)
    tape.add(A, 0, "irq_handler_entry: irq=30 name=timer1", "d.h1.")
    tape.add(A, 0, "irq_handler_exit: irq=30 ret=handled", "d.h1.")
    tape.leave(A, 0)
    assert judge(tape.text).findings == ()


@pytest.mark.parametrize("flags", ["d.h1.", "..s..", "dNs2.", "d.H2.", "d.z1."])
def test_a_section_that_begins_in_an_interrupt_is_found(tape, judge, flags):
    """Hard, soft, both, or NMI: it is not the section of the task that was interrupted."""
    tape.enter(A, 0)
    line = tape.enter(A, 0, flags=flags)
    tape.leave(A, 0, flags=flags)
    tape.leave(A, 0)
    assert rules(judge(tape.text)) == [("section-in-interrupt", line)]


def test_irqs_off_is_no_interrupt(tape, judge):
    """A pair with interrupts disabled is a pair."""
    tape.enter(A, 0, flags="d..1.")
    tape.leave(A, 0, flags="d..1.")
    assert judge(tape.text).findings == ()


def test_without_the_column_nested_and_in_interrupt_look_the_same(judge):
    """So neither is claimed, and that is said."""
    tape = Tape(flags=False)
    tape.warm(A)
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    tape.enter(A, 0)
    tape.enter(A, 0)
    tape.leave(A, 0)
    tape.leave(A, 0)
    watched = judge(tape.text)
    assert watched.findings == ()
    assert any("do not show interrupts" in one.reason for one in watched.caveats)


def test_without_callers_nothing_is_told(judge):
    """A leave of the context switch cannot be told from the end of a section."""
    text = (
        "cpus=2\n"
        "    alpha-100    0.....     5.000001: function:             xen_enter_lazy_mmu\n"
        "    alpha-100    0.....     5.000002: function:             xen_enter_lazy_mmu\n"
    )
    watched = judge(text, head="")
    assert watched.findings == ()
    assert not watched.conclusive
    assert any("-O parent" in one.reason for one in watched.caveats)


def test_beginnings_without_any_end_are_a_missing_function(judge):
    """Nobody recorded xen_leave_lazy_mmu(): every second section would seem to nest."""
    tape = Tape()
    for _ in range(5):
        tape.enter(A, 0)
    watched = judge(tape.text)
    assert watched.findings == ()
    assert not watched.conclusive


def test_lost_records_make_nothing_of_what_came_before(tape, judge):
    """The end of the first section may be among them."""
    tape.enter(A, 0)
    tape.lines.append("CPU:0 [LOST 12 EVENTS]")
    tape.enter(A, 0)
    tape.leave(A, 0)
    tape.leave(A, 0)
    watched = judge(tape.text)
    assert watched.findings == ()
    assert any("LOST 12 EVENTS" in one.reason for one in watched.caveats)


def test_lost_records_on_another_cpu_count_too(tape, judge):
    """The task may have been there meanwhile."""
    tape.enter(A, 0)
    tape.switch(A, IDLE0, 0, "R+", hooks="xen leave")
    tape.lines.append("##### CPU 1 buffer started ####")
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    tape.enter(A, 0)
    assert [one.rule for one in judge(tape.text).violations] == []


def test_a_trace_of_one_cpu_does_not_know_what_the_other_did(judge):
    """Between its turns on CPU 0 a task may have run on CPU 1."""
    tape = Tape()
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    tape.enter(A, 0)
    tape.switch(A, IDLE0, 0, "R+", hooks="xen leave")
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    tape.enter(A, 0)
    tape.leave(A, 0)
    assert judge(tape.text).violations == ()


def test_a_missing_switch_makes_the_tasks_unknown(tape, judge):
    """Alpha runs on CPU 0 in one line and beta in the next: something is missing."""
    tape.enter(A, 0)
    tape.leave(B, 0)
    tape.enter(A, 0)
    watched = judge(tape.text)
    assert watched.violations == ()
    assert any("switch is missing" in one.reason for one in watched.caveats)


def test_a_pause_of_the_recording_takes_what_was_found_right_after_it(tape, judge):
    """tracing_on went off and on: no mark tells it, but the switch that is missing does."""
    tape.enter(A, 0)
    tape.enter(A, 0)  # between the two: the end, other tasks, and alpha's turn again
    tape.switch(B, IDLE0, 0, "S", hooks="xen")
    watched = judge(tape.text)
    assert watched.violations == ()
    assert any("switch is missing" in one.reason for one in watched.caveats)


def test_lines_out_of_order_are_not_judged_across_the_seam(tape, judge):
    """Two traces put together, or sorted wrongly."""
    tape.enter(A, 0)
    tape.clock -= 500
    tape.enter(A, 0)
    watched = judge(tape.text)
    assert watched.violations == ()
    assert any("out of order" in one.reason for one in watched.caveats)


def test_a_task_and_a_cpu_can_be_picked(tape, judge):
    """Everything is followed, and only what is asked for is shown."""
    line = tape.leave(A, 0)
    watched = judge(tape.text)
    assert rules(watched.only(pid=100)) == [("unbalanced-section", line)]
    assert rules(watched.only(cpu=0)) == [("unbalanced-section", line)]
    assert watched.only(pid=200).findings == ()
    assert watched.only(cpu=1).findings == ()


def test_one_rule_can_be_asked_for(tape, judge):
    """The others are not judged by."""
    tape.enter(A, 0)
    tape.enter(A, 0)
    tape.switch(A, IDLE0, 0, "D", hooks="xen leave")
    assert len(judge(tape.text).violations) == 2
    only = judge(tape.text, rules=["sleep-in-section"])
    assert [one.rule for one in only.findings] == ["sleep-in-section"]


def test_a_task_runs_on_after_it_is_said_to_exit(judge):
    """What it left open is told once; the hooks carry its section until its last switch."""
    tape = Tape()
    tape.warm(A, B)
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    tape.enter(A, 0)
    left = tape.add(A, 0, "sched_process_exit: comm=alpha pid=100 prio=120")
    tape.switch(A, B, 0, "R+", hooks="xen leave")
    tape.switch(B, A, 0, "S", hooks="xen enter")
    tape.switch(A, IDLE0, 0, "X", hooks="xen leave")
    watched = judge(tape.text, arch="x86", release="6.12.107")
    assert [(one.rule, one.location.line) for one in watched.violations] == [
        ("unbalanced-section", left)
    ]


def test_a_section_that_an_exiting_task_begins_is_its_own_finding(judge):
    """After sched_process_exit the memory is unmapped, in sections that end as any other."""
    tape = Tape()
    tape.warm(A, B)
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    tape.add(A, 0, "sched_process_exit: comm=alpha pid=100 prio=120")
    tape.enter(A, 0, "zap_pte_range")
    last = tape.switch(A, IDLE0, 0, "X", hooks="xen leave")
    watched = judge(tape.text, arch="x86", release="6.12.107")
    assert [(one.rule, one.location.line) for one in watched.violations] == [
        ("unbalanced-section", last)
    ]


ENTERED_TWICE = """
      worker-40      [003] .....   436.840000: xen_enter_lazy_mmu <-vmap_pages_pud_range
      worker-40      [003] .....   436.840100: xen_leave_lazy_mmu <-vmap_pages_pud_range
      worker-40      [003] d..2.   436.848000: sched_switch: prev_comm=worker prev_pid=40 \
prev_prio=120 prev_state=R+ ==> next_comm=Xorg next_pid=900 next_prio=120
      worker-40      [003] d..2.   436.848010: xen_start_context_switch <-__schedule
      worker-40      [003] d..2.   436.848020: xen_end_context_switch <-__switch_to
        Xorg-900     [003] d..2.   436.849000: sched_switch: prev_comm=Xorg prev_pid=900 \
prev_prio=120 prev_state=S ==> next_comm=worker next_pid=40 next_prio=120
        Xorg-900     [003] d..2.   436.849010: xen_start_context_switch <-__schedule
        Xorg-900     [003] d..2.   436.849020: xen_end_context_switch <-__switch_to
        Xorg-900     [003] d..2.   436.849030: xen_enter_lazy_mmu <-xen_end_context_switch
      worker-40      [003] .....   436.849600: xen_enter_lazy_mmu <-vmap_pages_pud_range
"""
AFTER_IT = """\
      worker-40      [003] .....   436.849700: xen_leave_lazy_mmu <-vmap_pages_pud_range
      worker-40      [003] d..2.   436.850000: sched_switch: prev_comm=worker prev_pid=40 \
prev_prio=120 prev_state=S ==> next_comm=Xorg next_pid=900 next_prio=120
"""


def test_a_task_that_the_switch_has_entered_for_meets_a_bug_on_v7_0(judge):
    """Its counter was up when it was preempted, and its own call comes second."""
    (found,) = judge(ENTERED_TWICE, head="", release="7.0.1").violations
    assert (found.rule, found.pid, found.location.line) == ("kernel-bug", 40, 11)


def test_the_same_is_in_order_on_v7_1(judge):
    """v7.1 asks first, and the section that begins there ends where it ends."""
    watched = judge(ENTERED_TWICE + AFTER_IT, head="", release="7.1.13")
    assert (watched.violations, watched.caveats) == ((), ())


def test_the_same_is_a_section_in_a_section_before_counters(judge):
    """The hook enters for who was in a section."""
    (found,) = judge(ENTERED_TWICE, head="", release="6.18").violations
    assert found.rule == "nested-section"


def test_the_same_of_an_unknown_release_cannot_be_told(judge):
    """It is all three things, and the answer is open."""
    watched = judge(ENTERED_TWICE, head="")
    assert watched.violations == ()
    assert any("name the release" in one.reason for one in watched.caveats)
    assert not watched.conclusive


def test_a_task_that_the_switch_has_left_for_meets_a_bug_on_v7_0(judge):
    """Its counter was down when it was preempted: the switch left, and did not enter again."""
    lines = [
        line
        for line in ENTERED_TWICE.splitlines(keepends=True)
        if "_mmu <-xen_end" not in line and "436.840100" not in line
    ]
    lines.insert(
        4,
        lines[3]
        .replace("848010", "848015")
        .replace(
            "xen_start_context_switch <-__schedule", "xen_leave_lazy_mmu <-xen_start_context_switch"
        ),
    )
    text = "".join(lines)[::-1].replace("xen_enter_lazy"[::-1], "xen_leave_lazy"[::-1], 1)[::-1]
    assert [one.rule for one in judge(text, head="", release="7.0.1").violations] == ["kernel-bug"]
    assert judge(text, head="", release="7.1.13").violations == ()
