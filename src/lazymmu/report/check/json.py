# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings for programs: one JSON object per check, sorted, complete and stable.

`check.schema.json` and, for sections, `sections.schema.json` beside this file describe it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lazymmu.json_text import dump
from lazymmu.report.check.coverage import standings
from lazymmu.report.common import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.report.check.compare import Comparison
    from lazymmu.verbs.change import Change
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import Finding, SectionRow, Sections

__all__ = ["FORMAT", "object_of", "render", "render_comparison", "render_sections"]

FORMAT = 1
"""Version of the layout."""


def render(outcomes: Sequence[CheckOutcome]) -> str:
    """One object for one tree; for several, an object with the list `checks` of such objects."""
    return dump(object_of(outcomes))


def object_of(outcomes: Sequence[CheckOutcome]) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    checks = [_check(outcome) for outcome in outcomes]
    return document.whole(FORMAT, checks[0] if len(checks) == 1 else {"checks": checks})


def render_comparison(comparison: Comparison) -> str:
    """The table of `--compare`, with each tree's whole check beside it."""
    return dump(comparison_object(comparison))


def comparison_object(comparison: Comparison) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    rows = [
        {
            "rule": row.rule,
            "file": row.file,
            "function": row.function,
            "former": [{"file": file, "function": function} for file, function in row.former],
            "cells": [
                {"count": len(cell), "fingerprints": [finding.fingerprint for finding in cell]}
                for cell in row.cells
            ],
            "absences": list(row.absences),
        }
        for row in comparison.rows
    ]
    checks = [_check(outcome) for outcome in comparison.outcomes]
    return document.whole(FORMAT, {"rows": rows, "checks": checks})


def render_sections(trees: Sequence[tuple[str, Sections]]) -> str:
    """The sections of one tree, or of several under `trees`."""
    objects = [
        {
            "format": FORMAT,
            "tree": path,
            "sections": [_section(row) for row in found.rows],
            "lines": standings(found.coverage),
            "blind": [asdict(lost) for lost in found.coverage.blind],
        }
        for path, found in trees
    ]
    return document.render(FORMAT, objects[0] if len(objects) == 1 else {"trees": objects})


def _check(outcome: CheckOutcome) -> dict[str, Any]:
    result = outcome.result
    change = outcome.change
    findings = [
        {**_finding(finding), **({"patch": change.patch_of(finding)} if change else {})}
        for finding in result.findings
    ]
    module = {} if result.module is None else {"module": asdict(result.module)}
    return {
        "format": FORMAT,
        "tree": asdict(result.tree),
        **module,
        "arches": list(result.arches),
        "findings": findings,
        **_change(outcome.change),
        "withheld": [{"reason": reason, "count": number} for reason, number in outcome.withheld],
        "set_aside": [
            {"by": one.by, "reason": one.reason, "finding": _finding(one.finding)}
            for one in outcome.aside
        ],
        "blind": [asdict(lost) for lost in outcome.blind],
        "coverage": {**asdict(result.coverage), "lines": standings(result.coverage)},
    }


def _change(change: Change | None) -> dict[str, Any]:
    """What became of the findings of a former tree, where one was asked about."""
    if change is None:
        return {}
    base = change.base
    return {
        "fixed": [_finding(one) for one in change.fixed],
        "unseen": [_finding(one) for one in change.unseen],
        "moved": [{**_finding(one.finding), "from": _finding(one.origin)} for one in change.moved],
        "unchanged": [_finding(one) for one in change.unchanged],
        "base": {**asdict(base), "text": str(base)},
    }


def _finding(finding: Finding) -> dict[str, Any]:
    # The rule first and the path last, which is how one reads it.
    fields = asdict(finding)
    path = fields.pop("path")
    return {**fields, "path": path}


def _section(row: SectionRow) -> dict[str, Any]:
    fields = asdict(row)
    fields["actions"] = [{"line": line, "action": action} for line, action in row.actions]
    return fields
