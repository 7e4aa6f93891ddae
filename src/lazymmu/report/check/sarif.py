# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as SARIF 2.1.0, for code review tools: one run per tree, one code flow per finding.

Written by hand rather than with an object model: the few objects used are plain, and the tests
validate the output against the published schema.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common.dump import dump
from lazymmu.witness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.report.check.select import Outcome
    from lazymmu.witness.finding import Finding, Lost

__all__ = ["Described", "describe", "render"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.HURTS: "error", Severity.BREAKS_TEXT: "warning", Severity.INFORMATION: "note"}
# Viewers sort by `rank`, 0 to 100 (SARIF 2.1.0, 3.27.25).
_RANKS = {Confidence.LOW: 20.0, Confidence.MEDIUM: 60.0, Confidence.HIGH: 90.0}


class Described(Protocol):
    """What SARIF says of a rule; the rules of `contract.rules` have it."""

    @property
    def sentence(self) -> str:
        """What the rule says."""

    @property
    def why(self) -> str:
        """Why breaking it matters."""

    @property
    def citation(self) -> str:
        """Where the kernel says so."""


def render(outcomes: Sequence[Outcome], *, version: str, rules: Mapping[str, Described]) -> str:
    """All findings of all trees; version: of lazymmu; rules: `contract.rules.RULES`."""
    runs = [_run(outcome, version, rules) for outcome in outcomes]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}
    return dump(log)


def _run(outcome: Outcome, version: str, rules: Mapping[str, Described]) -> dict[str, Any]:
    result = outcome.result
    names = sorted(rules)
    driver = {
        "name": "lazymmu",
        "version": version,
        "rules": [describe(name, rules[name]) for name in names],
    }
    lost = [("warning", "was not seen", item) for item in outcome.blind]
    lost += [("note", "could not be read or parsed", item) for item in result.coverage.unparsed]
    lost += [("note", "could not be resolved", item) for item in result.coverage.unresolved]
    return {
        "tool": {"driver": driver},
        "originalUriBaseIds": {"TREE": {"uri": _directory(result.tree.path)}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(*item) for item in lost],
            }
        ],
        "results": [_result(finding, names) for finding in result.findings],
        "properties": {
            "release": result.tree.release,
            "dialect": result.tree.dialect,
            "arches": list(result.arches),
            "sections": result.coverage.sections,
            "functionsParsed": result.coverage.functions_parsed,
        },
    }


def describe(name: str, rule: Described) -> dict[str, Any]:
    """What SARIF says of a rule in the description of the tool."""
    return {
        "id": name,
        "shortDescription": {"text": rule.sentence},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\nSource: {rule.citation}\n\nMore: lazymmu explain {name}"},
    }


def _result(finding: Finding, names: Sequence[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": ". ".join([headline(finding), *harms(finding)])},
        "locations": [_location(finding.file, finding.line, finding.column, finding.function)],
        "rank": _RANKS[finding.confidence],
        "properties": {
            "severity": finding.severity,
            "confidence": finding.confidence,
            "arches": list(finding.arches),
            "conditions": list(finding.conditions),
            "also": list(finding.also),
            "implied": finding.implied,
        },
    }
    if finding.rule in names:
        result["ruleIndex"] = names.index(finding.rule)
    if finding.fingerprint:
        result["partialFingerprints"] = {"lazymmu/v1": finding.fingerprint}
    if finding.path:
        steps = [
            {
                "executionOrder": order,
                "location": _location(step.file, step.line, step.column, step.function, step.note),
            }
            for order, step in enumerate(finding.path, 1)
        ]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _location(
    file: str, line: int, column: int, function: str, note: str | None = None
) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file), "uriBaseId": "TREE"}}
    # Regions count from one; a finding about a whole file has line 0 and no region.
    if line > 0:
        physical["region"] = {"startLine": line} | ({"startColumn": column} if column > 0 else {})
    location: dict[str, Any] = {"physicalLocation": physical}
    if function:
        location["logicalLocations"] = [{"name": function, "kind": "function"}]
    if note is not None:
        location["message"] = {"text": note or "here"}
    return location


def _notification(level: str, what: str, item: Lost) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "level": level,
        "message": {"text": f"{item.name or item.file} {what}: {item.reason}"},
    }
    if item.file:
        notification["locations"] = [_location(item.file, item.line, 0, "")]
    return notification


def _uri(file: str) -> str:
    return quote(os.fsencode(file))


def _directory(path: str) -> str:
    return f"file://{quote(os.fsencode(str(Path(path).absolute())))}/"
