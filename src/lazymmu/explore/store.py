# SPDX-License-Identifier: GPL-2.0-or-later
"""The states that were seen, and how each was reached.

A state of several words is known by the numbers of its words: those of the first two make a key,
whose number makes a key with that of the third, and so on (as COLLAPSE does in Spin). So a state
is always known by one 64-bit key, and exactly.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from lazymmu.explore.hashing import Keys, Numbering
from lazymmu.explore.limits import LimitReachedError
from lazymmu.explore.packing import TOP_BIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lazymmu.explore.inner_loops import InnerLoops

    Words = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["StateStore"]

_NUMBER_BITS = 31
"""Bits of a word's number in a key: a key has two, and the highest bit set."""


class StateStore:
    """States by number, in the order in which they came in.

    `reserve_bytes` is called with the bytes that are needed next, and may raise.
    """

    def __init__(self, words: int, loops: InnerLoops, reserve_bytes: Callable[[int], None]) -> None:
        self.seen = Keys(loops, reserve_bytes)
        # For each word, and for each pair of a word with what was before it but the last one.
        self._words = [Numbering(loops, reserve_bytes) for _ in range(words if words > 1 else 0)]
        self._pairs = [Numbering(loops, reserve_bytes) for _ in range(words - 2)]
        self._starts: list[int] = []
        self._parents: list[NDArray[np.uint32]] = []
        self._actions: list[NDArray[np.uint16]] = []

    def use(self, loops: InnerLoops) -> None:
        """Go on with other inner loops."""
        for table in (self.seen, *self._words, *self._pairs):
            table.loops = loops

    @property
    def count(self) -> int:
        """How many states there are."""
        return self.seen.count

    @property
    def bytes(self) -> int:
        """Memory of all tables."""
        tables = (self.seen, *self._words, *self._pairs)
        return sum(table.bytes for table in tables) + 6 * self.count

    def keys(self, states: Words) -> Words:
        """One key for each state."""
        key: Words = states[0]
        if not self._words:
            return key
        known = self._words[0].number(states[0])
        for place, numbering in enumerate(self._words[1:]):
            key = self._key(known, numbering.number(states[1 + place]))
            if place == len(self._pairs):
                break
            known = self._pairs[place].number(key)
        return key

    @staticmethod
    def _key(one: Ints, other: Ints) -> Words:
        if max(one.max(initial=0), other.max(initial=0)) >> _NUMBER_BITS:
            raise LimitReachedError(
                "max_bytes"
            )  # 2^31 different words need far more than 2^31 bytes
        key: Words = (one << _NUMBER_BITS | other).view(np.uint64) | np.uint64(TOP_BIT)
        return key

    def add(self, states: Words, parents: Ints, actions: Ints) -> Ints:
        """Store states that are new; their places among those given, in order."""
        new = self.seen.add(self.keys(states))
        if new.size:
            self._starts.append(self.count - new.size)
            self._parents.append(parents.take(new).astype(np.uint32))
            self._actions.append(actions.take(new).astype(np.uint16))
        return new

    def missing(self, states: Words) -> NDArray[np.bool_]:
        """Which of these states are not stored."""
        return self.seen.missing(self.keys(states))

    def actions_to(self, number: int) -> list[int]:
        """The actions on the first path to a state."""
        actions = []
        while number > 0:
            block = bisect_right(self._starts, number) - 1
            place = number - self._starts[block]
            actions.append(int(self._actions[block][place]))
            number = int(self._parents[block][place])
        actions.reverse()
        return actions
