# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs without an end on which something stays as it is: cycles of the graph of states.

A model says what each state has *marks* for, and which steps are those of whom a mark is about. A
run for ever is one on which a mark is there in all states from some state on, its owner goes on
again and again, and nobody who could always go on is left out for ever (weak fairness): else one
that waits for somebody else would be told only because that one never gets a CPU.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lazymmu.explore.model import Model, PathStep, SearchPath, label_names

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

__all__ = ["CycleSearch", "MarkedModel", "search_cycles"]

_State = tuple[Any, ...]


class MarkedModel(Model, Protocol):
    """A model whose runs for ever are asked for."""

    def marks(self, state: Sequence[Any], /) -> Collection[Hashable]:
        """What a state has marks for."""

    def goes_on(self, state: Sequence[Any], action: int, mark: Hashable, /) -> bool:
        """Whether a step from a state is one of the owner of a mark."""

    def group(self, action: int, /) -> Hashable:
        """Whose step an action is, None for nobody who has to go on."""


@dataclass(frozen=True, slots=True)
class CycleSearch:
    """What came of it.

    :param complete: whether all states were seen.
    :param path: the way to the cycle and once around, None where there is none.
    :param begin: how many steps of it stand before the cycle.
    :param mark: what stays.
    """

    complete: bool
    path: SearchPath | None = None
    begin: int = 0
    mark: Hashable = None


@dataclass(frozen=True, slots=True)
class _Edge:
    action: int
    target: int
    labels: int
    free: bool


@dataclass(slots=True)
class _Graph:
    """States in the order of cost and then of steps, and the steps between them.

    free: whether a step may be taken for ever, which one that costs may not be under a bound.
    """

    model: MarkedModel
    states: list[_State] = field(default_factory=list)
    reached: list[tuple[int, int]] = field(default_factory=list)
    edges: list[list[_Edge]] = field(default_factory=list)

    def build(self, bound: int | None, most: int) -> bool:
        """See all states; whether there were no more than `most`."""
        model, index = self.model, dict[_State, int]()
        levels: dict[tuple[int, int], list[tuple[_State, int, int]]] = {
            (0, 0): [(tuple(model.initial), -1, -1)]
        }
        into: dict[int, list[tuple[_State, int, int, bool]]] = {}
        while levels:
            level = min(levels)
            for state, parent, action in levels.pop(level):
                if state in index:
                    continue
                number = index[state] = len(self.states)
                self.states.append(state)
                self.reached.append((parent, action))
                into[number] = steps = []
                for one in range(len(model.actions)):
                    view = list(state)
                    labels = model.step(view, one)
                    costs = bool(labels and labels & model.costly)
                    if labels is None or (bound is not None and level[0] + costs > bound):
                        continue
                    after = tuple(view)
                    steps.append((after, one, labels, bound is None or not costs))
                    levels.setdefault((level[0] + costs, level[1] + 1), []).append(
                        (after, number, one)
                    )
                if len(index) > most:
                    return False
        self.edges = [
            [_Edge(one, index[after], labels, free) for after, one, labels, free in into[number]]
            for number in range(len(self.states))
        ]
        return True

    def marked(self) -> dict[Hashable, list[int]]:
        """The states of each mark."""
        found: dict[Hashable, list[int]] = defaultdict(list)
        for number, state in enumerate(self.states):
            for mark in self.model.marks(state):
                found[mark].append(number)
        return found

    def path(self, number: int) -> list[int]:
        """The actions of the first way to a state."""
        actions: list[int] = []
        while number > 0:
            number, action = self.reached[number]
            actions.append(action)
        return actions[::-1]

    def fair(self, part: set[int]) -> bool:
        """Whether nobody is left out who could always go on in a part of the graph."""
        always: set[Hashable] | None = None
        taken: set[Hashable] = set()
        for number in part:
            free = [edge for edge in self.edges[number] if edge.free]
            able = {self.model.group(edge.action) for edge in free} - {None}
            taken |= {self.model.group(edge.action) for edge in free if edge.target in part}
            always = able if always is None else always & able
        return not (always or set()) - taken

    def own(self, part: set[int], mark: Hashable) -> Iterator[tuple[int, _Edge]]:
        """The steps of a mark's owner within a part."""
        for number in sorted(part):
            for edge in self.edges[number]:
                mine = edge.free and edge.target in part
                if mine and self.model.goes_on(self.states[number], edge.action, mark):
                    yield number, edge


