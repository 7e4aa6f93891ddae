# SPDX-License-Identifier: GPL-2.0-or-later
"""A git repository of somebody else, seen through a git directory of our own.

The view has the repository's objects, references and a copy of its index, and nothing else of it:
no configuration but the few values that name no program (git_config.py), no attributes, hooks,
grafts or replacements. libgit2 reads it (library_store.py), and where that does not know a format,
git (git_store.py); neither has anything to run.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.snapshot import git_config
from lazymmu.snapshot.git import Git, private_git
from lazymmu.snapshot.git_directory import SMALL_LIMIT, find, read_file
from lazymmu.snapshot.git_store import GitStore
from lazymmu.snapshot.library_store import open_library
from lazymmu.snapshot.object_store import GitEntry, ObjectStore, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lazymmu.snapshot.git_directory import GitDirectory

__all__ = ["Repository", "view"]

_WORK_TREE = "[core]\n\tworktree = work\n"
"""Ours, and empty (git.private_git): libgit2 would take the directory that ours stands in."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A view of the repository that a tree is in, opened by `view`.

    :param store: reads its history.
    :param tree: the tree's directory, at or below the repository's top.
    :param top: that.
    :param origin: the URL of the remote of that name, as it is configured, "" for none.
    :param partial: whether the repository says that it lacks objects, or commits, by intention.
    :param shallow: likewise.
    """

    store: ObjectStore
    tree: Path
    top: Path
    partial: bool = False
    shallow: bool = False
    origin: str = ""

    @property
    def inside(self) -> str:
        """The tree's path in the repository, "" at its top."""
        inside = self.tree.relative_to(self.top).as_posix()
        return "" if inside == "." else inside

    def commit(self, revision: str) -> str:
        """The name of the commit that `revision` means.

        :raises Problem: there is none.
        """
        with self._explained():
            if commit := self.store.commit(revision):
                return commit
        hint = ""
        if self.shallow:
            hint = " (it is a shallow clone: git fetch --deepen=1000, or fetch-depth: 0)"
        raise Problem(f"the git repository of {self.tree} has no revision {revision!r}{hint}")

    def head(self) -> str:
        """The commit that is checked out, "" before the first one."""
        with self._explained():
            return self.store.commit("HEAD")
        raise AssertionError

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor of two commits.

        :raises Problem: they have none.
        """
        with self._explained():
            if found := self.store.merge_base(one, other):
                return found
        hint = ""
        if self.shallow:
            hint = ": it is a shallow clone (git fetch --deepen=1000, or fetch-depth: 0)"
        raise Problem(
            f"the git repository of {self.tree} has no common ancestor of {one[:12]} and "
            f"{other[:12]}{hint}; --exact compares with the revision itself"
        )

    def files(self, commit: str) -> dict[str, GitEntry]:
        """Every file of a commit below the tree, by its path relative to the tree."""
        with self._explained():
            return self.store.files(commit, self.inside)
        raise AssertionError

    def contents(self, entries: Mapping[str, GitEntry]) -> dict[str, bytes | None]:
        """The contents of entries by path; None: larger than any file that a check reads."""
        with self._explained():
            found = self.store.blobs(entry.blob for entry in entries.values())
        for rel, entry in entries.items():
            if entry.blob not in found:
                raise self.lacking(rel, entry)
        return {rel: found[entry.blob] for rel, entry in entries.items()}

    def lacking(self, rel: str, entry: GitEntry) -> Problem:
        """The problem that an object is not there."""
        return Problem(
            f"the git repository of {self.tree} lacks the former content of {rel}"
            f" ({entry.blob}){self._why()}"
        )

    def line(self, old: str, new: str) -> list[tuple[str, tuple[str, ...]]]:
        """The commits that `new` has and `old` has not, oldest first, each with its parents."""
        with self._explained():
            return self.store.line(old, new)
        raise AssertionError

    def mailed(self, old: str, new: str) -> bytes:
        """The same as a mailbox of patches to the tree, without merges."""
        with self._explained():
            return self.store.mailed(old, new, self.inside)
        raise AssertionError

    def touching(self, commit: str, rels: Iterable[str], most: int) -> list[str]:
        """The newest commits of the first parents' line that change some files of the tree."""
        with self._explained():
            return self.store.touching(commit, self._whole(rels), most)
        raise AssertionError

    def some_files(self, commit: str, rels: Iterable[str]) -> dict[str, GitEntry]:
        """Those of some files that a commit has, by their paths relative to the tree."""
        with self._explained():
            found = self.store.entries(commit, self._whole(rels))
        return {rel.removeprefix(f"{self.inside}/"): entry for rel, entry in found.items()}

    def _whole(self, rels: Iterable[str]) -> list[str]:
        return [f"{self.inside}/{rel}" if self.inside else rel for rel in rels]

    def ignored(self, texts: Mapping[str, bytes], rels: Iterable[str]) -> set[str]:
        """Which paths `.gitignore` files, and the repository's own list, make git ignore.

        :param texts: those files by path, like all paths relative to the tree.
        """
        inside = f"{self.inside}/" if self.inside else ""
        with self._explained():
            found = self.store.ignored(
                {inside + rel: text for rel, text in texts.items()}, (inside + rel for rel in rels)
            )
        return {rel.removeprefix(inside) for rel in found}

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            raise Problem(
                f"the git repository of {self.tree} cannot be read: {error}{self._why()}"
            ) from None

    def _why(self) -> str:
        return ": it is a partial clone, and nothing is fetched here" if self.partial else ""


