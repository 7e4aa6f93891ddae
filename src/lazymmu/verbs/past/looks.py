# SPDX-License-Identifier: GPL-2.0-or-later
"""One look at one tree: a pure task, whose answer follows from what it is asked about alone.

That is what lets it be done in any process, on any machine, twice or never again: the answer is
kept under what it follows from.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.json_shapes import listed, string, strings
from lazymmu.problem import Problem
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.snapshots import tree_of
from lazymmu.snapshot.tree import Tree, TreeError
from lazymmu.witness.finding import CheckResult
from lazymmu.witness.source.check import check, check_with_inputs
from lazymmu.witness.source.plain_values import built, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.witness.source.check import TreeOptions

__all__ = ["LookStore", "Looked", "PastLook", "look", "tree_for"]

_KIND: Final = "look"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLook:
    """What is to be looked at.

    :param path: of a tree, or of the repository of `commit`.
    :param commit: the whole name of a commit, "" for the files of a directory as they are.
    :param content: the name of the commit's directory as git has it, what the answer follows from.
    :param changes: files that are changed in memory, with their contents, None for one that goes.
    :param arches: those that are looked at; empty: all that have the mode.
    :param dialect: another than the tree's own.
    :param elsewhere: architectures that other trees have, and this one may lack.
    """

    path: str
    commit: str = ""
    content: str = ""
    changes: tuple[tuple[str, bytes | None], ...] = ()
    arches: tuple[str, ...] = ()
    dialect: str | None = None
    elsewhere: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the answer follows from, "" for a directory, which may change at any time."""
        if not self.content:
            return ""
        said = repr((self.content, sorted(self.arches), self.dialect, self.changes))
        return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to.

    :param result: all that was found, None where there is no tree; trouble: why not.
    :param inputs: the paths that the result rests on (`witness.source.check.check_with_inputs`);
        none of a directory, which nobody asks what it rests on.
    """

    result: CheckResult | None
    inputs: frozenset[str] = frozenset()
    trouble: str = ""


def look(asked: PastLook, cache_dir: str) -> Looked:
    """Look at a tree, in this process alone.

    :param cache_dir: folder of the store; where it is not, on another machine, one of our own.
    """
    options: TreeOptions = {
        "arches": asked.arches or None,
        "dialect": asked.dialect,
        "jobs": 1,
        "cache_dir": cache_dir if os.path.isdir(cache_dir) else _own_store(),
        "elsewhere": asked.elsewhere,
    }
    try:
        with tree_for(asked) as tree:
            if asked.commit:
                result, inputs = check_with_inputs(tree, **options)
                return Looked(result, inputs)
            return Looked(check(tree, **options))
    except (Problem, TreeError) as problem:
        return Looked(None, trouble=str(problem))


@functools.cache
def _own_store() -> str:
    """A folder that is gone when this process ends."""
    folder = tempfile.mkdtemp(prefix="lazymmu-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextlib.contextmanager
def tree_for(asked: PastLook) -> Iterator[Tree]:
    """Open what is looked at.

    :raises Problem: there is no tree.
    :raises TreeError: there is no tree.
    """
    with contextlib.ExitStack() as stack:
        if asked.commit:
            tree = tree_of(stack.enter_context(view(asked.path)), asked.commit)
        else:
            tree = Tree.open(asked.path)
        yield tree.over(dict(asked.changes)) if asked.changes else tree


class LookStore:
    """What looks came to, kept in a store as plain values, by what they follow from."""

    def __init__(self, cache_dir: str) -> None:
        """Keep them in the store of a folder."""
        self._cache = Cache(cache_dir)

    def get(self, asked: PastLook) -> Looked | None:
        """What a look came to before; None for none that is sound."""
        if not asked.key:
            return None
        try:
            result, inputs, trouble = listed(self._cache.get(_KIND, asked.key))
            known = None if result is None else built(CheckResult, result)
            return Looked(known, _unpacked(strings(inputs)), string(trouble))
        except (TypeError, ValueError, KeyError):
            return None

    def put(self, asked: PastLook, done: Looked) -> None:
        """Keep what a look came to, at once."""
        if asked.key:
            result = None if done.result is None else plain(done.result)
            self._cache.put(_KIND, asked.key, [result, _packed(done.inputs), done.trouble])

    def commit(self) -> None:
        """End the run: what was not used the longest may go."""
        self._cache.commit()


def _packed(inputs: frozenset[str]) -> list[str]:
    """Paths in their order, each with how much of the one before it begins with."""
    packed, last = [], ""
    for path in sorted(inputs):
        same = next(
            (n for n, (a, b) in enumerate(zip(path, last, strict=False)) if a != b),
            min(len(path), len(last)),
        )
        packed.append(f"{same}:{path[same:]}")
        last = path
    return packed


def _unpacked(packed: list[str]) -> frozenset[str]:
    found, last = [], ""
    for item in packed:
        same, _, rest = item.partition(":")
        last = last[: int(same)] + rest
        found.append(last)
    return frozenset(found)
