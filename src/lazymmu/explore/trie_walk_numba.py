# SPDX-License-Identifier: GPL-2.0-or-later
"""The inner loops compiled by numba: what `walk` and `hashing` do, and the same results.

They know arrays only and no model, so they are compiled once, and found again in numba's cache.
Importing this module needs numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from lazymmu.explore.hashing import MULTIPLIER
from lazymmu.explore.trie_arrays import BASE, MASK, SHIFT, WORD
from lazymmu.explore.trie_walk import learn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lazymmu.explore.trie_arrays import TrieArrays

    Words = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["find", "insert_new", "steps", "successors"]

_MAX_CHILDREN_ASKED = 1 << 12
"""So many unknown children are looked for before the model is run."""

_PENDING = -(1 << 62)
"""Marks a child that was found unknown, so that it is asked for once."""

_SLOTS_PREFETCHED = 32
"""So many slots are touched before they are searched, while memory brings them."""

_WORDS = "uint64[:,::1]"
_W = "uint64[::1]"
_I = "int64[::1]"


def _compiled(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for these types; into the cache if there is a place for one."""

    def compile_it(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(signature, cache=True)(function)
        except RuntimeError:  # no directory for the cache can be written to
            return numba.njit(signature)(function)

    return compile_it


@_compiled(f"int64({_WORDS},int64[:,::1],{_I},int64,int64,{_I},int64[:,::1])")
def _walk(words, node, child, first, count, refs, asked):  # type: ignore[no-untyped-def]
    # One action after the other: what it asks, and what comes of it, is then easy to foresee.
    unknown = 0
    for action in range(count):
        root = node[1 + first + action, BASE]
        for row in range(words.shape[1]):
            ref = refs[row * count + action]
            if ref not in (0, _PENDING):
                continue  # known from the last time
            slot = root
            ref = child[slot]
            while ref > 0:
                word = words[node[ref, WORD], row]
                value = word >> np.uint64(node[ref, SHIFT]) & np.uint64(node[ref, MASK])
                slot = node[ref, BASE] + np.int64(value)
                ref = child[slot]
            refs[row * count + action] = ref
            if ref == 0:
                child[slot] = _PENDING
                asked[0, unknown] = row
                asked[1, unknown] = first + action
                asked[2, unknown] = slot
                unknown += 1
                if unknown == asked.shape[1]:
                    return unknown
    return unknown


@_compiled(f"int64({_I},int64,{_I},{_I})")
def _taken(refs, count, rows, leaves):  # type: ignore[no-untyped-def]
    taken = 0
    for row in range(refs.size // max(count, 1)):
        for place in range(row * count, (row + 1) * count):
            # Written in any case, which is faster than to guess whether the step can be taken.
            rows[taken] = row
            leaves[taken] = -refs[place]
            taken += refs[place] < -1
    return taken


def steps(flat: TrieArrays, words: Words, first: int, count: int) -> tuple[Ints, Ints]:
    """As `walk.steps`."""
    pairs = words.shape[1] * count
    refs = np.zeros(pairs, np.int64)
    asked = np.empty((3, _MAX_CHILDREN_ASKED), np.int64)
    while unknown := _walk(words, flat.node, flat.child, first, count, refs, asked):
        learn(flat, words, *asked[:, :unknown])
    rows = np.empty(pairs + 1, np.int64)
    leaves = np.empty(pairs + 1, np.int64)
    taken = _taken(refs, count, rows, leaves)
    return rows[:taken], leaves[:taken]


@_compiled(f"void({_WORDS},{_I},{_I},{_WORDS},{_WORDS},{_WORDS})")
def _successors(words, rows, leaves, keep, value, after):  # type: ignore[no-untyped-def]
    for word in range(words.shape[0]):
        for place in range(rows.size):
            leaf = leaves[place]
            after[word, place] = words[word, rows[place]] & keep[leaf, word] | value[leaf, word]


def successors(flat: TrieArrays, words: Words, rows: Ints, leaves: Ints) -> Words:
    """As `walk.successors`."""
    after = np.empty((len(words), rows.size), np.uint64)
    _successors(words, rows, leaves, flat.keep, flat.value, after)
    return after


@_compiled(f"UniTuple(int64, 2)({_W},int64,{_W},{_I})")
def _claim(table, log, keys, new):  # type: ignore[no-untyped-def]
    found = 0
    touched = np.uint64(0)
    mask = (1 << log) - 1
    down = np.uint64(64 - log)
    slots = np.empty(_SLOTS_PREFETCHED, np.int64)
    for start in range(0, keys.size, _SLOTS_PREFETCHED):
        size = min(_SLOTS_PREFETCHED, keys.size - start)
        for ahead in range(size):
            slot = np.int64(keys[start + ahead] * np.uint64(MULTIPLIER) >> down)
            slots[ahead] = slot
            touched ^= table[slot]
        for ahead in range(size):
            key = keys[start + ahead]
            slot = slots[ahead]
            step = 0
            while True:
                there = table[slot]
                if there == key:
                    break
                if there == 0:
                    table[slot] = key
                    new[found] = start + ahead
                    found += 1
                    break
                step += 1
                slot = slot + step & mask
    return found, np.int64(touched >> np.uint64(63))


def insert_new(table: Words, log: int, keys: Words) -> Ints:
    """As `hashing.claim`."""
    new = np.empty(keys.size, np.int64)
    found, _ = _claim(table, log, np.ascontiguousarray(keys), new)
    return new[:found]


@_compiled(f"void({_W},int64,{_W},{_I})")
def _find(table, log, keys, slots):  # type: ignore[no-untyped-def]
    mask = (1 << log) - 1
    down = np.uint64(64 - log)
    for place in range(keys.size):
        slot = np.int64(keys[place] * np.uint64(MULTIPLIER) >> down)
        step = 0
        while table[slot] != keys[place] and table[slot] != 0:
            step += 1
            slot = slot + step & mask
        slots[place] = slot


def find(table: Words, log: int, keys: Words) -> Ints:
    """As `hashing.find`."""
    slots = np.empty(keys.size, np.int64)
    _find(table, log, np.ascontiguousarray(keys), slots)
    return slots
