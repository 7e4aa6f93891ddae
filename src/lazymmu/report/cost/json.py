# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts for programs: `cost.schema.json` beside this file describes them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from lazymmu.report.common import document
from lazymmu.report.cost.losses import sentences

if TYPE_CHECKING:
    from lazymmu.verbs.cost import CostAnswer, CostRow

__all__ = ["FORMAT", "render"]

FORMAT = 1
"""Version of the layout."""


def render(answer: CostAnswer) -> str:
    """One object: the operation, its counts in order, and what there is no count of."""
    body = {
        "operation": answer.request.operation,
        "rows": [_row(row) for row in answer.rows],
        "losses": sentences(answer.rows),
        "refused": [
            {"arch": arch, "release": release, "why": why} for arch, release, why in answer.refused
        ],
    }
    return document.render(FORMAT, body)


def _row(row: CostRow) -> dict[str, Any]:
    return {
        "arch": row.arch,
        "release": row.release,
        "feature": row.feature,
        "space": row.space,
        "entries": row.entries,
        "tables": row.tables,
        "counts": {scope: dataclasses.asdict(counts) for scope, counts in row.counts.items()},
        "kept": row.kept,
    }
