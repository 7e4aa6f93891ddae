# SPDX-License-Identifier: GPL-2.0-or-later
"""Words of Makefiles with the conditions that put them there, and how make cuts and joins texts.

A label is one condition: `CONFIG_X`, `CONFIG_X || CONFIG_Y` where either does, `!CONFIG_X` where
the other side of a test is meant, or the place of something that cannot be evaluated here.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "UNKNOWN",
    "Labels",
    "Word",
    "all_labels",
    "closing",
    "commas",
    "fits",
    "least",
    "opposite",
    "replaced",
    "sides",
    "uncertain",
    "union",
    "unread",
]

Labels = tuple[str, ...]
Word = tuple[str, Labels]

UNKNOWN: Final = "\0"
"""Stands in a word for a text that cannot be evaluated: what a shell would answer, say."""

_UNREAD: Final = " (not evaluated)"

_LABELS: Final = 100
"""Conditions that a word rests on, of which no more are named."""


def unread(file: str, line: int) -> str:
    """Return the label of what stands at a line of a Makefile and cannot be evaluated."""
    return f"{file}:{line}{_UNREAD}"


def uncertain(labels: Labels) -> bool:
    """Tell whether labels are of one side of a test whose other side was taken as well."""
    return any(label[0] == "!" or label.endswith(_UNREAD) for label in labels)


def opposite(labels: Labels) -> Labels:
    """Return the labels of what holds when `labels` do not all hold."""
    if any(label.endswith(_UNREAD) or " || " in label for label in labels):
        return tuple(label for label in labels if label.endswith(_UNREAD)) or labels
    turned = [label[1:] if label[0] == "!" else f"!{label}" for label in labels]
    return (" || ".join(turned),) if turned else ()


def union(left: Labels, right: Labels) -> Labels:
    """Return the labels of both sides, each once."""
    if not right or len(left) >= _LABELS:
        return left
    return left + tuple(label for label in right if label not in left)


def all_labels(words: list[Word]) -> Labels:
    """Return the labels of all words, each once."""
    found: Labels = ()
    for _, labels in words:
        found = union(found, labels)
    return found


def least(known: Labels | None, new: Labels) -> Labels:
    """Return the labels of something that is reached in two ways."""
    if known is None or known == new:
        return new
    if set(known) <= set(new):
        return known
    if set(new) <= set(known):
        return new
    common = tuple(label for label in known if label in new)
    rest = [tuple(label for label in side if label not in common) for side in (known, new)]
    if len(rest[0]) == len(rest[1]) == 1:
        words = dict.fromkeys(" || ".join((*rest[0], *rest[1])).split(" || "))
        if any(f"!{word}" in words for word in words):
            return common
        return (*common, " || ".join(words))
    return min(known, new, key=len)


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
