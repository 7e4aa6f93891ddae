# SPDX-License-Identifier: GPL-2.0-or-later
"""What the enumerators of a file are worth, as far as that stands in the file itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.parse.lexemes import COMMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_enumerators"]

_COMMENT: Final = re.compile(COMMENT)
_ENUM: Final = re.compile(rb"\benum\b[^;{}()=#]{0,200}\{([^{}#]*)\}")
"""An enumeration with its members. What has directives in it depends on how it is built, and what
has braces is none."""

_MEMBER: Final = re.compile(rb"\s*([A-Za-z_]\w*+)\s*(?:=(.*))?\Z", re.S)
_NUMBER: Final = re.compile(rb"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\Z")


def read_enumerators(text: bytes) -> dict[str, str]:
    """Return the enumerators of a file with their values in decimal.

    Those whose value is an expression, and those after them, are left out until one is given a
    number again; so are names that the file has more than once.
    """
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name, value in _every(text):
        if name in found:
            twice.add(name)
        if value is not None:
            found[name] = str(value)
    return {name: value for name, value in found.items() if name not in twice}


def _every(text: bytes) -> Iterator[tuple[str, int | None]]:
    if b"enum" not in text:
        return
    for match in _ENUM.finditer(_COMMENT.sub(b" ", text)):
        known: dict[bytes, int | None] = {}
        following: int | None = 0
        for part in match[1].split(b","):
            member = _MEMBER.match(part)
            if member is None:
                following = None
                continue
            value = _value(member[2].strip(), known) if member[2] is not None else following
            known[member[1]] = value
            following = None if value is None else value + 1
            yield member[1].decode("latin-1"), value


def _value(text: bytes, known: dict[bytes, int | None]) -> int | None:
    """What an enumerator is given: a number, or what one before it was."""
    number = _NUMBER.match(text)
    if number is None:
        return known.get(text)
    digits = number[1]
    base = 16 if digits[:2] in (b"0x", b"0X") else 8 if digits.startswith(b"0") else 10
    try:
        return int(digits, base)
    except ValueError:
        return None
