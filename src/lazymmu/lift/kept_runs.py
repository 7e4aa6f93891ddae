# SPDX-License-Identifier: GPL-2.0-or-later
"""What whole functions did to one machine, kept by what they read for it.

The hooks of a context switch run at every switch of every state, and come to a few outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

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


@dataclass(slots=True)
class _Node:
    """What is read next, and by its value what comes then; or the outcome.

    :param index: -1 at an outcome.
    """

    index: int
    outcome: _Outcome | None = None
    children: dict[Hashable, _Node] = field(default_factory=dict)


class KeptRuns:
    """Runs of functions on one machine."""

    def __init__(self) -> None:
        """Nothing has run yet."""
        self._known: dict[Hashable, _Node] = {}

    def run(
        self, here: StepContext, about: Hashable, function: Callable[[StepContext], object]
    ) -> None:
        """Do what a function does here.

        :param about: which function it is, with what it was handed.
        :param function: rests on nothing but the state, and does nothing but to it.
        """
        key = (about, here.cpu)
        node = self._known.get(key)
        while node is not None and node.outcome is None:
            node = node.children.get(here.asked(node.index))
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
        read = [(index, here.asked(index)) for index in dict(reads)]
        nodes = [*(_Node(index) for index, _ in read), _Node(-1, outcome)]
        node = self._known.setdefault(key, nodes[0])
        for (_, value), then in zip(read, nodes[1:], strict=True):
            node = node.children.setdefault(value, then)
        return outcome