def search_cycles(model: MarkedModel, *, bound: int | None, max_states: int) -> CycleSearch:
    """Look for a run for ever on which a mark stays and its owner goes on.

    The model is run on each state: this is for small ones.

    :param bound: the greatest cost of a run, so that what costs is not on a cycle.
    :param max_states: ends the search when there are more.
    """
    graph = _Graph(model)
    if not graph.build(bound, max_states):
        return CycleSearch(complete=False)
    best: tuple[int, Hashable, set[int]] | None = None
    for mark, numbers in graph.marked().items():
        for part in _components(graph, set(numbers)):
            first = min(part)
            if (best is None or first < best[0]) and (
                graph.fair(part) and any(True for _ in graph.own(part, mark))
            ):
                best = (first, mark, part)
    if best is None:
        return CycleSearch(complete=True)
    first, mark, part = best
    stem = graph.path(first)
    around = _around(graph, first, part, next(graph.own(part, mark)))
    return CycleSearch(True, _walked(model, stem + around), len(stem), mark)


def _around(graph: _Graph, first: int, part: set[int], own: tuple[int, _Edge]) -> list[int]:
    """The actions of a way from a state around and back, by a step of the owner."""
    there, edge = own
    return [
        *_within(graph, part, first, there),
        edge.action,
        *_within(graph, part, edge.target, first),
    ]


def _within(graph: _Graph, part: set[int], begin: int, end: int) -> list[int]:
    """The actions of a shortest way inside of a part."""
    before: dict[int, tuple[int, int]] = {begin: (-1, -1)}
    todo = deque([begin])
    while end not in before:
        number = todo.popleft()
        for edge in graph.edges[number]:
            if edge.free and edge.target in part and edge.target not in before:
                before[edge.target] = (number, edge.action)
                todo.append(edge.target)
    actions: list[int] = []
    while end != begin:
        end, action = before[end]
        actions.append(action)
    return actions[::-1]


def _walked(model: Model, actions: Sequence[int]) -> SearchPath:
    state, steps, cost = list(model.initial), [], 0
    for action in actions:
        labels = model.step(state, action) or 0
        cost += bool(labels & model.costly)
        steps.append(PathStep(model.actions[action], label_names(model, labels)))
    return SearchPath(tuple(steps), cost)


def _components(graph: _Graph, inside: set[int]) -> Iterator[set[int]]:
    """The strongly connected parts with a cycle of the states `inside` (Tarjan, without calls)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    held: list[int] = []
    on: set[int] = set()

    def targets(number: int) -> Iterator[int]:
        return (e.target for e in graph.edges[number] if e.free and e.target in inside)

    for root in sorted(inside):
        if root in order:
            continue
        work = [(root, targets(root))]
        _enter(root, order, low, held, on)
        while work:
            number, rest = work[-1]
            target = next(rest, None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[number])
                if low[number] == order[number]:
                    part = set(_taken(held, on, number))
                    if len(part) > 1 or number in targets(number):
                        yield part
            elif target not in order:
                _enter(target, order, low, held, on)
                work.append((target, targets(target)))
            elif target in on:
                low[number] = min(low[number], order[target])


def _enter(
    number: int, order: dict[int, int], low: dict[int, int], held: list[int], on: set[int]
) -> None:
    order[number] = low[number] = len(order)
    held.append(number)
    on.add(number)


def _taken(held: list[int], on: set[int], until: int) -> Iterator[int]:
    while True:
        number = held.pop()
        on.discard(number)
        yield number
        if number == until:
            return
