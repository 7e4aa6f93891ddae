# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of a tree's sections: where each is, over what, under which locks, and its reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common.table import folded, plain
from lazymmu.report.common.words import clean, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.witness.finding import SectionRow, Sections

__all__ = ["HEADS", "of_trees", "render", "values"]

HEADS: Final = (
    "file", "line", "function", "space", "locks_begin", "locks_end", "pinned", "arches", "actions",
    "sleeps", "nests", "flushes",
)  # fmt: skip
"""The columns of `values`."""


def of_trees(trees: Sequence[tuple[str, Sections]], width: int | None = None) -> str:
    """The table of each tree, under its name where there are several."""
    return "\n".join(
        (f"{clean(tree)}:\n" if len(trees) > 1 else "") + render(found.rows, width)
        for tree, found in trees
    )


def values(row: SectionRow) -> tuple[str | int, ...]:
    """One section as `HEADS` has it, a cell each; several of something are parted by `; `."""
    return (
        row.file,
        row.line,
        row.function,
        row.space,
        "; ".join(row.locks_begin),
        "; ".join(row.locks_end),
        "; ".join(row.pinned),
        " ".join(row.arches),
        " ".join(f"{action}:{line}" for line, action in row.actions),
        "; ".join(row.sleeps),
        "; ".join(row.nests),
        "; ".join(row.flushes),
    )


_NOTHING = "nothing"

_PINS = {
    "spinlock": "a spinlock",
    "preempt": "preemption off",
    "migrate": "migration off",
    "irq": "interrupts off",
    "bh": "bottom halves off",
}


def render(rows: Sequence[SectionRow], width: int | None = None) -> str:
    """A line for each section, and below the table a line for each thing that one reaches.

    :param width: columns to fold the table to, None for as many as it takes.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="")
    for title in ("section", "function", "maps", "locks", "pinned by", "on", "calls"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(clean, _cells(row)))
    reach = [clean(line) for row in rows for line in _reach(row)]
    if width is not None:
        reach = [piece for line in reach for piece in folded(line, width)]
    return plain(table, width) + "".join(f"{line}\n" for line in ["", *reach] if reach)


def _cells(row: SectionRow) -> Iterator[str]:
    yield f"{row.file}:{row.line}"
    yield f"{row.function}()"
    yield row.space
    begin, end = (_either(locks) for locks in (row.locks_begin, row.locks_end))
    yield begin if begin == end else f"{begin} -> {end}"
    yield _either([_PINS.get(pin, pin) for pin in row.pinned])
    yield ", ".join(row.arches)
    yield " ".join(f"{action}:{line}" for line, action in row.actions)


def _either(said: Sequence[str]) -> str:
    """What is held, which on some paths may be nothing."""
    held = ", ".join(one for one in said if one != _NOTHING)
    if not held:
        return _NOTHING
    return f"{_NOTHING}, or {held}" if _NOTHING in said else held


def _reach(row: SectionRow) -> Iterator[str]:
    for verb, chains in (("sleeps", row.sleeps), ("nests", row.nests), ("flushes", row.flushes)):
        # A chain begins with the architecture that has it; most are the same on several.
        pairs = (chain.partition(": ") for chain in chains)
        for chain, arches in grouped((rest, arch) for arch, _, rest in pairs).items():
            yield f"{row.file}:{row.line}: {row.function}() {verb} on {', '.join(arches)}: {chain}"
