# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines and words as the compiler first sees them (C11 5.1.1.2, translation phases 1 and 2).

The compiler joins a line that ends with a backslash to the next one before it reads words, so that
`lazy_` with a backslash and `mmu` on the next line are one word, which no search would find.
Splicing proper would change every offset and line behind it. Moving the backslash and the newline
behind the word means the same, and keeps the length of the text, its number of lines, and the line
on which the word begins.
"""

from __future__ import annotations

import re

__all__ = ["cuts_words", "plain_lines", "whole_words"]

# It begins with its one fixed byte, for which the engine looks faster than for anything else.
_CUT = re.compile(rb"\\\r?\n(?>(?:\\\r?\n)*)\w")
_WORD = re.compile(rb"\w")
_PIECES = re.compile(rb"\w++(?>(?:(?>(?:\\\r?\n)+)\w++)+)")
_SPLICE = re.compile(rb"\\\r?\n")


def whole_words(text: bytes) -> bytes:
    """Return the text with every word that a spliced line cuts in one piece.

    The result has the length and the number of newlines of `text`.
    """
    return _PIECES.sub(_joined, text) if cuts_words(text, len(text)) else text


def plain_lines(text: bytes) -> bytes:
    """Return the text with lines that end with a newline alone, and of the same length.

    A patch that came by mail may end its lines with a carriage return and a newline, which
    compilers take for the same.
    """
    if b"\r\n" not in text:
        return text
    return text.replace(b"\\\r\n", b" \\\n").replace(b"\r\n", b" \n")


def cuts_words(text: bytes | bytearray, end: int) -> bool:
    """Tell whether a spliced line cuts a word in the first `end` bytes of a text."""
    # One byte is found at six times the speed of a pattern, and most files have no backslash.
    first = text.find(b"\\", 0, end)
    match = _CUT.search(text, first, end) if first >= 0 else None
    while match is not None:
        at = match.start()
        if at and _WORD.match(text, at - 1) is not None:
            return True
        match = _CUT.search(text, match.end(), end)
    return False


def _joined(match: re.Match[bytes]) -> bytes:
    pieces = match[0]
    return _SPLICE.sub(b"", pieces) + b"".join(_SPLICE.findall(pieces))
