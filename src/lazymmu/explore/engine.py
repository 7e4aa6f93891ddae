# SPDX-License-Identifier: GPL-2.0-or-later
"""Who runs a search's inner loops: numpy, or numba where that is worth its start."""

from __future__ import annotations

from importlib.util import find_spec

from lazymmu.explore import hashing, trie_walk
from lazymmu.explore.inner_loops import InnerLoops

__all__ = ["MIN_STATES_COMPILED", "NUMPY", "Engine"]

NUMPY = InnerLoops(
    "numpy", 1 << 17, trie_walk.steps, trie_walk.successors, hashing.insert_new, hashing.find
)
"""The default."""

MIN_STATES_COMPILED = 1_000_000
"""After so many states compiled code is worth its start: there are likely as many to come."""


class Engine:
    """Chooses the inner loops: numpy, or numba where that is installed and worth its start."""

    def __init__(self, name: str) -> None:
        """`name` is "numpy", "numba" or "auto". Raises ImportError without the numba asked for."""
        self._now = _numba() if name == "numba" else NUMPY
        self._waits = name == "auto" and find_spec("numba") is not None

    @property
    def name(self) -> str:
        """Who runs the inner loops now."""
        return self._now.name

    def loops(self, states: int) -> InnerLoops:
        """The inner loops for a search that has stored so many states."""
        if self._waits and states > MIN_STATES_COMPILED:
            self._waits = False
            self._now = _numba()
        return self._now


def _numba() -> InnerLoops:
    from lazymmu.explore import trie_walk_numba

    return InnerLoops(
        "numba",
        1 << 16,
        trie_walk_numba.steps,
        trie_walk_numba.successors,
        trie_walk_numba.insert_new,
        trie_walk_numba.find,
    )
