# SPDX-License-Identifier: GPL-2.0-or-later
"""A table as plain text, as wide as it needs to be or as the terminal is."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["plain"]


def plain(table: Table, width: int | None = None) -> str:
    """`table` without colour or trailing spaces; width: columns, None for as many as it takes."""
    from rich.console import Console

    file = io.StringIO()
    # A pipe has no width, and cutting or folding what grep will read would lose matches.
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
