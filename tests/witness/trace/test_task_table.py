# SPDX-License-Identifier: GPL-2.0-or-later
"""Who runs where: the table of the tasks and CPUs that a trace has shown."""

from __future__ import annotations

import pytest

from lazymmu.witness.trace.interned_events import ENABLE

from .parts import Parts, columns


@pytest.fixture
def parts():
    """The parts, with two CPUs."""
    return Parts()


def test_the_idle_task_is_one_for_each_cpu(parts):
    """Pid 0 on two CPUs is two tasks; any other pid is one."""
    first, second = parts.cpus
    assert parts.table.task(first, b"0", b"") is not parts.table.task(second, b"0", b"")
    assert parts.table.task(first, b"7", b"") is parts.table.task(second, b"7", b"")


def test_a_cpu_is_given_to_the_first_task_that_is_seen_on_it(parts):
    """Before any context switch was seen nothing contradicts it."""
    cpu = parts.cpus[0]
    task = parts.task(1)
    assert parts.table.place(task, cpu)
    assert (task.cpu, cpu.current) == (cpu, task)


def test_another_task_on_a_cpu_takes_it_where_no_switches_are_recorded(parts):
    """A trace of functions alone has no switches, so that none is missing."""
    cpu = parts.cpus[0]
    went, came = parts.task(1, cpu), parts.task(2)
    assert parts.table.place(came, cpu)
    assert (went.cpu, went.last_cpu, parts.doubts) == (None, cpu, [])


def test_another_task_on_a_cpu_is_a_gap_where_switches_are_recorded(parts):
    """A switch is missing: what was found lately is void, and everything is forgotten."""

    class Finding:
        void = False

    cpu = parts.cpus[0]
    went, came = parts.task(1, cpu), parts.task(2)
    went.recent_findings.append(Finding())
    parts.seen.switches = 1
    assert not parts.table.place(came, cpu)
    assert parts.doubts == ["a context switch is missing: what is known until then is not used"]
    assert went.recent_findings[0].void
    assert (parts.table.tasks, parts.table.cpus, parts.table.heads) == ({}, {}, {})


def test_a_task_that_moved_unseen_is_a_gap_where_switches_are_recorded(parts):
    """It was on one CPU last, and its line is stamped with another."""
    task = parts.task(1, parts.cpus[0])
    parts.seen.switches = 1
    assert not parts.table.place(task, parts.cpus[1])
    assert parts.doubts == [
        "a task moved to another CPU unseen: what is known until then is not used"
    ]


def test_a_line_of_the_task_that_goes_places_nobody(parts):
    """Between sched_switch and the switch itself lines are stamped with who goes."""
    cpu = parts.cpus[0]
    went, came = parts.task(1, cpu), parts.task(2)
    parts.switch(cpu, 1, 2)
    assert not parts.table.place(went, cpu)
    assert (cpu.current, parts.doubts) == (came, [])


def test_what_is_forgotten_counts_for_the_whole(parts):
    """Where monitors were when their task was given up is among the nodes of the trace."""
    task = parts.task(1)
    parts.monitors.step(task, ENABLE, parts.place())
    node = task.node
    parts.table.forget_all()
    assert node in parts.table.nodes()


def test_a_trace_of_one_cpu_is_partial_when_the_machine_has_two():
    """What the other one did is not in the trace so far."""
    parts = Parts()
    parts.table.forget_all()
    parts.table.head(b"", columns(0))
    assert parts.table.partial
    parts.table.head(b"", columns(1))
    assert not parts.table.partial


def test_tasks_without_end_do_not_fill_the_memory(parts):
    """Of the first ones at rest nothing is known any more, which is said."""
    inside = parts.task(1)
    parts.monitors.step(inside, ENABLE, parts.place())
    running = parts.task(2, parts.cpus[0])
    for pid in range(3, 40_000):
        parts.task(pid)
    assert len(parts.table.tasks) <= 1 << 14
    assert parts.table.tasks[b"1"] is inside
    assert parts.table.tasks[b"2"] is running
    assert b"3" not in parts.table.tasks
    assert b"39999" in parts.table.tasks
    (said,) = set(parts.doubts)
    assert said.startswith("more than 16384 tasks at once")
