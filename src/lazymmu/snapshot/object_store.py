# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a repository, whoever reads it: a library, or git itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from lazymmu.snapshot.beneath import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = [
    "CONTENT_LIMIT",
    "Changed",
    "GitEntry",
    "LogEntry",
    "ObjectStore",
    "StoreError",
    "tree_entries",
    "write_below",
]

CONTENT_LIMIT = 1 << 30
"""Bytes that the contents of files may have together, where they are all in memory."""


class StoreError(Exception):
    """Something cannot be read of a repository; the text says why, in a clause."""


_ENTRIES: Final = {
    size: re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)
}


class GitEntry(NamedTuple):
    """A file of a commit: its mode, as git writes it, and the name of its blob."""

    mode: str
    blob: str

    @property
    def is_file(self) -> bool:
        """Whether it is neither a link nor another repository."""
        return self.mode.startswith("100")

    @property
    def is_link(self) -> bool:
        """Whether its content is where a symbolic link leads."""
        return self.mode == "120000"


Changed = dict[str, tuple["GitEntry | None", "GitEntry | None"]]
"""What differs between two commits: by path the file before and after, None where there is none."""


class LogEntry(NamedTuple):
    """A commit of a history: its name, its parents, and the first line of what it says."""

    commit: str
    parents: tuple[str, ...]
    subject: str


class ObjectStore(Protocol):
    """Reads commits and what is in them. Every method raises StoreError for what it cannot read."""

    def commit(self, revision: str) -> str:
        """The name of the commit that `revision` means, "" if there is none."""
        ...

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor of two commits, "" if they have none."""
        ...

    def files(self, commit: str, below: str = "") -> dict[str, GitEntry]:
        """Every file of a commit in the directory `below` ("" for the top), relative to it."""
        ...

    def log(self, old: str, new: str) -> list[LogEntry]:
        """The commits that `new` has and `old` has not, each after all of its parents."""
        ...

    def directory(self, commit: str, below: str = "") -> str:
        """The name of a directory of a commit with all that is in it, "" where there is none."""
        ...

    def tags(self) -> dict[str, str]:
        """The commit of each tag, by the tag's name."""
        ...

    def changed(self, old: str, new: str, below: str = "") -> Changed:
        """What differs between two commits in a directory, by path relative to it."""
        ...

    def blob(self, name: str, cap: int) -> bytes | None:
        """The content of a blob, None if it has more than `cap` bytes.

        :raises KeyError: the repository does not have it.
        """
        ...

    def blobs(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """The contents of blobs by their names; one that is not there is not in it.

        None: larger than any file that a check reads.
        """
        ...

    def line(self, old: str, new: str) -> list[tuple[str, tuple[str, ...]]]:
        """The commits that are in the history of `new` and not of `old`, oldest first.

        Each has its parents.
        """
        ...

    def mailed(self, old: str, new: str, below: str = "") -> bytes:
        """The commits of `line` that are no merges, as a mailbox of patches (git format-patch).

        Paths are relative to the directory `below`; what is outside of it is left out.
        """
        ...

    def touching(self, commit: str, rels: Iterable[str], most: int) -> list[str]:
        """The newest commits on the line of first parents that change one of some paths."""
        ...

    def entries(self, commit: str, rels: Iterable[str]) -> dict[str, GitEntry]:
        """Which of some files a commit has."""
        ...

    def ignored(self, texts: Mapping[str, bytes], rels: Iterable[str]) -> set[str]:
        """Which of some paths `.gitignore` files, given by path and content, make git ignore."""
        ...


def tree_entries(content: bytes, size: int) -> list[tuple[str, str, str]]:
    """The mode, name and object of each entry of a tree object.

    :param size: bytes of the name of an object.
    :raises StoreError: it is damaged.
    """
    entries = _ENTRIES[size].findall(content)
    found = [(mode.decode().zfill(6), decoded(name), blob.hex()) for mode, name, blob in entries]
    whole = sum(len(mode) + len(name) for mode, name, _ in entries) + len(entries) * (size + 2)
    if whole != len(content) or any(name in (".", "..") for _, name, _ in found):
        raise StoreError("a tree object is damaged, or has a name that no file can have")
    return found


def write_below(work: Path, texts: Mapping[str, bytes]) -> None:
    """Write files below a directory of our own; their paths are relative and have no `..`."""
    for rel, text in texts.items():
        path = work / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
