# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether plain values have the shape that they are said to have.

What is read back from a cache may be anything that JSON can hold. Each function returns its
argument when it has the shape, and raises TypeError or ValueError when it has not, so that nothing
of another shape gets any further. The checks are those of the built-in functions, because the
lists are long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["index", "listed", "mapped", "numbers", "pairs", "string", "strings"]

V = TypeVar("V")


def listed(value: object) -> list[object]:
    """A list of anything."""
    if type(value) is not list:
        raise TypeError("not a list")
    return value


def mapped(value: object) -> dict[str, object]:
    """An object of JSON, whose keys are strings."""
    if type(value) is not dict or not set(map(type, value)) <= {str}:
        raise TypeError("not an object")
    return value


def string(value: object) -> str:
    """A string."""
    if type(value) is not str:
        raise TypeError("not a string")
    return value


def strings(value: object) -> list[str]:
    """A list of strings."""
    items = listed(value)
    if not set(map(type, items)) <= {str}:
        raise TypeError("not strings")
    return items  # type: ignore[return-value]


def numbers(value: object, least: int, end: int) -> list[int]:
    """A list of whole numbers, each at least `least` and less than `end`."""
    items = listed(value)
    if not set(map(type, items)) <= {int}:
        raise TypeError("not numbers")
    found: list[int] = items  # type: ignore[assignment]
    if found and (min(found) < least or max(found) >= end):
        raise ValueError("out of range")
    return found


def index(text: str, end: int) -> int:
    """The number that a key is, from 0 and less than `end`."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) >= end:
        raise ValueError("not an index")
    return int(text)


def pairs(values: Iterable[V], width: int) -> list[tuple[V, ...]]:
    """Values that stand in a row, `width` of them together."""
    items = list(values)
    return list(zip(*(items[start::width] for start in range(width)), strict=True))
