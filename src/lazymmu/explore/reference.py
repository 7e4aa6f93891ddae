# SPDX-License-Identifier: GPL-2.0-or-later
"""The plain engine: a dictionary of full states, and the model run on every one of them.

It is here to be obviously right, and shares nothing with the fast engines but the types: no
packing, no tabulation, no table of its own. Everything else is compared with it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lazymmu.explore.limits import LimitReachedError
from lazymmu.explore.model import PathStep, SearchPath, SearchResult, check_values, label_names

if TYPE_CHECKING:
    from lazymmu.explore.limits import SearchLimits
    from lazymmu.explore.model import Model

__all__ = ["explore"]

_State = tuple[Any, ...]


class _Search:
    """One search: states in the order in which they were stored, and how each was reached."""

    def __init__(self, model: Model, limits: SearchLimits) -> None:
        self.model = model
        self.limits = limits
        self.closed = any(field.values is not None for field in model.fields)
        self.index: dict[_State, int] = {}
        self.reached: list[tuple[int, int]] = []  # by state: its parent's number, and the action
        self.pending: dict[tuple[int, int], list[tuple[_State, int, int]]] = {
            (0, 0): [(tuple(model.initial), -1, -1)]
        }
        # By label: (cost, steps), the state's number, the action or -1 for a final state.
        self.first: dict[int, tuple[tuple[int, int], int, int]] = {}
        self.taken = [0] * len(model.actions)
        self.depth = 0
        self.calls = 0
        self.bytes = 0
        self.cut: list[tuple[_State, int]] = []  # steps over the bound: target and labels

    def run(self) -> None:
        """Level after level, in the order of cost and then of steps."""
        while self.pending:
            level = min(self.pending)
            frontier = self.store(self.pending.pop(level))
            if not frontier:
                continue
            self.depth = max(self.depth, level[1])
            if any(key <= level for key in self.stopping()):
                raise LimitReachedError("stop")
            if self.limits.max_states is not None and len(self.index) > self.limits.max_states:
                raise LimitReachedError("max_states")
            self.limits.tick(len(self.index), sum(self.taken), *level)
            for number, state in frontier:
                self.expand(level, number, state)
        shown = sum(1 << label for label in self.first)
        if any(target not in self.index or labels & ~shown for target, labels in self.cut):
            raise LimitReachedError("bound")

    def store(self, found: list[tuple[_State, int, int]]) -> list[tuple[int, _State]]:
        """Store the states of a level that are not stored yet, which makes them its frontier."""
        frontier = []
        for state, parent, action in found:
            if state not in self.index:
                if self.closed:
                    check_values(self.model.fields, state)
                self.index[state] = len(self.reached)
                frontier.append((len(self.reached), state))
                self.reached.append((parent, action))
                self.bytes += sys.getsizeof(state)
                if self.limits.max_bytes is not None and self.bytes > self.limits.max_bytes:
                    raise LimitReachedError("max_bytes")
        return frontier

    def expand(self, level: tuple[int, int], number: int, state: _State) -> None:
        """Take every step that can be taken from a state."""
        cost, steps = level
        blocked = True
        for action in range(len(self.model.actions)):
            if self.calls % 1024 == 1023:
                self.limits.tick(len(self.index), sum(self.taken), *level)
            view = list(state)
            labels = self.model.step(view, action)
            self.calls += 1
            if labels is None:
                continue
            blocked = False
            after = (cost + bool(labels & self.model.costly), steps + 1)
            if self.limits.bound is not None and after[0] > self.limits.bound:
                self.cut.append((tuple(view), labels))
                continue
            self.taken[action] += 1
            self.show(labels, after, number, action)
            self.pending.setdefault(after, []).append((tuple(view), number, action))
        if blocked:
            self.calls += 1
            self.show(self.model.final(list(state)), level, number, -1)

    def show(self, labels: int, key: tuple[int, int], number: int, action: int) -> None:
        """Remember the first showing of each label."""
        for label in range(len(self.model.labels)):
            if labels >> label & 1 and (label not in self.first or key < self.first[label][0]):
                self.first[label] = (key, number, action)

    def stopping(self) -> list[tuple[int, int]]:
        """Cost and steps of the labels that end the search."""
        return [key for label, (key, _, _) in self.first.items() if self.limits.stop >> label & 1]

    def path(self, label: int) -> SearchPath:
        """The path to the first showing of a label."""
        (cost, _), number, action = self.first[label]
        actions = [action] if action >= 0 else []
        while number > 0:
            number, before = self.reached[number]
            actions.append(before)
        state = list(self.model.initial)
        steps = []
        for one in reversed(actions):
            labels = self.model.step(state, one)
            steps.append(PathStep(self.model.actions[one], label_names(self.model, labels or 0)))
        final = label_names(self.model, self.model.final(state)) if action < 0 else ()
        return SearchPath(tuple(steps), cost, final)


def explore(model: Model, limits: SearchLimits) -> SearchResult:
    """Search a model with the plain engine."""
    search = _Search(model, limits)
    reason = ""
    try:
        search.run()
    except LimitReachedError as ended:
        reason = str(ended)
    except KeyboardInterrupt:
        reason = "interrupt"
    return SearchResult(
        complete=not reason,
        reason=reason,
        states=len(search.index),
        transitions=sum(search.taken),
        depth=search.depth,
        discoveries={model.labels[label]: search.path(label) for label in sorted(search.first)},
        taken=tuple(search.taken),
        engine="python",
        seconds=limits.seconds(),
        calls=search.calls,
    )
