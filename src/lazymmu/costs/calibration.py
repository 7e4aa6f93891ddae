# SPDX-License-Identifier: GPL-2.0-or-later
"""What one hypercall, barrier or invalidation takes on one machine, as somebody measured it.

Without a calibration there are counts and no times, and one is good for its own architecture alone.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.costs.counts import Counts

__all__ = ["FIELDS", "Calibration", "CalibrationError", "Spread", "object_of", "read"]

FIELDS: Final[Mapping[str, str]] = {
    "hypercall": "hypercalls",
    "barrier": "barriers",
    "invalidation": "invalidations",
}
"""What a calibration has times of, and which field of `Counts` each is a time of."""

_MOST: Final = 1e9
"""Nanoseconds: nothing of this takes a second."""

_MAX_BYTES: Final = 1 << 20


class CalibrationError(Exception):
    """A file that is no calibration; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What one of something takes, in nanoseconds: the median, and what half of all lie between."""

    median: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The times of one machine.

    :param arch: its architecture, as machines call it.
    :param kernel: its release.
    :param times: by `FIELDS`.
    :param why: for what was not measured, the reason.
    :param what: what exactly was measured, a phrase.
    """

    arch: str
    kernel: str
    times: Mapping[str, Spread]
    why: Mapping[str, str] = field(default_factory=dict)
    what: Mapping[str, str] = field(default_factory=dict)

    def lacking(self, counts: Iterable[Counts]) -> list[str]:
        """Of what was counted, what has no time here: each with the reason, if one is known."""
        missing = {
            name
            for one in counts
            for name, counted in FIELDS.items()
            if getattr(one, counted) and name not in self.times
        }
        return [
            f"{name} ({self.why[name]})" if name in self.why else name
            for name in FIELDS
            if name in missing
        ]

    def nanoseconds(self, arch: str, counts: Counts) -> tuple[float, float, float] | None:
        """What counts take: the median, and the bounds if all of them are fast or slow together.

        None where the machine is of another architecture, or something that was counted has no
        time.
        """
        if arch != self.arch:
            return None
        total = (0.0, 0.0, 0.0)
        for name, counted in FIELDS.items():
            number = getattr(counts, counted)
            spread = self.times.get(name)
            if number and spread is None:
                return None
            if spread is not None:
                one = (spread.median, spread.low, spread.high)
                total = (
                    total[0] + number * one[0],
                    total[1] + number * one[1],
                    total[2] + number * one[2],
                )
        return total


def read(content: bytes) -> Calibration:
    """The calibration in a file's bytes.

    :raises CalibrationError: with the reason.
    """
    if len(content) > _MAX_BYTES:
        raise CalibrationError("it is too long for a calibration")
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise CalibrationError("it is no JSON") from None
    if not isinstance(said, dict) or said.get("kind") != "calibration":
        raise CalibrationError("it is no calibration (docs: cost)")
    if said.get("format") != 1:
        raise CalibrationError("it is of another version than 1")
    times = said.get("nanoseconds")
    if not isinstance(times, dict) or not isinstance(said.get("arch"), str):
        raise CalibrationError("it has no architecture or no times")
    return Calibration(
        arch=said["arch"],
        kernel=str(said.get("kernel", "")),
        times={name: _spread(name, times[name]) for name in FIELDS if times.get(name) is not None},
        why=_phrases(said.get("not_measured")),
        what=_phrases(said.get("what")),
    )


def object_of(calibration: Calibration) -> dict[str, Any]:
    """What `read` reads, as a value for JSON."""
    times = {
        name: {"median": one.median, "low": one.low, "high": one.high, "samples": one.samples}
        for name, one in calibration.times.items()
    }
    return {
        "kind": "calibration",
        "format": 1,
        "arch": calibration.arch,
        "kernel": calibration.kernel,
        "nanoseconds": times,
        "what": dict(calibration.what),
        "not_measured": dict(calibration.why),
    }


def _phrases(said: Any) -> dict[str, str]:
    """Phrases by `FIELDS`; of anything else nothing."""
    if not isinstance(said, dict):
        return {}
    return {name: said[name] for name in FIELDS if isinstance(said.get(name), str)}


def _spread(name: str, said: Any) -> Spread:
    keys = ("median", "low", "high")
    numbers = [said.get(key) for key in keys] if isinstance(said, dict) else []
    good = len(numbers) == len(keys) and all(
        isinstance(one, int | float)
        and not isinstance(one, bool)
        and math.isfinite(one)
        and 0 < one < _MOST
        for one in numbers
    )
    samples = said.get("samples") if isinstance(said, dict) else None
    if not good or not isinstance(samples, int) or samples < 1:
        raise CalibrationError(f"its {name} is no time")
    median, low, high = (float(one or 0) for one in numbers)
    if not low <= median <= high:
        raise CalibrationError(f"its {name} has a median outside of its bounds")
    return Spread(median, low, high, samples)
