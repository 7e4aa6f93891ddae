# SPDX-License-Identifier: GPL-2.0-or-later
"""Beginnings and ends of sections, task by task."""

from __future__ import annotations

import pytest

from lazymmu.witness.trace.trace_features import TraceFeatures

from .parts import Parts


@pytest.fixture
def parts():
    """The parts, for a kernel whose functions are the mode."""
    return Parts()


def test_a_section_has_a_place_where_it_began(parts):
    """It is remembered until the section ends."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    place = parts.place()
    parts.sections.enter(cpu, task, place, ())
    assert (task.node.depth, task.begins, cpu.mode) == (1, [place], True)
    parts.sections.leave(cpu, task, (), b"2.0", b"text")
    assert (task.node.depth, task.begins, cpu.mode) == (0, [], False)
    assert (parts.seen.sections, parts.seen.ends, parts.found) == (1, 1, [])


def test_the_end_of_a_section_that_began_before_the_trace_is_no_fault(parts):
    """From there on it is known that the task is in none."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    task.inherited = True
    parts.sections.leave(cpu, task, (), b"2.0", b"text")
    assert (task.inherited, parts.found) == (False, [])
    parts.sections.leave(cpu, task, (), b"2.0", b"text")
    assert [rule for rule, _ in parts.found] == ["unbalanced-section"]


def test_a_section_in_an_interrupt_is_told_from_a_nested_one(parts):
    """A section in an interrupt is told from a nested one where lines show interrupts."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    parts.monitors.interrupts(task, ("hard",), cpu, b"1.0")
    parts.sections.enter(cpu, task, parts.place(), ("hard",))
    assert parts.found == [("section-in-interrupt", 1)]


def test_a_section_may_be_in_an_interrupt_where_lines_do_not_show_it():
    """So nothing is said of interrupts there."""
    parts = Parts(TraceFeatures(shows_interrupts=False, no_counters=True))
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    parts.sections.enter(cpu, task, parts.place(), ())
    assert parts.found == []


def test_beginnings_of_a_task_are_bounded(parts):
    """Of sections that never end the innermost ones are counted and not remembered."""
    cpu = parts.cpus[0]
    task = parts.task(1, cpu)
    for _ in range(40):
        parts.sections.enter(cpu, task, parts.place(), ())
    assert len(task.begins) == 16
    assert parts.seen.sections == 40
