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
    from lazymmu.verbs.review.values import (
        NamedProblem,
        PatchReview,
        SeriesPart,
        SeriesReview,
        Split,
        StableBackport,
        Tags,
    )
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
        "split": _split(answer.split),
        "stable": {
            "tags": [_tags(one) for one in answer.tags],
            "trees": [_port(one) for one in answer.backports],
        },
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
        "unseen": _all(one.unseen),
        "mends": list(one.mends),
    }


def _series(series: SeriesReview) -> dict[str, Any]:
    return {
        "new": _all(series.new),
        "fixed": _all(series.fixed),
        "moved": _all(series.moved),
        "postponed": _all(series.postponed),
        "unseen": _all(series.unseen),
        "unchanged": series.unchanged,
    }


def _split(split: Split) -> dict[str, Any]:
    return {
        "groups": [_part(one, split) for one in split.parts],
        "needs": [{"first": first, "second": second} for first, second in split.needs],
        "orders": [list(order) for order in split.orders],
        "machine": [asdict(one) for one in split.harms],
        "costs": [asdict(one) for one in split.costs],
        "not_asked": list(split.untold),
    }


def _part(part: SeriesPart, split: Split) -> dict[str, Any]:
    held = any(part.name == second for _, second in split.needs)
    keys = ("patch", "file", "line", "functions")
    return {
        "name": part.name,
        "patches": list(part.patches),
        "hunks": [dict(zip(keys, hunk, strict=True)) for hunk in part.hunks],
        "independent": not any(part.name in pair for pair in split.needs),
        "first": bool(part.fixed and not part.new and not held and len(split.parts) > 1),
        "alone": {
            "new": [_finding(one) for one in part.new],
            "fixed": [_finding(one) for one in part.fixed],
        },
        "switches": [asdict(one) for one in part.switches],
    }


def _tags(one: Tags) -> dict[str, Any]:
    return {
        "patch": one.patch,
        "fixes": [{"commit": commit, "subject": subject} for commit, subject in one.fixes],
        "unknown": list(one.unknown),
        "stable": one.stable,
        "missing_stable": one.missing,
    }


def _port(port: StableBackport) -> dict[str, Any]:
    return {
        "patch": port.patch,
        "tree": port.tree,
        "release": port.release,
        "verdict": port.verdict,
        "has": list(port.has),
        "applies": port.applies,
        "refused": port.refused,
        "needs": list(port.needs),
        "fixed": [_finding(one) for one in port.fixed],
        "new": [_finding(one) for one in port.new],
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
