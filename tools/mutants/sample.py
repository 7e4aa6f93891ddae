# SPDX-License-Identifier: GPL-2.0-or-later
"""Which mutants are tried: drawn by a seed, so that everybody draws the same.

A mutant's lot depends on the seed and on its own name alone. When code changes elsewhere, the rest
of the sample stays as it is.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.mutants.sites import Mutant

SEED: Final = 9
COUNT: Final = 50
"""Mutants of an area."""


def drawn(mutants: Iterable[Mutant], *, seed: int = SEED, count: int = COUNT) -> list[Mutant]:
    """So many of them, each family of changes taking its turn; those with one name count once."""
    families: dict[str, dict[str, Mutant]] = defaultdict(dict)
    for mutant in mutants:
        families[mutant.family].setdefault(mutant.name, mutant)
    shuffled = [
        sorted(families[family].values(), key=lambda one: _lot(seed, one.name))
        for family in sorted(families)
    ]
    turns = chain.from_iterable(zip_longest(*shuffled))
    return [mutant for mutant in turns if mutant is not None][:count]


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed} {name}".encode()).digest()
