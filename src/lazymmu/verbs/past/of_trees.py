# SPDX-License-Identifier: GPL-2.0-or-later
"""The points of a history that directories are, one for each release."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.lineage import by_release
from lazymmu.verbs.past.looks import PastLook
from lazymmu.verbs.past.points import Point, heads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.verbs.past.looking import Looking

__all__ = ["TreeHistory"]


class TreeHistory:
    """A history of trees that lie in directories."""

    def __init__(
        self, looking: Looking, *, arches: Sequence[str] = (), dialect: str | None = None
    ) -> None:
        """Look at trees by `looking`."""
        self._looking = looking
        self._arches, self._dialect = tuple(arches), dialect

    def of(self, paths: Sequence[str]) -> list[Point]:
        """The points that directories are, in the order of their releases."""
        looks = [self.look(path) for path in paths]
        called = [os.path.basename(os.path.abspath(path)) for path in paths]
        done = self._looking.at(looks, called)
        pairs = [(path, done[one]) for path, one in zip(paths, looks, strict=True) if one in done]
        releases = [one.result.tree.release if one.result else "" for _, one in pairs]
        names = heads([path for path, _ in pairs], releases)
        return [
            Point(
                name=names[place] or os.path.basename(os.path.abspath(pairs[place][0])),
                release=releases[place],
                path=pairs[place][0],
                result=pairs[place][1].result,
                trouble=pairs[place][1].trouble,
            )
            for place in by_release(releases)
        ]

    def look(self, path: str) -> PastLook:
        """What is asked about one tree."""
        elsewhere = self._arches
        return PastLook(path=path, arches=self._arches, dialect=self._dialect, elsewhere=elsewhere)

    def tree(self, point: Point) -> Tree:
        """The tree of a point."""
        return Tree.open(point.path)
