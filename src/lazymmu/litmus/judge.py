# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts held to what a scenario expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.litmus.scenario import ExpectedOutcome
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.litmus.scenario import Breach, Expect, Scenario
    from lazymmu.witness.machine.verdict import Counterexample, Verdict

__all__ = ["Judgement", "judge"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict beside what was expected.

    :param expected: None when the scenario expects nothing of that implementation, and then a
        scenario that holds, or does not apply, is as it should be.
    :param met: None is open, because a bound was hit.
    :param sentences: what differs, or why it is open.
    """

    verdict: Verdict
    expected: Expect | None
    met: bool | None
    sentences: tuple[str, ...] = ()


def judge(scenario: Scenario, verdict: Verdict) -> Judgement:
    """Whether `verdict` is what `scenario` expects of that implementation and release."""
    expected = scenario.expected(verdict.arch, verdict.feature, verdict.release)
    if verdict.verdict is SearchOutcome.INCONCLUSIVE:
        return Judgement(
            verdict, expected, None, (f"expected {_wanted(expected)}, and it is open",)
        )
    wanted = ExpectedOutcome.HOLDS if expected is None else expected.outcome
    # What is expected of everybody is expected of those whom it can be asked of.
    named = expected is not None and any(
        target.names and target.fits(verdict.arch, verdict.feature, verdict.release)
        for target in expected.targets
    )
    applies = verdict.verdict is not SearchOutcome.NOT_APPLICABLE or named
    if applies and verdict.verdict != wanted.value:
        told = [f"expected {_wanted(expected)}, found {_found(verdict)}"]
        if verdict.verdict is SearchOutcome.NEVER_OCCURS:
            told += [f"never occurs: {what}" for what in verdict.never]
        if verdict.verdict is SearchOutcome.NOT_APPLICABLE:
            told.append(verdict.reason)
        return Judgement(verdict, expected, False, tuple(told))
    if expected is None or not applies:
        return Judgement(verdict, expected, True)
    sentences = tuple(_counts(expected, verdict))
    return Judgement(verdict, expected, not sentences, sentences)


def _wanted(expected: Expect | None) -> str:
    if expected is None:
        return ExpectedOutcome.HOLDS
    rules = " and ".join(breach.rule for breach in expected.broken)
    return f"{expected.outcome} ({rules})" if rules else expected.outcome


def _found(verdict: Verdict) -> str:
    rules = " and ".join(dict.fromkeys(broken.rule for broken in verdict.violations))
    return f"{verdict.verdict} ({rules})" if rules else verdict.verdict


def _counts(expected: Expect, verdict: Verdict) -> Iterator[str]:
    """What differs between the breaches expected and those found."""
    # Of several ways to break one rule (two entries that `finally` names) the first is shortest.
    found: dict[str, Counterexample] = {}
    for broken in verdict.violations:
        found.setdefault(broken.rule, broken)
    wanted = {breach.rule: breach for breach in expected.broken}
    for rule in (*wanted, *(rule for rule in found if rule not in wanted)):
        if rule not in found:
            yield f"{rule} was to be violated, and is not"
        elif rule not in wanted:
            yield f"{rule} is violated, which was not expected"
        else:
            yield from _differences(wanted[rule], found[rule])


def _differences(breach: Breach, broken: Counterexample) -> Iterator[str]:
    for what, wanted, found in (
        ("preemptions", breach.preemptions, broken.preemptions),
        ("steps", breach.steps, broken.steps),
    ):
        if wanted is not None and wanted != found:
            yield f"{breach.rule} is violated after {found} {what}, not {wanted}"
