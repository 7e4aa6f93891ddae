# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts held to what a scenario expects."""

from __future__ import annotations

import pytest

from lazymmu.litmus.judge import judge
from lazymmu.litmus.read import read
from lazymmu.witness.machine.verdict import Counterexample, SearchOutcome, Verdict
from tests import made


@pytest.fixture
def judged(small):
    """Judges a verdict by a scenario with the given lines below `expect:`."""

    def make(lines: str, answer: SearchOutcome, *broken: Counterexample, **given):
        head, _, _ = small.partition("expect:\n")
        text = head + ("expect:\n" + lines if lines else "")
        verdict = Verdict("small", "x86", "6.12.8", "xen-nesting-count", answer, broken, **given)
        return judge(read(text), verdict)

    return make


def nested(preemptions: int, steps: int) -> Counterexample:
    """A violation of the rule that the small scenario watches."""
    return made.broken("nested-section", "", preemptions, steps)


def test_what_holds_as_expected_is_met(judged):
    """Nothing is said of what is as it should be."""
    judgement = judged("    *: holds\n", SearchOutcome.HOLDS)
    assert (judgement.met, judgement.sentences) == (True, ())
    assert judgement.expected.line == 25


def test_without_an_expectation_a_scenario_is_to_hold(judged):
    """A file of one's own needs no more than its program."""
    assert judged("", SearchOutcome.HOLDS).met
    assert judged("", SearchOutcome.NOT_APPLICABLE).met
    assert judged("", SearchOutcome.VIOLATED, nested(0, 2)).sentences == (
        "expected holds, found violated (nested-section)",
    )


@pytest.mark.parametrize("counts", ["", " 1 preemption", " 7 steps", " 1 preemption, 7 steps"])
def test_a_violation_is_met_by_its_rule_and_the_counts_that_are_given(judged, counts):
    """Counts that are not given may vary."""
    lines = f"    *: violated nested-section{counts}\n"
    assert judged(lines, SearchOutcome.VIOLATED, nested(1, 7)).met


def test_other_counts_differ_and_are_named(judged):
    """A shorter way than the one that is known is news."""
    lines = "    *: violated nested-section 1 preemption, 7 steps\n"
    assert judged(lines, SearchOutcome.VIOLATED, nested(0, 8)).sentences == (
        "nested-section is violated after 0 preemptions, not 1",
        "nested-section is violated after 8 steps, not 7",
    )


def test_the_first_way_to_break_a_rule_is_the_one_that_counts(judged):
    """Several entries may end wrong, each by a way of its own."""
    lines = "    *: violated finally 7 steps\n"
    ways = (made.broken("finally", "", 0, 7), made.broken("finally", "", 0, 9))
    assert judged(lines, SearchOutcome.VIOLATED, *ways).met


def test_exactly_the_expected_rules_must_be_broken(judged):
    """One that is not broken any more is as much of a difference as one that is now."""
    lines = "    *: violated nested-section, finally\n"
    judgement = judged(
        lines, SearchOutcome.VIOLATED, nested(0, 2), made.broken("deadlock", "", 0, 9)
    )
    assert judgement.met is False
    assert judgement.sentences == (
        "finally was to be violated, and is not",
        "deadlock is violated, which was not expected",
    )


def test_a_situation_that_never_occurs_fails_and_is_named(judged):
    """Holding means nothing when what the scenario is about never happens."""
    judgement = judged("    *: holds\n", SearchOutcome.NEVER_OCCURS, never=("T0: switch_out",))
    assert judgement.met is False
    assert judgement.sentences == (
        "expected holds, found never-occurs",
        "never occurs: T0: switch_out",
    )


def test_a_situation_may_be_expected_never_to_occur(judged):
    """An implementation that pins the task cannot be preempted, and that is its merit."""
    assert judged("    *: never-occurs\n", SearchOutcome.NEVER_OCCURS, never=("x",)).met


def test_a_run_that_does_not_apply_says_why(judged):
    """A run that does not apply gives the machine's reason, where its implementation is named."""
    judgement = judged("    x86: holds\n", SearchOutcome.NOT_APPLICABLE, reason="no such kernel")
    assert judgement.sentences == ("expected holds, found not-applicable", "no such kernel")
    assert judged("    *: holds\n", SearchOutcome.NOT_APPLICABLE, reason="no such kernel").met
    assert judged("    *: not-applicable\n", SearchOutcome.NOT_APPLICABLE, reason="no").met


def test_an_inconclusive_verdict_leaves_it_open(judged):
    """An inconclusive verdict neither passes nor fails what a file expects."""
    judgement = judged("    *: holds\n", SearchOutcome.INCONCLUSIVE, reason="deadline")
    assert judgement.met is None
    assert judgement.sentences == ("expected holds, and it is open",)
