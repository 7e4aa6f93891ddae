# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs as the formats of other people's tools have them: a suite a scenario, a case each machine.

A case is as it should be when it is as the scenario expects it; what no kernel is like is skipped,
and what was not decided is open.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lazymmu.report.common.tool_report import CaseState, ReportCase, ReportSuite, ToolReport
from lazymmu.report.verify.json import said
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.litmus.judge import Judgement

__all__ = ["COLUMNS", "case", "report", "rows", "states"]

COLUMNS: Final = (
    "scenario", "arch", "feature", "release", "verdict", "rule", "preemptions", "steps", "states",
    "expected", "told",
)  # fmt: skip
"""The columns of `rows`."""


def report(judged: Sequence[Judgement]) -> ToolReport:
    """All runs; scenarios in order of appearance."""
    suites: dict[str, list[ReportCase]] = {}
    for one in judged:
        suites.setdefault(one.verdict.scenario, []).append(case(one))
    return ToolReport(
        "verify",
        tuple(ReportSuite(name=name, cases=tuple(cases)) for name, cases in suites.items()),
    )


def case(judged: Judgement) -> ReportCase:
    """One run, beside what its scenario expects."""
    verdict = judged.verdict
    if judged.met is None:
        state = CaseState.OPEN
    elif not judged.met:
        state = CaseState.FAILED
    else:
        none = verdict.verdict is SearchOutcome.NOT_APPLICABLE
        state = CaseState.SKIPPED if none else CaseState.PASSED
    return ReportCase(
        name=" ".join(filter(None, (verdict.arch, verdict.feature, verdict.release))),
        state=state,
        told=(said(verdict), *judged.sentences),
    )


def states(judged: Iterable[Judgement]) -> Counter[CaseState]:
    """How many runs came to what; an exit code is made of it, so that it agrees with the lines."""
    return Counter(case(one).state for one in judged)


def rows(judged: Sequence[Judgement]) -> Iterator[tuple[str | int, ...]]:
    """A row for each run, with the first way to break it, as `COLUMNS` has them."""
    for one in judged:
        verdict = one.verdict
        first = verdict.violations[0] if verdict.violations else None
        yield (
            verdict.scenario,
            verdict.arch,
            verdict.feature,
            verdict.release,
            verdict.verdict,
            "" if first is None else first.rule,
            "" if first is None else first.preemptions,
            "" if first is None else first.steps,
            verdict.states,
            {True: "met", False: "differs", None: "open"}[one.met],
            "; ".join(one.sentences),
        )
