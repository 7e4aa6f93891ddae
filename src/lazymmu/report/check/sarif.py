# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of checks as SARIF: one run per tree, one code flow per finding."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common import sarif
from lazymmu.witness.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.report.common.sarif import Described
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import Finding, Lost

__all__ = ["render"]

# Viewers sort by `rank`, 0 to 100 (SARIF 2.1.0, 3.27.25).
_RANKS: Final = {Confidence.LOW: 20.0, Confidence.MEDIUM: 60.0, Confidence.HIGH: 90.0}
_TREE: Final = "TREE"


def render(
    outcomes: Sequence[CheckOutcome], *, version: str, rules: Mapping[str, Described]
) -> str:
    """All findings of all trees; version: of lazymmu; rules: `contract.rules.RULES`."""
    return sarif.log([_run(outcome, version, rules) for outcome in outcomes])


def _run(outcome: CheckOutcome, version: str, rules: Mapping[str, Described]) -> dict[str, Any]:
    result = outcome.result
    lost = [("warning", "was not seen", item) for item in outcome.blind]
    lost += [("note", "could not be read or parsed", item) for item in result.coverage.unparsed]
    lost += [("note", "could not be resolved", item) for item in result.coverage.unresolved]
    return sarif.run(
        [_result(finding, rules) for finding in result.findings],
        version=version,
        rules=rules,
        notifications=[_notification(*item) for item in lost],
        properties={
            "release": result.tree.release,
            "dialect": result.tree.dialect,
            "arches": list(result.arches),
            "sections": result.coverage.sections,
            "functionsParsed": result.coverage.functions_parsed,
        },
        bases={_TREE: f"file://{sarif.uri(str(Path(result.tree.path).absolute()))}/"},
    )


def _result(finding: Finding, rules: Mapping[str, Described]) -> dict[str, Any]:
    result = sarif.result(
        finding,
        ". ".join([headline(finding), *harms(finding)]),
        _location(finding.file, finding.line, finding.column, finding.function),
        [
            _location(step.file, step.line, step.column, step.function, step.note)
            for step in finding.path
        ],
        rules=rules,
        properties={
            "confidence": finding.confidence,
            "arches": list(finding.arches),
            "conditions": list(finding.conditions),
            "also": list(finding.also),
        },
    )
    return {**result, "rank": _RANKS[finding.confidence]}


def _location(
    file: str, line: int, column: int = 0, function: str = "", note: str | None = None
) -> dict[str, Any]:
    return sarif.location(file, line, column, base=_TREE, function=function, note=note)


def _notification(level: str, what: str, item: Lost) -> dict[str, Any]:
    return sarif.notification(
        level,
        f"{item.name or item.file} {what}: {item.reason}",
        _location(item.file, item.line) if item.file else None,
    )
