# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts for programs: `cost.schema.json` beside this file describes them."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from lazymmu.json_text import dump
from lazymmu.report.common import document
from lazymmu.report.cost.losses import sentences

if TYPE_CHECKING:
    from lazymmu.costs.calibration import Calibration
    from lazymmu.costs.counts import Counts
    from lazymmu.costs.difference import Difference
    from lazymmu.verbs.cost import CostAnswer
    from lazymmu.verbs.cost_recordings import CallerCost, RecordingCost
    from lazymmu.verbs.cost_rows import CostRow

__all__ = ["FORMAT", "object_of", "render"]

FORMAT = 1
"""Version of the layout."""


def render(answer: CostAnswer) -> str:
    """One object: the operation, its counts in order, and what there is no count of."""
    return dump(object_of(answer))


def object_of(answer: CostAnswer) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    body = {
        "operation": answer.request.operation,
        "against": answer.request.against,
        "rows": [_row(row, answer.times) for row in answer.rows],
        "losses": sentences(answer.rows),
        "recordings": [_recording(one) for one in answer.recordings],
        "differences": [_difference(what, one) for what, one in answer.differences],
        "refused": [
            {"arch": arch, "release": release, "why": why} for arch, release, why in answer.refused
        ],
    }
    return document.whole(FORMAT, body)


def _row(row: CostRow, times: Calibration | None) -> dict[str, Any]:
    against = None if row.against is None else _counts(row.arch, row.against, times)
    return {
        "operation": row.operation,
        "arch": row.arch,
        "release": row.release,
        "feature": row.feature,
        "space": row.space,
        "entries": row.entries,
        "tables": row.tables,
        "counts": {scope: _counts(row.arch, counts, times) for scope, counts in row.counts.items()},
        "kept": row.kept,
        "against": against,
    }


def _counts(arch: str, counts: Counts, times: Calibration | None) -> dict[str, Any]:
    took = None if times is None else times.nanoseconds(arch, counts)
    keys = ("median", "low", "high")
    nanoseconds = None if took is None else dict(zip(keys, took, strict=True))
    return {**dataclasses.asdict(counts), "nanoseconds": nanoseconds}


def _recording(one: RecordingCost) -> dict[str, Any]:
    return {
        "name": one.name,
        "arch": one.arch,
        "kernel": one.kernel,
        "counts": one.counts,
        "span_ns": one.span,
        "counted": one.counted,
        "whole": _caller(one.whole),
        "callers": [_caller(caller) for caller in one.callers],
        "elsewhere": [
            {
                "arch": again.arch,
                "release": again.release,
                "without": again.without,
                "with": again.with_,
                "operations": [list(pair) for pair in again.operations],
                "why": again.why,
            }
            for again in one.elsewhere
        ],
    }


def _caller(one: CallerCost) -> dict[str, Any]:
    return {**dataclasses.asdict(one), "saved": one.saved}


def _difference(what: str, one: Difference) -> dict[str, Any]:
    low, high = one.interval
    known = math.isfinite(low) and math.isfinite(high)
    return {
        "what": what,
        "first": one.first.value,
        "second": one.second.value,
        "difference": one.value,
        "low": low if known else None,
        "high": high if known else None,
        "sure": one.sure,
    }
