# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree that remembers what was asked of it, so that a result can be told to be still good.

What was computed from a tree depends on the files that were read, on those that were looked for
(a header that appears may hide another), and on the directories that were listed.
`DependencyTracker` keeps all three by what they hold (see content_ids.py), and what was lost.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lazymmu.snapshot.content_ids import MISSING, ContentIds, listing_id
from lazymmu.snapshot.tree import Loss, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.snapshot.beneath import Entry

__all__ = ["DependencyTracker"]


class DependencyTracker(Tree):
    """A tree like another, with a list of what was asked of it.

    seen: files and directories by the id of what they held; present: files of which was asked
    whether they are there, and that are; lost: all that was lost by what was asked here.
    """

    __slots__ = ("ids", "lost", "present", "seen")

    def __init__(self, tree: Tree, ids: ContentIds) -> None:
        """Stand for `tree`, whose contents are told to `ids`; what is lost is lost there too."""
        super().__init__(tree.root, tree.release, tree.losses, tree.ground, tree.plain)
        self._lost = tree._lost
        self.module = tree.module
        self.ids = ids
        self.seen: dict[str, str] = {}
        self.present: dict[str, None] = {}
        self.lost: dict[Loss, None] = {}

    def read(self, rel: str) -> bytes:
        """Return the bytes of a file; see Tree."""
        if rel in self.seen:
            return super().read(rel)
        now = time.time_ns()
        stamp = self.stamp(rel)
        content = super().read(rel)
        if content:
            self.seen[rel] = self.ids.learn(rel, stamp, now, content)
        else:
            self.seen[rel] = self.ids.of(rel)
        return content

    def has(self, rel: str) -> bool:
        """Whether the tree has a regular file `rel`; see Tree."""
        found = super().has(rel)
        if found:
            self.present[rel] = None
        else:
            # A directory, or what may not be looked at, is more than nothing.
            self.seen.setdefault(rel, MISSING if self._is_nothing(rel) else self.ids.of(rel))
        return found

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory; see Tree."""
        found = super().entries(rel)
        if rel not in self.seen:
            self.seen[rel] = listing_id(found) if found else self.ids.of(rel)
        return found

    def note(self, rels: Iterable[str]) -> None:
        """Remember the contents of files or directories that were read by others."""
        for rel in rels:
            if rel not in self.seen:
                self.seen[rel] = self.ids.of(rel)

    def lose(self, rel: str, reason: str, *, unread: bool = False) -> None:
        """Record that something of the file `rel` is lost; see Tree."""
        self.lost[Loss(rel, reason, unread)] = None
        super().lose(rel, reason, unread=unread)

    def inputs(self) -> dict[str, str]:
        """Return all that was asked by id; a file that is only there has the id `+`."""
        found = {rel: "+" for rel in self.present if rel not in self.seen}
        return {**found, **self.seen}

    def _is_nothing(self, rel: str) -> bool:
        return self.stamp(rel) == (-1,)
