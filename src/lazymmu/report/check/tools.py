# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks as the formats of other people's tools have them: a suite for each tree, a case a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.dialects import DIALECTS, Status
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind
from lazymmu.report.check.coverage import lost
from lazymmu.report.check.phrases import harms, headline, terms
from lazymmu.report.common.tool_report import (
    CaseState,
    ReportCase,
    ReportEntry,
    ReportSuite,
    ToolReport,
    standing,
)
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lazymmu.verbs.selection import CheckOutcome, SetAside
    from lazymmu.witness.finding import Finding

__all__ = ["report"]

COVERAGE = "coverage"
"""The case that is open when something was lost that could hide a finding."""


def report(
    outcomes: Sequence[CheckOutcome], *, asked: Collection[str] = (), allow_loss: bool = False
) -> ToolReport:
    """All trees; information only where its rule was `asked` for.

    :param asked: rules named by the user; without any, those are cases that the tree's dialect has.
    :param allow_loss: what was lost leaves a check clean.
    """
    return ToolReport("check", tuple(_suite(outcome, asked, allow_loss) for outcome in outcomes))


def _suite(outcome: CheckOutcome, asked: Collection[str], allow_loss: bool) -> ReportSuite:
    tree = outcome.result.tree
    arches = f", {', '.join(outcome.result.arches)}" if outcome.result.arches else ""
    return ReportSuite(
        name=tree.path,
        about=f"Linux {tree.release}, dialect {tree.dialect}{arches}",
        top=standing(tree.path),
        cases=(*_cases(outcome, asked), _coverage(outcome, allow_loss)),
        losses=tuple(lost(outcome)),
    )


def _cases(outcome: CheckOutcome, asked: Collection[str]) -> Iterator[ReportCase]:
    entries = list(_entries(outcome, asked))
    for rule in dict.fromkeys((*_rules(outcome, asked), *(e.finding.rule for e in entries))):
        mine = tuple(entry for entry in entries if entry.finding.rule == rule)
        counts = [entry for entry in mine if not entry.aside]
        if any(entry.fails for entry in counts):
            state = CaseState.FAILED
        else:
            state = CaseState.SKIPPED if mine and not counts else CaseState.PASSED
        yield ReportCase(name=rule, state=state, entries=mine)


def _coverage(outcome: CheckOutcome, allow_loss: bool) -> ReportCase:
    losses = tuple(lost(outcome))
    state = CaseState.SKIPPED if allow_loss else CaseState.LOST
    nothing = not outcome.result.arches or not outcome.result.coverage.sections
    if nothing and outcome.result.module is None:
        losses, state = (*losses, "there was nothing to check"), CaseState.LOST
    return ReportCase(name=COVERAGE, state=state if losses else CaseState.PASSED, told=losses)


def _rules(outcome: CheckOutcome, asked: Collection[str]) -> Iterator[str]:
    """The rules that the tree was held to, as far as one can break them."""
    dialect = DIALECTS.get(outcome.result.tree.dialect)
    for name, rule in RULES.items():
        off = dialect is not None and rule.status(dialect) is Status.OFF
        obliges = rule.kind is not RuleKind.INFORMATION
        if name in asked or (not asked and rule.of_source and obliges and not off):
            yield name


def _entries(outcome: CheckOutcome, asked: Collection[str]) -> Iterator[ReportEntry]:
    for finding in outcome.result.findings:
        if finding.severity is not Severity.INFORMATION or finding.rule in asked:
            yield _entry(finding, fails=outcome.fail_on.counts(finding))
    for one in outcome.not_counted:
        if one.finding.severity is not Severity.INFORMATION or one.finding.rule in asked:
            yield _entry(one.finding, fails=False, one=one)


def _entry(finding: Finding, *, fails: bool, one: SetAside | None = None) -> ReportEntry:
    return ReportEntry(
        finding=finding,
        message=headline(finding),
        harms=tuple(harms(finding)),
        terms=tuple(terms(finding)),
        fails=fails,
        aside="" if one is None else one.by,
        reason="" if one is None else one.reason,
    )
