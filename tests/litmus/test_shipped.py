# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shipped scenarios cover: every rule, every known bug; and how long the short table is."""

from __future__ import annotations

import pytest

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Witness
from lazymmu.litmus.run import library, runs
from lazymmu.litmus.scenario import Outcome

SCENARIOS = library()
RULES_OF_MACHINES = [name for name, rule in RULES.items() if Witness.MACHINE in rule.witnesses]

BUGS = """
    vmap-err-leave kasan-sleep kasan-read-hazard generic-setptes-nest sparc-setptes-nest
    xen-nest-preempt sparc-preempt ppc-preempt arm64-irq arm64-nest pagemap-scope order-pagemap
    madv-split-lazy atpr-intro vmalloc-fault kmap-atomic-sync
""".split()
"""Bugs of the kernel's history that machines can show; tests of `check` have the same names."""

NOT_MENDED = {"order-pagemap", "atpr-intro"}
"""A change to the former was proposed and not merged; the latter became part of the contract."""

KEPT_BY_ALL = {"batch-mixes-mm"}
"""No release ever broke it."""


def outcomes(rule=None, bug=None):
    """What is expected where a scenario names the rule or the bug: outcomes, and rules broken."""
    for scenario in SCENARIOS:
        if rule in scenario.rules or bug in scenario.bugs:
            for expected in scenario.expect:
                yield expected.outcome, {breach.rule for breach in expected.broken}


def test_the_short_table_is_short():
    """`lazymmu verify` without arguments: what a reader can take in."""
    assert 100 < len(runs(SCENARIOS, also=False)) <= 150


def test_the_short_table_is_a_part_of_what_is_expected():
    """And nothing in it is run twice."""
    short = [(run.scenario.name, run.arch, run.release) for run in runs(SCENARIOS, also=False)]
    every = [(run.scenario.name, run.arch, run.release) for run in runs(SCENARIOS)]
    assert len(short) == len(set(short))
    assert set(short) < set(every)


@pytest.mark.parametrize("rule", RULES_OF_MACHINES)
def test_every_rule_that_machines_show_is_broken_somewhere(rule):
    """In a scenario that watches it."""
    broken = any(
        rule in {breach.rule for breach in expected.broken}
        for scenario in SCENARIOS
        for expected in scenario.expect
    )
    assert broken == (rule not in KEPT_BY_ALL)


@pytest.mark.parametrize("rule", RULES_OF_MACHINES)
def test_every_rule_that_machines_show_is_obeyed_in_a_scenario_about_it(rule):
    """One that names it, and watches it, and holds."""
    assert any(
        expected.outcome is Outcome.HOLDS
        for scenario in SCENARIOS
        if rule in scenario.rules and rule in (scenario.watch or RULES_OF_MACHINES)
        for expected in scenario.expect
    )


@pytest.mark.parametrize("bug", BUGS)
def test_every_known_bug_is_shown_and_so_is_what_mended_it(bug):
    """A scenario names it, is violated where it is, and holds where it is not."""
    found = [outcome for outcome, _ in outcomes(bug=bug)]
    assert Outcome.VIOLATED in found
    assert bug in NOT_MENDED or Outcome.HOLDS in found


def test_scenarios_name_bugs_that_are_known():
    """A name that nobody can look up means nothing."""
    assert set(BUGS).issuperset(bug for scenario in SCENARIOS for bug in scenario.bugs)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_says_where_it_matters(scenario):
    """What it is about, what must occur or come of it, and what is expected of whom."""
    assert scenario.rules
    assert scenario.expect
    assert scenario.occurs or scenario.finally_
