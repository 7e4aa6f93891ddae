# SPDX-License-Identifier: GPL-2.0-or-later
"""States as machine words: which number a value has, and at which bits of which word it stands.

A word has 63 bits for fields; the highest bit is always set, so that no packed word is zero and
tables can use zero for "nothing here".
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any

from lazymmu.explore.model import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.explore.model import StateField

__all__ = ["TOP_BIT", "WORD_BITS", "Packing", "Values", "bits", "plan", "tight"]

WORD_BITS = 63
"""Bits of a word that fields can use."""

TOP_BIT = 1 << WORD_BITS
"""The bit that is set in every packed word."""


def bits(values: int) -> int:
    """How many bits hold so many different values: none at all for one."""
    return (max(values, 1) - 1).bit_length()


MAX_BITS_SPARE = 2
"""An open field may come to so many times the values that it has met, as a power of two, before all
is packed anew, which begins the search again."""

_MAX_VALUES_ENUMERATED = 256
"""A field with more values than this is numbered like an open one: few of them will be met."""


class Values:
    """The values of one field by number. Those of an open field are numbered as they are met."""

    __slots__ = ("_numbers", "field", "known", "open")

    def __init__(self, field: StateField) -> None:
        self.field = field
        self.open = field.values is None or field.values > _MAX_VALUES_ENUMERATED
        self.known: list[Any] = [] if self.open else list(range(field.values or 0))
        self._numbers: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.known)

    def number(self, value: Any) -> int:
        """The number of a value.

        :raises ModelError: for one that the field cannot hold.
        """
        if self.field.values is not None:
            value = self._integer(value, self.field.values)
        if not self.open:
            return int(value)
        try:
            number = self._numbers.setdefault(value, len(self.known))
        except TypeError:
            raise ModelError(
                f"field {self.field.name} holds {value!r}, which cannot be hashed"
            ) from None
        if number == len(self.known):
            self.known.append(value)
        return number

    def _integer(self, value: Any, values: int) -> int:
        try:
            number = index(value)
        except TypeError:
            number = -1
        if not 0 <= number < values:
            raise ModelError(
                f"field {self.field.name} holds {value!r}, and its values are 0 to {values - 1}"
            )
        return number


@dataclass(frozen=True, slots=True)
class Packing:
    """For each field the word it is in, its lowest bit there, and how many bits it has."""

    words: int
    word: tuple[int, ...]
    shift: tuple[int, ...]
    width: tuple[int, ...]

    def pack(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The words of a state that is given by the number of each field's value."""
        packed = [TOP_BIT] * self.words
        for field, number in enumerate(numbers):
            packed[self.word[field]] |= number << self.shift[field]
        return tuple(packed)

    def number(self, packed: Sequence[int], field: int) -> int:
        """The number of a field's value in a packed state."""
        return packed[self.word[field]] >> self.shift[field] & ~(-1 << self.width[field])

    @property
    def bits(self) -> int:
        """How many bits a state has."""
        return sum(self.width)


def plan(widths: Sequence[int]) -> Packing:
    """Lay fields of these widths out in words, in their order: neighbours change together."""
    words, free = 1, WORD_BITS
    word, shift = [], []
    for width in widths:
        if width > free:
            words, free = words + 1, WORD_BITS
        word.append(words - 1)
        shift.append(WORD_BITS - free)
        free -= width
    return Packing(words, tuple(word), tuple(shift), tuple(widths))


def tight(values: Sequence[Values]) -> Packing:
    """The packing with as few words as the known values need.

    What is left of each word goes to the open fields in it, which may meet more values yet, but no
    more than `MAX_BITS_SPARE` to each: a node of a trie has a child for each value that fits.
    """
    widths = [bits(len(one)) for one in values]
    packing = plan(widths)
    for number in range(packing.words):
        mine = [field for field, word in enumerate(packing.word) if word == number]
        grow = [field for field in mine if values[field].open]
        free = WORD_BITS - sum(widths[field] for field in mine)
        while grow and free:
            # The fewest bits first: a field that met 2 values may easily meet 4.
            field = min(grow, key=lambda one: widths[one])
            widths[field] += 1
            free -= 1
            if widths[field] >= bits(len(values[field])) + MAX_BITS_SPARE:
                grow.remove(field)
    grown = plan(widths)
    return grown if grown.words == packing.words else packing
