# SPDX-License-Identifier: GPL-2.0-or-later
"""Tasks and locks: who may run where, and what keeps a task on its CPU."""

from __future__ import annotations

import dataclasses

import pytest

from lazymmu.contract.events import Bug, SwitchIn, SwitchOut, Unpin
from lazymmu.machine import ConfigError, EntrySpec, Machine, MachineConfig, Preempt, TaskSpec

from .conftest import explore, happened, program

ARCH, RELEASE = "x86", "6.12.8"


def test_a_task_in_the_kernel_is_preempted_and_comes_back_elsewhere(run):
    """With full preemption a task may leave one CPU and go on on the other."""
    found = run(ARCH, RELEASE, "ptep_get p; ptep_get p", cpus=2)
    assert happened(found, "SwitchOut", why="preempted")
    assert happened(found, "SwitchIn", task="T0", cpu=1, from_cpu=0)


@pytest.mark.parametrize("model", ["none", "voluntary"])
def test_without_kernel_preemption_nobody_is_switched_out_against_his_will(run, model):
    """PREEMPT_NONE and PREEMPT_VOLUNTARY switch at explicit points only."""
    found = run(ARCH, RELEASE, "ptep_get p; ptep_get p", cpus=2, preempt=Preempt(model))
    assert not happened(found, "SwitchOut", why="preempted")
    assert happened(found, "SwitchOut", why="exit")


@pytest.mark.parametrize(
    ("pin", "unpin"),
    [
        ("preempt_disable", "preempt_enable"),
        ("local_irq_disable", "local_irq_enable"),
        ("local_bh_disable", "local_bh_enable"),
        ("spin_lock L", "spin_unlock L"),
    ],
)
def test_nothing_preempts_a_task_that_is_pinned(run, pin, unpin):
    """Between the two the current task is never switched out."""
    found = run(ARCH, RELEASE, f"{pin}; ptep_get p; ptep_get p; {unpin}")
    inside = [
        events
        for before, _, events, _ in found.transitions
        if any(isinstance(event, SwitchOut) and event.why == "preempted" for event in events)
        and pinned(found.machine, before)
    ]
    assert inside == []
    assert happened(found, "Read")


def pinned(machine, state):
    """Whether the first task holds a pin of any kind in this state."""
    task = machine.here(list(state), 0).task_at(0)
    return task.preempt_count or task.irqs_off or task.bh_off


def test_migrate_disable_lets_a_task_go_and_brings_it_back_to_its_cpu(run):
    """It may be preempted, and never appears on the other CPU."""
    found = run(ARCH, RELEASE, "migrate_disable; ptep_get p; ptep_get p; migrate_enable", cpus=2)
    moved = [
        event
        for before, _, events, _ in found.transitions
        for event in events
        if isinstance(event, SwitchIn)
        and event.task == "T0"
        and event.cpu != event.from_cpu
        and found.machine.here(list(before), 0).task_at(0).migration_disabled
    ]
    assert moved == []
    assert happened(found, "SwitchOut", why="preempted", task="T0")


def test_a_lock_keeps_two_tasks_apart(run):
    """A lock keeps two tasks apart, so that no state has both inside."""
    found = run(
        ARCH,
        RELEASE,
        "spin_lock L; ptep_get p; spin_unlock L",
        "spin_lock L; spin_unlock L",
        cpus=2,
    )
    taken = [
        sum(found.machine.here(list(state), 0).task_at(task).preempt_count for task in (0, 1))
        for state in found.states
    ]
    assert max(taken) == 1
    assert all(found.machine.all_done(end) for end in found.ends)


def test_on_rt_the_holder_of_a_lock_is_preempted_and_stays_on_its_cpu(run):
    """A page-table lock of PREEMPT_RT disables migration, and nothing else."""
    found = run(
        ARCH,
        RELEASE,
        "spin_lock L; ptep_get p; spin_unlock L",
        "spin_lock L; spin_unlock L",
        cpus=2,
        rt=True,
    )
    held = [
        (event.cpu, event.from_cpu)
        for before, _, events, _ in found.transitions
        for event in events
        if isinstance(event, SwitchIn)
        and event.task in ("T0", "T1")
        and found.machine.here(list(before), 0).task_at(int(event.task[1])).migration_disabled
    ]
    assert held
    assert all(cpu == from_cpu for cpu, from_cpu in held)
    assert happened(found, "SwitchOut", why="lock")
    assert all(found.machine.all_done(end) for end in found.ends)


def test_a_task_that_takes_a_lock_twice_waits_for_ever(run):
    """Nothing can happen, and the task is not done: a deadlock."""
    found = run(ARCH, RELEASE, "spin_lock L; spin_lock L")
    assert found.ends
    assert not any(found.machine.all_done(end) for end in found.ends)


def test_sleeping_with_preemption_off_is_a_bug(run):
    """schedule() complains, as __schedule_bug() does (kernel/sched/core.c)."""
    found = run(ARCH, RELEASE, "preempt_disable; schedule; preempt_enable")
    assert happened(found, "Bug", condition="scheduling while atomic")


