# SPDX-License-Identifier: GPL-2.0-or-later
"""Readings of the task's counters: what they tell of a task, and of its switch."""

from __future__ import annotations

import pytest

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
