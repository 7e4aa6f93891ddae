# SPDX-License-Identifier: GPL-2.0-or-later
"""The values of those parts of an analysis that are taken over into another one (taken_over.py).

What a function does by itself is kept as it is. Of a root's walk what is wrong is kept, with the
ways there, and whose memory was written to; of the ways out only the sections that a callback runs
in. What came about on the way, and is told elsewhere, is kept with the items that were read
(kernelc/reads.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lazymmu.kernelc.json_shapes import listed, numbers, string, strings
from lazymmu.witness.source.interproc.call_chains import CallChain
from lazymmu.witness.source.interproc.direct_calls import CallBelow
from lazymmu.witness.source.path.path_state import RawReport, WalkOutcome
from lazymmu.witness.source.told_values import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.interproc.direct_calls import OwnPart
    from lazymmu.witness.source.told_values import ToldValues

__all__ = ["EFFECTS", "Own", "own_part", "plain_values", "root_outcome"]

Own: TypeAlias = "tuple[OwnPart, bool]"
"""What a function reaches by itself, and whether it was not read in full."""

EFFECTS: Final = frozenset(
    {"asked", "begun", "counting", "ended", "entered", "shifted", "unresolved", "walked"}
)
"""Kinds of items that say what came about, and are told elsewhere."""


def plain_values(
    items: Sequence[Item], units: Iterable[tuple[Item, object]]
) -> dict[str, list[object]]:
    """Return values of parts as plain ones, None for what is not taken over; and the effects.

    :param items: all that was read.
    :param units: the parts in the order in which they are told.
    :raises TypeError: one of them cannot be told.
    """
    teller = Teller()
    parts: list[object] = []
    for item, value in units:
        if item[0] == "own" and isinstance(value, tuple):
            own, broken = value
            parts.append([broken, *map(teller.of, own)])
        elif item[0] == "root" and isinstance(value, WalkOutcome) and item[3] is None:
            reports = map(teller.of, value.raw_reports.values())
            # Of a callback is asked which sections it runs in, of others nothing about ways out.
            begun = sorted(map(list, value.begun)) if item[2] != () else []
            parts.append([value.blurred, sorted(value.spaces), begun, *reports])
        else:
            parts.append(None)
    effects: list[object] = [
        [number, item[0], *map(teller.of, item[1:])]
        for number, item in enumerate(items)
        if item[0] in EFFECTS
    ]
    return {"parts": parts, "effects": effects, "rows": list(teller.rows)}


def own_part(plain: object, values: ToldValues) -> Own:
    """Return what `plain_values` told of a function's own part; errors as of `ToldValues.of`."""
    broken, *items = listed(plain)
    own = tuple(values.of(item) for item in items)
    if type(broken) is not bool or not all(isinstance(o, (CallChain, CallBelow)) for o in own):
        raise TypeError("no own part")
    return own, broken


def root_outcome(plain: object, values: ToldValues) -> WalkOutcome:
    """Return what `plain_values` told of a root's walk; errors as of `ToldValues.of`."""
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


def effect(plain: Sequence[object], values: ToldValues, most: int) -> tuple[int, tuple[Any, ...]]:
    """Return one of the effects: the number of its item, and that; errors as of `ToldValues.of`."""
    number, kind, *rest = plain
    numbers([number], 0, most)
    if string(kind) not in EFFECTS:
        raise TypeError("no effect")
    return number, (kind, *map(values.of, rest))  # type: ignore[return-value]
