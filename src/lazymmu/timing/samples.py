# SPDX-License-Identifier: GPL-2.0-or-later
"""What one of something takes: the same with it and without it, turn by turn."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SAMPLES", "Measured", "NotMeasured", "Pair", "measure"]

SAMPLES: Final = 2000
"""How often each pair is run: quartiles of so many stay where they are."""

_WARM: Final = 0.1
"""Which part comes before it counts: code and data are not in the caches yet."""


class NotMeasured(Exception):
    """Something cannot be measured here; the text is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Something, and the same without what is measured.

    :param with_: does it ``times`` times, and tells how many nanoseconds that took.
    :param without: the same, only without it.
    :param times: how many of it are in one call.
    :param what: what exactly is measured, a phrase.
    """

    with_: Callable[[], int]
    without: Callable[[], int]
    times: int
    what: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What one takes, in nanoseconds: the median, and what half of all samples lie between."""

    median: float
    low: float
    high: float
    samples: int
    what: str


def measure(pair: Pair, samples: int = SAMPLES) -> Measured:
    """Run a pair so often, turn by turn, so that what disturbs one disturbs the other as well.

    :raises NotMeasured: the difference is not above the noise.
    """
    for _ in range(max(1, int(samples * _WARM))):
        pair.without()
        pair.with_()
    taken = []
    for _ in range(samples):
        without = pair.without()
        taken.append((pair.with_() - without) / pair.times)
    low, median, high = quantiles(taken, n=4, method="inclusive")
    if low <= 0:
        raise NotMeasured(
            f"it is lost in the noise: with it {median:.0f} ns more, and {low:.0f} to {high:.0f} "
            "in half of all samples"
        )
    return Measured(median, low, high, samples, pair.what)
