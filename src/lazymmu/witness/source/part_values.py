# SPDX-License-Identifier: GPL-2.0-or-later
"""The values of those parts of an analysis that are taken over into another one (taken_over.py).

What a function does by itself is kept as it is, of a root's walk what told_outcomes.py says. What
came about on the way, and is told elsewhere, is kept with the items that were read
(kernelc/reads.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lazymmu.kernelc.json_shapes import listed, numbers, string
from lazymmu.witness.source.arch_hooks import Implementation
from lazymmu.witness.source.interproc.call_chains import CallChain
from lazymmu.witness.source.interproc.direct_calls import CallBelow
from lazymmu.witness.source.kept_hooks import HOOKS, JUDGED, plain_hooks, plain_judged
from lazymmu.witness.source.path.path_state import WalkOutcome
from lazymmu.witness.source.told_outcomes import plain_outcome
from lazymmu.witness.source.told_values import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.interproc.direct_calls import OwnPart
    from lazymmu.witness.source.told_values import ToldValues

__all__ = ["EFFECTS", "Own", "own_part", "plain_values"]

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
            parts.append(plain_outcome(value, teller, callback=item[2] != ()))
        elif item[0] == HOOKS and isinstance(value, Implementation):
            parts.append(plain_hooks(value))
        elif item[0] == JUDGED and isinstance(value, list):
            parts.append(plain_judged(value, teller))
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


def effect(plain: Sequence[object], values: ToldValues, most: int) -> tuple[int, tuple[Any, ...]]:
    """Return one of the effects: the number of its item, and that; errors as of `ToldValues.of`."""
    number, kind, *rest = plain
    numbers([number], 0, most)
    if string(kind) not in EFFECTS:
        raise TypeError("no effect")
    return number, (kind, *map(values.of, rest))  # type: ignore[return-value]
