# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts as a page: each beside a bar, as long as what it would be without any section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.costs.counts import Scope
from lazymmu.report.cost import json, recordings, text
from lazymmu.report.page import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.cost import CostAnswer
    from lazymmu.verbs.cost_rows import CostRow

__all__ = ["render"]

_BAR: Final = 100
"""How long the bar of the greatest count of a row is."""
_FIRST: Final = 3
"""The column of the first count: before it stand the machine, the mappings and the entries."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell of the table; bar: how long its bar is, None for a cell that is no count."""

    text: str
    bar: float | None = None


def render(answer: CostAnswer) -> str:
    """One page; it carries what ``--format json`` prints, if that is not too long."""
    whole = json.object_of(answer)
    carried = {"cost": whole} if len(page.carried(whole)) < page.LARGE // 2 else {}
    tables = [
        (name, titles, [_cells(row, cells) for row, cells in rows])
        for name, titles, rows in text.tables(answer)
    ]
    names = [name for name, _, _ in tables] or [one.name for one in answer.recordings]
    return page.render(
        "cost.html",
        title=f"{', '.join(names)}: lazymmu cost",
        verb="cost",
        styles=("cost.css",),
        data=carried,
        names=names,
        tables=tables,
        notes=text.notes(answer) if answer.rows else [],
        refused=answer.refused,
        recordings=[
            (
                one.name,
                list(recordings.sentences(one, answer)),
                list(recordings.caller_rows(one)) if one.counted else [],
            )
            for one in answer.recordings
        ],
        heads=recordings.CALLER_HEADS,
        differences=[recordings.difference(what, one) for what, one in answer.differences],
        carried=bool(carried),
    )


def _cells(row: CostRow, cells: Sequence[str]) -> list[_Cell]:
    """The cells of a row, those that are counts with their bars."""
    slow = list(_slow(row))
    most = max(slow, default=0)
    bars = [_BAR * one / most if most else 0.0 for one in slow]
    found = []
    for at, cell in enumerate(cells):
        place = at - _FIRST
        found.append(_Cell(cell, bars[place] if 0 <= place < len(bars) else None))
    return found


def _slow(row: CostRow) -> Iterator[int]:
    """What is slow of each count of a row, in the order of its cells."""
    for scope in (Scope.NONE, Scope.TABLE, Scope.RANGE):
        if scope in row.counts:
            yield row.counts[scope].slow
    if row.against is not None:
        yield row.against.slow
