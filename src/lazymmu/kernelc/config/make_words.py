# SPDX-License-Identifier: GPL-2.0-or-later
"""Words of Makefiles with their presence conditions, and how make cuts and joins texts.

A word's presence condition (see presence.py) is that under which a list has it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.presence import (
    ALWAYS,
    PresenceCondition,
    both,
    is_negative,
    literals,
    uses_unevaluated,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "UNKNOWN",
    "Word",
    "closing",
    "commas",
    "fits",
    "presence_of",
    "replaced",
    "sides",
    "uncertain",
]

Word = tuple[str, PresenceCondition]

UNKNOWN: Final = "\0"
"""Stands in a word for a text that cannot be evaluated: what a shell would answer, say."""


def uncertain(presence: PresenceCondition) -> bool:
    """Tell whether a condition is of one side of a test whose other side was taken as well.

    Of several literals in a clause each is a way to that side.
    """
    return any(
        is_negative(clause) or len(literals(clause)) > 1 or uses_unevaluated(clause)
        for clause in presence
    )


def presence_of(words: Iterable[Word]) -> PresenceCondition:
    """Return the condition under which all words are there."""
    found = ALWAYS
    for _, presence in words:
        found = both(found, presence)
    return found


def closing(text: str, opener: int) -> int:
    """Return the index of the bracket that closes the one at `opener`."""
    pair = {"(": ")", "{": "}"}[text[opener]]
    depth = 0
    for index in range(opener, len(text)):
        if text[index] == text[opener]:
            depth += 1
        elif text[index] == pair:
            depth -= 1
            if depth == 0:
                return index
    return len(text)


def commas(text: str) -> list[str]:
    """Split a function's arguments at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def sides(text: str) -> tuple[str, str]:
    """Split the operands of ifeq: `(a,b)`, or two quoted ones."""
    text = text.strip()
    if text.startswith("("):
        parts = commas(text[1 : closing(text, 0)])
        return parts[0].strip(), ",".join(parts[1:]).strip()
    quoted: list[tuple[str, str]] = re.findall(r"\"([^\"]*)\"|'([^']*)'", text)
    values = ["".join(item) for item in quoted]
    return (values[0], values[1]) if len(values) > 1 else (text, "")


def fits(word: str, pattern: str) -> bool:
    """Tell whether a word is what a pattern with one `%` describes."""
    head, percent, tail = pattern.partition("%")
    if not percent:
        return word == pattern
    return len(word) >= len(head) + len(tail) and word.startswith(head) and word.endswith(tail)


def replaced(word: str, old: str, new: str) -> str:
    """Replace by pattern, as patsubst and `$(x:old=new)` do."""
    if "%" not in old:
        old, new = f"%{old}", f"%{new}"
    if not fits(word, old):
        return word
    head, _, tail = old.partition("%")
    return new.replace("%", word[len(head) : len(word) - len(tail)], 1)
