# SPDX-License-Identifier: GPL-2.0-or-later
"""What a search leaves to a kernel, so that there can be two: walking the tries, and hashing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lazymmu.explore import hashing, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from lazymmu.explore.flat import Flat

    Words = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["HANDOVER", "NUMPY", "Engine", "Kernel"]


@dataclass(frozen=True, slots=True)
class Kernel:
    """The inner loops. Each behaves like the function of that name in `walk` and `hashing`.

    `pairs` is how many pairs of a state and an action are worked on at once: enough that the work,
    and not the calls, takes the time, and few enough that most of it stays in a cache.
    """

    name: str
    pairs: int
    steps: Callable[[Flat, Words, int, int], tuple[Ints, Ints]]
    successors: Callable[[Flat, Words, Ints, Ints], Words]
    claim: Callable[[Words, int, Words], Ints]
    find: Callable[[Words, int, Words], Ints]


NUMPY = Kernel("numpy", 1 << 17, walk.steps, walk.successors, hashing.claim, hashing.find)
"""The default."""

HANDOVER = 1_000_000
"""After so many states compiled code is worth its start: there are likely as many to come."""


class Engine:
    """Chooses the kernel: numpy, numba, or numba where that is installed and worth its start."""

    def __init__(self, name: str) -> None:
        """`name` is "numpy", "numba" or "auto". Raises ImportError without the numba asked for."""
        self._now = _numba() if name == "numba" else NUMPY
        self._waits = name == "auto" and find_spec("numba") is not None

    @property
    def name(self) -> str:
        """The kernel that is in use."""
        return self._now.name

    def kernel(self, states: int) -> Kernel:
        """The kernel for a search that has stored so many states."""
        if self._waits and states > HANDOVER:
            self._waits = False
            self._now = _numba()
        return self._now


def _numba() -> Kernel:
    from lazymmu.explore import compiled

    return Kernel(
        "numba",
        1 << 16,
        compiled.steps,
        compiled.successors,
        compiled.claim,
        compiled.find,
    )
