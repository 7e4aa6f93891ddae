# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree that remembers what was asked of it, so that a result can be told to be still good.

What was computed from a tree depends on the files that were read, on those that were looked for
(a header that appears may hide another), and on the directories that were listed.
`DependencyTracker` keeps all three with their states; `unchanged` looks whether they still are as
they were.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from lazymmu.snapshot.beneath import Entry, fingerprint, settled
from lazymmu.snapshot.tree import ABSENT, Stamp, Tree

__all__ = ["DependencyTracker", "unchanged"]


class DependencyTracker(Tree):
    """A tree like another, with a list of what was asked of it."""

    __slots__ = ("states",)

    def __init__(self, tree: Tree) -> None:
        """Stand for `tree`; what cannot be read is lost there too."""
        super().__init__(tree.root, tree.release, tree.losses, tree.ground, tree.plain)
        self._lost = tree._lost
        self.module = tree.module
        self.states: dict[str, Stamp] = {}

    def read(self, rel: str) -> bytes:
        """Return the bytes of a file; see Tree. Its state is that before it was read."""
        if rel in self.states:
            return super().read(rel)
        now = time.time_ns()
        stamp = self.stamp(rel)
        content = super().read(rel)
        self.states[rel] = stamp if settled(stamp, now) else (*stamp, fingerprint(content))
        return content

    def has(self, rel: str) -> bool:
        """Whether the tree has a regular file `rel`; see Tree."""
        found = super().has(rel)
        if not found:
            self.states.setdefault(rel, ABSENT)
        return found

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory; see Tree."""
        self.note((rel,))
        return super().entries(rel)

    def note(self, rels: Iterable[str]) -> None:
        """Remember the states of files or directories that were read by others."""
        for rel in rels:
            if rel not in self.states:
                self.states[rel] = self.state(rel)


def unchanged(tree: Tree, states: object) -> bool:
    """Tell whether everything in `states` (path to state, as kept) is as it was."""
    return isinstance(states, dict) and all(
        type(state) is list and tree.still(rel, tuple(state)) for rel, state in states.items()
    )
