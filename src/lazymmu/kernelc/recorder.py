# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree that remembers what was asked of it, so that a result can be told to be still good.

What was computed from a tree depends on the files that were read, on those that were looked for
(a header that appears may hide another), and on the directories that were listed. `Recorder`
keeps all three with their states; `unchanged` looks whether they still are as they were.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from lazymmu.kernelc.tree import Tree

__all__ = ["ABSENT", "Recorder", "Stamp", "stamp", "unchanged"]

Stamp = tuple[int, int]
"""What tells one state of a file from another: its size in bytes, its mtime in nanoseconds."""

ABSENT: Final[Stamp] = (-1, 0)
"""The state of what is not there."""


def stamp(tree: Tree, rel: str) -> Stamp:
    """Return the state of a file or directory of the tree, ABSENT when it is not there."""
    try:
        status = os.stat(os.path.join(tree.root, rel))
    except (OSError, ValueError):
        return ABSENT
    return status.st_size, status.st_mtime_ns


class Recorder(Tree):
    """A tree like another, with a list of what was asked of it."""

    __slots__ = ("states",)

    def __init__(self, tree: Tree) -> None:
        """Stand for `tree`; what cannot be read is lost there too."""
        super().__init__(tree.root, tree.release, tree.losses)
        self.states: dict[str, Stamp] = {}

    def read(self, rel: str) -> bytes:
        """Return the bytes of a file; see Tree. Its state is that before it was read."""
        self.note((rel,))
        return super().read(rel)

    def has(self, rel: str) -> bool:
        """Whether the tree has a regular file `rel`; see Tree."""
        found = super().has(rel)
        if not found:
            self.states.setdefault(rel, ABSENT)
        return found

    def note(self, rels: Iterable[str]) -> None:
        """Remember the states of files or directories that were read by others."""
        for rel in rels:
            if rel not in self.states:
                self.states[rel] = stamp(self, rel)


def unchanged(tree: Tree, states: object) -> bool:
    """Tell whether everything in `states` (path to size and time, as kept) is as it was."""
    if not isinstance(states, dict):
        return False
    root = f"{tree.root}{os.sep}"
    stat = os.stat
    for rel, state in states.items():
        try:
            status = stat(root + rel)
        except (OSError, ValueError, TypeError):
            if state != [-1, 0]:
                return False
        else:
            if state != [status.st_size, status.st_mtime_ns]:
                return False
    return True
