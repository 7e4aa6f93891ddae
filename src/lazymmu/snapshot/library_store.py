# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a repository, read by libgit2.

libgit2 runs nothing: it has no hooks, drivers, monitors or helpers that a configuration could name.
It is opened on a git directory of our own all the same, so that it reads no configuration of a
stranger's, and what it is going to open is looked at before: a pipe in place of an object would
keep it waiting for ever.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.git_directory import SMALL_LIMIT, read_file
from lazymmu.snapshot.listing import CONTENT_CAP
from lazymmu.snapshot.object_store import (
    CONTENT_LIMIT,
    Changed,
    GitEntry,
    LogEntry,
    StoreError,
    tree_entries,
    write_below,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pygit2

    from lazymmu.snapshot.object_store import ObjectStore

__all__ = ["LibraryStore", "open_library"]

_TREE_LIMIT: Final = 64 << 20
"""Bytes of one object that is a directory or a commit: the largest of a kernel has 100 kB."""

_MOST_ENTRIES: Final = 2_000_000
"""Most files of a commit: a kernel has ninety thousand."""

_MOST_FILES: Final = 1_000_000
"""Most loose objects and packs, or references, that are looked at."""

_MOST_COMMITS: Final = 2_000_000
"""Most commits of one question: all of Linux has less than one and a half million."""

_OBJECT_PARTS: Final = re.compile(r"[0-9a-f]{2}|pack|info")
"""The directories of objects (gitrepository-layout): whatever else is there, nobody opens."""

_DEEPEST: Final = 200
"""Most directories in one another."""


class LibraryStore:
    """An `ObjectStore` by libgit2."""

    def __init__(self, repository: pygit2.Repository, work: Path, git: ObjectStore) -> None:
        """Read through an open repository.

        work: a directory that is its work tree, and empty; git: is asked what the library cannot.
        """
        self._repository = repository
        self._odb = repository.odb
        self._work = work
        self._git = git

    def commit(self, revision: str) -> str:
        """The name of the commit that `revision` means; see ObjectStore."""
        import pygit2

        try:
            found = self._repository.revparse_single(revision)
            return str(found.peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError):
            pass
        # git knows more ways to name one, and may not be there.
        with contextlib.suppress(Problem):
            return self._git.commit(revision)
        return ""

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor of two commits; see ObjectStore."""
        import pygit2

        try:
            found: object = self._repository.merge_base(one, other)  # None, whatever it declares
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise StoreError(f"the history cannot be followed: {error}") from None
        return "" if found is None else str(found)

    def files(self, commit: str, below: str = "") -> dict[str, GitEntry]:
        """Every file of a commit in a directory; see ObjectStore."""
        tree = self.directory(commit, below)
        if not tree:
            return {}
        found: dict[str, GitEntry] = {}
        pending = [("", tree, 0)]
        while pending:
            above, name, depth = pending.pop()
            for mode, part, blob in tree_entries(self._object(name, "tree"), len(name) // 2):
                if mode == "040000":
                    pending.append((f"{above}{part}/", blob, depth + 1))
                else:
                    found[above + part] = GitEntry(mode, blob)
            if len(found) + len(pending) > _MOST_ENTRIES or depth > _DEEPEST:
                raise StoreError("a commit has too many files")
        return found

    def log(self, old: str, new: str) -> list[LogEntry]:
        """The commits that `new` has and `old` has not; see ObjectStore."""
        import pygit2

        found = []
        try:
            order = pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.REVERSE
            walker = self._repository.walk(new, order)
            walker.hide(old)
            for commit in walker:
                said = commit.raw_message.lstrip(b"\n").split(b"\n", 1)[0]
                parents = tuple(str(parent) for parent in commit.parent_ids)
                found.append(LogEntry(str(commit.id), parents, said.decode("utf-8", "replace")))
                if len(found) > _MOST_COMMITS:
                    raise StoreError(f"more than {_MOST_COMMITS} commits are asked about")
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise StoreError(f"the history cannot be followed: {error}") from None
        return found

    def tags(self) -> dict[str, str]:
        """The commit of each tag; see ObjectStore."""
        import pygit2

        found = {}
        for name in self._repository.listall_references():
            if name.startswith("refs/tags/"):
                # A tag of something else, or one that leads nowhere.
                with contextlib.suppress(KeyError, ValueError, pygit2.GitError):
                    commit = self._repository.lookup_reference(name).peel(pygit2.Commit)
                    found[name.removeprefix("refs/tags/")] = str(commit.id)
        return found

    def changed(self, old: str, new: str, below: str = "") -> Changed:
        """What differs between two commits in a directory; see ObjectStore."""
        found: Changed = {}
        pending = [("", self.directory(old, below), self.directory(new, below), 0)]
        while pending:
            above, one, other, depth = pending.pop()
            before, after = self._entries(one), self._entries(other)
            for part in sorted({*before, *after}):
                was, now = before.get(part), after.get(part)
                if was == now:
                    continue
                path = above + part
                (old_tree, old_file), (new_tree, new_file) = _parted(was), _parted(now)
                if old_tree or new_tree:
                    pending.append((f"{path}/", old_tree, new_tree, depth + 1))
                if old_file or new_file:
                    found[path] = (old_file, new_file)
            if len(found) + len(pending) > _MOST_ENTRIES or depth > _DEEPEST:
                raise StoreError("two commits differ in too many files")
        return found

    def directory(self, commit: str, below: str = "") -> str:
        """The name of a directory of a commit as it is; see ObjectStore."""
        content = self._object(commit, "commit")
        head = content.split(b"\n", 1)[0]
        if not head.startswith(b"tree "):
            raise StoreError("a commit is damaged")
        tree = head.removeprefix(b"tree ").decode("ascii", "replace")
        for part in filter(None, below.split("/")):
            entry = self._entries(tree).get(part)
            if entry is None or entry.mode != "040000":
                return ""
            tree = entry.blob
        return tree

    def _entries(self, tree: str) -> dict[str, GitEntry]:
        """What a tree object has, by name; of none, nothing."""
        if not tree:
            return {}
        entries = tree_entries(self._object(tree, "tree"), len(tree) // 2)
        return {part: GitEntry(mode, blob) for mode, part, blob in entries}

    def blob(self, name: str, cap: int) -> bytes | None:
        """The content of a blob; see ObjectStore."""
        import pygit2

        try:
            kind, size = self._odb.read_header(name)
            if kind != pygit2.enums.ObjectType.BLOB:
                raise KeyError(name)
            return None if size > cap else self._odb.read(name)[1]
        except KeyError:
            raise
        except (ValueError, pygit2.GitError) as error:
            raise StoreError(f"the object {name} cannot be read: {error}") from None

    def blobs(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """The contents of blobs by their names; see ObjectStore."""
        found: dict[str, bytes | None] = {}
        left = CONTENT_LIMIT
        for name in sorted(set(names)):
            with contextlib.suppress(KeyError):
                content = found[name] = self.blob(name, CONTENT_CAP)
                left -= len(content or b"")
                if left < 0:
                    raise StoreError(f"more than {CONTENT_LIMIT >> 20} MB of files differ")
        return found

    def line(self, old: str, new: str) -> list[tuple[str, tuple[str, ...]]]:
        """The commits between two, with their parents; see ObjectStore."""
        return self._git.line(old, new)

    def mailed(self, old: str, new: str, below: str = "") -> bytes:
        """The commits between two as a mailbox; see ObjectStore."""
        return self._git.mailed(old, new, below)

    def touching(self, commit: str, rels: Iterable[str], most: int) -> list[str]:
        """The newest commits that change one of some paths; see ObjectStore."""
        return self._git.touching(commit, rels, most)

    def entries(self, commit: str, rels: Iterable[str]) -> dict[str, GitEntry]:
        """Which of some files a commit has; see ObjectStore."""
        return self._git.entries(commit, rels)

    def ignored(self, texts: Mapping[str, bytes], rels: Iterable[str]) -> set[str]:
        """Which of some paths git ignores; see ObjectStore."""
        names = list(rels)
        try:
            write_below(self._work, texts)
            return {rel for rel in names if self._repository.path_is_ignored(rel)}
        except UnicodeError:
            return self._git.ignored(texts, names)

    def _object(self, name: str, kind: str) -> bytes:
        """The content of a commit or a tree."""
        import pygit2

        wanted = getattr(pygit2.enums.ObjectType, kind.upper())
        try:
            found, size = self._odb.read_header(name)
            if found != wanted or size > _TREE_LIMIT:
                raise StoreError(f"the object {name} is no {kind}")
            return self._odb.read(name)[1]
        except KeyError:
            raise StoreError(f"the {kind} {name} is not there") from None
        except (ValueError, pygit2.GitError) as error:
            raise StoreError(f"the {kind} {name} cannot be read: {error}") from None


def _parted(entry: GitEntry | None) -> tuple[str, GitEntry | None]:
    """The tree object of an entry that is a directory, or the entry of a file."""
    if entry is None:
        return "", None
    return (entry.blob, None) if entry.mode == "040000" else ("", entry)


def open_library(
    directory: Path, work: Path, objects: Path, git: ObjectStore
) -> LibraryStore | None:
    """Open a git directory of our own whose objects are a stranger's.

    :param directory: the git directory; its configuration is all that is read.
    :param work: its work tree, ours and empty.
    :param objects: where the objects are.
    :param git: the same repository, read by git.
    :returns: None where there is no library, or it does not know a format of the repository.
    :raises Problem: among the objects or references is something that would keep one waiting.
    """
    try:
        import pygit2
    except ImportError:
        return None
    _vetted(directory)
    for place in _object_directories(objects):
        _vetted(place, _OBJECT_PARTS)
    try:
        with _no_configuration(directory):
            repository = pygit2.Repository(
                str(directory),
                pygit2.enums.RepositoryOpenFlag.NO_SEARCH
                | pygit2.enums.RepositoryOpenFlag.NO_DOTGIT,
            )
            _ = repository.config
        repository.odb.add_disk_alternate(os.fsencode(objects).decode())
    except (KeyError, ValueError, OSError, UnicodeError, pygit2.GitError):
        return None
    return LibraryStore(repository, work, git)


@contextlib.contextmanager
def _no_configuration(empty: Path) -> Iterator[None]:
    """Let libgit2 look for the machine's and the user's configuration where there is none."""
    from pygit2 import settings
    from pygit2.enums import ConfigLevel

    levels = (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL)
    before = {level: settings.search_path[level] for level in levels}
    try:
        for level in levels:
            settings.search_path[level] = str(empty / "none")
        yield
    finally:
        for level, path in before.items():
            settings.search_path[level] = path


def _object_directories(objects: Path) -> list[Path]:
    """A directory of objects, and those that it borrows from (gitrepository-layout, alternates)."""
    found: list[Path] = []
    pending = [(objects, 0)]
    while pending:
        place, depth = pending.pop()
        if place in found or depth > 5 or not place.is_dir():
            continue
        found.append(place)
        listed = place / "info" / "alternates"
        if listed.exists() or listed.is_symlink():
            for line in read_file(listed, SMALL_LIMIT).splitlines():
                if line and not line.startswith(b"#"):
                    pending.append((place / os.fsdecode(line), depth + 1))
    return found


def _vetted(top: Path, parts: re.Pattern[str] | None = None) -> None:
    """Refuse a directory with anything but files and directories, at or below it, behind links too.

    :param parts: names of the only directories that count, and what is in those themselves.
    :raises Problem: there is such a thing, too much, or something that cannot be looked at.
    """
    seen: set[tuple[int, int]] = set()
    pending = [str(top)]
    count = 0
    while pending:
        place = pending.pop()
        try:
            status = os.stat(place)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                for entry in entries:
                    count += 1
                    if count > _MOST_FILES:
                        raise Problem(f"more than {_MOST_FILES} files in {top}")
                    if entry.is_dir():
                        if parts is None or (place == str(top) and parts.fullmatch(entry.name)):
                            pending.append(entry.path)
                    elif not entry.is_file() and not _leads_nowhere(entry):
                        raise Problem(f"{entry.path} is not a regular file")
        except OSError as error:
            raise Problem(f"{place}: {error.strerror or error}") from None


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    """Whether it is a link to nothing, which is as if nothing were there."""
    try:
        return not stat.S_IFMT(entry.stat().st_mode)
    except OSError:
        return True
