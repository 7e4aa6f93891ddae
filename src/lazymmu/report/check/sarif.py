# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of checks as SARIF: one run per tree, one code flow per finding.

Files are named from the top of the repository that a tree is in, because that is how servers look
them up; a tree in none is its own top.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common import sarif
from lazymmu.report.common.words import clean
from lazymmu.verbs.selection import SetAsideBy
from lazymmu.witness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lazymmu.report.common.sarif import Described
    from lazymmu.verbs.selection import CheckOutcome, SetAside
    from lazymmu.witness.finding import Finding, Lost, Step

__all__ = ["render"]

# Viewers sort by `rank`, 0 to 100 (SARIF 2.1.0, 3.27.25).
_RANKS: Final = {Confidence.LOW: 20.0, Confidence.MEDIUM: 60.0, Confidence.HIGH: 90.0}
_ROOT: Final = "%SRCROOT%"
"""What locations are relative to; the name is the one that most tools use (3.14.14)."""

_SUPPRESSIONS: Final = {
    SetAsideBy.SUPPRESSION: "external",
    SetAsideBy.CONFIGURATION: "external",
    SetAsideBy.COMMENT: "inSource",
}
_STATES: Final = {
    SetAsideBy.BASELINE: "unchanged",
    SetAsideBy.UNCHANGED: "unchanged",
    SetAsideBy.MOVED: "updated",
    SetAsideBy.FIXED: "absent",
    SetAsideBy.UNSEEN: "unchanged",  # for all that is known: only what is gone is "absent"
}
"""The words for what was there before (3.27.24)."""


def render(
    outcomes: Sequence[CheckOutcome],
    *,
    rules: Mapping[str, Described],
    asked: Collection[str] = (),
) -> str:
    """All findings of all trees; information only where its rule was `asked` for.

    :param rules: `contract.rules.RULES`.
    """
    names = Counter(outcome.result.tree.path for outcome in outcomes)
    runs = []
    for number, outcome in enumerate(outcomes, 1):
        path = outcome.result.tree.path
        category = f"check/{path}" if names[path] == 1 else f"check/{number}/{path}"
        runs.append(_run(outcome, rules, asked, category))
    return sarif.log(runs)


def _run(
    outcome: CheckOutcome, rules: Mapping[str, Described], asked: Collection[str], category: str
) -> dict[str, Any]:
    result, source = outcome.result, outcome.provenance
    inside = source.inside if source is not None else ""
    lost = [("warning", "was not seen", item) for item in outcome.blind]
    lost += [("note", "could not be read or parsed", item) for item in result.coverage.unparsed]
    lost += [("note", "could not be resolved", item) for item in result.coverage.unresolved]
    shown: list[tuple[Finding, SetAside | None]] = [(one, None) for one in result.findings]
    shown += [(one.finding, one) for one in outcome.not_counted]
    return sarif.run(
        [
            _result(finding, one, outcome, rules, inside)
            for finding, one in shown
            if finding.severity is not Severity.INFORMATION or finding.rule in asked
        ],
        rules=rules,
        notifications=[_notification(*item, inside) for item in lost],
        properties={
            "release": result.tree.release,
            "dialect": result.tree.dialect,
            "arches": list(result.arches),
            "sections": result.coverage.sections,
            "functionsParsed": result.coverage.functions_parsed,
        },
        category=category.removesuffix("/"),
        more=_origin(outcome),
    )


def _origin(outcome: CheckOutcome) -> dict[str, Any]:
    """Which repository and revision it is, and what paths are relative to."""
    source = outcome.provenance
    top = source.top if source is not None else str(Path(outcome.result.tree.path).absolute())
    root = f"file://{sarif.uri(top)}/"
    bases = {"originalUriBaseIds": {_ROOT: {"uri": root}}}
    if source is None:
        return bases
    control = {"repositoryUri": source.origin or root, "mappedTo": {"uriBaseId": _ROOT}}
    if source.revision:
        control["revisionId"] = source.revision
    return {**bases, "versionControlProvenance": [control]}


def _result(
    finding: Finding,
    one: SetAside | None,
    outcome: CheckOutcome,
    rules: Mapping[str, Described],
    inside: str,
) -> dict[str, Any]:
    def place(step: Step) -> dict[str, Any]:
        where = (step.file, step.line, step.column, step.function, step.note)
        return _location(inside, *where, snippet=clean(step.code))

    return sarif.result(
        finding,
        sarif.sentences([headline(finding), *harms(finding)]),
        _location(inside, finding.file, finding.line, finding.column, finding.function),
        [place(step) for step in finding.path if not step.aside],
        related=[place(step) for step in finding.path if step.aside],
        rules=rules,
        properties={
            "confidence": finding.confidence,
            "arches": list(finding.arches),
            "conditions": list(finding.conditions),
            "also": list(finding.also),
        },
        more={"rank": _RANKS[finding.confidence], **_standing(one, outcome)},
    )


def _standing(one: SetAside | None, outcome: CheckOutcome) -> dict[str, Any]:
    """Whether it was there before, and whether somebody has judged it."""
    said: dict[str, Any] = {}
    if outcome.compared:
        said["baselineState"] = "new" if one is None else _STATES.get(one.by, "new")
    if one is not None and one.by in _SUPPRESSIONS:
        reason = {"justification": one.reason} if one.reason else {}
        kind = _SUPPRESSIONS[one.by]
        said["suppressions"] = [{"kind": kind, "status": "accepted", **reason}]
    return said


def _location(
    inside: str,
    file: str,
    line: int,
    column: int = 0,
    function: str = "",
    note: str | None = None,
    snippet: str = "",
) -> dict[str, Any]:
    return sarif.location(
        f"{inside}/{file}" if inside else file,
        line,
        column,
        base=_ROOT,
        function=function,
        snippet=snippet,
        note=note,
    )


def _notification(level: str, what: str, item: Lost, inside: str) -> dict[str, Any]:
    return sarif.notification(
        level,
        f"{item.name or item.file} {what}: {item.reason}",
        _location(inside, item.file, item.line) if item.file else None,
    )
