# SPDX-License-Identifier: GPL-2.0-or-later
"""Walks the tries of all actions for many states at once, with numpy; runs the model where needed.

States are columns: an array of shape (words, states). A step is a row number (which state) and a
leaf; steps come in the order of states and then of actions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lazymmu.explore.trie_arrays import TrieArrays

    Words = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["OutgrownError", "learn", "state_of", "steps", "successors"]


class OutgrownError(Exception):
    """A field has met more values than its bits can tell apart: pack anew, and begin again."""


def state_of(flat: TrieArrays, words: Words, row: int) -> Callable[[int], int]:
    """The number of each field's value in one state of many."""
    packed = [int(word) for word in words[:, row]]
    packing = flat.packing

    def number(field: int) -> int:
        return packing.number(packed, field)

    return number


def learn(flat: TrieArrays, words: Words, rows: Ints, actions: Ints, slots: Ints) -> None:
    """Run the model for unknown children, once for each place in the tries.

    :raises OutgrownError: that brought a value for which there are no bits.
    """
    _, first = np.unique(slots, return_index=True)
    grown = []
    for one in np.sort(first).tolist():
        state = state_of(flat, words, int(rows[one]))
        grown.append(flat.table.learn(int(actions[one]), state))
    if flat.outgrown():
        raise OutgrownError
    flat.sync(grown)


def _fields(flat: TrieArrays, words: Words, rows: Ints, nodes: Ints) -> Ints:
    """For pairs of a state and a node: where the child is that the node's question leads to."""
    if len(words) == 1:
        slot: Words = words[0].take(rows)
    else:
        place = flat.word.take(nodes)
        place *= words.shape[1]
        place += rows
        slot = words.take(place)
    slot >>= flat.shift.take(nodes)
    slot &= flat.mask.take(nodes)
    slots: Ints = slot.view(np.int64)
    slots += flat.base.take(nodes)
    return slots


def steps(flat: TrieArrays, words: Words, first: int, count: int) -> tuple[Ints, Ints]:
    """The rows and leaves of all steps of actions `first` to `first + count` that can be taken."""
    if not count:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # The first question of each action at once; where there is none, the root itself is asked.
    top = np.arange(1 + first, 1 + first + count)
    ref = flat.child.take(flat.base.take(top))
    node = np.where(ref > 0, ref, top)
    asked = words[0][:, None] if len(words) == 1 else words[flat.word.take(node)].T
    slot = (asked >> flat.shift.take(node) & flat.mask.take(node)).view(np.int64)
    slot += flat.base.take(node)
    slots = slot.ravel()
    refs = flat.child.take(slots)
    pairs = np.nonzero(refs > 0)[0]
    unknown = np.nonzero(refs == 0)[0]
    asking = [(unknown, slots.take(unknown))] if unknown.size else []
    while True:
        nodes = refs.take(pairs)
        rows = pairs // count
        while pairs.size:
            slots = _fields(flat, words, rows, nodes)
            nodes = flat.child.take(slots)
            refs[pairs] = nodes
            if not nodes.all():
                unknown = np.nonzero(nodes == 0)[0]
                asking.append((pairs.take(unknown), slots.take(unknown)))
            on = np.nonzero(nodes > 0)[0]
            pairs, nodes, rows = pairs.take(on), nodes.take(on), rows.take(on)
        if not asking:
            break
        unknown = np.concatenate([pair for pair, _ in asking])
        slots = np.concatenate([slot for _, slot in asking])
        learn(flat, words, unknown // count, first + unknown % count, slots)
        refs[unknown] = flat.child.take(slots)
        pairs, asking = unknown[refs.take(unknown) > 0], []
    taken = np.nonzero(refs < -1)[0]
    return taken // count, -refs.take(taken)


def successors(flat: TrieArrays, words: Words, rows: Ints, leaves: Ints) -> Words:
    """The states after steps."""
    after = words.take(rows, axis=1)
    for word in range(len(words)):
        after[word] &= flat.keep[:, word].take(leaves)
        after[word] |= flat.value[:, word].take(leaves)
    return after