@contextlib.contextmanager
def view(tree: str) -> Iterator[Repository]:
    """A view of the repository that `tree` is in, gone when the context ends.

    :raises Problem: it is in none, or in one that cannot be read.
    """
    try:
        here = Path(tree).resolve(strict=True)
        where = find(here)
        with private_git() as git:
            found = _borrowed(git, where)
            objects = where.common / "objects"
            asked = GitStore(Git(git.directory, git.work_tree, objects))
            yield Repository(
                open_library(git.directory, git.work_tree, objects, asked) or asked,
                here,
                where.top,
                partial=any(
                    key == "extensions.partialclone" or key.endswith(".promisor")
                    for key, _ in found
                ),
                shallow=(where.common / "shallow").is_file(),
                origin=dict(found).get("remote.origin.url", ""),
            )
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Problem(f"the git repository of {tree} cannot be read: {why}") from None


def _borrowed(git: Git, where: GitDirectory) -> list[tuple[str, str]]:
    """Put what a repository says of its history into a git directory of our own.

    Returns the repository's configuration, of which only plain words are taken over.
    """
    own, common = where.own, where.common
    for name in ("refs", "packed-refs", "reftable", "shallow"):
        _borrow(common / name, git.directory / name)
    (git.directory / "logs").mkdir()
    _borrow(own / "logs" / "HEAD", git.directory / "logs" / "HEAD")
    _borrow(common / "logs" / "refs", git.directory / "logs" / "refs")
    for path in own.iterdir():
        if path.name.endswith("HEAD"):  # and ORIG_HEAD, FETCH_HEAD ...
            _copy(path, git.directory / path.name)
    (git.directory / "info").mkdir()
    _copy(common / "info" / "exclude", git.directory / "info" / "exclude")
    found = git_config.parse(read_file(common / "config", SMALL_LIMIT))
    git.configure(git_config.taken(found) + _WORK_TREE)
    return found


def _borrow(path: Path, link: Path) -> None:
    """Put a link to a file or directory of the repository, if there is one, in place of ours."""
    if path.exists():
        if link.is_dir():
            link.rmdir()
        link.symlink_to(path)


def _copy(path: Path, copy: Path) -> None:
    """Copy a small file of the repository, if there is one."""
    if path.is_file():
        copy.write_bytes(read_file(path, SMALL_LIMIT))
