# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets and numberings of 64-bit keys, open addressing, worked on by whole arrays at once.

A key is never zero and has its highest bit set (see packing.py). A key is looked for in the slot
that its hash says, then 1, 2, 3 ... slots further on each time, which comes by every slot and
makes no long runs; an empty slot, zero, ends the search. Nothing is ever removed, and nothing is
lost: a slot holds the whole key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lazymmu.explore.inner_loops import InnerLoops

    Words = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["MULTIPLIER", "Keys", "Numbering", "find", "insert_new"]

MULTIPLIER = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: Fibonacci hashing spreads neighbouring keys."""

_MAX_LOAD = 0.5
"""Above this share of full slots the searches get long."""

_MIN_SLOTS_LOG2 = 12
"""The least table has two to the power of this slots."""

_SLOTS_MOVED_AT_ONCE = 1 << 18

U64 = np.uint64


def _slots(keys: Words, log: int) -> Ints:
    """Where the search for each key begins in a table of 2^log slots."""
    return (keys * U64(MULTIPLIER) >> U64(64 - log)).view(np.int64)


def insert_new(table: Words, log: int, keys: Words) -> Ints:
    """Put keys into a table that has room for them.

    Returns the places in `keys`, in order, of the first of each that was not there.
    """
    mask = (1 << log) - 1
    slot = _slots(keys, log)
    there = table.take(slot)
    place = np.nonzero(there != keys)[0]
    key, slot, there = keys.take(place), slot.take(place), there.take(place)
    new = []
    step = 0
    while place.size:
        empty = np.nonzero(there == 0)[0]
        if empty.size:
            # Everybody who found an empty slot writes his place into it, the last one first;
            # so the first one stays, and he puts his key there. No place looks like a key.
            wanted = slot.take(empty)
            tag = (place.take(empty) + 1).view(U64)
            table[wanted[::-1]] = tag[::-1]
            won = np.nonzero(table.take(wanted) == tag)[0]
            table[wanted.take(won)] = key.take(empty.take(won))
            new.append(place.take(empty.take(won)))
        # A slot that holds the key by now settles it; the others look at the next slot.
        rest = np.nonzero(table.take(slot) != key)[0]
        place, key, slot = place.take(rest), key.take(rest), slot.take(rest)
        step += 1
        slot += step
        slot &= mask
        there = table.take(slot)
    if not new:
        return place
    return new[0] if len(new) == 1 else np.sort(np.concatenate(new))


def find(table: Words, log: int, keys: Words) -> Ints:
    """The slot of each key, or the empty slot where the search for it ends."""
    mask = (1 << log) - 1
    slot = _slots(keys, log)
    there = table.take(slot)
    left = np.nonzero((there != keys) & (there != 0))[0]
    step = 0
    while left.size:
        step += 1
        slot[left] = slot.take(left) + step & mask
        there = table.take(slot.take(left))
        left = left[(there != keys.take(left)) & (there != 0)]
    return slot


class Keys:
    """A set of keys.

    `loops` has the two functions that work on the table, and may be replaced. `reserve_bytes` is
    called with the bytes of a larger table before that is made, and may raise.
    """

    def __init__(self, loops: InnerLoops, reserve_bytes: Callable[[int], None]) -> None:
        self.loops = loops
        self.table: Words = np.zeros(1 << _MIN_SLOTS_LOG2, U64)
        self.log = _MIN_SLOTS_LOG2
        self.count = 0
        self._reserve_bytes = reserve_bytes

    @property
    def bytes(self) -> int:
        """Memory of the table."""
        return self.table.nbytes

    def reserve(self, more: int) -> None:
        """Make room for so many more keys."""
        log = self.log
        while self.count + more > _MAX_LOAD * (1 << log):
            log += 1
        if log != self.log:
            self._reserve_bytes(self.table.itemsize << log)
            self.grow(log)

    def grow(self, log: int) -> None:
        """Move to a table of 2^log slots."""
        old = self.table
        self.table, self.log = np.zeros(1 << log, U64), log
        for start in range(0, len(old), _SLOTS_MOVED_AT_ONCE):
            part = old[start : start + _SLOTS_MOVED_AT_ONCE]
            self.loops.insert_new(self.table, log, part[part != 0])

    def add(self, keys: Words) -> Ints:
        """Put keys in; the places in `keys`, in order, of the first of each that was not there."""
        self.reserve(keys.size)
        new = self.loops.insert_new(self.table, self.log, keys)
        self.count += new.size
        return new

    def find(self, keys: Words) -> Ints:
        """The slot of each key, or the empty slot where the search for it ends."""
        return self.loops.find(self.table, self.log, keys)

    def missing(self, keys: Words) -> NDArray[np.bool_]:
        """Which of the keys are not in the set."""
        missing: NDArray[np.bool_] = self.table.take(self.find(keys)) == 0
        return missing


class Numbering(Keys):
    """Keys with numbers from 0 on, in the order in which they were first met."""

    def __init__(self, loops: InnerLoops, reserve_bytes: Callable[[int], None]) -> None:
        super().__init__(loops, reserve_bytes)
        self.ids: Ints = np.zeros(1 << _MIN_SLOTS_LOG2, np.int64)

    @property
    def bytes(self) -> int:
        """Memory of the table and of the numbers."""
        return self.table.nbytes + self.ids.nbytes

    def grow(self, log: int) -> None:
        """Move to a table of 2^log slots, with the numbers."""
        full = np.nonzero(self.table)[0]
        keys, ids = self.table.take(full), self.ids.take(full)
        super().grow(log)
        self.ids = np.zeros(1 << log, np.int64)
        self.ids[self.find(keys)] = ids

    def number(self, keys: Words) -> Ints:
        """The number of each key; new keys get the next ones."""
        before = self.count
        new = self.add(keys)
        slots = self.find(keys)
        if new.size:
            self.ids[slots.take(new)] = np.arange(before, self.count)
        return self.ids.take(slots)
