# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shipped scenarios cover: rules, known bugs; and how long the short table is."""

from __future__ import annotations

import pytest

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Witness
from lazymmu.litmus.run import implementations, library, named, runs, verify
from lazymmu.litmus.scenario import ExpectedOutcome

SCENARIOS = library()
RULES_OF_MACHINES = [name for name, rule in RULES.items() if Witness.MACHINE in rule.witnesses]

BUGS = {
    "vmap-err-leave": ("x86 6.16-rc1", "x86 6.17.8"),
    "kasan-sleep": ("x86 6.12.38", "x86 6.17.8"),
    "kasan-read-hazard": ("x86 6.12.38", "x86 6.17.8"),
    "generic-setptes-nest": ("x86 6.12.8", "x86 6.12.38"),
    "sparc-setptes-nest": ("sparc 6.12.8", "sparc 6.12.38"),
    "xen-nest-preempt": ("x86 6.12.8", "x86 6.17.8"),
    "sparc-preempt": ("sparc 6.12.8", "sparc 6.12.38"),
    "ppc-preempt": ("powerpc 5.10", "powerpc 6.1.176"),
    "arm64-irq": ("arm64 6.16-rc1", "arm64 6.17.8"),
    "arm64-nest": ("arm64 6.16-rc1", "arm64 7.3.4"),
    "pagemap-scope": ("x86 6.12.38", "x86 6.17.8"),
    "order-pagemap": ("x86 7.3.4", ""),  # a change was proposed, and not merged
    "madv-split-lazy": ("powerpc 6.1.176", "powerpc 6.12.38"),
    "order-migrate": ("x86 6.12.38", ""),  # in every release so far
    "madv-relock": ("x86 6.12.8", "x86 6.12.38"),
    "madv-restart-leak": ("x86 6.12.8", ""),  # v6.7, and mended in v6.8: between two releases
    "atpr-intro": ("x86 6.12.8", ""),  # became part of the contract
    "vmalloc-fault": ("x86 3.1", "x86 3.12"),
    "kmap-atomic-sync": ("x86 3.1", "x86 3.12"),
}
"""Bugs of the kernel's history that machines can show: who has them, and who was mended."""

KEPT_BY_ALL = {"batch-mixes-mm"}
"""No release ever broke it."""


def outcomes(bug, on):
    """What scenarios that name the bug expect of an architecture's release."""
    wanted = tuple(on.split())
    return {
        expected.outcome
        for scenario in SCENARIOS
        if bug in scenario.bugs
        for arch, release, feature in implementations()
        if (arch, release) == wanted
        and (expected := scenario.expected(arch, feature, release)) is not None
    }


def test_the_short_table_is_short():
    """`lazymmu verify` without arguments: what a reader can take in."""
    assert 100 < len(runs(SCENARIOS, also=False)) <= 165


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
        expected.outcome is ExpectedOutcome.HOLDS
        for scenario in SCENARIOS
        if rule in scenario.rules and rule in (scenario.watch or RULES_OF_MACHINES)
        for expected in scenario.expect
    )


@pytest.mark.parametrize("bug", BUGS)
def test_every_known_bug_is_shown_and_so_is_what_mended_it(bug):
    """A scenario names it, is violated where it is, and holds where it is not."""
    has, mended = BUGS[bug]
    assert ExpectedOutcome.VIOLATED in outcomes(bug, has)
    assert not mended or ExpectedOutcome.HOLDS in outcomes(bug, mended)


def test_scenarios_name_bugs_that_are_known():
    """A name that nobody can look up means nothing."""
    assert set(BUGS).issuperset(bug for scenario in SCENARIOS for bug in scenario.bugs)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_says_where_it_matters(scenario):
    """What it is about, what must occur or come of it, and what is expected of whom."""
    assert scenario.rules
    assert scenario.expect
    assert scenario.occurs or scenario.finally_


@pytest.mark.parametrize(
    ("arch", "words"), [("x86", "nothing is batched any more"), ("powerpc", "wait in a batch")]
)
def test_harm_is_told_of_the_way_in_which_a_rule_is_broken(arch, words):
    """A task that begins with the mode paused is hurt otherwise than one that begins in it."""
    (run,) = runs([named("fork-inside-section")], arches=[arch], releases=["7.3.4"])
    harms = {broken.rule: broken.harm for broken in verify(run).violations}
    assert words in harms["dirty-start"]
