# SPDX-License-Identifier: GPL-2.0-or-later
"""For small models: the plain search over the tabulated model, and no array at all.

Most models are small. For them the start of numpy, and its calls for a handful of states, cost
more than the search. So "auto" begins here; what was tabulated is not lost when it goes on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lazymmu.explore import reference
from lazymmu.explore.model import StateField
from lazymmu.explore.trie import BLOCKED, UNKNOWN, StepTable

if TYPE_CHECKING:
    from lazymmu.explore.limits import SearchLimits
    from lazymmu.explore.model import Model, SearchResult

__all__ = ["MAX_STATES", "TabulatedModel", "explore"]

MAX_STATES = 5000
"""With more states than this the arrays are faster, also when they begin anew."""

_LOOKUPS_PER_CHECK = 29
"""Of so many steps that are looked up, one is run again for comparison."""

_MIN_STEPS_CHECKED = 16
"""Steps that are run again in all, and one more for eight first runs."""


class TabulatedModel:
    """A model whose states are the numbers of the values, and whose steps are looked up."""

    def __init__(self, model: Model) -> None:
        self.table = StepTable(model)
        self.fields = tuple(StateField(field.name) for field in model.fields)
        self.initial = self.table.initial
        self.actions = model.actions
        self.labels = model.labels
        self.costly = model.costly
        self._looks = 0
        self._samples: list[tuple[int, tuple[int, ...]]] = []

    def step(self, state: Any, action: int, /) -> int | None:
        """As the model's."""
        ref = self._look(state, action)
        if ref == BLOCKED:
            return None
        leaf = self.table.leaves[-ref]
        for field, number in leaf.writes:
            state[field] = number
        return leaf.labels

    def final(self, state: Any, /) -> int:
        """As the model's."""
        return self.table.leaves[-self._look(state, self.table.final)].labels

    def _look(self, state: Any, action: int) -> int:
        nodes = self.table.nodes
        node = nodes[1 + action]
        ref = node.children.get(0, UNKNOWN)
        while ref > 0:  # as in Table.look, without its calls: this is where the time goes
            node = nodes[ref]
            ref = node.children.get(state[node.field], UNKNOWN)
        if ref == UNKNOWN:
            self.table.learn(action, state.__getitem__)
            if len(self._samples) < _MIN_STEPS_CHECKED // 2:
                self._samples.append((action, tuple(state)))
            return self.table.look(action, state.__getitem__)
        self._looks += 1
        if (
            self._looks % _LOOKUPS_PER_CHECK == 0
            and len(self._samples) < _MIN_STEPS_CHECKED + self.table.calls // 8
        ):
            self.table.check(action, state.__getitem__)
            self._samples.append((action, tuple(state)))
        return ref

    def check(self) -> None:
        """Run some steps once more at the end.

        :raises ModelError: they changed.
        """
        for action, state in self._samples[:_MIN_STEPS_CHECKED]:
            self.table.check(action, state.__getitem__)


def explore(model: Model, limits: SearchLimits) -> tuple[SearchResult | None, StepTable]:
    """Search a small model; None if it turned out to be large. And what was learnt of it."""
    cached = TabulatedModel(model)
    most = MAX_STATES if limits.max_states is None else min(MAX_STATES, limits.max_states)
    result = reference.explore(cached, replace(limits, max_states=most))
    if result.reason == "max_states" and most != limits.max_states:
        return None, cached.table
    cached.check()
    return replace(result, engine="tabulated", calls=cached.table.calls), cached.table
