# SPDX-License-Identifier: GPL-2.0-or-later
"""What the files and directories of a tree hold, each told by an id of its content.

Where a file stands, when it was written and in which tree it lies does not matter to its id, so
that what was computed from it is good in every tree that has it. The id of a file is that of its
blob in git; that of a directory is made of the names in it. A file is read once for its id: that
is kept by its stamp (see beneath.py), and one that changed so short a time ago that its stamp need
not tell the next change is read again.

Limit: like git's own, the ids are SHA-1. Who can make two files with one id can make one of them
answer for the other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from lazymmu.snapshot.beneath import ABSENT, DISK_STAMP, Entry, Stamp, settled
from lazymmu.snapshot.content import blob_id, is_of_file
from lazymmu.snapshot.tree import SIZE_CAP, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["MISSING", "UNREADABLE", "ContentIds", "listing_id"]

MISSING: Final = "-"
"""The id of what is not there."""

UNREADABLE: Final = "?"
"""The id of what is there and cannot be read; nothing that rests on it is kept."""

_MANY: Final = 20
"""Files with new stamps, from which on all are looked up at once."""

_KIND: Final = "contents"


class _Store(Protocol):
    """A cache of plain values by kind and key (see cache.py)."""

    def get(self, kind: str, key: str) -> object | None:
        """Return the value put under the key, None when there is none."""
        ...

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep a value."""
        ...


def listing_id(entries: Iterable[Entry]) -> str:
    """Return an id for what a directory has in it, by name and kind."""
    text = "\0".join(f"{'/' if entry.directory else ''}{entry.name}" for entry in entries)
    return "d" + blob_id(text.encode("utf-8", "surrogatepass"))


class ContentIds:
    """The ids of one tree's files and directories, found out when they are asked for."""

    def __init__(
        self,
        tree: Tree,
        manifest: Mapping[str, Stamp] | None = None,
        cache: _Store | None = None,
    ) -> None:
        """Begin to tell what `tree` holds.

        manifest: what `Tree.manifest` returned, when it is known; cache: where ids are kept by
        stamp between runs.
        """
        self._tree = tree
        self._manifest = manifest if manifest is not None else {}
        self._cache = cache
        self._known: dict[str, str] = {}
        self._kept: dict[str, tuple[Stamp, str]] = {}
        self._new: dict[str, tuple[Stamp, str]] = {}
        self._heads: dict[str, bool] = {}
        """Directories, and whether they are there."""
        self._opened = False
        self.moving = False
        """Whether a file was seen to change: then nothing that was computed is to be kept."""

    def of(self, rel: str) -> str:
        """Return the id of what stands at the path `rel`, `MISSING` or `UNREADABLE`."""
        known = self._known.get(rel)
        if known is None:
            known = self._known[rel] = self._find(rel)
        return known

    def same(self, then: Mapping[str, object]) -> set[str]:
        """Return of files with their ids those that are known, without a look, to have them.

        All at once takes a third of the time: of thousands, one has changed.
        """
        self._open()
        listed: dict[str, Stamp] = {}
        for rel in then.keys() - self._known.keys():
            kept, stamp = self._kept.get(rel), self._manifest.get(rel)
            if kept is not None and kept[0] == stamp:
                self._known[rel] = kept[1]
            elif stamp is not None:
                listed[rel] = stamp
        if len(listed) > _MANY:
            now = time.time_ns()
            for rel, found in self._tree.ground.known_ids(listed).items():
                if is_of_file(found):
                    self._known[rel] = found
                    self._note(rel, listed[rel], now, found)
        return {rel for rel, _ in then.items() & self._known.items()}

    def learn(self, rel: str, stamp: Stamp, now: int, content: bytes) -> str:
        """Take note of a file that was read, and return its id.

        Without a cache nobody will ask, and the id is "".

        :param stamp: its state before that.
        :param now: the time before that, in nanoseconds.
        """
        if self._cache is None:
            return ""
        found = blob_id(content)
        if self._known.setdefault(rel, found) != found:
            self.moving = True
        self._note(rel, stamp, now, found)
        return found

    def learn_also(self, found: Mapping[str, tuple[Stamp, str]]) -> None:
        """Take note of files that another process read: their settled stamps, and their ids."""
        for rel, (stamp, content) in found.items():
            if self._known.setdefault(rel, content) != content:
                self.moving = True
            if stamp != ABSENT:
                self._new[rel] = stamp, content

    def noted(self, rels: Iterable[str]) -> dict[str, tuple[Stamp, str]]:
        """Return what is known of some files, for `learn_also` of another process."""
        return {
            rel: self._new.get(rel, (ABSENT, known))
            for rel in rels
            if (known := self._known.get(rel)) is not None
        }

    def cheap(self, rel: str) -> str | None:
        """Return the id of a file if it is known without reading it, else None."""
        known = self._known.get(rel)
        if known is None:
            self._open()
            kept = self._kept.get(rel)
            if kept is not None and kept[0] == (self._manifest.get(rel) or self._tree.stamp(rel)):
                known = self._known[rel] = kept[1]
        return known

    def keep(self) -> None:
        """Keep the ids that were found out for the next run, beside those of other processes."""
        if self._cache is None or not self._new:
            return
        self._opened = False
        self._open()
        self._kept |= self._new
        self._new = {}
        value = {rel: [*stamp, content] for rel, (stamp, content) in self._kept.items()}
        self._cache.put(_KIND, self._key(), value)

    def _find(self, rel: str) -> str:
        now = time.time_ns()
        stamp = self._manifest.get(rel) or self._stamp(rel)
        if stamp == ABSENT:
            return MISSING
        self._open()
        kept = self._kept.get(rel)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        # What the manifest says was true some time ago: a change since then would go unnoticed.
        stamp = self._tree.stamp(rel)
        ground = self._tree.ground
        try:
            # Where git knows it, nothing is read; a repository may have names of another form.
            found = ground.content_id(rel)
            found = found if is_of_file(found) else blob_id(ground.read(rel, SIZE_CAP))
        except (OSError, ValueError):
            try:
                found = listing_id(ground.entries(rel))
            except (OSError, ValueError):
                return UNREADABLE
        self._note(rel, stamp, now, found)
        return found

    def _stamp(self, rel: str) -> Stamp:
        """The state of what the manifest does not have: often not even the directory is there."""
        head = rel.rpartition("/")[0]
        if head and head not in self._heads:
            self._heads[head] = self._tree.stamp(head) != ABSENT
        return self._tree.stamp(rel) if not head or self._heads[head] else ABSENT

    def _note(self, rel: str, stamp: Stamp, now: int, found: str) -> None:
        if len(stamp) == DISK_STAMP and settled(stamp, now):
            self._new[rel] = stamp, found

    def _open(self) -> None:
        if self._opened or self._cache is None:
            return
        self._opened = True
        value = self._cache.get(_KIND, self._key())
        for rel, entry in value.items() if isinstance(value, dict) else ():
            if (
                isinstance(entry, list)
                and len(entry) == DISK_STAMP + 1
                and isinstance(entry[-1], str)
            ):
                self._kept[rel] = tuple(entry[:-1]), entry[-1]

    def _key(self) -> str:
        return str(self._tree.root)
