# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts for spreadsheets and databases: a line for each place where sections stand."""

from __future__ import annotations

import csv
import dataclasses
import io
from typing import TYPE_CHECKING, Final

from lazymmu.costs.counts import Counts

if TYPE_CHECKING:
    from lazymmu.verbs.cost import CostAnswer

__all__ = ["HEADS", "render"]

HEADS: Final = (
    "operation",
    "arch",
    "release",
    "feature",
    "space",
    "entries",
    "tables",
    "scope",
    *(field.name for field in dataclasses.fields(Counts)),
)


def render(answer: CostAnswer) -> str:
    """A line of heads, and one for each count."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADS)
    for row in answer.rows:
        for scope, counts in row.counts.items():
            writer.writerow(
                (
                    row.operation, row.arch, row.release, row.feature, row.space, row.entries,
                    row.tables, str(scope), *dataclasses.astuple(counts),
                )
            )  # fmt: skip
    return file.getvalue()
