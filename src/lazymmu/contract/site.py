# SPDX-License-Identifier: GPL-2.0-or-later
"""Where something happened."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """Where an event happened: a place of a source tree, or of any other text.

    `file` is relative to the tree, `line` and `column` count from 1 (0: not known), `function`
    is the enclosing function's name.
    """

    file: str
    line: int
    column: int = 0
    function: str = ""

    def __str__(self) -> str:
        """`file:line:column`, as a compiler would print it."""
        return f"{self.file}:{self.line}:{self.column}"
