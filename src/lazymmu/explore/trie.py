# SPDX-License-Identifier: GPL-2.0-or-later
"""The model's step, run once for all states that look alike to it.

A step is run on a view that records which fields it read, in order, and what it wrote. The outcome
holds for every state that has these values, and goes into a decision trie of the action: a node
asks for one field, its children are by value, a leaf says what happens. An action that was never
run has an empty root.

This is right as long as a step depends on nothing else. `StepTable.check` runs a step again
elsewhere, to catch one that does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lazymmu.explore.model import ModelError
from lazymmu.explore.packing import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.explore.model import Model

__all__ = ["BLOCKED", "ROOT", "UNKNOWN", "Leaf", "StepTable", "TrieNode"]

UNKNOWN = 0
"""The reference to what was not tabulated yet; positive references are nodes, negative leaves."""

BLOCKED = -1
"""The reference to the leaf of all steps that cannot be taken."""

ROOT = -1
"""In place of a field: the node above an action's trie, which has the one child 0."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a step does: the fields it sets, by number, and the labels it shows.

    The action `len(model.actions)` is no step but the model's `final`.
    """

    action: int
    labels: int
    writes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TrieNode:
    """A question in a trie: the field whose value decides, and what comes next by its number."""

    field: int
    children: dict[int, int]


_UNREAD: Final = object()


class _Recorder:
    """A state as a step sees it, which remembers what it was asked and told."""

    __slots__ = ("_fetch", "_now", "_size", "reads", "writes")

    def __init__(self, fetch: Callable[[int], Any], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._now: dict[int, Any] = {}
        self.reads: list[int] = []
        self.writes: dict[int, Any] = {}

    def _place(self, index: int) -> int:
        if index < 0:
            index += self._size
        if not 0 <= index < self._size:
            raise IndexError("the state has no such field")
        return index

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int, /) -> Any:
        value = self._now.get(index, _UNREAD)
        if value is _UNREAD:
            if not 0 <= index < self._size:
                return self[self._place(index)]
            value = self._now[index] = self._fetch(index)
            self.reads.append(index)
        return value

    def __setitem__(self, index: int, value: Any, /) -> None:
        index = self._place(index)
        self._now[index] = self.writes[index] = value


class StepTable:
    """The tries of a model, as far as they are known. Packing does not matter here."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.final = len(model.actions)
        self.values = [Values(field) for field in model.fields]
        self.nodes = [TrieNode(ROOT, {}) for _ in range(self.final + 2)]
        """Node 0 is nothing; node 1 + a is the root of action a, the last root that of `final`."""
        blocked = Leaf(self.final, 0, ())
        self.leaves = [blocked, blocked]
        """Leaf n has the reference -n; 0 is nothing, and 1 is BLOCKED."""
        self.calls = 0
        self.initial = tuple(
            values.number(value) for values, value in zip(self.values, model.initial, strict=True)
        )

    def run(self, action: int, state: Callable[[int], int]) -> tuple[list[tuple[int, int]], Leaf]:
        """Run one step on a state, given by the number of each field: what was read, and the leaf.

        A step that cannot be taken gives the leaf `leaves[1]`.
        """
        numbers: dict[int, int] = {}
        values = self.values

        def fetch(field: int) -> Any:
            number = numbers[field] = state(field)
            return values[field].known[number]

        view = _Recorder(fetch, len(values))
        self.calls += 1
        if action == self.final:
            leaf = Leaf(action, self._mask(self.model.final(view)), ())
        else:
            labels = self.model.step(view, action)
            if labels is None:
                leaf = self.leaves[1]
            else:
                writes = ((one, values[one].number(value)) for one, value in view.writes.items())
                changed = tuple(
                    (one, number) for one, number in writes if numbers.get(one) != number
                )
                leaf = Leaf(action, self._mask(labels), changed)
        return [(field, numbers[field]) for field in view.reads], leaf

    def _mask(self, labels: int) -> int:
        if labels >> len(self.model.labels):
            raise ModelError(f"a step shows {labels:#x}, and not all of that has a label")
        return labels

    def learn(self, action: int, state: Callable[[int], int]) -> tuple[int, int]:
        """Run a step whose outcome on this state is unknown, and put it into the action's trie.

        Returns the node and the value where the trie has grown.
        """
        reads, leaf = self.run(action, state)
        ref, value = 1 + action, 0
        node = self.nodes[ref]
        grown = None
        for field, number in reads:
            if value not in node.children:
                grown = grown or (ref, value)
                node.children[value] = len(self.nodes)
                self.nodes.append(TrieNode(field, {}))
            ref = node.children[value]
            if ref < 0 or self.nodes[ref].field != field:
                raise self._hidden(action)
            node, value = self.nodes[ref], number
        if value in node.children:
            raise self._hidden(action)
        if leaf is self.leaves[1]:
            node.children[value] = BLOCKED
        else:
            node.children[value] = -len(self.leaves)
            self.leaves.append(leaf)
        return grown or (ref, value)

    def look(self, action: int, state: Callable[[int], int]) -> int:
        """The reference that an action's trie has for a state: a leaf, or UNKNOWN."""
        ref = self.nodes[1 + action].children.get(0, UNKNOWN)
        while ref > 0:
            node = self.nodes[ref]
            ref = node.children.get(state(node.field), UNKNOWN)
        return ref

    def check(self, action: int, state: Callable[[int], int]) -> None:
        """Run a step again whose outcome is known.

        :raises ModelError: it has another one now.
        """
        known = self.leaves[-self.look(action, state)]
        _, leaf = self.run(action, state)
        if (leaf.action, leaf.labels) != (known.action, known.labels) or not self._same(
            leaf.writes, known.writes, state
        ):
            raise self._hidden(action)

    @staticmethod
    def _same(
        one: Sequence[tuple[int, int]],
        other: Sequence[tuple[int, int]],
        state: Callable[[int], int],
    ) -> bool:
        """Whether two sets of writes make the same of a state."""
        return all(
            dict(one).get(field, state(field)) == dict(other).get(field, state(field))
            for field in {*dict(one), *dict(other)}
        )

    def _hidden(self, action: int) -> ModelError:
        name = "final" if action == self.final else f"action {self.model.actions[action]}"
        return ModelError(
            f"{name} behaves differently in states that look the same to it:"
            " it depends on something outside the state"
        )
