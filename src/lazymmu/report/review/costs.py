# SPDX-License-Identifier: GPL-2.0-or-later
"""What a part of a series changes of what operations cost, a line for each machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.costs.counts import TIMED
from lazymmu.report.common.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.costs.counts import Counts
    from lazymmu.verbs.review.costs import CostChange

__all__ = ["sentences"]


def sentences(costs: Sequence[CostChange], *, several: bool) -> Iterator[str]:
    """A sentence for each part and machine: its greatest change, and how many operations more.

    :param several: whether there are several parts, which are named then.
    """
    places = dict.fromkeys((one.part, one.arch) for one in costs)
    for part, arch in places:
        found = [one for one in costs if (one.part, one.arch) == (part, arch)]
        which = f" by {part}" if several else ""
        others = {one.operation for one in found} - {found[0].operation}
        more = f"; so do those of {count(len(others), 'operation')} more" if others else ""
        yield f"{arch}: costs change{which}: {_said(found[0])}{more}"


def _said(one: CostChange) -> str:
    was, is_ = _counts(one.before), _counts(one.after)
    if was == is_:
        was, is_ = (f"preemption off for {counts.pinned}" for counts in (one.before, one.after))
    return f"{one.operation}() of {one.entries} {one.space} entries, {was} -> {is_}"


def _counts(counts: Counts) -> str:
    parts = [
        count(number, name.removesuffix("s")) for name in TIMED if (number := getattr(counts, name))
    ]
    return ", ".join(parts) or "nothing"
