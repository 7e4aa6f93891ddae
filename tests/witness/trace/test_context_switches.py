# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a task went, whether the switch was seen whole, and what its hooks show."""

from __future__ import annotations

import pytest

from lazymmu.witness.trace import line_class
from lazymmu.witness.trace.trace_features import TraceFeatures

from .parts import Parts


@pytest.fixture
def parts():
    """The parts, for a kernel whose functions are the mode."""
    return Parts()


@pytest.mark.parametrize(
    ("state", "rules"),
    [
        ("R+", ["preempted-in-section"]),
        ("R", ["sleep-in-section"]),
        ("S", ["sleep-in-section"]),
        ("X", ["unbalanced-section"]),
    ],
)
def test_the_state_says_why_a_task_went(parts, state, rules):
    """R+ lost its CPU, R called schedule(), S sleeps, X has ended; each in a section."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    parts.sections.enter(cpu, task, parts.place(), ())
    parts.switch(cpu, 1, 2, state)
    assert {rule for rule, _ in parts.found} == set(rules)


def test_a_task_that_ended_leaves_its_pid(parts):
    """The next one with that pid is another task."""
    cpu = parts.cpus[0]
    parts.task(1, cpu)
    parts.switch(cpu, 1, 2, "X")
    assert b"1" not in parts.table.tasks


def test_a_switch_that_does_not_name_the_task_of_its_line_is_not_used(parts):
    """Its text is not what it seems to be, so that nothing is known any more."""
    cpu = parts.cpus[0]
    parts.task(1, cpu)
    parts.cursor.number += 1
    parts.switches.switch(cpu, b"1", b"a", b"1.0", b"sched_switch: garbage")
    assert parts.doubts == ["a sched_switch cannot be read: is the line cut, or wrapped by a mail?"]
    assert parts.table.tasks == {}


def test_a_task_that_runs_already_cannot_come(parts):
    """It cannot be on two CPUs: lines are missing, or not in order."""
    first, second = parts.cpus
    parts.task(1, first)
    parts.task(2, second)
    parts.switch(second, 2, 1)
    assert parts.doubts == ["a task runs on two CPUs at once: lines are missing, or not in order"]


def test_a_task_that_goes_and_comes_at_one_time_is_known_again_later(parts):
    """On which CPU it was first is not to be told from two lines of one time."""
    first, second = parts.cpus
    task = parts.task(1, first)
    parts.task(2, second)
    parts.switch(first, 1, 0, "R+", at="5.0")
    parts.switch(second, 2, 1, at="5.0")
    assert task.order_unknown
    assert task.inherited
    parts.switch(second, 1, 2, "R+", at="6.0")
    parts.switch(second, 2, 1, at="7.0")
    assert not task.order_unknown


def test_hooks_that_leave_the_mode_show_a_section_that_began_unseen(parts):
    """The task that went is in one, and its switch is judged so."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    task.inherited = True
    parts.switch(cpu, 1, 2, "S")
    assert parts.found == []
    parts.switches.hook(cpu, line_class.BEGIN)
    parts.switches.hook(cpu, line_class.HOOK_LEAVE)
    assert "sleep-in-section" in {rule for rule, _ in parts.found}


def test_hooks_that_leave_nothing_show_that_there_was_no_section(parts):
    """That is known only where ends of sections are in the trace at all."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    task.inherited = True
    parts.seen.ends = 1
    parts.switch(cpu, 1, 2)
    parts.switches.hook(cpu, line_class.BEGIN)
    parts.switches.hook(cpu, line_class.END)
    assert (task.inherited, cpu.mode, cpu.next_unchecked) == (False, False, True)


def test_a_switch_is_put_off_where_counters_alone_show_sections():
    """The reading that follows tells whether the task was in one; without it the end does."""
    parts = Parts(TraceFeatures(counters_only=True))
    cpu = parts.cpus[0]
    parts.task(1, cpu)
    parts.switch(cpu, 1, 2)
    assert cpu.pending_switch is not None
    parts.switches.finish()
    assert cpu.pending_switch is None
