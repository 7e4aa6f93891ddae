# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as they come, for whoever follows a recording while it is made.

A finding is told when nothing that may come takes it back: once its task gave up the CPU on which
it was found, or after a moment, since nobody waits for a task that never does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lazymmu.witness.trace.findings import PendingFinding
    from lazymmu.witness.trace.task_state import TracedTask
    from lazymmu.witness.trace.values import Seen, TraceFinding

__all__ = ["LiveFindings", "TraceFollower"]

_PATIENCE: Final = 1.0
"""Seconds that a finding waits for what may take it back, and for its stack."""


class TraceFollower:
    """Is told what a recording shows while it is made."""

    def found(self, finding: TraceFinding) -> None:
        """A finding: each once, those that only the end shows after it."""
        raise NotImplementedError

    def seen(self, seen: Seen) -> None:
        """How much there was to judge so far; told all the time, also when nothing comes."""
        raise NotImplementedError

    def gone(self) -> bool:
        """Whether nobody listens any more: the following ends as if by Ctrl-C."""
        return False


class LiveFindings:
    """Holds findings until they are settled, and tells each once."""

    def __init__(
        self, follower: TraceFollower, made: Callable[[PendingFinding], TraceFinding | None]
    ) -> None:
        """made: what is told of a pending finding; None where it is not wanted."""
        self._follower = follower
        self._made = made
        self._held: list[tuple[PendingFinding, TracedTask, float]] = []
        self._told: list[PendingFinding] = []

    def hold(self, one: PendingFinding, task: TracedTask) -> None:
        """Keep a finding of a task until it is settled."""
        self._held.append((one, task, time.monotonic() + _PATIENCE))

    def tell(self, seen: Seen, *, sure: bool) -> None:
        """Tell what is settled; sure: the recording as a whole can be judged so far."""
        self._follower.seen(seen)
        if not sure or not self._held:
            return
        now, held = time.monotonic(), []
        for one, task, until in self._held:
            if one.void:
                continue
            if now < until and any(one is recent for recent in task.recent_findings):
                held.append((one, task, until))
            else:
                self._tell(one)
        self._held = held

    def gone(self) -> bool:
        """Whether nobody listens any more."""
        return self._follower.gone()

    def finish(self, kept: Iterable[PendingFinding], others: Iterable[TraceFinding]) -> int:
        """Tell what is left at the end; how many that were told are none after all.

        :param kept: those that hold at the end.
        :param others: findings that the end alone shows.
        """
        kept = list(kept)
        told = {id(one) for one in self._told}
        for one in kept:
            if id(one) not in told:
                self._tell(one)
        for finding in others:
            self._follower.found(finding)
        holds = {id(one) for one in kept}
        return sum(id(one) not in holds for one in self._told)

    def _tell(self, one: PendingFinding) -> None:
        finding = self._made(one)
        if finding is not None:
            self._told.append(one)
            self._follower.found(finding)
