# SPDX-License-Identifier: GPL-2.0-or-later
"""The preprocessor's directives of one text: where they stand, and which branch ends where.

Limits: a comment opener inside a string that goes on over lines can hide directives up to the
next comment end.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "MAX_DIRECTIVES",
    "OPENERS",
    "Directive",
    "include_guard",
    "macro_text",
    "plain",
    "scan",
]

Directive = tuple[str, int, int, str, str]
"""One preprocessor directive: (kind, start, end, word, rest).

kind: if, ifdef, ifndef, elif, else, endif, define, undef or include; start, end: its offsets,
line continuations and a comment that it opens included; word: the identifier that follows at
once, or nothing; rest: what comes after that.
"""


_DIRECTIVE: Final = re.compile(
    r"\n[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif|define|undef|include)\b[ \t]*"
    r"(\w*)([^\n\\]*(?:\\(?:\r\n|[\s\S])[^\n\\]*)*)"
)
_COMMENT: Final = re.compile(
    r"(\"(?>(?:[^\"\\\n]++|\\.)*)(?:\"|(?=\n)|\Z|\\))|/\*[\s\S]*?(?:\*/|\Z)|//[^\n]*"
)
_LONGEST: Final = 200_000
"""Longest macro that is read again by its place, in characters."""

MAX_DIRECTIVES: Final = 1_000_000
"""Most directives of one file; the most in 7.3, registers of a graphics card, are 194,934."""

OPENERS: Final = frozenset({"if", "ifdef", "ifndef"})
"""Directives that begin a group of branches."""

_LINES: Final = frozenset({"define", "undef", "include"})


def plain(text: str) -> str:
    """Return `text` without comments and line continuations, and without outer blanks."""
    if "\\" in text:
        text = text.replace("\\\r\n", " ").replace("\\\n", " ")
    if "/*" in text or "//" in text:
        text = _COMMENT.sub(lambda match: match[1] or " ", text)
    return text.strip()


def _in_comment(text: str, position: int, end: int, inside: bool) -> bool:
    """Tell whether `end` lies in a block comment, when `position` is or is not `inside` one."""
    while True:
        if inside:
            close = text.find("*/", position, end)
            if close < 0:
                return True
            position, inside = close + 2, False
        opener = text.find("/*", position, end)
        if opener < 0:
            return False
        line = text.rfind("\n", position, opener) + 1
        before = text[max(line, position) : opener]
        if "//" in before or before.count('"') % 2:
            position = opener + 2
            continue
        position, inside = opener + 2, True


def scan(text: str) -> tuple[list[Directive], list[int]]:
    """Return the directives of `text` that stand outside comments, and how their groups go on.

    `text` is a file decoded as latin-1, so that offsets are byte offsets. The second list has
    for each if, ifdef, ifndef, elif and else the index of the directive that ends its branch
    (the number of directives when none does), and 0 for others.
    """
    found: list[Directive] = []
    following: list[int] = []
    open_branches: list[int] = []
    position, inside = 0, False
    # The pattern starts at a newline, which is what makes it fast.
    text = "\n" + text
    for match in _DIRECTIVE.finditer(text):
        start, end = match.start() + 1, match.end()
        if start < position:
            # In a comment that the directive before it opened.
            continue
        if len(found) >= MAX_DIRECTIVES:
            break
        opener = text.rfind("/*", position, start)
        if inside or (opener >= 0 and text.find("*/", opener + 2, start) < 0):
            inside = _in_comment(text, position, start, inside)
            if inside:
                position = start
                continue
        kind, word, rest = match.groups()
        if "/*" in rest and _in_comment(rest, 0, len(rest), False):
            # The directive ends on the line on which its comment does.
            close = text.find("*/", end)
            end = close + 2 if close >= 0 else len(text)
        position = end
        if kind not in _LINES:
            index = len(found)
            if kind in OPENERS:
                open_branches.append(index)
            elif open_branches:
                following[open_branches.pop()] = index
                if kind != "endif":
                    open_branches.append(index)
        following.append(0)
        found.append((kind, start - 1, end - 1, word, rest))
    for index in open_branches:
        following[index] = len(found)
    return found, following


def macro_text(text: str, start: int) -> str:
    """Return what stands behind the name in the `#define` that begins at offset `start`."""
    match = _DIRECTIVE.match("\n" + text[start : start + _LONGEST])
    return match[3] if match is not None else ""


def include_guard(directives: list[Directive], following: list[int]) -> str | None:
    """Return the include guard that wraps all directives of a file, None if there is none."""
    if directives and directives[0][0] == "ifndef" and following[0] == len(directives) - 1:
        return directives[0][3]
    return None
