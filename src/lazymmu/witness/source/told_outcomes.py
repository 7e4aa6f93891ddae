# SPDX-License-Identifier: GPL-2.0-or-later
"""What a walk came to as plain values, as far as that is taken over into another analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.json_shapes import listed, strings
from lazymmu.witness.source.path.path_state import RawReport, WalkOutcome

if TYPE_CHECKING:
    from lazymmu.witness.source.told_values import Teller, ToldValues

__all__ = ["outcome_of", "plain_outcome"]


def plain_outcome(outcome: WalkOutcome, teller: Teller, *, callback: bool = False) -> list[object]:
    """Return what a walk came to as plain values; errors as of `Teller.of`.

    What is wrong is kept, with the ways there, and whose memory was written to.

    :param callback: it was called back: of such a one is asked which sections it runs in, of
        others nothing about ways out.
    """
    begun = sorted(map(list, outcome.begun)) if callback else []
    reports = map(teller.of, outcome.raw_reports.values())
    return [outcome.blurred, sorted(outcome.spaces), begun, *reports]


def outcome_of(plain: object, values: ToldValues) -> WalkOutcome:
    """Return what `plain_outcome` told of a walk; errors as of `ToldValues.of`."""
    blurred, spaces, begun, *reports = listed(plain)
    if type(blurred) is not bool:
        raise TypeError("no walk")
    sections = [tuple(strings(place)) for place in listed(begun)]
    begins = frozenset((file, function) for file, function in sections)
    outcome = WalkOutcome(spaces=set(strings(spaces)), blurred=blurred, begins=begins)
    for item in reports:
        raw = values.of(item)
        if not isinstance(raw, RawReport):
            raise TypeError("no report")
        outcome.add(raw)
    return outcome
