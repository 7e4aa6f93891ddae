# SPDX-License-Identifier: GPL-2.0-or-later
"""A review for programs; `review.schema.json` beside this file describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lazymmu.json_text import dump
from lazymmu.report.common import document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.verbs.review.review import ReviewAnswer
    from lazymmu.verbs.review.values import NamedProblem, PatchReview, SeriesReview
    from lazymmu.witness.finding import Finding

__all__ = ["FORMAT", "object_of", "render"]

FORMAT = 1
"""Version of the layout."""


def render(answer: ReviewAnswer) -> str:
    """The whole review."""
    return dump(object_of(answer))


def object_of(answer: ReviewAnswer) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    last = answer.results[-1]
    body = {
        "base": {**asdict(answer.base), "text": str(answer.base)},
        "arches": list(last.arches),
        "patches": [_patch(one) for one in answer.shown],
        "series": _series(answer.series),
        "coverage": {
            "sections": last.coverage.sections,
            "functions_parsed": last.coverage.functions_parsed,
            "blind": [asdict(lost) for lost in answer.blind],
            "losses": list(answer.losses),
        },
    }
    return document.whole(FORMAT, body)


def _patch(one: PatchReview) -> dict[str, Any]:
    sent = one.submitted
    return {
        "number": one.number,
        "subject": sent.subject,
        "message_id": sent.mail.identity.strip("<>"),
        "commit": sent.commit,
        "new": _all(one.new),
        "fixed": _all(one.fixed),
        "moved": _all(one.moved),
        "postponed": _all(one.postponed),
        "mends": list(one.mends),
    }


def _series(series: SeriesReview) -> dict[str, Any]:
    return {
        "new": _all(series.new),
        "fixed": _all(series.fixed),
        "moved": _all(series.moved),
        "postponed": _all(series.postponed),
        "unchanged": series.unchanged,
    }


def _all(told: Iterable[NamedProblem]) -> list[dict[str, Any]]:
    return [_one(one) for one in told]


def _one(told: NamedProblem) -> dict[str, Any]:
    said = {"id": told.name, "patch": told.patch, **_finding(told.finding)}
    if told.origin is not None:
        said["from"] = _finding(told.origin)
    if told.mended_by:
        said["mended_by"] = told.mended_by
    if told.allowed_from:
        said["allowed_from"] = told.allowed_from
    if told.together:
        said["together"] = list(told.together)
    return said


def _finding(finding: Finding) -> dict[str, Any]:
    # The rule first and the path last, which is how one reads it.
    fields = asdict(finding)
    path = fields.pop("path")
    return {**fields, "path": path}
