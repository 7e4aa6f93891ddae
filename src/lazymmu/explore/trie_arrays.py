# SPDX-License-Identifier: GPL-2.0-or-later
"""The tries as arrays, for one packing: what the fast engines walk.

Each node has a word, a shift and a mask, which give the number of its field's value, and a base:
the child for number v is `child[base + v]`. Each leaf has for each word what it keeps and what it
sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lazymmu.explore.trie import ROOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lazymmu.explore.packing import Packing
    from lazymmu.explore.trie import StepTable

__all__ = ["BASE", "MASK", "SHIFT", "WORD", "TrieArrays"]

WORD, SHIFT, MASK, BASE = range(4)
"""The columns of `TrieArrays.node`."""

_ALL = (1 << 64) - 1


class _Column:
    """An array that grows at its end; what is behind `size` means nothing."""

    __slots__ = ("data", "size")

    def __init__(self, dtype: type[np.generic], *more: int) -> None:
        self.data: NDArray[Any] = np.zeros((256, *more), dtype)
        self.size = 0

    def extend(self, more: int) -> int:
        """Add so many zeros; the place of the first."""
        start, self.size = self.size, self.size + more
        if self.size > len(self.data):
            size = max(self.size, 2 * len(self.data))
            grown = np.zeros((size, *self.data.shape[1:]), self.data.dtype)
            grown[:start] = self.data[:start]
            self.data = grown
        return start

    def append(self, value: Any) -> None:
        """Add one value."""
        place = self.extend(1)  # which may replace the array
        self.data[place] = value


class TrieArrays:
    """The arrays for a table under a packing that all of its known values fit."""

    def __init__(self, table: StepTable, packing: Packing) -> None:
        self.table = table
        self.packing = packing
        self._node = _Column(np.int64, 4)
        self._word = _Column(np.int64)
        self._shift = _Column(np.uint64)
        self._mask = _Column(np.uint64)
        self._base = _Column(np.int64)
        self._child = _Column(np.int64)
        self._keep = _Column(np.uint64, packing.words)
        self._value = _Column(np.uint64, packing.words)
        self._action = _Column(np.int64)
        self._labels = _Column(np.uint64)
        self._costly = _Column(np.bool_)
        self.sync([])

    @property
    def node(self) -> NDArray[np.int64]:
        """By node: the columns `WORD` to `BASE`, side by side as compiled code likes them."""
        return self._node.data

    @property
    def word(self) -> NDArray[np.int64]:
        """By node: the word of its field."""
        return self._word.data

    @property
    def shift(self) -> NDArray[np.uint64]:
        """By node: the lowest bit of its field."""
        return self._shift.data

    @property
    def mask(self) -> NDArray[np.uint64]:
        """By node: the bits of its field, shifted down."""
        return self._mask.data

    @property
    def base(self) -> NDArray[np.int64]:
        """By node: where its children begin."""
        return self._base.data

    @property
    def child(self) -> NDArray[np.int64]:
        """The references to all children."""
        return self._child.data

    @property
    def keep(self) -> NDArray[np.uint64]:
        """By leaf and word: the bits that stay."""
        return self._keep.data

    @property
    def value(self) -> NDArray[np.uint64]:
        """By leaf and word: the bits that are set then."""
        return self._value.data

    @property
    def action(self) -> NDArray[np.int64]:
        """By leaf: its action."""
        return self._action.data[: self._action.size]

    @property
    def labels(self) -> NDArray[np.uint64]:
        """By leaf: the labels that it shows."""
        return self._labels.data[: self._labels.size]

    @property
    def costly(self) -> NDArray[np.bool_]:
        """By leaf: whether it costs."""
        return self._costly.data[: self._costly.size]

    @property
    def bytes(self) -> int:
        """Memory of the arrays."""
        columns = (
            *(self._node, self._word, self._shift, self._mask, self._base, self._child),
            *(self._keep, self._value, self._action, self._labels, self._costly),
        )
        return sum(column.data.nbytes for column in columns)

    def outgrown(self) -> bool:
        """Whether a field has met more values than its bits can tell apart."""
        return any(
            len(values) > 1 << width
            for values, width in zip(self.table.values, self.packing.width, strict=True)
        )

    def sync(self, grown: list[tuple[int, int]]) -> None:
        """Take over what the table has learnt: new nodes and leaves, and these children."""
        first = self._base.size
        for node in self.table.nodes[first:]:
            self._add_node(node.field)
        for leaf in self.table.leaves[self._labels.size :]:
            self._add_leaf(leaf.action, leaf.labels, leaf.writes)
        child, base = self._child.data, self._base.data
        for number, value in grown:
            child[base[number] + value] = self.table.nodes[number].children[value]
        for number, node in enumerate(self.table.nodes[first:], first):
            for value, ref in node.children.items():
                child[base[number] + value] = ref

    def _add_node(self, field: int) -> None:
        packing = self.packing
        width = 0 if field == ROOT else packing.width[field]
        self._word.append(0 if field == ROOT else packing.word[field])
        self._shift.append(0 if field == ROOT else packing.shift[field])
        self._mask.append(~(-1 << width))
        self._base.append(self._child.extend(1 << width))
        row = (column.data[column.size - 1] for column in (self._word, self._shift, self._mask))
        self._node.append([*map(int, row), self._base.data[self._base.size - 1]])

    def _add_leaf(self, action: int, labels: int, writes: tuple[tuple[int, int], ...]) -> None:
        packing = self.packing
        keep, value = [_ALL] * packing.words, [0] * packing.words
        for field, number in writes:
            word, shift = packing.word[field], packing.shift[field]
            keep[word] &= ~(~(-1 << packing.width[field]) << shift)
            value[word] |= number << shift
        self._keep.append(np.array(keep, np.uint64))
        self._value.append(np.array(value, np.uint64))
        self._action.append(action)
        self._labels.append(labels)
        self._costly.append(labels & self.table.model.costly != 0)
