# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces as the formats of other people's tools have them: a suite for each, a case a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind, Witness
from lazymmu.report.common.tool_report import (
    CaseState,
    ReportCase,
    ReportEntry,
    ReportSuite,
    ToolReport,
)
from lazymmu.report.trace.text import task
from lazymmu.witness.trace.values import TraceVerdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lazymmu.witness.trace.values import TraceFinding, TraceResult

__all__ = ["report"]


def report(watched: Sequence[TraceResult], *, asked: Collection[str] = ()) -> ToolReport:
    """All traces; what is no violation only where its rule was `asked` for."""
    return ToolReport("trace", tuple(_suite(one, asked) for one in watched))


def _suite(one: TraceResult, asked: Collection[str]) -> ReportSuite:
    losses = [one.incomplete] if one.incomplete else []
    if one.unjudgeable or not one.seen.anything:
        losses += [caveat.reason for caveat in one.caveats] or ["the mode does not show in it"]
    return ReportSuite(
        name=one.name,
        about=", ".join(one.kernel),
        cases=tuple(_cases(one, asked, tuple(losses))),
        losses=tuple(losses),
    )


def _cases(
    one: TraceResult, asked: Collection[str], losses: tuple[str, ...]
) -> Iterator[ReportCase]:
    found = [f for f in one.findings if f.verdict is TraceVerdict.VIOLATION or f.rule in asked]
    held = [
        name
        for name, rule in RULES.items()
        if (name in asked or not asked)
        and Witness.TRACE in rule.witnesses
        and rule.kind is not RuleKind.INFORMATION
    ]
    cut = dict(one.cut)
    for rule in dict.fromkeys((*held, *(finding.rule for finding in found))):
        mine = tuple(_entry(finding) for finding in found if finding.rule == rule)
        failed = any(entry.fails for entry in mine)
        more = (f"{cut[rule]} more of {rule} are not listed",) if rule in cut and mine else ()
        state = CaseState.FAILED if failed else CaseState.PASSED
        yield ReportCase(name=rule, state=state, told=more, entries=mine)
    yield ReportCase(
        name="coverage", state=CaseState.LOST if losses else CaseState.PASSED, told=losses
    )


def _entry(finding: TraceFinding) -> ReportEntry:
    spot = finding.location
    return ReportEntry(
        finding=finding,
        message=f"{task(finding)} [{spot.cpu:03}] {spot.stamp}: {finding.message}",
        harms=(f"comes to harm: {finding.harm}",) if finding.harm else (),
        terms=tuple(finding.notes),
        title=f"{task(finding)}: {finding.message}",
        fails=finding.verdict is TraceVerdict.VIOLATION,
    )
