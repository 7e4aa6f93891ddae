# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of a tree's sections: where each is, over what, under which locks, and its reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.words import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from lazymmu.witness.finding import SectionRow

__all__ = ["table"]


def table(rows: Sequence[SectionRow]) -> Table:
    """One row per section, with what it reaches that sleeps, nests or flushes in rows below it."""
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="")
    for title in ("section", "function", "maps", "locks at begin", "at end", "pinned by", "on"):
        grid.add_column(title, overflow="fold")
    grid.add_column("calls and reach", overflow="fold")
    for row in rows:
        reach = [" ".join(f"{action}:{line}" for line, action in row.actions)]
        reach += [f"sleeps: {chain}" for chain in row.sleeps]
        reach += [f"nests: {chain}" for chain in row.nests]
        reach += [f"flushes: {chain}" for chain in row.flushes]
        grid.add_row(
            clean(f"{row.file}:{row.line}"),
            clean(f"{row.function}()"),
            clean(row.space),
            clean(", ".join(row.locks_begin) or "none"),
            clean(", ".join(row.locks_end) or "none"),
            clean(", ".join(row.pinned) or "nothing"),
            clean(", ".join(row.arches)),
            "\n".join(clean(line) for line in reach if line),
        )
    return grid
