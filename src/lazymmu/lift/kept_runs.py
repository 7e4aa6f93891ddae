# SPDX-License-Identifier: GPL-2.0-or-later
"""What whole functions did to one machine, kept by what they read for it.

The hooks of a context switch run at every switch of every state, and come to a few outcomes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lazymmu.lift.decisions import Decisions

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from lazymmu.contract.events import Event
    from lazymmu.machine.context import StepContext

__all__ = ["KeptRuns"]


class _Outcome(NamedTuple):
    """What came of a run."""

    changes: tuple[tuple[int, Hashable], ...]
    events: tuple[Event, ...]
    costs: tuple[str, ...]


class KeptRuns:
    """Runs of functions on one machine."""

    def __init__(self) -> None:
        """Nothing has run yet."""
        self._known: Decisions[int, _Outcome] = Decisions()

    def run(
        self, here: StepContext, about: Hashable, function: Callable[[StepContext], object]
    ) -> None:
        """Do what a function does here.

        :param about: which function it is, with what it was handed.
        :param function: rests on nothing but the state, and does nothing but to it.
        """
        key = (about, here.cpu)
        node = self._known.roots.get(key)
        while node is not None and node.read is not None:
            node = node.children.get(here.asked(node.read))
        if node is None or node.outcome is None:
            outcome = self._learn(here, key, function)
        else:
            outcome = node.outcome
        here.redo(*outcome)

    def _learn(
        self, here: StepContext, key: Hashable, function: Callable[[StepContext], object]
    ) -> _Outcome:
        reads: list[tuple[int, Hashable]] = []
        costs: list[str] = []
        apart = here.apart(reads, costs.append)
        function(apart)
        outcome = _Outcome(apart.changes, tuple(apart.events), tuple(costs))
        self._known.keep(key, ((index, here.asked(index)) for index in dict(reads)), outcome)
        return outcome
