# SPDX-License-Identifier: GPL-2.0-or-later
"""A commit as a ground: its files out of the objects of a repository, without a checkout."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from lazymmu.snapshot.beneath import IRREGULAR, LINK_OUT, OUT, Entry, Lose, Stamp, too_large
from lazymmu.snapshot.listing import CONTENT_CAP, wanted
from lazymmu.snapshot.object_store import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.snapshot.object_store import GitEntry, ObjectStore

__all__ = ["CommitGround"]

_HOPS: Final = 40
"""Most links on one way, as in the kernel (include/linux/namei.h: MAXSYMLINKS)."""


class CommitGround:
    """The files of a commit; links in it lead to other files of it, and nowhere else."""

    def __init__(self, store: ObjectStore, files: Mapping[str, GitEntry]) -> None:
        """Stand on `files`, by path, whose contents `store` has."""
        self._store = store
        self._files = files
        self._below: dict[str, dict[str, str]] = {"": {}}
        """By directory: the names in it, each with its whole path."""
        for rel in files:
            head, _, name = rel.rpartition("/")
            if head in self._below:
                self._below[head][name] = rel
                continue
            self._below[head] = {name: rel}
            while head:
                above, _, name = head.rpartition("/")
                known = above in self._below
                self._below.setdefault(above, {})[name] = head
                if known:
                    break
                head = above

    def read(self, rel: str, cap: int) -> bytes:
        """Return the bytes of a regular file; see Ground."""
        entry = self._file(rel)
        try:
            content = self._store.blob(entry.blob, cap)
        except KeyError:
            raise OSError("the repository lacks its content") from None
        except StoreError as error:
            raise OSError(str(error)) from None
        if content is None:
            raise OSError(too_large(cap + 1, cap))
        return content

    def into(self, rel: str, buffer: bytearray, cap: int) -> int:
        """Put the bytes of a file at the start of `buffer`; see Ground."""
        content = self.read(rel, cap)
        buffer[: len(content)] = content
        return len(content)

    def stamp(self, rel: str) -> Stamp:
        """Return the state of a file or directory, which follows from its content."""
        place = self.real(rel)
        if place in self._below:
            return 0, len(self._below[place])
        return 0, int(self._files[place].blob, 16)

    def is_file(self, rel: str) -> bool:
        """Whether there is a regular file."""
        place = self.real(rel)
        if place in self._below:
            return False
        if not self._files[place].is_file:
            raise OSError(IRREGULAR)
        return True

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory; see Ground."""
        place = self.real(rel)
        if place not in self._below:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        found = []
        for name, path in self._below[place].items():
            try:
                led = self.real(path)
            except OSError:
                continue
            if led == path and (led in self._below or self._files[led].is_file):
                found.append(Entry(name, led in self._below))
        return sorted(found)

    def real(self, rel: str) -> str:
        """Return the path without links in it that `rel` leads to."""
        if rel.startswith("/"):
            raise OSError(OUT)
        done: list[str] = []
        todo = rel.split("/")[::-1]
        hops = 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    raise OSError(LINK_OUT if hops else OUT)
                done.pop()
                continue
            path = "/".join((*done, part))
            entry = self._files.get(path)
            if entry is not None and entry.is_link:
                hops += 1
                if hops > _HOPS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                target = self._target(entry)
                if target.startswith("/"):
                    raise OSError(LINK_OUT)
                todo += target.split("/")[::-1]
            elif entry is None and path not in self._below:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            elif entry is not None and todo:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            else:
                done.append(part)
        return "/".join(done)

    def link(self, rel: str) -> str | None:
        """Return what a symbolic link says, None for anything else."""
        head, _, name = rel.rpartition("/")
        place = self.real(head)
        path = f"{place}/{name}" if place else name
        entry = self._files.get(path)
        if entry is None and path not in self._below:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self._target(entry) if entry is not None and entry.is_link else None

    def begin(self) -> None:
        """Begin a piece of work; see Ground. What a commit has is known from its beginning."""

    def manifest(self, lose: Lose) -> dict[str, Stamp]:
        """Return the states of all files that a check may read; see Ground.

        Behind a link they are listed if they would not be under their own name.
        """
        found: dict[str, Stamp] = {}
        for rel, entry in self._files.items():
            if entry.is_file and wanted(rel):
                found[rel] = (0, int(entry.blob, 16))
            elif entry.is_link and wanted(rel):
                try:
                    place = self.real(rel)
                except OSError as error:
                    lose(rel, (error.strerror or str(error)).lower())
                    continue
                if place in self._files and not wanted(place):
                    found[rel] = (0, int(self._files[place].blob, 16))
        return dict(sorted(found.items()))

    def same_files(self) -> bool:
        """Tell that no file has come or gone: a commit stays as it is."""
        return True

    def shown(self, place: str) -> str:
        """Return the name under which a place is listed."""
        return place

    def content_id(self, rel: str) -> str:
        """Return the name of a regular file's content; see Ground."""
        return self._file(rel).blob

    def known_ids(self, listed: Mapping[str, Stamp]) -> dict[str, str]:
        """Return the names of contents, which the commit has; see Ground."""
        found = ((rel, self._files.get(rel)) for rel in listed)
        return {rel: entry.blob for rel, entry in found if entry is not None and entry.is_file}

    def _file(self, rel: str) -> GitEntry:
        entry = self._files.get(rel)
        if entry is None or not entry.is_file:
            place = self.real(rel)
            if place in self._below:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            entry = self._files[place]
            if not entry.is_file:
                raise OSError(IRREGULAR)
        return entry

    def _target(self, entry: GitEntry) -> str:
        try:
            return os.fsdecode(self._store.blob(entry.blob, CONTENT_CAP) or b"")
        except (KeyError, StoreError) as error:
            raise OSError(f"where it leads cannot be read: {error}") from None
