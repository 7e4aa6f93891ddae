# SPDX-License-Identifier: GPL-2.0-or-later
"""What traces show, for programs: JSON of our own, and SARIF 2.1.0."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from lazymmu.report.check.sarif import describe
from lazymmu.report.common.dump import dump
from lazymmu.report.common.words import clean
from lazymmu.report.trace.text import task
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.report.check.sarif import Described
    from lazymmu.witness.trace.values import Caveat, TraceFinding, TraceLocation, TraceResult

__all__ = ["render_json", "render_sarif"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {
    Severity.HURTS: "error",
    Severity.BREAKS_TEXT: "warning",
    Severity.INFORMATION: "note",
}


def render_json(watched: Sequence[TraceResult]) -> str:
    """One object: `traces`, each with its kernel, what was seen, findings and doubts."""
    value = {"format": 1, "traces": [_trace(one) for one in watched]}
    return dump(value)


def _trace(watched: TraceResult) -> dict[str, Any]:
    seen = watched.seen
    return {
        "trace": watched.name,
        "arch": watched.arch,
        "release": watched.release,
        "kernel": list(watched.kernel),
        "dialect": watched.dialect,
        "hidden": watched.hidden,
        "complete": not watched.ended,
        "seen": {
            "lines": seen.lines,
            "sections": seen.sections,
            "ends": seen.ends,
            "flushes": seen.flushes,
            "updates": seen.updates,
            "switches": seen.switches,
            "counters": seen.counters,
            "unreadable": seen.unreadable,
        },
        "findings": [_finding(one) for one in watched.findings],
        "notListed": dict(watched.cut),
        "doubts": [_doubt(one) for one in watched.caveats],
    }


def _finding(finding: TraceFinding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "message": finding.message,
        "task": finding.comm,
        "pid": finding.pid,
        "at": _spot(finding.location),
        "began": [_spot(one) for one in finding.began],
        "harm": finding.harm,
        "implied": finding.implied,
        "notes": list(finding.notes),
        "context": [{"line": line, "text": text} for line, text in finding.context],
    }


def _spot(spot: TraceLocation) -> dict[str, Any]:
    return {
        "line": spot.line,
        "cpu": spot.cpu,
        "time": spot.stamp,
        "text": spot.text,
        "stack": list(spot.frames),
    }


def _doubt(doubt: Caveat) -> dict[str, Any]:
    return {"reason": doubt.reason, "line": doubt.line, "times": doubt.times}


def render_sarif(
    watched: Sequence[TraceResult], *, version: str, rules: Mapping[str, Described]
) -> str:
    """One run for each trace; version: of lazymmu; rules: `contract.rules.RULES`."""
    names = sorted(rules)
    runs = [_run(one, version, rules, names) for one in watched]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}
    return dump(log)


def _run(
    watched: TraceResult, version: str, rules: Mapping[str, Described], names: Sequence[str]
) -> dict[str, Any]:
    return {
        "tool": {
            "driver": {
                "name": "lazymmu",
                "version": version,
                "rules": [describe(name, rules[name]) for name in names],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not watched.ended,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": clean(doubt.reason)}}
                    for doubt in watched.caveats
                ],
            }
        ],
        "results": [_result(watched.name, one, names) for one in watched.findings],
        "properties": {
            "arch": watched.arch,
            "release": watched.release,
            "dialect": watched.dialect,
            "sections": watched.seen.sections,
        },
    }


def _result(name: str, finding: TraceFinding, names: Sequence[str]) -> dict[str, Any]:
    who = f"{task(finding)} on CPU {finding.location.cpu} at {finding.location.stamp}"
    text = f"{who}: {finding.message}"
    steps = [(one, "the section began here") for one in finding.began]
    steps.append((finding.location, finding.message))
    return {
        "ruleId": finding.rule,
        "ruleIndex": names.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "kind": "fail" if finding.severity is not Severity.INFORMATION else "informational",
        "message": {"text": clean(". ".join([text, *filter(None, [finding.harm])]))},
        "locations": [_location(name, finding.location, "")],
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {"executionOrder": order, "location": _location(name, spot, what)}
                            for order, (spot, what) in enumerate(steps, 1)
                        ]
                    }
                ]
            }
        ],
        "properties": {
            "verdict": finding.verdict,
            "severity": finding.severity,
            "implied": finding.implied,
        },
    }


def _location(name: str, spot: TraceLocation, what: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(os.fsencode(name))},
            "region": {"startLine": spot.line, "snippet": {"text": clean(spot.text)}},
        }
    }
    if what:
        location["message"] = {"text": clean(what)}
    return location
