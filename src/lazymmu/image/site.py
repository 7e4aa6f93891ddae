# SPDX-License-Identifier: GPL-2.0-or-later
"""An instruction that touches the counters of a task, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CounterSite", "SiteKind"]


class SiteKind(StrEnum):
    """What an instruction does to the counters; the values are the names of events."""

    BEGIN = "en"
    """The count of sections goes up in memory."""
    END = "di"
    """It goes down in memory."""
    PAUSE = "pa"
    RESUME = "re"
    GUARD = "ge"
    """The pause count is compared, and a beginning follows: ignored calls are seen, too."""
    STORE = "st"
    """The count of sections is stored from a register: its value tells which of the two it is."""
    OTHER_GUARD = "guard"
    """The pause count is compared before something else: an end, a pause."""
    READ = "read"
    """One of the counters is read."""
    UNKNOWN = "unknown"
    """It changes a counter, and how is not known."""

    @property
    def is_probed(self) -> bool:
        """Whether there is an event for it."""
        return self not in (SiteKind.OTHER_GUARD, SiteKind.READ, SiteKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class CounterSite:
    """One instruction that touches a counter.

    At which offset of the code, what it does, the register (in the words of kprobe events) that
    holds the task's address plus `ahead`, and how the value that it stores is fetched ("" where
    none is).
    """

    at: int
    kind: SiteKind
    base: str
    ahead: int = 0
    value: str = ""
