# SPDX-License-Identifier: GPL-2.0-or-later
"""How numbers are spread, in constant memory: a histogram with logarithmic bins.

Eight bins for each power of two, exact below sixteen, so that a quantile is at most 1/16 off what
it would be with all numbers kept; count, sum, least and greatest are exact.  Two spreads add up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Histogram"]

_EXACT_VALUES: Final = 16
"""Numbers below this have a bin of their own."""

_MANTISSA_BITS: Final = 3
"""Of a number's leading bits, besides the first, that tell its bin."""


def _bin(value: int) -> int:
    if value < _EXACT_VALUES:
        return value
    shift = value.bit_length() - 1 - _MANTISSA_BITS
    return _EXACT_VALUES + (shift - 1) * 8 + (value >> shift) - 8


def _middle(number: int) -> int:
    """A number in the middle of a bin."""
    if number < _EXACT_VALUES:
        return number
    octave, step = divmod(number - _EXACT_VALUES, 8)
    shift = octave + 1
    return ((8 + step) << shift) + (1 << shift >> 1)


@dataclass(slots=True)
class Histogram:
    """Numbers that are not negative; add() them, merge() other spreads, ask for quantiles."""

    count: int = 0
    total: int = 0
    least: int = 0
    greatest: int = 0
    bins: dict[int, int] = field(default_factory=dict)

    def add(self, value: int, times: int = 1) -> None:
        """Count one number; what is negative counts as 0, as when a clock went back."""
        value = max(value, 0)
        if self.count == 0 or value < self.least:
            self.least = value
        self.greatest = max(self.greatest, value)
        self.count += times
        self.total += value * times
        at = _bin(value)
        self.bins[at] = self.bins.get(at, 0) + times

    def merge(self, other: Histogram) -> None:
        """Take all numbers of another spread in."""
        if other.count == 0:
            return
        self.least = min(self.least, other.least) if self.count else other.least
        self.greatest = max(self.greatest, other.greatest)
        self.count += other.count
        self.total += other.total
        for at, number in other.bins.items():
            self.bins[at] = self.bins.get(at, 0) + number

    def quantile(self, share: float) -> int:
        """What `share` (0 to 1) of all numbers are not above, 1/16 off at most; 0 without any."""
        if self.count == 0:
            return 0
        wanted = max(1, -int(-share * self.count // 1))
        if wanted >= self.count:
            return self.greatest
        seen = 0
        for at in sorted(self.bins):
            seen += self.bins[at]
            if seen >= wanted:
                return min(max(_middle(at), self.least), self.greatest)
        return self.greatest

    def at_most(self, value: int) -> int:
        """How many numbers are not above `value`; exact below sixteen."""
        return sum(number for at, number in self.bins.items() if at <= _bin(value))

    def steps(self) -> Iterator[tuple[int, int]]:
        """Middle and count of each bin that is not empty, smallest first."""
        return ((_middle(at), self.bins[at]) for at in sorted(self.bins))
