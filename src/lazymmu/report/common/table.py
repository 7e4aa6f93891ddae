# SPDX-License-Identifier: GPL-2.0-or-later
"""A table as plain text, as wide as it needs to be or as the terminal is."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["folded", "plain"]

_GAP: Final = 2
"""Columns between two cells, as rich pads them."""


def plain(table: Table, width: int | None = None) -> str:
    """`table` without colour or trailing spaces; width: columns, None for as many as it takes.

    Cells fold between words alone. Where not even the longest words fit beside each other, each row
    is a list of its cells.
    """
    # A pipe has no width, and cutting or folding what grep will read would lose matches.
    if width is not None and not _fit(table, width):
        return _listed(table, width)
    from rich.console import Console

    file = io.StringIO()
    console = Console(
        file=file,
        width=width or 10_000,
        color_system=None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _fit(table: Table, width: int) -> bool:
    """Give the columns widths that sum up to `width`; whether none is narrower than a word."""
    cells = [[str(column.header), *map(str, column.cells)] for column in table.columns]
    widths = [max(map(len, column), default=0) for column in cells]
    least = [
        max((len(word) for cell in column for word in cell.split()), default=0) for column in cells
    ]
    room = width - _GAP * (len(widths) - 1)
    if sum(least) > room:
        return False
    while sum(widths) > room:
        widest = max(
            (at for at in range(len(widths)) if widths[at] > least[at]), key=lambda at: widths[at]
        )
        widths[widest] -= 1
    for column, columns in zip(table.columns, widths, strict=True):
        column.width = columns
    return True


def _listed(table: Table, width: int) -> str:
    """Each row below the other: the first cell alone, and the others with their titles."""
    titles = [str(column.header) for column in table.columns]
    lines: list[str] = []
    for first, *others in zip(*(map(str, column.cells) for column in table.columns), strict=True):
        lines += folded(first, width, "")
        for title, cell in zip(titles[1:], others, strict=True):
            lines += folded(f"{title}: {cell}", width, "  ") if cell else []
    return "".join(f"{line}\n" for line in lines)


def folded(text: str, width: int, indent: str = "") -> list[str]:
    """A text in lines of at most `width`, as far as its words allow; the later ones indented."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
