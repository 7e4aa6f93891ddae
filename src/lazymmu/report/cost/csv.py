# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts for spreadsheets and databases: a line for each place where sections stand."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from lazymmu.costs.counts import Counts
from lazymmu.report.tools.csv import render_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

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


RECORDED: Final = (
    "recording", "caller", "sections", "nested", "idle", "put_off", "calls", "saved", "nanoseconds",
)  # fmt: skip


def render(answer: CostAnswer) -> str:
    """A line of heads, and one for each count, or for each caller of a recording."""
    if answer.recordings:
        return render_rows(RECORDED, _callers(answer))
    return render_rows(HEADS, _counts(answer))


def _callers(answer: CostAnswer) -> Iterator[tuple[str | int, ...]]:
    for one in answer.recordings:
        for caller in one.callers if one.counted else ():
            time = "" if one.counts else caller.nanoseconds
            yield (
                one.name, caller.caller, caller.sections, caller.nested, caller.idle,
                caller.put_off, caller.calls, caller.saved, time,
            )  # fmt: skip


def _counts(answer: CostAnswer) -> Iterator[tuple[str | int, ...]]:
    for row in answer.rows:
        for scope, counts in row.counts.items():
            yield (
                row.operation, row.arch, row.release, row.feature, row.space, row.entries,
                row.tables, str(scope), *dataclasses.astuple(counts),
            )  # fmt: skip
