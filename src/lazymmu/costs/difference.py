# SPDX-License-Identifier: GPL-2.0-or-later
"""Two numbers that were measured, and how sure it is that they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Difference", "Estimate", "mean", "rate"]

_Z: Final = 1.959964
"""Of a normal distribution, 95 % lie within so many deviations."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error, from so many observations."""

    value: float
    error: float
    number: int

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true value lies with 95 %."""
        return self.value - _Z * self.error, self.value + _Z * self.error


@dataclass(frozen=True, slots=True)
class Difference:
    """The second of two estimates less the first."""

    first: Estimate
    second: Estimate

    @property
    def value(self) -> float:
        """How much more the second is."""
        return self.second.value - self.first.value

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true difference lies with 95 %."""
        half = _Z * math.hypot(self.first.error, self.second.error)
        return self.value - half, self.value + half

    @property
    def sure(self) -> bool:
        """Whether nothing at all is outside of that interval; two observations at least, each."""
        low, high = self.interval
        enough = min(self.first.number, self.second.number) > 1
        return enough and not low <= 0 <= high


def mean(spread: Iterable[tuple[float, int]]) -> Estimate:
    """The mean of values, each with how often it was seen, as if they were independent."""
    pairs = list(spread)
    number = sum(times for _, times in pairs)
    if number == 0:
        return Estimate(0.0, math.inf, 0)
    value = sum(one * times for one, times in pairs) / number
    if number == 1:
        return Estimate(value, math.inf, 1)
    square = sum(times * (one - value) ** 2 for one, times in pairs) / (number - 1)
    return Estimate(value, math.sqrt(square / number), number)


def rate(number: int, seconds: float) -> Estimate:
    """How often in a second, as if by chance (Poisson)."""
    if seconds <= 0:
        return Estimate(0.0, math.inf, 0)
    return Estimate(number / seconds, math.sqrt(max(number, 1)) / seconds, number)
