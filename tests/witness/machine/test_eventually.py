# SPDX-License-Identifier: GPL-2.0-or-later
"""What is pending takes effect eventually: at the end, and in loops that have none."""

from __future__ import annotations

import pytest

from lazymmu.litmus.run import Run, RunLimits, load, named, runs, verify
from lazymmu.machine.arch.xen_task import XenTask
from lazymmu.machine.releases import TREES, find
from lazymmu.machine.steps import routine
from lazymmu.witness.machine.verdict import SearchOutcome

HEAD = """litmus made
"A loop."

machine: cpus {cpus}, preempt full{bound}
entries:
    q  pte kernel = none
{more}
watch eventually
"""


def verdict(tasks: str, arch: str = "x86", release: str = "7.3.4", *, cpus=1, bound=""):
    """What these tasks come to on one machine."""
    scenario = load(HEAD.format(cpus=cpus, bound=bound, more=tasks), "made.litmus")
    (run,) = runs([scenario], arches={arch}, releases={release}, everything=True)
    return verify(run, RunLimits(engine="python"))


ONCE = """
task T0 on cpu0:
    lazy_mmu_mode_enable
    set_pte q B
    {end}
    loop:
        {body}
"""


@pytest.mark.parametrize("body", ["ptep_get q", "cond_resched", "schedule"])
def test_a_change_that_waits_in_a_loop_for_ever_is_shown_with_the_loop(body):
    """The way goes to the loop and once around it, and says from where on it is gone again."""
    found = verdict(ONCE.format(end="ptep_get q", body="ptep_get q"))
    (broken,) = found.violations
    assert broken.rule == "eventually"
    assert 0 < broken.again <= broken.steps == len(broken.trace)
    assert "q waits all along" in broken.trace[broken.again - 1].note
    assert verdict(ONCE.format(end="lazy_mmu_mode_disable", body=body)).violations == ()


def test_a_section_in_each_round_is_no_loop_in_which_anything_waits():
    """Something waits in every round, and never the same: each round ends with what it changed."""
    body = "\n        ".join(("lazy_mmu_mode_enable", "set_pte q B", "lazy_mmu_mode_disable"))
    tasks = f"\ntask T0 on cpu0:\n    loop:\n        {body}\n"
    assert verdict(tasks).verdict is SearchOutcome.HOLDS


def test_who_waits_for_somebody_else_is_not_told_because_that_one_gets_no_cpu():
    """A task that looks for an entry in a loop goes on when another CPU has set it, which can."""
    tasks = """
task T0 on cpu0:
    lazy_mmu_mode_enable
    set_pte q B
    while not pte_present q:
        cond_resched
    lazy_mmu_mode_disable

task T1 on cpu1:
    set_pte q A
"""
    assert verdict(tasks, cpus=2, bound=", bound 0").verdict is SearchOutcome.HOLDS
    nobody = tasks.replace("    set_pte q A", "    ptep_get q")
    assert [one.rule for one in verdict(nobody, cpus=2, bound=", bound 0").violations] == [
        "eventually"
    ]


class Forgetful(XenTask):
    """Its end of a section leaves the queue as it is."""

    @routine("")
    def arch_leave_lazy_mmu_mode(self):
        """Nothing."""
        yield from ()


@pytest.fixture
def forgetful():
    """A release of x86 whose hook flushes nothing."""
    release, _ = find("x86", "7.3.4")
    TREES["x86", "forgetful"] = (release, Forgetful)
    yield "forgetful"
    del TREES["x86", "forgetful"]


def test_an_implementation_that_does_not_flush_at_the_end_of_a_section_breaks_it(forgetful):
    """The task goes on for ever without another section, so that no end of tasks shows it."""
    scenario = named("for-ever-after-section")
    right = verify(Run(scenario, "x86", "7.3.4", "xen-task"), RunLimits())
    assert right.verdict is SearchOutcome.HOLDS
    wrong = verify(Run(scenario, "x86", forgetful, "xen-task"), RunLimits())
    assert [one.rule for one in wrong.violations] == ["eventually"]
    assert wrong.violations[0].again > 0


def test_more_states_than_are_looked_at_are_no_clean_answer():
    """A bound that was hit is told, and the verdict is none."""
    scenario = named("for-ever-after-section")
    (run,) = runs([scenario], arches={"x86"}, releases={"7.3.4"}, everything=True)
    found = verify(run, RunLimits(max_states=5))
    assert found.verdict is SearchOutcome.INCONCLUSIVE
    assert found.reason == "max_states"
