# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts: what was computed from a tree, kept by the exact inputs that it was computed from.

An input is a file by its content, a path at which nothing was found, a directory by what is in it,
or a word that the caller says. A fact is good where all its inputs are the same, in whatever tree;
where some files have other contents, its owner decides whether what it took of them is the same
(early cut-off): a comment changes a file, and not its directives. What owner and key are is up to
the caller; of each there are a few facts, that of the last run first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.json_shapes import listed, mapped, string
from lazymmu.kernelc.tree_index import Store, digest
from lazymmu.snapshot.content import is_of_file
from lazymmu.snapshot.content_ids import MISSING, UNREADABLE, ContentIds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lazymmu.snapshot.tree import Tree

__all__ = ["PRESENT", "Facts", "KeptFact", "together"]

PRESENT: Final = "+"
"""The id of a file of which only was asked whether it is there."""

_VARIANTS: Final = 6
"""Facts of one owner and key, each of another state of the inputs."""

_CHANGES: Final = 300
"""Most inputs with other contents that are looked into before a fact is given up."""


def together(*inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs of several who asked as one, ids by path.

    What a file holds says more than that it is there, whoever asked first.
    """
    found: dict[str, str] = {}
    for some in inputs:
        for rel, content in some.items():
            if content != PRESENT or rel not in found:
                found[rel] = content
    return found


class KeptFact(NamedTuple):
    """A fact that was kept, and its inputs that are not as they were.

    :param name: of the inputs.
    :param changed: by path, the id then and the id now.
    :param inputs: the ids then of all of them.
    """

    name: str
    value: object
    changed: Mapping[str, tuple[str, str]]
    inputs: Mapping[str, object]


class Facts:
    """The facts of one tree in a store that all trees share."""

    def __init__(
        self, tree: Tree, ids: ContentIds, store: Store | None, rested: set[str] | None = None
    ) -> None:
        """Keep facts about `tree`, whose contents `ids` tells, in `store`; None keeps nothing.

        rested: gets the path of every input of each fact that is used or kept.
        """
        self._tree = tree
        self._rested = set() if rested is None else rested
        self._ids = ids
        self._store = store

    def any(self, kind: str, key: str) -> bool:
        """Tell whether there are facts of a kind under a key, whatever their inputs."""
        return bool(self._names(kind, key))

    def of(self, kind: str, key: str, said: Mapping[str, str] | None = None) -> Iterator[KeptFact]:
        """Yield the facts of a kind under a key that may be good here.

        :param said: the words that must have been said when they were kept.
        """
        for name in self._names(kind, key):
            inputs = self._get(f"{kind}:inputs", name)
            changed = self._changed(inputs, said or {})
            value = self._get(f"{kind}:value", name) if changed is not None else None
            if changed is not None and value is not None:
                files = mapped(mapped(inputs)["files"])
                self._rested.update(files)
                yield KeptFact(name, value, changed, files)

    def nearest(self, kind: str, key: str) -> KeptFact | None:
        """Return the fact of a kind under a key of which the fewest inputs have changed.

        All that is not as it was is among the changes, also what is gone; whoever takes it decides
        what holds. None where there is no fact.
        """
        best: tuple[int, str, Mapping[str, tuple[str, str]], Mapping[str, object]] | None = None
        for name in self._names(kind, key):
            try:
                files = mapped(mapped(self._get(f"{kind}:inputs", name))["files"])
                changed = dict(self._differing(files))
            except (KeyError, TypeError):
                continue
            if best is None or len(changed) < best[0]:
                best = len(changed), name, changed, files
        value = self._get(f"{kind}:value", best[1]) if best is not None else None
        if best is None or value is None:
            return None
        self._rested.update(best[3])
        return KeptFact(best[1], value, best[2], best[3])

    def value(self, kind: str, name: str) -> object:
        """Return the value of the fact of a kind that has a name, None when it is gone."""
        return self._get(f"{kind}:value", name)

    def used(self, kind: str, key: str, fact: KeptFact) -> None:
        """Put a fact that was good before the others of its key, so that it is the last to go."""
        names = self._names(kind, key)
        if self._store is not None and names[:1] != [fact.name]:
            self._store.put(kind, key, [fact.name, *(n for n in names if n != fact.name)])

    def keep(
        self,
        kind: str,
        key: str,
        inputs: Mapping[str, str],
        value: object,
        said: Mapping[str, str] | None = None,
        near: str = "",
    ) -> str:
        """Keep a fact with its inputs, ids by path, and return its name.

        Nothing is kept, and the name is "", if one of them could not be read or was seen to change.

        :param near: another key under which it may be looked for (see `nearest`).
        """
        self._rested.update(inputs)
        if self._store is None or self._ids.moving or UNREADABLE in inputs.values():
            return ""
        all_inputs = {"files": dict(inputs), "said": dict(said or {})}
        name = digest(kind, key, sorted(inputs.items()), sorted((said or {}).items()))
        self._store.put(f"{kind}:value", name, value)
        self._store.put(f"{kind}:inputs", name, all_inputs)
        for under in filter(None, (key, near)):
            names = [name, *(other for other in self._names(kind, under) if other != name)]
            self._store.put(kind, under, names[:_VARIANTS])
        return name

    def _names(self, kind: str, key: str) -> list[str]:
        try:
            return [string(item) for item in listed(self._get(kind, key))][:_VARIANTS]
        except TypeError:
            return []

    def _get(self, kind: str, key: str) -> object:
        return self._store.get(kind, key) if self._store is not None else None

    def _changed(
        self, inputs: object, said: Mapping[str, str]
    ) -> Mapping[str, tuple[str, str]] | None:
        """Which inputs are not as they were; None when the fact cannot be good."""
        try:
            parts = mapped(inputs)
            if mapped(parts["said"]) != said:
                return None
            found: dict[str, tuple[str, str]] = {}
            for rel, (then, now) in self._differing(mapped(parts["files"])):
                # Only of a file, then and now, can its owner say that nothing of it matters.
                if not (is_of_file(now) and is_of_file(then)) or len(found) >= _CHANGES:
                    return None
                found[rel] = then, now
        except (KeyError, TypeError):
            return None
        return found

    def _differing(self, files: Mapping[str, object]) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the inputs that are not as they were, with the ids then and now."""
        same = self._ids.same(files)
        for rel, then in files.items():
            if rel in same:
                continue
            if then == PRESENT:
                now = PRESENT if self._tree.has(rel) else MISSING
            else:
                now = self._ids.of(rel)
            if now != then:
                yield rel, (string(then), now)
