# SPDX-License-Identifier: GPL-2.0-or-later
"""What was measured on the machine at hand, as the file for `cost` and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.costs.calibration import FIELDS, object_of
from lazymmu.json_text import dump
from lazymmu.report.trace.stats import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.costs.calibration import Calibration

__all__ = ["render", "sentences"]


def render(found: Calibration) -> str:
    """The file that `cost --calibrate` reads."""
    return dump(object_of(found))


def sentences(found: Calibration) -> Iterator[str]:
    """A sentence for each: what it takes here, or why that was not measured."""
    for name in FIELDS:
        one = found.times.get(name)
        if one is None:
            yield f"{name}: not measured: {found.why[name]}"
        else:
            yield (
                f"{name}: {duration(one.median)} ({duration(one.low)} to {duration(one.high)} in "
                f"half of {one.samples} samples): {found.what[name]}"
            )
