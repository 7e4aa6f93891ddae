# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows of the implementation's own state: modes, counters, batches."""

from __future__ import annotations

import pytest

from lazymmu.contract.rules import RULES, Witness
from lazymmu.witness.trace.check import trace_rules
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


def test_the_rules_that_are_judged_are_rules_of_traces():
    """The contract says that a trace can show them."""
    assert len(trace_rules()) == 11
    assert all(Witness.TRACE in RULES[name].witnesses for name in trace_rules())


# ---- the mode of a CPU ---------------------------------------------------------------------


def test_a_mode_that_nobody_left_is_found_with_the_next_task(tape, judge):
    """Alpha went in a section, the hooks left nothing, and beta runs with the mode on."""
    tape.enter(A, 0)
    tape.switch(A, B, 0, "R+", hooks="xen")
    line = tape.enter(B, 0)
    watched = judge(tape.text, release="6.12.107")
    assert ("mode-left-on-cpu", line) in rules(watched)


def test_a_mode_that_the_hooks_did_not_restore_is_worth_knowing(tape, judge):
    """Alpha goes on in its section with the mode off: slow, and right."""
    tape.enter(A, 0)
    tape.switch(A, B, 0, "R+", hooks="xen leave")
    tape.switch(B, A, 0, "S", hooks="xen")
    tape.leave(A, 0)
    watched = judge(tape.text, release="6.12.107")
    assert watched.violations == ()
    assert "mode-left-on-cpu" in [one.rule for one in watched.findings]
    assert {one.verdict for one in watched.findings} == {TraceVerdict.ALLOWED}


@pytest.mark.parametrize("release", ["7.1.13", ""])
def test_counted_kernels_have_windows_in_which_the_mode_differs(tape, judge, release):
    """From v7.0 on a task may be switched out between its counter and the call."""
    tape.enter(A, 0)
    tape.switch(A, B, 0, "R+", hooks="xen leave")
    tape.switch(B, A, 0, "S", hooks="xen")
    tape.leave(A, 0)
    tape.switch(A, B, 0, "S", hooks="xen")
    tape.switch(B, A, 0, "S", hooks="xen enter")
    tape.enter(A, 0)
    tape.leave(A, 0)
    watched = judge(tape.text, release=release)
    assert {one.rule for one in watched.findings} == {"preempted-in-section"}


def test_a_section_from_before_the_trace_shows_in_the_hooks(tape, judge):
    """Nobody saw gamma begin; the hooks leave the mode as it blocks."""
    gamma = ("gamma", 300)
    tape.switch(A, gamma, 0, "S", hooks="xen")
    line = tape.switch(gamma, IDLE0, 0, "D", hooks="xen leave")
    watched = judge(tape.text)
    found = [one for one in watched.violations if one.rule == "sleep-in-section"]
    assert len(found) == 1
    assert found[0].pid == 300
    assert found[0].location.line in range(line, line + 4)
    assert found[0].began == ()


def sections(mode):
    """Three sections in which Xen says which mode a batch is started in."""
    tape = Tape()
    tape.warm(A)
    tape.switch(IDLE0, A, 0, "R", hooks="xen")
    lines = []
    for _ in range(3):
        lines.append(tape.enter(A, 0))
        tape.add(A, 0, "xen_mmu_set_pte: ptep 0000 pteval 1 (raw 2)")
        tape.add(A, 0, f"xen_mc_batch: start batch {mode}", "d....")
        tape.leave(A, 0)
    return tape.text, lines


def test_sections_in_which_the_mode_is_never_on_are_found_once(judge):
    """One finding for the whole trace, with the first such section as evidence."""
    text, lines = sections("LAZY_NONE")
    watched = judge(text, release="6.18.5")
    assert rules(watched) == [("mode-not-effective", lines[0])]
    assert any("LAZY_NONE" in line for _, line in watched.findings[0].context)


def test_one_section_with_the_mode_on_is_enough(judge):
    """A single batch in the mode shows that sections switch it on."""
    text, _ = sections("LAZY_MMU")
    assert judge(text, release="6.18.5").findings == ()
    both = text + sections("LAZY_NONE")[0].replace("    5.", "    9.")
    assert judge(both, release="6.18.5").findings == ()


# ---- the counters of a task ----------------------------------------------------------------


def reading(tape, task, cpu, ec, pc=0, st=0, *, name="sw", extra="", npid=0):
    """A reading of the counters as `lazymmu probes` sets it up."""
    where = {"sw": "__probestub_sched_switch", "ex": "__probestub_sched_process_exit"}.get(
        name, "__probestub_sched_process_fork"
    )
    npid_field = f" npid={npid}" if name == "sw" else ""
    state = f" st={st}" if name == "sw" else ""
    text = f"{name}: ({where}+0x4/0x20) pid={task[1]}{npid_field} ec={ec} pc={pc}{state}{extra}"
    return tape.add(task, cpu, text, "d..3.")


@pytest.fixture
def counted():
    """A tape of an architecture that shows counters alone."""
    tape = Tape()
    for cpu, idle in enumerate((IDLE0, IDLE1)):
        tape.add(idle, cpu, "irq_handler_entry: irq=11 name=arch_timer", "d.h1.")
    return tape


def test_counters_that_are_zero_say_nothing(counted, judge):
    """No section, no finding; and something was seen."""
    reading(counted, A, 0, 0, st=2)
    watched = judge(counted.text, arch="arm64")
    assert watched.findings == ()
    assert watched.conclusive


