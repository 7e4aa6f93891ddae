# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a repository, whoever reads it: a library, or git itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["CONTENT_LIMIT", "GitEntry", "ObjectStore", "StoreError", "tree_entries", "write_below"]

CONTENT_LIMIT = 1 << 30
"""Bytes that the contents of files may have together, where they are all in memory."""


class StoreError(Exception):
    """Something cannot be read of a repository; the text says why, in a clause."""


@dataclass(frozen=True, slots=True)
class GitEntry:
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

    def blob(self, name: str, cap: int) -> bytes | None:
        """The content of a blob, None if it has more than `cap` bytes.

        Raises KeyError if the repository does not have it.
        """
        ...

    def blobs(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """The contents of blobs by their names; one that is not there is not in it.

        None: larger than any file that a check reads.
        """
        ...

    def ignored(self, texts: Mapping[str, bytes], rels: Iterable[str]) -> set[str]:
        """Which of some paths `.gitignore` files, given by path and content, make git ignore."""
        ...


def tree_entries(content: bytes, size: int) -> list[tuple[str, str, str]]:
    """The mode, name and object of each entry of a tree object.

    :param size: bytes of the name of an object.
    :raises StoreError: it is damaged.
    """
    found = []
    at = 0
    while at < len(content):
        blank = content.find(b" ", at, at + 8)
        end = content.find(b"\0", blank)
        if blank < 0 or end < 0 or end + size >= len(content) + 1:
            raise StoreError("a tree object is damaged")
        mode = content[at:blank].decode("ascii", "replace").zfill(6)
        name = content[end + 1 : end + 1 + size]
        if len(name) != size:
            raise StoreError("a tree object is damaged")
        found.append((mode, os.fsdecode(content[blank + 1 : end]), name.hex()))
        at = end + 1 + size
    return found


def write_below(work: Path, texts: Mapping[str, bytes]) -> None:
    """Write files below a directory of our own; their paths are relative and have no `..`."""
    for rel, text in texts.items():
        path = work / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
