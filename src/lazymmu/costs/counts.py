# SPDX-License-Identifier: GPL-2.0-or-later
"""`Counts`: how often what takes time was done, and how long preemption was off for it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "TIMED", "Counts", "Scope"]


class Scope(StrEnum):
    """Where sections stand: nowhere, as in the kernel (one page table at most), or around all."""

    NONE = "none"
    TABLE = "table"
    RANGE = "range"


KINDS: Final[Mapping[str, str]] = {
    "hypercall": "hypercalls",
    "multicall entry": "multicall_entries",
    "update": "updates",
    "barrier": "barriers",
    "invalidation": "invalidations",
    "translation": "translations",
}
"""What machines call what costs, and where `Counts` keeps it."""

TIMED: Final = ("hypercalls", "barriers", "invalidations")
"""What the mode is there to save, and what a calibration has a time of."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an operation did.

    :param hypercalls: calls of the hypervisor.
    :param multicall_entries: what they had to do, as multicalls list it.
    :param updates: entries that hypercalls wrote.
    :param barriers: `dsb(ishst)` and `isb`, together.
    :param invalidations: flushes of TLBs or hash table, each of any number of translations, which
        translations counts where a batch tells them.
    :param writes: changes of entries.
    :param put_off: of these, how many waited.
    :param sections: how often the mode was begun.
    :param flushes: of TLBs, as they were asked for, entry by entry.
    :param pinned: the most writes for which preemption was off in one go.
    """

    hypercalls: int = 0
    multicall_entries: int = 0
    updates: int = 0
    barriers: int = 0
    invalidations: int = 0
    translations: int = 0
    writes: int = 0
    put_off: int = 0
    sections: int = 0
    flushes: int = 0
    pinned: int = 0

    @property
    def slow(self) -> int:
        """Hypercalls, barriers and invalidations together: what the mode is there to save."""
        return sum(getattr(self, name) for name in TIMED)

    def __sub__(self, other: Counts) -> Counts:
        """What this one has more; of preemption off as well."""
        return Counts(
            *(getattr(self, one.name) - getattr(other, one.name) for one in fields(Counts))
        )
