# SPDX-License-Identifier: GPL-2.0-or-later
"""What all profiles of one tree share: its Kconfig files, and the names in its files.

Names are read by two processes when there may be two, and kept in the cache by the state of what
they were read from (see `Tree.state`). Kconfig files are shared where one process reads them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from posixpath import dirname
from typing import Protocol

from lazymmu.kernelc.config.kconfig_model import KconfigFile
from lazymmu.kernelc.index.name_scan import Names, scan_names
from lazymmu.processes import Task
from lazymmu.snapshot.dependencies import DependencyTracker
from lazymmu.snapshot.tree import ABSENT, Loss, Stamp, Tree

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


_Found = dict[str, tuple[Stamp, Names]]


def _survey(tree: Tree, rels: Sequence[str]) -> tuple[_Found, Losses]:
    """Read the names of files; also what could not be read, and why."""
    before = len(tree.losses)
    found: _Found = {}
    for rel in rels:
        # The state is that before the file is read: a change in between is then noticed later.
        identity = tree.state(rel)
        found[rel] = identity, scan_names(tree.read(rel), rel.endswith(".h"))
    return found, tree.losses[before:]


class TreeIndex:
    """What all profiles of `tree` share.

    kconfig: Kconfig files that are read already; recorder: the tree, with what was asked of it.
    """

    def __init__(self, tree: Tree, *, jobs: int = 1, cache: Store | None = None) -> None:
        """Open the library of `tree`; with more than one of `jobs`, two processes work at once."""
        self.tree = tree
        self.jobs = jobs
        self.cache = cache
        self.recorder = DependencyTracker(tree)
        self.kconfig: dict[str, KconfigFile] = {}
        self._names: dict[str, Names] = {}
        self._running: list[Task[tuple[_Found, Losses]]] = []

    def sources(self, directories: Iterable[tuple[str, bool]]) -> list[str]:
        """Return the .c files of directories, in their order.

        Each directory comes with whether those below it count too; names are sorted in each.
        """
        found: dict[str, None] = {}
        for directory, deep in directories:
            work = [directory]
            while work:
                path = work.pop()
                below = []
                for entry in self.recorder.entries(path):
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
            self._running.append(Task(True, _survey, self.tree, missing))

    def read_names(self, rels: Iterable[str]) -> None:
        """Read the names of files in this process, those that are not known."""
        self._keep(_survey(self.tree, self._missing(rels))[0])

    def names(self, rels: Sequence[str]) -> dict[str, Names]:
        """Return the names of the files `rels`, read now unless they are known."""
        self._collect()
        missing = self._missing(rels)
        half = missing[len(missing) // 2 :] if self.jobs > 1 and len(missing) > 64 else []
        self.start_names(half)
        self.read_names(missing[: len(missing) - len(half)])
        self._collect()
        return {rel: self._names[rel] for rel in rels}

    def _collect(self) -> None:
        running, self._running = self._running, []
        for task in running:
            found, losses = task.result()
            self.tree.lose_also(losses)
            self._keep(found)

    def _missing(self, rels: Iterable[str]) -> list[str]:
        """Return which files have no known names, after a look into the cache."""
        unknown = [rel for rel in rels if rel not in self._names]
        if not unknown or self.cache is None:
            return unknown
        by_directory: dict[str, list[str]] = {}
        for rel in unknown:
            by_directory.setdefault(dirname(rel), []).append(rel)
        missing: list[str] = []
        keys = {directory: self._key(directory) for directory in by_directory}
        kept = self.cache.get_many("names", keys.values())
        for directory, files in by_directory.items():
            known = kept.get(keys[directory])
            for rel in files:
                kept_one = _names(self.tree, known, rel)
                if kept_one is None:
                    missing.append(rel)
                else:
                    self._names[rel], state = kept_one
                    self.recorder.states.setdefault(rel, state)
        return missing

    def _key(self, directory: str) -> str:
        return digest(str(self.tree.root), directory)

    def _keep(self, found: _Found) -> None:
        by_directory: dict[str, dict[str, object]] = {}
        for rel, (identity, names) in found.items():
            self._names[rel] = names
            self.recorder.states.setdefault(rel, identity)
            if identity != ABSENT and self.cache is not None:
                by_directory.setdefault(dirname(rel), {})[rel] = [list(identity), *names]
        if self.cache is not None:
            new = {self._key(directory): files for directory, files in by_directory.items()}
            kept = self.cache.get_many("names", new)
            for key, files in new.items():
                known = kept.get(key)
                if isinstance(known, dict):
                    new[key] = {**known, **files}
            self.cache.put_many("names", new)


def _names(tree: Tree, known: object, rel: str) -> tuple[Names, Stamp] | None:
    """Return what a cache entry has about a file, and the file's state, which is still the same."""
    entry = known.get(rel) if isinstance(known, dict) else None
    if not isinstance(entry, list) or len(entry) != 5 or not isinstance(entry[0], list):
        return None
    state = tuple(entry[0])
    lists = entry[1:]
    if all(isinstance(item, list) and all(isinstance(s, str) for s in item) for item in lists):
        return (Names(*lists), state) if tree.still(rel, state) else None
    return None
