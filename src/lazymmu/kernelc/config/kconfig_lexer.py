# SPDX-License-Identifier: GPL-2.0-or-later
"""The lexer of Kconfig files: statements of a keyword and what follows it.

Comments and help texts are left out, lines that go on are joined. `---help---` is older (before
v4.18).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_LINE_CHARACTERS", "quoted", "split_condition", "statements"]

MAX_LINE_CHARACTERS: Final = 20_000
"""Longest line that is looked at; scripts/kconfig/lexer.l takes no such line."""

_HELP: Final = frozenset({"help", "---help---"})
_QUOTED: Final = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
_SPLIT_IF: Final = re.compile(r"\"[^\"]*\"|'[^']*'|((?:\s|(?<=[)\"']))if\b)")


def statements(text: str, lost: dict[str, None]) -> Iterator[tuple[str, str]]:
    """Yield keyword and rest of each statement; why one could not be read is added to `lost`."""
    lines = text.split("\n")
    index, count = 0, len(lines)
    while index < count:
        line = lines[index].strip()
        index += 1
        if not line or line[0] == "#":
            continue
        if line.endswith("\\"):
            pieces = []
            while line.endswith("\\"):
                pieces.append(line[:-1])
                line = lines[index].strip() if index < count else ""
                index += 1
            line = " ".join([*pieces, line])
        if len(line) > MAX_LINE_CHARACTERS:
            lost[f"a line of more than {MAX_LINE_CHARACTERS} characters"] = None
            continue
        parts = line.split(None, 1)
        if not parts:
            continue
        keyword = parts[0]
        rest = parts[1] if len(parts) > 1 else ""
        if "#" in rest:
            rest = _uncommented(rest)
        if keyword not in _HELP:
            yield keyword, rest
        elif not rest:
            index = _after_help(lines, index)


def quoted(rest: str) -> tuple[str, str] | None:
    """Return the string that `rest` begins with, and what stands behind it; None for no string."""
    match = _QUOTED.match(rest)
    return (match[1] or match[2] or "", rest[match.end() :]) if match is not None else None


def split_condition(rest: str) -> tuple[str, str | None]:
    """Split `value if condition`; without an `if` there is no condition."""
    if "if" in rest:
        for match in _SPLIT_IF.finditer(rest):
            if match[1] is not None:
                return rest[: match.start()].strip(), rest[match.end() :].strip()
    return rest, None


def _uncommented(rest: str) -> str:
    quote = ""
    for position, character in enumerate(rest):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return rest[:position].rstrip()
    return rest


def _after_help(lines: list[str], index: int) -> int:
    """Return the index of the first line behind the help text that begins at `index`.

    A help text has the indentation of its first line, and ends at a line with less.
    """
    count = len(lines)
    while index < count and not lines[index].strip():
        index += 1
    if index == count:
        return index
    first = lines[index]
    prefix = first[: len(first) - len(first.lstrip())]
    if not prefix:
        return index
    column = len(prefix.expandtabs())
    while index < count:
        line = lines[index]
        if not line.startswith(prefix):
            stripped = line.lstrip()
            if stripped and len(line[: len(line) - len(stripped)].expandtabs()) < column:
                break
        index += 1
    return index