def test_a_child_runs_for_the_first_time_once(run):
    """fork makes a task that did not exist; its first switch says so."""
    config = MachineConfig(
        ARCH,
        RELEASE,
        entries=(EntrySpec("p"),),
        tasks=(
            TaskSpec("T0", program("fork C; schedule"), cpu=0),
            TaskSpec("C", program("ptep_get p"), forked=True),
        ),
    )
    found = explore(Machine(config))
    firsts = [
        event
        for _, _, events, _ in found.transitions
        for event in events
        if isinstance(event, SwitchIn) and event.task == "C" and event.first
    ]
    assert firsts
    assert happened(found, "Fork", child="C")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cpus": 4}, "1 to 3 CPUs"),
        ({"rt": True, "preempt": Preempt.NONE}, "implies full preemption"),
        ({"release": "1.0"}, "no release"),
        ({"tasks": (TaskSpec("T0", (), cpu=2),)}, "not there"),
    ],
)
def test_a_machine_that_no_kernel_is_is_refused(change, sentence):
    """A machine that no kernel is is refused, and one sentence says why."""
    config = MachineConfig(ARCH, RELEASE, entries=(EntrySpec("p"),), tasks=(TaskSpec("T0", ()),))
    with pytest.raises(ConfigError, match=sentence):
        Machine(dataclasses.replace(config, **change))


def test_both_evaluators_of_programs_reach_the_same_states(run):
    """The one that remembers and the one that runs everything anew."""
    programs = ("lazy_mmu_mode_enable; set_pte p A; lazy_mmu_mode_disable", "ptep_get p")
    one = run(ARCH, RELEASE, *programs, cpus=2)
    other = run(ARCH, RELEASE, *programs, cpus=2, cached=False)
    assert len(one.states) == len(other.states)
    assert len(one.transitions) == len(other.transitions)


def bugs(found):
    """What the kernel's checks said in any step: (check, condition, config)."""
    return {
        (event.check, event.condition, event.config)
        for _, _, events, _ in found.transitions
        for event in events
        if isinstance(event, Bug)
    }


def test_scheduling_while_atomic_is_said_and_the_count_is_reset(run):
    """__schedule_bug() prints, preempt_count_set() resets, and the task comes back and goes on."""
    found = run(ARCH, RELEASE, "preempt_disable; schedule; ptep_get p")
    assert bugs(found) == {("BUG", "scheduling while atomic", "")}
    assert happened(found, "Read", entry="p")
    assert happened(found, "Exit")


def test_cond_resched_with_a_raised_count_does_nothing(run):
    """should_resched(0) is false: nobody else gets the CPU, and nothing is said."""
    found = run(ARCH, RELEASE, "preempt_disable; cond_resched; preempt_enable", "ptep_get p")
    assert bugs(found) == set()
    assert not happened(found, "SwitchOut", why="yielded", task="T0")
    assert happened(found, "MaySleep", task="T0")


def test_cond_resched_with_interrupts_off_does_nothing(run):
    """__cond_resched() asks irqs_disabled(): nobody else gets the CPU before they are on again."""
    found = run(ARCH, RELEASE, "local_irq_disable; cond_resched; local_irq_enable", "ptep_get p")
    assert not happened(found, "SwitchOut", why="yielded", task="T0")
    assert happened(found, "MaySleep", task="T0")


def test_a_sleep_with_interrupts_off_ends_with_interrupts_on(run):
    """finish_lock_switch() lets them in, which is no error, and is told who watches pins."""
    found = run(ARCH, RELEASE, "local_irq_disable; schedule; ptep_get p")
    told = [event for _, _, events, _ in found.transitions for event in events]
    assert {e.task for e in told if isinstance(e, Unpin) and e.kind == "irq"} == {"T0"}
    assert bugs(found) == set()


@pytest.mark.parametrize("model", ["none", "voluntary"])
def test_without_preempt_count_preempt_disable_is_a_barrier(run, model):
    """linux/preempt.h: a sleep after it is no BUG, and cond_resched() gives the CPU away."""
    program_ = "preempt_disable; cond_resched; schedule; preempt_enable"
    found = run(ARCH, RELEASE, program_, "ptep_get p", preempt=Preempt(model))
    assert bugs(found) == set()
    assert happened(found, "SwitchOut", why="yielded", task="T0")
    assert happened(found, "SwitchOut", why="blocked", task="T0")


def test_preempt_enable_once_too_often_warns_and_leaves_the_count_below_zero(run):
    """With CONFIG_DEBUG_PREEMPT; without it the next sleep is the first to say so."""
    found = run(ARCH, RELEASE, "preempt_enable; ptep_get p")
    assert bugs(found) == {
        ("WARN", "val > preempt_count()", "CONFIG_DEBUG_PREEMPT"),
        ("BUG", "scheduling while atomic", ""),
    }
