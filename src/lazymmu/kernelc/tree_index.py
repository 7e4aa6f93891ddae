# SPDX-License-Identifier: GPL-2.0-or-later
"""What all profiles of one tree share: its Kconfig files, and the names in its files.

Names are read by two processes when there may be two, and kept by the content of the file that they
were read from, whatever tree that lies in. Kconfig files are shared where one process reads them
all.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from lazymmu.kernelc.index.name_scan import Names, scan_names
from lazymmu.kernelc.json_shapes import listed, strings
from lazymmu.processes import Task
from lazymmu.snapshot.content_ids import ContentIds
from lazymmu.snapshot.tree import Loss, Stamp, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lazymmu.kernelc.config.kconfig_model import KconfigFile

__all__ = ["Store", "TreeIndex", "digest"]


class Store(Protocol):
    """A cache of plain values by kind and key (see cache.py)."""

    def get(self, kind: str, key: str) -> object | None:
        """Return the value put under the key, None when there is none."""
        ...

    def get_many(self, kind: str, keys: Iterable[str]) -> Mapping[str, object]:
        """Return those of the values under the keys that there are."""
        ...

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep a value."""
        ...

    def put_many(self, kind: str, values: Mapping[str, object]) -> None:
        """Keep several values of one kind, by key."""
        ...


def digest(*parts: object) -> str:
    """Return a short name for values that have a stable repr."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


Losses = list[Loss]
"""What another process lost."""

_KIND: Final = "names-3"
_PART: Final = 400
"""Files that are read before the cache is asked for their names, all at once."""


class _Survey(NamedTuple):
    """The names of some files, what was learnt of their contents, and what could not be read."""

    names: dict[str, Names]
    ids: dict[str, tuple[Stamp, str]]
    losses: Losses


def _survey(tree: Tree, ids: ContentIds, store: Store | None, rels: Sequence[str]) -> _Survey:
    """Read the names of files, of contents that are not known yet; the new ones are kept."""
    before = len(tree.losses)
    names: dict[str, Names] = {}
    for start in range(0, len(rels), _PART):
        texts: dict[str, tuple[str, bytes]] = {}
        for rel in rels[start : start + _PART]:
            now = time.time_ns()
            stamp = tree.stamp(rel)
            text = tree.read(rel)
            texts[rel] = (ids.learn(rel, stamp, now, text) if text else ids.of(rel)), text
        kept = _kept(store, {rel: name for rel, (name, _) in texts.items()})
        new: dict[str, object] = {}
        for rel, (name, text) in texts.items():
            known = kept.get(rel)
            if known is None:
                known = scan_names(text, rel.endswith(".h"))
                new[_key(rel, name)] = list(known)
            names[rel] = known
        if store is not None and new:
            store.put_many(_KIND, new)
    return _Survey(names, ids.noted(rels), tree.losses[before:])


def _key(rel: str, content: str) -> str:
    """Under which name the names of a file are kept: a header is looked at otherwise."""
    return f"h{content}" if rel.endswith(".h") else content


def _kept(store: Store | None, wanted: Mapping[str, str]) -> dict[str, Names]:
    """Return the names of files, given by the ids of their contents, that the store has."""
    if store is None:
        return {}
    keys = {rel: _key(rel, content) for rel, content in wanted.items()}
    values = store.get_many(_KIND, dict.fromkeys(keys.values()))
    found: dict[str, Names] = {}
    for rel, key in keys.items():
        try:
            found[rel] = Names(*map(strings, listed(values.get(key))))
        except (TypeError, ValueError):
            continue
    return found


class TreeIndex:
    """What all profiles of `tree` share.

    kconfig: Kconfig files that are read already; ids: what the tree's files hold; rested: paths of
    all that the facts rest on which were used or kept in this process.
    """

    def __init__(
        self,
        tree: Tree,
        *,
        jobs: int = 1,
        cache: Store | None = None,
        manifest: Mapping[str, Stamp] | None = None,
    ) -> None:
        """Open the library of `tree`; with more than one of `jobs`, two processes work at once.

        manifest: what `Tree.manifest` returned, when it is known.
        """
        self.tree = tree
        self.jobs = jobs
        self.cache = cache
        self.ids = ContentIds(tree, manifest, cache)
        self.kconfig: dict[str, KconfigFile] = {}
        self.rested: set[str] = set()
        self._names: dict[str, Names] = {}
        self._running: list[Task[_Survey]] = []

    def sources(
        self, directories: Iterable[tuple[str, bool]], tree: Tree | None = None
    ) -> list[str]:
        """Return the .c files of directories, in their order.

        Each directory comes with whether those below it count too; names are sorted in each.

        :param tree: who is asked, the tree itself unless it is one that remembers that.
        """
        asked = self.tree if tree is None else tree
        found: dict[str, None] = {}
        for directory, deep in directories:
            work = [directory]
            while work:
                path = work.pop()
                below = []
                for entry in asked.entries(path):
                    if not entry.directory and entry.name.endswith(".c"):
                        found[f"{path}/{entry.name}"] = None
                    elif deep and entry.directory:
                        below.append(f"{path}/{entry.name}")
                work += reversed(below)
        return list(found)

    def start_names(self, rels: Iterable[str]) -> None:
        """Begin to read the names of files in another process, when there may be another."""
        missing = self._missing(rels)
        if missing and self.jobs > 1:
            self._running.append(Task(True, _survey, self.tree, self.ids, self.cache, missing))

    def read_names(self, rels: Iterable[str]) -> None:
        """Read the names of files in this process, those that are not known."""
        self._take(_survey(self.tree, self.ids, self.cache, self._missing(rels)))

    def names(self, rels: Sequence[str]) -> dict[str, Names]:
        """Return the names of the files `rels`, read now unless they are known."""
        self._collect()
        missing = self._missing(rels)
        half = missing[len(missing) // 2 :] if self.jobs > 1 and len(missing) > 64 else []
        self.start_names(half)
        self.read_names(missing[: len(missing) - len(half)])
        self._collect()
        return {rel: self._names[rel] for rel in rels}

    def names_of(self, rel: str, content: str) -> Names | None:
        """Return the names of a file that had another content, None when they are not known."""
        return _kept(self.cache, {rel: content}).get(rel)

    def _collect(self) -> None:
        running, self._running = self._running, []
        for task in running:
            found = task.result()
            self.tree.lose_also(found.losses)
            self._take(found)

    def _take(self, found: _Survey) -> None:
        self._names |= found.names
        self.ids.learn_also(found.ids)

    def _missing(self, rels: Iterable[str]) -> list[str]:
        """Return which files have no known names, after a look into the cache."""
        unknown = [rel for rel in rels if rel not in self._names]
        if unknown and self.cache is not None:
            cheap = {rel: content for rel in unknown if (content := self.ids.cheap(rel))}
            self._names |= _kept(self.cache, cheap)
            unknown = [rel for rel in unknown if rel not in self._names]
        return unknown
