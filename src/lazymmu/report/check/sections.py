# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of a tree's sections: where each is, over what, under which locks, and its reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.common.table import plain
from lazymmu.report.common.words import clean, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.witness.finding import SectionRow

__all__ = ["render"]


def render(rows: Sequence[SectionRow], width: int | None = None) -> str:
    """A line for each section, and below the table a line for each thing that one reaches.

    width: columns to fold the table to, None for as many as it takes.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="")
    for title in ("section", "function", "maps", "locks", "pinned by", "on", "calls"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(clean, _cells(row)))
    reach = [clean(line) for row in rows for line in _reach(row)]
    return plain(table, width) + "".join(f"{line}\n" for line in ["", *reach] if reach)


def _cells(row: SectionRow) -> Iterator[str]:
    yield f"{row.file}:{row.line}"
    yield f"{row.function}()"
    yield row.space
    begin, end = (", ".join(locks) or "none" for locks in (row.locks_begin, row.locks_end))
    yield begin if begin == end else f"{begin} -> {end}"
    yield ", ".join(row.pinned) or "nothing"
    yield ",".join(row.arches)
    yield " ".join(f"{action}:{line}" for line, action in row.actions)


def _reach(row: SectionRow) -> Iterator[str]:
    for verb, chains in (("sleeps", row.sleeps), ("nests", row.nests), ("flushes", row.flushes)):
        # A chain begins with the architecture that has it; most are the same on several.
        pairs = (chain.partition(": ") for chain in chains)
        for chain, arches in grouped((rest, arch) for arch, _, rest in pairs).items():
            yield f"{row.file}:{row.line}: {row.function}() {verb} on {', '.join(arches)}: {chain}"
