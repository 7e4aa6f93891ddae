# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a merge that nobody has resolved left its marks in a file.

Between the marks stand two texts, or three, of which one was meant. What a compiler would refuse
is not to be guessed: no definition that touches such a place is read.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CONFLICT", "conflicts", "touches"]

CONFLICT: Final = "conflict markers of a merge"
"""Why a definition or file is not read that has them."""

_MARK: Final = re.compile(rb"^([<=>|])\1{6}(?:[ \r\n]|\Z)", re.M)
_LINES: Final = tuple(b"\n" + bytes([mark]) * 7 for mark in b"<=>|")
_BRANCHES: Final = re.compile(rb"^[ \t]*+#[ \t]*+(?:if|el|endif)", re.M)


def conflicts(text: bytes) -> list[tuple[int, int]]:
    """Return the spans of a file that conflict markers make unreadable, in order and apart.

    A span goes from the line of `<<<<<<<` to the end of that of `>>>>>>>`; a mark without its
    partner is one of its own, but for a first one, which leads to the end of the text. A conflict
    about `#if` decides about everything behind it.
    """
    # A search from the end is half as long again as fast as one from the beginning.
    if not any(text.rfind(line) >= 0 or text.startswith(line[1:]) for line in _LINES):
        return []
    spans: list[tuple[int, int]] = []
    opened = -1
    middle = -1
    for match in _MARK.finditer(text):
        at = match.start()
        mark = match[1]
        if mark == b"<":
            opened = at if opened < 0 else opened
            continue
        if mark != b">" and opened >= 0:
            continue
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end + 1
        if mark == b">":
            first = opened if opened >= 0 else middle if middle >= 0 else at
            spans.append((first, end))
            opened = middle = -1
        else:
            middle = at if middle < 0 else middle
            spans.append((at, end))
    if opened >= 0:
        spans.append((opened, len(text)))
    for number, (first, last) in enumerate(spans):
        if _BRANCHES.search(text, first, last):
            return [*spans[:number], (first, len(text))]
    return spans


def touches(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Tell whether text[start:end] touches one of the spans of a file."""
    return any(first < end and last > start for first, last in spans)