def test_a_task_that_blocks_with_the_count_raised_sleeps(counted, judge):
    """st is not zero: it waits for something."""
    line = reading(counted, A, 0, 1, st=2)
    assert rules(judge(counted.text, arch="arm64")) == [("sleep-in-section", line)]


def test_a_pause_makes_it_legal_to_sleep(counted, judge):
    """pc is not zero: the mode is off."""
    reading(counted, A, 0, 1, 1, st=2)
    assert judge(counted.text, arch="arm64").findings == ()


def test_sched_switch_tells_why_where_both_are_recorded(counted, judge):
    """A task that had set its state and was preempted did not sleep."""
    counted.switch(A, B, 0, "R+")
    line = reading(counted, A, 0, 1, st=2, npid=200)
    watched = judge(counted.text, arch="arm64")
    assert watched.violations == ()
    assert [(one.rule, one.location.line) for one in watched.findings] == [
        ("preempted-in-section", line)
    ]


@pytest.mark.parametrize("told", [False, True])
def test_a_wait_for_a_spinlock_of_preempt_rt_is_no_sleep(counted, judge, told):
    """TASK_RTLOCK_WAIT (0x1000), which sched_switch shows as D."""
    if told:
        counted.switch(A, B, 0, "D")
    line = reading(counted, A, 0, 1, st=0x1000, npid=200)
    watched = judge(counted.text, arch="arm64")
    assert watched.violations == ()
    assert [(one.rule, one.location.line) for one in watched.findings] == [
        ("preempted-in-section", line)
    ]


def test_a_preempted_task_is_allowed_where_its_own_argument_says_so(counted, judge):
    """A preempted task is allowed where sched_switch's own argument says so (pr=1)."""
    reading(counted, A, 0, 1, st=0, extra=" pr=1")
    watched = judge(counted.text, arch="arm64")
    assert [one.verdict for one in watched.findings] == [TraceVerdict.ALLOWED]


def test_state_zero_alone_does_not_tell_preempted_from_yielded(counted, judge):
    """No argument, no sched_switch, no stack: it may have called schedule()."""
    reading(counted, A, 0, 1, st=0)
    assert [one.verdict for one in judge(counted.text, arch="arm64").findings] == [
        TraceVerdict.UNKNOWN
    ]


@pytest.mark.parametrize("arch", ["powerpc", "sparc"])
def test_where_the_beginning_pins_a_preemption_is_a_violation(counted, judge, arch):
    """Preemption is disabled in a section there; the counters tell where no function was met."""
    line = reading(counted, A, 0, 1, st=0, extra=" pr=1")
    watched = judge(counted.text, arch=arch, release="7.1.13")
    assert rules(watched) == [("preempted-in-section", line)]


def test_without_an_architecture_nobody_can_say_whether_it_is_allowed(judge):
    """The reading is judged, the verdict is open, and --arch is named."""
    tape = Tape()
    reading(tape, A, 0, 1, st=0, extra=" pr=1")
    watched = judge(tape.text)
    assert [one.verdict for one in watched.findings] == [TraceVerdict.UNKNOWN]
    assert any("--arch" in note for note in watched.findings[0].notes)


def test_a_task_that_ends_with_its_count_raised_left_a_section_open(counted, judge):
    """ex reads the counters at sched_process_exit."""
    line = reading(counted, A, 0, 1, name="ex")
    assert rules(judge(counted.text, arch="arm64")) == [("unbalanced-section", line)]


def test_a_task_that_ends_paused_did_not_resume(counted, judge):
    """The pause count is not neutral where it must be."""
    line = reading(counted, A, 0, 0, 1, name="ex")
    assert rules(judge(counted.text, arch="arm64")) == [("unbalanced-pause", line)]


def test_a_task_that_starts_with_its_count_raised_has_a_dirty_start(counted, judge):
    """A child is a copy of its parent, counters included."""
    line = reading(counted, B, 0, 1, name="new")
    assert rules(judge(counted.text, arch="arm64")) == [("dirty-start", line)]


def test_a_task_that_returns_to_user_mode_with_its_count_raised_is_found(counted, judge):
    """By a reading on the way out."""
    line = reading(counted, A, 0, 1, name="ur")
    reading(counted, A, 0, 0, name="ur")
    assert rules(judge(counted.text, arch="arm64")) == [("unbalanced-section", line)]


def test_garbage_in_a_reading_is_not_judged(counted, judge):
    """A field that is no number is a doubt."""
    counted.add(A, 0, "sw: (__probestub_sched_switch+0x4/0x20) pid=100 ec=one pc=0 st=2")
    watched = judge(counted.text, arch="arm64")
    assert watched.findings == ()
    assert any("counters cannot be read" in one.reason for one in watched.caveats)


# ---- powerpc -------------------------------------------------------------------------------


def test_powerpc_shows_a_sleep_by_the_batch_that_it_flushes(judge):
    """__switch_to() flushes a batch only when the task that goes is in a section."""
    tape = Tape()
    tape.add(A, 0, "hpte_need_flush <-zap_pte_range")
    tape.switch(IDLE1, B, 1, "R")
    line = tape.switch(A, IDLE0, 0, "D")
    tape.add(A, 0, "__flush_tlb_pending <-__switch_to", "d....")
    tape.switch(IDLE0, A, 0, "R")
    tape.switch(A, IDLE0, 0, "D")
    watched = judge(tape.text, release="6.12.107")
    assert watched.arch == "powerpc"
    assert rules(watched) == [("sleep-in-section", line)]
