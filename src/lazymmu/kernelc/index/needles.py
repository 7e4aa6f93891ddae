# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of some short texts are in a long one: asked of every file of a tree.

Needles that share a part are searched by that part first. The C library's memmem(3) is twice as
fast as Python's search; where there is none, or none that can be called, Python's does.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Needles"]

_SHARED: Final = 6
"""Least length of a common part of needles that is worth a search of its own."""

_RAREST: Final = b"zqjZJQ"
"""The letters that few files have near their beginning, the rarest first."""


class _Group(NamedTuple):
    """Needles that share a part: the part's rarest byte, it, and the needles with their numbers."""

    rare: bytes
    part: bytes
    members: list[tuple[int, bytes]]


def _memmem() -> Callable[[object, int, bytes, int], int | None] | None:
    """The C library's function, None where there is none."""
    try:
        found = ctypes.CDLL(None).memmem
    except (OSError, AttributeError, TypeError):
        return None
    found.restype = ctypes.c_void_p
    found.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    return found


class Needles:
    """Needles to be found in one text after the other."""

    def __init__(self, needles: Sequence[bytes], memmem: bool = True) -> None:
        """Group `needles`, none of which is empty.

        :param memmem: whether the C library may search.
        """
        self._groups = _groups(needles)
        self._memmem = _memmem() if memmem else None

    def within(self, buffer: bytearray, size: int) -> list[int]:
        """Return the numbers of the needles that are in the first `size` bytes of `buffer`."""
        if self._memmem is None:
            parts = [group for group in self._groups if _has(buffer, size, group)]
        else:
            size = min(size, len(buffer))  # C would read on
            memory = (ctypes.c_char * len(buffer)).from_buffer(buffer)
            parts = [
                group
                for group in self._groups
                if self._memmem(memory, size, group.part, len(group.part)) is not None
            ]
            del memory  # as long as it is there the buffer cannot grow
        return sorted(
            number
            for group in parts
            for number, needle in group.members
            if needle == group.part or buffer.rfind(needle, 0, size) >= 0
        )


def _has(buffer: bytearray, size: int, group: _Group) -> bool:
    """Whether the part that the needles of a group share is in a text."""
    # One byte is found at ten times the speed of two; a search from the end skips more.
    at = buffer.find(group.rare, 0, size)
    return at >= 0 and buffer.rfind(group.part, max(at - len(group.part), 0), size) >= 0


def _groups(needles: Sequence[bytes]) -> list[_Group]:
    """Needles by a part that they share, and that by its rarest byte."""
    groups: list[tuple[bytes, list[tuple[int, bytes]]]] = []
    for number, needle in enumerate(needles):
        for place, (part, members) in enumerate(groups):
            shared = _shared(part, needle)
            if len(shared) >= _SHARED:
                groups[place] = (shared, [*members, (number, needle)])
                break
        else:
            groups.append((needle, [(number, needle)]))
    return [_Group(min(_bytes(part), key=_rarity), part, members) for part, members in groups]


def _bytes(text: bytes) -> list[bytes]:
    return [text[at : at + 1] for at in range(len(text))]


def _rarity(byte: bytes) -> int:
    """The place of a byte among those of C text, the rarest first."""
    at = _RAREST.find(byte)
    return at if at >= 0 else len(_RAREST)


def _shared(one: bytes, other: bytes) -> bytes:
    """The longest part that both contain."""
    for length in range(min(len(one), len(other)), 0, -1):
        for start in range(len(one) - length + 1):
            if one[start : start + length] in other:
                return one[start : start + length]
    return b""
