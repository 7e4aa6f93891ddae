# SPDX-License-Identifier: GPL-2.0-or-later
"""The machines of one architecture of a tree, for the tools that measure them.

There is one, but where its hooks ask for a static key that may be either: then there is one for
each of its values (`lazymmu.lift.static_keys`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.lift.implementation import LiftedArch
from lazymmu.machine.releases import TREES
from lazymmu.verbs.lifting import lifted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.lift.lifted import Lifted
    from lazymmu.verbs.lifting import LiftedTree
    from lazymmu.witness.source.check import Where

__all__ = ["MeasuredMachine", "called", "machines"]


@dataclass(frozen=True, slots=True)
class MeasuredMachine:
    """One of them.

    :param told: what is known of it, and the name under which it is installed.
    :param keys: what static keys are taken to be that may be either, "" where none may.
    """

    told: LiftedTree
    keys: str = ""

    @property
    def lifted(self) -> Lifted:
        """What was lifted; it must not be refused."""
        return _lifted(self.told)


@contextlib.contextmanager
def machines(
    tree: Where, arch: str, steps: str, cache: str | None = None
) -> Iterator[tuple[MeasuredMachine, ...]]:
    """With the machines of an architecture beside all others.

    :param steps: see `lift.steps.Steps`.
    :raises Problem: with the reason.
    """
    with lifted(tree, [arch], steps, cache) as several:
        yield tuple(
            MeasuredMachine(one, one.keys if one.refused else _lifted(one).linker.keys.either())
            for one in several
        )


def called(tree: str, keys: str) -> str:
    """Return what a machine of a tree is called in tables."""
    return f"{tree} with {keys}" if keys else tree


def _lifted(told: LiftedTree) -> Lifted:
    made = TREES[told.arch, told.tree][1]
    assert issubclass(made, LiftedArch)  # a tree's machines are made in no other way
    return made.lifted
