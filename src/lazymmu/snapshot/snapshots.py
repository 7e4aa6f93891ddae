# SPDX-License-Identifier: GPL-2.0-or-later
"""Where source is: what can be opened as a tree. One interface, whatever it is.

A tree (`tree.Tree`) lists its files, reads them, names their contents and says its release; what is
here says which one, and is a value that costs nothing until it is opened.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lazymmu.problem import Problem
from lazymmu.snapshot.commit_ground import CommitGround
from lazymmu.snapshot.patches.apply import apply
from lazymmu.snapshot.patches.series import read_series
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.tree import Tree, TreeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from lazymmu.snapshot.repository import Repository

__all__ = ["Commit", "Patched", "Snapshot", "WorkTree", "tree_of"]


class Snapshot(Protocol):
    """What can be opened as a tree."""

    def opened(self) -> AbstractContextManager[Tree]:
        """The tree, readable until the context ends.

        :raises Problem: it is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The files of a directory, as they are when they are read."""

    path: str

    @contextlib.contextmanager
    def opened(self) -> Iterator[Tree]:
        """The tree; see Snapshot."""
        try:
            tree = Tree.open(self.path)
        except TreeError as error:
            raise Problem(str(error)) from None
        yield tree


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the repository that a directory is in: what it has of that directory.

    Its files are read out of the repository's objects, and nothing is checked out.
    """

    repository: str
    revision: str

    @contextlib.contextmanager
    def opened(self) -> Iterator[Tree]:
        """The tree; see Snapshot."""
        with view(self.repository) as seen:
            yield tree_of(seen, seen.commit(self.revision))


@dataclass(frozen=True, slots=True)
class Patched:
    """A snapshot with patches laid over it, in memory.

    :param base: what they are laid over.
    :param patches: a file that holds them: a mailbox, a mail, or a diff, packed or not.
    """

    base: Snapshot
    patches: bytes

    @contextlib.contextmanager
    def opened(self) -> Iterator[Tree]:
        """The tree; see Snapshot."""
        series = read_series(self.patches)
        with self.base.opened() as tree:
            yield tree.over(apply(tree, series).changes)


def tree_of(seen: Repository, commit: str) -> Tree:
    """The tree of a commit, readable as long as its repository is.

    :raises Problem: it is none.
    """
    ground = CommitGround(seen.store, seen.files(commit))
    try:
        return Tree.on(ground, seen.tree, f"{commit[:12]} of {seen.tree}", plain=False)
    except TreeError as error:
        raise Problem(str(error)) from None
