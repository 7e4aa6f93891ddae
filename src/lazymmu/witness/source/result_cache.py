# SPDX-License-Identifier: GPL-2.0-or-later
"""Results that are kept between runs, as plain values.

A result is found again only if nothing it rests on has changed: the tool, what was asked for, and
the path and stamp of every file of the tree that a check may read; and the content of those that
had changed so short a time before they were listed that their stamps need not tell the next
change. What is read back is checked against the types of the values it claims to be; anything
else is a miss.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from itertools import chain
from typing import Any

from lazymmu.kernelc.json_shapes import listed, mapped
from lazymmu.kernelc.tree_index import Store
from lazymmu.snapshot.beneath import DISK_STAMP, settled
from lazymmu.snapshot.tree import Stamp, Tree
from lazymmu.witness.source.plain_values import built, plain

_KIND = "result"

_RECENT = 20_000
"""Most files whose content is compared when a result is looked for."""


def key(root: str, manifest: Mapping[str, Stamp], *asked: object) -> str:
    """The name under which a result is kept: of a tree's state, and of what was asked for."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((root, asked)).encode("utf-8", "replace"))
    digest.update("\0".join(manifest).encode("utf-8", "surrogatepass"))
    told = {rel: stamp for rel, stamp in manifest.items() if len(stamp) != DISK_STAMP}
    disk = [stamp for stamp in manifest.values() if len(stamp) == DISK_STAMP]
    try:
        # A third of the time that their repr takes; those of files in memory are few, and large.
        numbers = array("q", chain.from_iterable(disk)).tobytes()
    except OverflowError:
        numbers = repr(disk).encode()
    digest.update(b"\0" + numbers + repr(told).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def recall(store: Store, name: str, shape: Any, tree: Tree) -> Any | None:
    """What was kept under a name, built up as ``shape``; None when there is nothing sound."""
    try:
        value, recent = listed(store.get(_KIND, name))
        for rel, content in mapped(recent).items():
            if content != tree.fingerprint(rel):
                return None
        return built(shape, value)
    except (TypeError, ValueError, KeyError):
        return None


def keep(
    store: Store, name: str, value: object, tree: Tree, manifest: Mapping[str, Stamp], since: int
) -> None:
    """Keep a value: dataclasses, tuples, enumerations of strings, strings and numbers.

    Nothing is kept of a tree that has other files now. One that was written in between was kept
    under a stamp that it had before, and never has again.

    :param manifest: the tree's, on which the value rests, listed at the time `since` (in
        nanoseconds).
    """
    recent = [rel for rel, stamp in manifest.items() if not settled(stamp, since)]
    if len(recent) <= _RECENT:
        contents = {rel: tree.fingerprint(rel) for rel in recent}
        if tree.same_files():
            store.put(_KIND, name, [plain(value), contents])
