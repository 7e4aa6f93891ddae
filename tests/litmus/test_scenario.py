# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom an expectation is about, and scenarios on other machines than their own."""

from __future__ import annotations

import pytest

from lazymmu.litmus.read import read
from lazymmu.litmus.scenario import ExpectationTarget, ExpectedOutcome, MachineDeclaration
from lazymmu.litmus.vary import vary


@pytest.mark.parametrize(
    ("target", "fits"),
    [
        (ExpectationTarget(), True),
        (ExpectationTarget(("x86",)), True),
        (ExpectationTarget(("xen-nesting-count",)), True),
        (ExpectationTarget(("x86", "xen-nesting-count")), True),
        (ExpectationTarget(("x86", "xen-task")), False),
        (ExpectationTarget(("sparc",)), False),
        (ExpectationTarget((), "6.6", "6.14"), True),
        (ExpectationTarget((), "6.12.8", "6.12.8"), True),
        (ExpectationTarget((), "6.12", "6.12"), True),
        (ExpectationTarget((), "", "6.12.7"), False),
        (ExpectationTarget((), "6.12.9", ""), False),
        (ExpectationTarget((), "6.9.300", "6.12"), True),
    ],
)
def test_a_target_fits_by_architecture_feature_and_release(target, fits):
    """Releases compare by their numbers, and an end includes its stable releases."""
    assert target.fits("x86", "xen-nesting-count", "6.12.8") is fits


def test_a_release_candidate_counts_as_its_release():
    """6.16-rc1 has what 6.16 has, as far as an expectation is concerned."""
    assert ExpectationTarget((), "6.16", "6.16").fits("arm64", "arm64-warns", "6.16-rc1")


def test_the_first_expectation_that_fits_counts(small):
    """Exceptions are written before what they are exceptions of."""
    scenario = read(small)
    assert scenario.expected("x86", "xen-task", "7.3.4").outcome is ExpectedOutcome.VIOLATED
    assert scenario.expected("x86", "xen-task", "7.4").outcome is ExpectedOutcome.HOLDS


def test_an_implementation_that_no_expectation_fits_has_none(small):
    """Nothing is expected where nothing was said."""
    scenario = read(small.replace("    *: holds\n", ""))
    assert scenario.expected("arm64", "arm64-flag", "6.17") is None


def test_without_a_change_a_scenario_stays_the_same(small):
    """The default of every option is what the file says."""
    scenario = read(small)
    assert vary(scenario) == scenario


def test_the_machine_changes_as_asked_and_rt_brings_full_preemption(small):
    """PREEMPT_RT with another preemption model is no kernel (kernel/Kconfig.preempt)."""
    scenario = read(small.replace("cpus 2", "cpus 2, preempt none"))
    assert vary(scenario, cpus=3, rt=True).machine == MachineDeclaration(3, "full", rt=True)
    assert vary(scenario, preempt="lazy").machine.preempt == "lazy"


def test_fewer_tasks_are_the_first_ones(small):
    """A situation that needs more tasks then never occurs, and is reported as that."""
    assert [task.name for task in vary(read(small), tasks=1).tasks] == ["T0"]


def test_more_tasks_are_copies_of_the_last_that_run_anywhere(small):
    """One more task of the same kind is what one asks for with a greater number."""
    varied = vary(read(small), tasks=4)
    assert [task.name for task in varied.tasks] == ["T0", "T1", "T1.2", "T1.3"]
    assert {task.operations for task in varied.tasks[1:]} == {varied.tasks[1].operations}
    assert varied.tasks[3].cpu is None


def test_forked_tasks_are_not_counted_and_stay(small):
    """They belong to the task that forks them."""
    text = small.replace("    schedule\n", "    fork T2\ntask T2 forked:\n    schedule\n")
    assert [task.name for task in vary(read(text), tasks=3).tasks] == ["T0", "T1", "T1.2", "T2"]


def test_one_rule_can_be_watched_alone(small):
    """What else is broken on the way does not distract."""
    assert vary(read(small), rule="stale-read").watch == ("stale-read",)
