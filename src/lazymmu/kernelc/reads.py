# SPDX-License-Identifier: GPL-2.0-or-later
"""What a computation reads, however much of it was remembered from before.

Whoever reads something notes it. Whoever remembers a value remembers what it was made from
beside it, and notes that again when the value is used: a table of remembered values hides nothing.
Each thing that can be read is one bit of a number, so that to note many is one operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

__all__ = ["Item", "Reads"]

T = TypeVar("T")

Item: TypeAlias = tuple["Hashable", ...]
"""Something that is read: what kind of thing, then which."""


class Reads:
    """Notes what is read; `bits` are those of the computation at hand."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self.bits = 0
        self.items: list[Item] = []
        self.units: dict[Item, tuple[object, int]] = {}
        """Parts that tell others by their value alone: that, and what they read themselves."""
        self._masks: dict[Item, int] = {}
        self._shared: dict[int, int] = {}

    def note(self, item: Item) -> None:
        """Note that something is read."""
        mask = self._masks.get(item)
        if mask is None:
            mask = self._masks[item] = 1 << len(self.items)
            self.items.append(item)
        self.bits |= mask

    def met(self, item: Item) -> None:
        """Enter something that somebody has read, though nobody who is noted."""
        outer = self.bits
        self.note(item)
        self.bits = outer

    def mask(self, item: Item) -> int:
        """The bit of something that was read, nothing for what nobody has read yet."""
        return self._masks.get(item, 0)

    def instead(self, outer: int, item: Item) -> None:
        """Note `item` for all that was read since `outer` was the bits."""
        self.bits = outer
        self.note(item)

    def unit(self, item: Item, compute: Callable[[], T]) -> T:
        """Compute a part of a whole: whoever asks for it reads its value, and nothing below."""
        outer = self.begin()
        value = compute()
        self.units[item] = value, self._apart(outer)
        return value

    def begin(self) -> int:
        """Begin a computation whose value is remembered; return what `end` has to be told."""
        outer, self.bits = self.bits, 0
        return outer

    def end(self, outer: int) -> int:
        """End it, and return what it has read; whoever asked for it has read the same."""
        mine = self._shared.setdefault(self.bits, self.bits)
        self.bits = outer | mine
        return mine

    def _apart(self, outer: int) -> int:
        mine = self._shared.setdefault(self.bits, self.bits)
        self.bits = outer
        return mine

    @staticmethod
    def numbers(bits: int) -> Iterator[int]:
        """Yield the numbers of the items that some bits stand for."""
        while bits:
            low = bits & -bits
            yield low.bit_length() - 1
            bits ^= low
