# SPDX-License-Identifier: GPL-2.0-or-later
"""The worst case is no better than any architecture: what hurts one of them hurts it too."""

from __future__ import annotations

import pytest

from lazymmu.contract.dialects import DIALECTS, Status
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party, RuleKind
from lazymmu.litmus.run import RunLimits, library, runs, verify
from lazymmu.machine.releases import RELEASES

HARMS = {rule.name for rule in RULES.values() if rule.kind is RuleKind.HARM} - {
    "mode-not-effective"
}
"""What goes wrong; that a mode is not effective is nobody's harm but its architecture's."""

LIMITS = RunLimits(engine="python", max_states=2000)


def harms(scenario, arches, release):
    """The harms that a scenario shows on any of these architectures."""
    chosen = runs([scenario], arches=arches, releases=[release], everything=True)
    verdicts = [verify(run, LIMITS) for run in chosen]
    return {broken.rule for verdict in verdicts for broken in verdict.violations} & HARMS


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
