# SPDX-License-Identifier: GPL-2.0-or-later
"""The phrases that every text format shares: harmless on a terminal, and in good grammar.

`clean` is that of `lazymmu.terminal`, under the name that the formats know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["clean", "count", "grouped"]

_Key = TypeVar("_Key")


def count(number: int, one: str, many: str | None = None) -> str:
    """`number` with its noun: "1 finding", "2 findings"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def grouped(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, list[str]]:
    """For each first of `pairs` the seconds that came with it, both in order of appearance."""
    groups: dict[_Key, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
