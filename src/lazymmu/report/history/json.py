# SPDX-License-Identifier: GPL-2.0-or-later
"""A history for programs; `history.schema.json` beside this file describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lazymmu.json_text import dump
from lazymmu.report.common import document
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from lazymmu.verbs.history import HistoryAnswer
    from lazymmu.verbs.past.backport import Backport
    from lazymmu.verbs.past.known import CitedCommit
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.spans import Span
    from lazymmu.verbs.past.states import Cell

__all__ = ["FORMAT", "object_of", "render"]

FORMAT = 1
"""Version of the layout."""


def render(answer: HistoryAnswer) -> str:
    """The whole answer."""
    return dump(object_of(answer))


def object_of(answer: HistoryAnswer) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    return document.whole(
        FORMAT,
        {
            "releases": [_release(point) for point in answer.points],
            "problems": [_problem(one, answer) for one in answer.problems],
            "backport": _backport(answer.backport),
            "commits": answer.commits,
            "looked_at": {"now": answer.made, "before": answer.recalled},
            "interrupted": answer.interrupted,
        },
    )


def _release(point: Point) -> dict[str, Any]:
    result = point.result
    return {
        "name": point.name,
        "release": point.release,
        "path": point.path,
        "commit": point.commit or None,
        "subject": point.subject or None,
        "dialect": None if result is None else result.tree.dialect,
        "arches": [] if result is None else list(result.arches),
        "blind": 0 if result is None else len(result.coverage.blind),
        "trouble": point.trouble,
    }


def _problem(problem: PastProblem, answer: HistoryAnswer) -> dict[str, Any]:
    return {
        "id": problem.id,
        "key": problem.key,
        "rule": problem.rule,
        "message": problem.latest.message,
        "file": problem.file,
        "function": problem.function,
        "former": [{"file": file, "function": function} for file, function in problem.former],
        "hurts": list(problem.hurts),
        "states": [
            _state(point.name, cell)
            for point, cell in zip(answer.points, problem.cells, strict=True)
        ],
        "introduced": _span(problem.introduced),
        "fixed": _span(problem.fixed),
        "backported": [
            {"series": one.series, **(_span(one.span) or {"after": None, "by": None})}
            for one in problem.backported
        ],
        "known": {
            "introduced": _cited(problem.known[0]),
            "fixed": _cited(problem.known[1]),
        },
    }


def _backport(tried: Backport | None) -> dict[str, Any] | None:
    if tried is None:
        return None
    return {
        "problem": tried.problem,
        "to": tried.to,
        "fix": tried.fix,
        "subject": tried.subject,
        "hunks": {"fit": tried.hunks[0], "all": tried.hunks[1]},
        "refused": tried.refused,
        "needs": list(tried.needs),
        "fixed": [document.facts(one) for one in tried.fixed],
        "new": [document.facts(one) for one in tried.new],
    }


def _cited(known: CitedCommit | None) -> dict[str, Any] | None:
    return (
        None
        if known is None
        else {**asdict(known.commit), "agrees": known.agrees, "why": known.why}
    )


def _state(release: str, cell: Cell) -> dict[str, Any]:
    worst = next((s for s in Severity if any(one.severity is s for one in cell.findings)), None)
    return {
        "release": release,
        "state": cell.state,
        "why": cell.why,
        "severity": worst,
        "arches": sorted({arch for one in cell.findings for arch in one.arches}),
        "hurts": sorted({harm.arch for one in cell.findings for harm in one.harms}),
        "places": [
            {
                "file": one.file,
                "line": one.line,
                "function": one.function,
                "fingerprint": one.fingerprint,
            }
            for one in cell.findings
        ],
    }


def _span(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    said = {name: value or None for name, value in asdict(span).items()}
    return {**said, "among": list(span.among)}
