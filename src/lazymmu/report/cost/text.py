# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts for people: a table, and below it where sections are a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.costs.counts import Scope
from lazymmu.report.common.table import folded, plain
from lazymmu.report.common.words import clean
from lazymmu.report.cost.losses import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.costs.counts import Counts
    from lazymmu.verbs.cost import CostAnswer, CostRow

__all__ = ["render"]

_TITLES: Final = {Scope.TABLE: "sections of a table", Scope.RANGE: "one around all"}
_WORDS: Final = {
    "hypercalls": ("hypercall", "hypercalls"),
    "barriers": ("barrier", "barriers"),
    "invalidations": ("invalidation", "invalidations"),
}

_OFF: Final = "off N: preemption is off for N writes in one go, by the mode or by a lock"


def render(answer: CostAnswer, width: int | None = None) -> str:
    """The table; width: columns to fold it to, None for as many as it takes."""
    from rich.table import Table

    scopes = [scope for scope in _TITLES if any(scope in row.counts for row in answer.rows)]
    table = Table(box=None, pad_edge=False, header_style="")
    titles = ["on", "maps", "entries", "no section", *(_TITLES[scope] for scope in scopes)]
    for title in titles:
        table.add_column(title, overflow="fold")
    if len(scopes) == len(_TITLES):
        table.add_column("kept", justify="right")
    for row in answer.rows:
        table.add_row(*map(clean, _cells(row, scopes)))
    said = (
        [_OFF]
        if any(counts.pinned for row in answer.rows for counts in row.counts.values())
        else []
    )
    said += [clean(line) for line in sentences(answer.rows)]
    if width is not None:
        said = [piece for line in said for piece in folded(line, width)]
    head = f"{clean(answer.request.operation)}()\n\n"
    return head + plain(table, width) + "".join(f"{line}\n" for line in ["", *said] if said)


def _cells(row: CostRow, scopes: list[Scope]) -> Iterator[str]:
    yield f"{row.arch} {row.release}"
    yield row.space
    several = f" in {row.tables} tables" if row.tables > 1 else ""
    yield f"{row.entries}{several}"
    yield _said(row.counts[Scope.NONE])
    for scope in scopes:
        yield _said(row.counts[scope])
    if len(scopes) == len(_TITLES):
        yield "-" if row.kept is None else f"{100 * row.kept:.1f} %"


def _said(counts: Counts) -> str:
    """What is slow, and for how many writes preemption was off."""
    parts = []
    for name, words in _WORDS.items():
        number = getattr(counts, name)
        if number:
            parts.append(f"{number} {words[number != 1]}")
    if counts.multicall_entries and counts.multicall_entries != counts.hypercalls:
        parts.append(f"{counts.multicall_entries} in multicalls")
    if counts.pinned:
        parts.append(f"off {counts.pinned}")
    return ", ".join(parts) or "nothing"
