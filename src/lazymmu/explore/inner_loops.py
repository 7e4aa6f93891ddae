# SPDX-License-Identifier: GPL-2.0-or-later
"""The inner loops of a search, walking the tries and hashing, so that there can be two of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from lazymmu.explore.trie_arrays import TrieArrays

    Words = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["InnerLoops"]


@dataclass(frozen=True, slots=True)
class InnerLoops:
    """The inner loops. Each behaves like the function of that name in `trie_walk` and `hashing`.

    `pairs` is how many pairs of a state and an action are worked on at once: enough that the work,
    and not the calls, takes the time, and few enough that most of it stays in a cache.
    """

    name: str
    pairs: int
    steps: Callable[[TrieArrays, Words, int, int], tuple[Ints, Ints]]
    successors: Callable[[TrieArrays, Words, Ints, Ints], Words]
    insert_new: Callable[[Words, int, Words], Ints]
    find: Callable[[Words, int, Words], Ints]
