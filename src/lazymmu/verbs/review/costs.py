# SPDX-License-Identifier: GPL-2.0-or-later
"""What a part of a series changes of what operations cost, counted on machines of both trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.costs import count
from lazymmu.costs.counts import TIMED, Counts, Scope
from lazymmu.lift.problem import Unliftable
from lazymmu.machine.config import ConfigError

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Space

__all__ = ["CostChange", "cost_changes"]

_ENTRIES: Final = 32
"""Of one table: more than a multicall of Xen takes, so that the length of batches shows as well."""

_SHOWN: Final = (*TIMED, "pinned")
"""What of `Counts` is looked at: what the mode saves, and what that costs."""


@dataclass(frozen=True, slots=True)
class CostChange:
    """An operation that costs something else with a part of a series.

    :param part: the part's letter.
    :param arch: the machine.
    :param operation: the kernel function, for ``entries`` entries of ``space`` mappings.
    :param before: what it costs on the base, with the base's own sections; ``after`` with the part.
    """

    part: str
    arch: str
    operation: str
    space: str
    entries: int
    before: Counts
    after: Counts

    @property
    def more(self) -> int:
        """How many hypercalls, barriers and invalidations more it takes, below zero for fewer."""
        return self.after.slow - self.before.slow


def cost_changes(
    part: str, arch: str, before: str, after: str
) -> tuple[tuple[CostChange, ...], tuple[str, ...]]:
    """The operations whose costs differ between two releases of a machine, the greatest first.

    Beside them the operations that can be counted on one of the two alone, which are not compared.
    """
    # Names of releases are used again for other trees.
    count.forget()
    changes: list[CostChange] = []
    uncounted: dict[str, None] = {}
    try:
        for name in sorted({*count.operations(arch, before)} & {*count.operations(arch, after)}):
            for space in count.spaces_of(arch, after, name):
                was, is_ = (_counted(arch, one, name, space) for one in (before, after))
                if was is None or is_ is None:
                    if was is not is_:
                        uncounted[name] = None
                elif any(getattr(was, field) != getattr(is_, field) for field in _SHOWN):
                    changes.append(CostChange(part, arch, name, space, _ENTRIES, was, is_))
    finally:
        count.forget()
    changes.sort(key=lambda one: (-abs(one.more), one.operation, one.space))
    return tuple(changes), tuple(uncounted)


def _counted(arch: str, release: str, name: str, space: Space) -> Counts | None:
    """The counts of an operation, None where the machine cannot go through it."""
    try:
        return count.operation(arch, release, name, _ENTRIES, space, Scope.TABLE)
    except (ConfigError, Unliftable):
        return None
