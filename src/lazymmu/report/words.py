# SPDX-License-Identifier: GPL-2.0-or-later
"""The phrases that every text format shares: harmless on a terminal, and in good grammar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["clean", "count", "grouped"]

_Key = TypeVar("_Key")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """`text` on one line and harmless on a terminal: control characters are spelt out.

    File names and identifiers come from the tree, which is not trusted.
    """
    return _CONTROL.sub(lambda hit: f"\\x{ord(hit[0]):02x}", text)


def count(number: int, one: str, many: str | None = None) -> str:
    """`number` with its noun: "1 finding", "2 findings"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def grouped(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, list[str]]:
    """For each first of `pairs` the seconds that came with it, both in order of appearance."""
    groups: dict[_Key, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
