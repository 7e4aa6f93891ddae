# SPDX-License-Identifier: GPL-2.0-or-later
"""The worst case is no better than any architecture: what hurts one of them hurts it too."""

from __future__ import annotations

import pytest

from lazymmu.contract.dialects import DIALECTS, Status
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party, RuleKind
from lazymmu.litmus.run import RunLimits, library, load, runs, verify
from lazymmu.machine.releases import RELEASES

HARMS = {rule.name for rule in RULES.values() if rule.kind is RuleKind.HARM} - {
    "mode-not-effective"
}
"""What goes wrong; that a mode is not effective is nobody's harm but its architecture's."""

LIMITS = RunLimits(engine="python", max_states=2000)


def broken(scenario, arches, release):
    """The rules that a scenario breaks on any of these architectures."""
    chosen = runs([scenario], arches=arches, releases=[release], everything=True)
    verdicts = [verify(run, LIMITS) for run in chosen]
    return {violation.rule for verdict in verdicts for violation in verdict.violations}


def harms(scenario, arches, release):
    """The harms that a scenario shows on any of these architectures."""
    return broken(scenario, arches, release) & HARMS


def binds_callers(scenario, release):
    """Whether it breaks what the text of that release's dialect asks of callers.

    Where it does not, who is hurt is so by his own implementation, and not by what the text allows.
    """
    dialect = DIALECTS[RELEASES[release].dialect]
    return any(
        RULES[name].party is Party.CALLER and RULES[name].status(dialect) is not Status.OFF
        for name in scenario.rules
    )


@pytest.mark.parametrize("release", ["6.19.6", "7.1.13"])
def test_what_hurts_an_architecture_hurts_the_worst_case(release):
    """Of every shipped scenario that is small, on either of the two worst cases."""
    hurt = {}
    for scenario in library():
        if scenario.machine.size != "small" or not binds_callers(scenario, release):
            continue
        found = harms(scenario, ["x86", "powerpc", "sparc", "arm64"], release)
        if found:
            hurt[scenario.name] = harms(scenario, ["worst-case", "worst-case-pinned"], release)
    assert hurt
    assert [name for name, found in hurt.items() if not found] == []


LEFT = """litmus left-behind
"The first task never ends its section, and what waited goes out, if at all, when it exits."
machine: cpus 2, preempt full, bound 0
entries:
    p  pte user ptl L = A
    q  pte user ptl L = A
task T0 on cpu0:
    lazy_mmu_mode_enable
    pte_clear p
    pte_clear q
task T1 on cpu1:
    set_pte p B
watch lost-update
finally: q = none
expect:
    xen-task: holds
"""


@pytest.mark.parametrize("release", ["6.1.176", "6.19.6", "7.1.13", "7.3.4"])
@pytest.mark.parametrize("arch", ["worst-case", "worst-case-pinned"])
def test_what_a_task_leaves_behind_goes_out_over_others_or_never_does(arch, release):
    """As Xen's queue goes out at the switch; no text says that it does, or that it may not."""
    assert {"lost-update", "finally"} <= broken(load(LEFT, "mine"), [arch], release)


def test_xen_makes_what_is_left_behind_effective_at_the_switch():
    """So that others are undone, and nothing waits for ever."""
    assert broken(load(LEFT, "mine"), ["x86"], "7.3.4") == {"lost-update"}
