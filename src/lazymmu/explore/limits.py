# SPDX-License-Identifier: GPL-2.0-or-later
"""What ends a search before it has seen everything."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lazymmu.explore.model import SearchProgress
from lazymmu.explore.resident import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LimitReachedError", "SearchLimits"]


class LimitReachedError(Exception):
    """Raised inside an engine when a limit is hit; the message is the result's `reason`."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The bounds of one search, and the clock that runs since it began.

    `bound` is the greatest cost, `deadline` is in seconds since `start`, `stop` a mask of labels;
    `resident` is what the process had when the search began, which `max_bytes` comes on top of.
    """

    bound: int | None = None
    max_states: int | None = None
    max_bytes: int | None = None
    deadline: float | None = None
    stop: int = 0
    progress: Callable[[SearchProgress], None] | None = None
    start: float = field(default_factory=time.perf_counter)
    resident: int = field(default_factory=resident_bytes)

    def seconds(self) -> float:
        """Seconds since the search began."""
        return time.perf_counter() - self.start

    def tick(self, states: int, transitions: int, cost: int, steps: int) -> None:
        """Report progress, and raise EndedError when the time is up."""
        if self.progress is not None:
            self.progress(SearchProgress(states, transitions, cost, steps, self.seconds()))
        if self.deadline is not None and self.seconds() >= self.deadline:
            raise LimitReachedError("deadline")
