# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest pieces of C text: comments, strings, words, parentheses.

Patterns here are parts for larger ones. None of them backtracks, whatever the input: quantifiers
of one character or class are possessive, and what repeats a group stands in an atomic group,
because before Python 3.11.5 a possessive quantifier of a group may match wrongly or for ever
(CPython gh-106052, "Fix bug in the matching of possessive quantifiers").
"""

from __future__ import annotations

import re

__all__ = [
    "CHAR",
    "COMMENT",
    "KEYWORDS",
    "LINE_COMMENT",
    "REACH",
    "STRING",
    "blank",
    "closing",
    "fill",
    "is_word",
    "opening",
    "parentheses",
    "without_comments",
    "without_lexemes",
    "word_before",
]

COMMENT = rb"/\*(?>(?:[^*]++|\*(?!/))*)(?:\*/|\Z)"
LINE_COMMENT = rb"//(?>(?:[^\\\n]++|\\\r?[\s\S])*)"
STRING = rb'"(?>(?:[^"\\\n]++|\\[\s\S])*)"'
CHAR = rb"'(?>(?:[^'\\\n]++|\\[^\n])+)'"

KEYWORDS = frozenset(
    b"if while for switch return sizeof else do case goto default break continue asm __asm__ "
    b"typeof __typeof__ __typeof volatile inline const struct union enum static extern register "
    b"typedef int long char void unsigned signed short bool float double _Bool".split()
)
"""Words that name no function and no macro that could stand before parentheses."""

_LEXEME = re.compile(COMMENT + rb"|" + LINE_COMMENT + rb"|" + STRING + rb"|" + CHAR)
_DIRECTIVE = re.compile(
    rb"(?:\A|\n)[ \t]*+\#[ \t]*+"
    rb"(?:define|undef|include|pragma|error|warning|line|ident)\b"
    rb"(?>(?:[^\\\n/\"']++|\\\r?[\s\S]|" + COMMENT + rb"|" + STRING + rb"|" + CHAR + rb"|[/\"'])*)"
)
REACH = 1 << 15
"""How far apart parentheses of one pair may be, in bytes, so that no input takes quadratic time.
Between those of one kernel call there are at most a few kilobytes."""

_SPACES = bytes(b if b == 0x0A else 0x20 for b in range(256))
_CONTINUED = bytes(b if b in (0x0A, 0x5C) else 0x20 for b in range(256))
_PAREN = re.compile(rb"[()]")
_IS_WORD = bytes(chr(b).isalnum() or b == 0x5F for b in range(128)) + bytes(128)


def parentheses(depth: int) -> bytes:
    """Make the pattern of parentheses with others inside, `depth` deep, and no statement."""
    pattern = rb"\([^(){};]*+\)"
    for _ in range(depth - 1):
        pattern = rb"\((?>(?:[^(){};]++|" + pattern + rb")*)\)"
    return pattern


def blank(piece: bytes) -> bytes:
    """Spaces in place of every byte but newlines."""
    return piece.translate(_SPACES)


def fill(out: bytearray, start: int, end: int, text: bytes = b"") -> None:
    """Put `text` and spaces in place of out[start:end]; newlines stay, and `text` if it fits."""
    out[start:end] = out[start:end].translate(_SPACES)
    if len(text) <= end - start:
        out[start : start + len(text)] = text


def is_word(text: bytes | bytearray, at: int) -> bool:
    """Whether the byte at `at` belongs to a word; nothing does before the beginning."""
    return at >= 0 and bool(_IS_WORD[text[at]])


def closing(text: bytes | bytearray, start: int, end: int | None = None) -> int:
    """Offset of the `)` that closes the `(` at `start`, or -1 if none does before `end`.

    Strings and comments must have been blanked. Without `end` the search ends after REACH bytes.
    """
    depth = 0
    last = min(len(text), start + REACH) if end is None else end
    for match in _PAREN.finditer(text, start, last):
        depth += 1 if match[0] == b"(" else -1
        if depth == 0:
            return match.start()
    return -1


def opening(text: bytes | bytearray, at: int, pair: bytes = b"()") -> int:
    """Offset of the `(` of the parentheses around `at`, or -1 if none is within REACH bytes.

    With `at` on a `)`, that is the `(` which it closes. `pair` may be b"{}" for braces.
    """
    opens, closes = pair
    depth = 0 if text[at] == closes else 1
    for offset in range(at - (depth > 0), max(-1, at - REACH), -1):
        byte = text[offset]
        depth += (byte == closes) - (byte == opens)
        if depth == 0:
            return offset
    return -1


def word_before(text: bytes | bytearray, at: int) -> tuple[int, int]:
    """Offsets (start, end) of the word that ends before `at`, spaces between not counted.

    start equals end if something else stands there; end is then behind that something.
    """
    end = at
    while end > 0 and text[end - 1] in b" \t\n":
        end -= 1
    start = end
    while start > 0 and _IS_WORD[text[start - 1]]:
        start -= 1
    return start, end


def without_lexemes(text: bytes) -> bytes:
    """Blank comments, what is inside of quotes, and directives that choose nothing (#define).

    Length and newlines stay. A string that goes on over a line keeps its backslash.
    """
    if b"#" in text:
        text = _DIRECTIVE.sub(lambda line: blank(line[0]), text)
    return _LEXEME.sub(_emptied, text)


def without_comments(text: bytes) -> bytes:
    """Blank comments; length and newlines stay."""
    if b"/*" not in text and b"//" not in text:
        return text
    return _LEXEME.sub(lambda match: blank(match[0]) if match[0][0] == 0x2F else match[0], text)


def _emptied(match: re.Match[bytes]) -> bytes:
    piece = match[0]
    first = piece[0]
    if first == 0x22:
        if b"\n" in piece:
            inside = piece[1:-1].translate(_CONTINUED)
            return b'"' + re.sub(rb"\\(?!\n)", b" ", inside) + b'"'
        return b'"' + b" " * (len(piece) - 2) + b'"'
    if first == 0x27:
        return b"'" + b" " * (len(piece) - 2) + b"'"
    return piece.translate(_SPACES)
