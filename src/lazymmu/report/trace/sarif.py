# SPDX-License-Identifier: GPL-2.0-or-later
"""What traces show as SARIF: one run per trace, whose locations are lines of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.report.common import sarif
from lazymmu.report.common.words import clean
from lazymmu.report.trace.text import task
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lazymmu.report.common.sarif import Described
    from lazymmu.witness.trace.values import TraceFinding, TraceLocation, TraceResult

__all__ = ["render", "runs"]


def render(
    watched: Sequence[TraceResult],
    *,
    rules: Mapping[str, Described],
    asked: Collection[str] = (),
) -> str:
    """One run for each trace; what only informs is there where its rule was `asked` for.

    :param rules: `contract.rules.RULES`.
    """
    return sarif.log(runs(watched, rules=rules, asked=asked))


def runs(
    watched: Sequence[TraceResult],
    *,
    rules: Mapping[str, Described],
    asked: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The same as runs, for a log that has more."""
    return [_run(one, rules, asked) for one in watched]


def _run(
    watched: TraceResult, rules: Mapping[str, Described], asked: Collection[str]
) -> dict[str, Any]:
    return sarif.run(
        [
            _result(one, rules)
            for one in watched.findings
            if one.severity is not Severity.INFORMATION or one.rule in asked
        ],
        rules=rules,
        category=f"trace/{watched.name}".removesuffix("/"),
        notifications=[sarif.notification("note", clean(one.reason)) for one in watched.caveats],
        properties={
            "arch": watched.arch,
            "release": watched.release,
            "dialect": watched.dialect,
            "sections": watched.seen.sections,
        },
        complete=not watched.ended,
    )


def _result(finding: TraceFinding, rules: Mapping[str, Described]) -> dict[str, Any]:
    who = f"{task(finding)} on CPU {finding.location.cpu} at {finding.location.stamp}"
    text = f"{who}: {finding.message}"
    spots = (*finding.began, finding.location)
    result = sarif.result(
        finding,
        clean(sarif.sentences([text, finding.harm])),
        _location(finding.file, finding.location),
        [
            _location(step.file, spot, step.note)
            for step, spot in zip(finding.path, spots, strict=True)
        ],
        rules=rules,
        properties={"verdict": finding.verdict, "arches": list(finding.arches)},
    )
    only_informs = finding.severity is Severity.INFORMATION
    return {**result, "kind": "informational" if only_informs else "fail"}


def _location(name: str, spot: TraceLocation, note: str | None = None) -> dict[str, Any]:
    said = None if note is None else clean(note)
    return sarif.location(name, spot.line, snippet=clean(spot.text), note=said)
