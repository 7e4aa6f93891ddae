# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a section wins nothing, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.costs.counts import Scope
from lazymmu.report.common.words import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.verbs.cost_rows import CostRow

__all__ = ["sentences"]


def sentences(rows: Sequence[CostRow]) -> list[str]:
    """A sentence for each kind of mapping on which sections lose: where, and for which entries."""
    found: dict[tuple[str, str, str], dict[str, list[CostRow]]] = {}
    for row in rows:
        for scope in (Scope.TABLE, Scope.RANGE):
            why = _why(row, scope)
            # One section around all is no better than what is told already.
            if why and (scope is Scope.TABLE or why != _why(row, Scope.TABLE)):
                place = f"{row.arch} {row.release}"
                found.setdefault((row.space, scope, why), {}).setdefault(place, []).append(row)
    return [
        _sentence(space, Scope(scope), why, places) for (space, scope, why), places in found.items()
    ]


def _sentence(space: str, scope: Scope, why: str, places: Mapping[str, Sequence[CostRow]]) -> str:
    several: dict[tuple[int, ...], list[str]] = {}
    for place, rows in places.items():
        several.setdefault(tuple(row.entries for row in rows), []).append(place)
    where = "; ".join(
        f"{', '.join(there)} for {', '.join(map(str, entries))}"
        for entries, there in several.items()
    )
    pinned = {
        row.counts[scope].pinned
        for rows in places.values()
        for row in rows
        if row.counts[scope].pinned > row.counts[Scope.NONE].pinned
    }
    off = f"; they keep preemption off for up to {count(max(pinned), 'write')}" if pinned else ""
    entries = f"{space} entries, " if space else ""
    return f"{_SCOPES[scope]} {why}{off}: {entries}{where}"


_SCOPES = {Scope.TABLE: "sections of a table", Scope.RANGE: "sections around all"}


def _why(row: CostRow, scope: Scope) -> str:
    """Why sections there are a loss, "" where they are none."""
    if scope not in row.counts:
        return ""
    there = row.counts[scope]
    if not there.sections:
        return "are not there: the function begins none"
    saved = row.saved(scope)
    if saved > 0:
        return ""
    if saved < 0:
        return "are a loss: with them there is more to do than without"
    if not there.put_off:
        return "are a loss: nothing is put off in them"
    return "save nothing: what is put off is as much as without"
