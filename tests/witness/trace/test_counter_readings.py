# SPDX-License-Identifier: GPL-2.0-or-later
"""Readings of the task's counters: what they tell of a task, and of its switch."""

from __future__ import annotations

import pytest

from lazymmu.ftrace.counter_events import TracedCounters, counter_reading
from lazymmu.witness.trace.trace_features import TraceFeatures

from .parts import Parts, columns


@pytest.fixture
def parts():
    """The parts, for a trace in which counters alone show sections."""
    return Parts(TraceFeatures(counters_only=True))


def reading(parts, cpu, text, pid=1):
    """A reading on the next line, which is stamped with the task `pid`."""
    parts.cursor.number += 1
    parts.counters.read(cpu, columns(cpu.number, pid), b"1.0", text.encode())


def test_a_task_that_returns_to_user_mode_in_a_section_breaks_the_contract(parts):
    """And is in none from then on."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    reading(parts, cpu, "ur: () pid=1 ec=1 pc=0")
    assert [rule for rule, _ in parts.found] == ["unbalanced-section"]
    assert (task.node, task.inherited) == (parts.monitor.start, False)


def test_a_reading_at_a_switch_judges_the_switch(parts):
    """The task sleeps with its counter up."""
    cpu = parts.cpus[0]
    parts.task(1, cpu)
    parts.switch(cpu, 1, 2, "S")
    assert parts.found == []
    reading(parts, cpu, "sw: () pid=1 npid=2 ec=1 pc=0 st=0x1 pr=0")
    assert "sleep-in-section" in {rule for rule, _ in parts.found}


def test_a_lock_that_sleeps_is_told_by_the_raw_state(parts):
    """TASK_RTLOCK_WAIT shows as D in sched_switch, and may be in a section."""
    cpu = parts.cpus[0]
    parts.task(1, cpu)
    parts.switch(cpu, 1, 2, "D")
    reading(parts, cpu, "sw: () pid=1 npid=2 ec=1 pc=0 st=0x1000 pr=0")
    assert "sleep-in-section" not in {rule for rule, _ in parts.found}
    assert parts.found


@pytest.mark.parametrize("text", ["sw: () pid=1 ec= pc=0", "sw: () pid=x ec=0 pc=0", "sw: ()"])
def test_a_reading_that_is_not_whole_is_not_used(parts, text):
    """It is doubtful, and counts for nothing."""
    reading(parts, parts.cpus[0], text)
    assert parts.doubts == ["counters cannot be read"]
    assert parts.seen.counters == 0


def test_nothing_is_known_of_a_task_between_two_readings(parts):
    """Between two readings nothing is known of a task, whose sections no function shows."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    reading(parts, cpu, "sw: () pid=1 npid=2 ec=0 pc=0 st=0x0 pr=1")
    assert {"mode", "pause"} <= task.node.product.task.unknown


@pytest.mark.parametrize(
    ("pid", "why", "rules"),
    [
        # sched_switch's own argument tells a task that calls schedule() from one that is preempted.
        (1, "st=0x0 pr=0", {"sleep-in-section"}),
        (1, "st=0x0 pr=1", {"preempted-in-section"}),
        (1, "st=0x0", {"preempted-in-section"}),
        # Nobody preempts an idle task.
        (0, "st=0x0 pr=0", {"sleep-in-section"}),
        (0, "st=0x0", {"sleep-in-section"}),
        (0, "", {"sleep-in-section"}),
    ],
)
@pytest.mark.parametrize("switches", [False, True])
def test_a_task_that_calls_schedule_in_a_section_is_told_from_one_that_is_preempted(
    parts, pid, why, rules, switches
):
    """Whether sched_switch is recorded or not; what a switch of Xen reads has no state."""
    cpu = parts.cpus[0]
    parts.task(pid, cpu)
    if switches:
        parts.switch(cpu, pid, 2, "R+" if rules == {"preempted-in-section"} else "R")
    reading(parts, cpu, f"sw: () pid={pid} npid=2 ec=1 pc=0 {why}", pid)
    assert {rule for rule, _ in parts.found} == rules


@pytest.mark.parametrize(("ec", "pc"), [(0, 0), (0, 1), (1, 1)])
def test_an_idle_task_in_no_section_goes_as_it_likes(parts, ec, pc):
    """It may go with the mode paused too, as any task may."""
    cpu = parts.cpus[0]
    parts.task(0, cpu)
    parts.switch(cpu, 0, 2, "R")
    reading(parts, cpu, f"sw: () pid=0 npid=2 ec={ec} pc={pc} st=0x0 pr=0", 0)
    assert parts.found == []


RETURNS = "zz: (do_syscall_64+0x80/0x100 <- syscall_exit_to_user_mode) pid=1 ec=1 pc=0"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (RETURNS, {"unbalanced-section"}),
        (RETURNS.replace(" <-", " [some_module] <-"), {"unbalanced-section"}),
        (
            RETURNS.replace("syscall_exit_to_user_mode", "__probestub_sys_exit"),
            {"unbalanced-section"},
        ),
        # Where it goes on says nothing.
        ("zz: (syscall_exit_to_user_mode+0x8/0x9 <- do_zap) pid=1 ec=1 pc=0", set()),
        ("zz: (do_zap+0x8/0x9) pid=1 ec=1 pc=0", set()),
    ],
)
def test_a_probe_of_a_return_is_told_by_the_function_that_returns(parts, text, rules):
    """Its line names where the function goes on before it names the function."""
    cpu = parts.cpus[0]
    parts.task(1, cpu)
    reading(parts, cpu, text)
    assert {rule for rule, _ in parts.found} == rules


def test_what_a_hook_of_a_switch_returns_with_is_no_reading_before_it():
    """By the time that it returns it has counted, so that nothing is read of before."""
    before = "zz: (xen_start_context_switch+0x4/0x40) ec=0 pc=1"
    after = "zz: (__switch_to+0x4/0x40 <- xen_start_context_switch) ec=0 pc=1"
    moments = [counter_reading(text.encode()) for text in (before, after)]
    assert [one.at for one in moments if isinstance(one, TracedCounters)] == ["switch-out", ""]
