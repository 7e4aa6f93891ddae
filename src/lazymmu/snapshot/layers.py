# SPDX-License-Identifier: GPL-2.0-or-later
"""Grounds made of others: one with some files changed in memory, one with a folder put into it."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from lazymmu.snapshot.beneath import ABSENT, Entry, Ground, Lose, Stamp, too_large
from lazymmu.snapshot.content import blob_id, fingerprint
from lazymmu.snapshot.listing import wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Mounted", "Over"]


class Over:
    """A ground with some files replaced or absent.

    A change is seen under every name of the file, also behind a link to it or to its directory.
    """

    def __init__(self, below: Ground, changes: Mapping[str, bytes | None]) -> None:
        """Put `changes` over `below`: the new content by path, None for what is to be absent."""
        self._below = below
        self._heads: dict[str, str] = {}
        self._given = frozenset(changes)
        self._changes = {self._place(rel): content for rel, content in changes.items()}
        self._names: dict[str, dict[str, Entry | None]] = {}
        """By directory: the names that changes add to it, and those that they take away."""
        for place, content in self._changes.items():
            head, name = _split(place)
            self._names.setdefault(head, {}).setdefault(
                name, None if content is None else Entry(name, False)
            )
            while head and content is not None:
                head, name = _split(head)
                self._names.setdefault(head, {})[name] = Entry(name, True)

    def read(self, rel: str, cap: int) -> bytes:
        """Return the bytes of a file; see Ground."""
        content = self._content(rel)
        if content is None:
            return self._below.read(rel, cap)
        if len(content) > cap:
            raise OSError(too_large(len(content), cap))
        return content

    def into(self, rel: str, buffer: bytearray, cap: int) -> int:
        """Put the bytes of a file at the start of `buffer`; see Ground."""
        if self._content(rel) is None:
            return self._below.into(rel, buffer, cap)
        content = self.read(rel, cap)
        buffer[: len(content)] = content
        return len(content)

    def stamp(self, rel: str) -> Stamp:
        """Return the state of a file or directory: of what is changed it follows from that."""
        content = self._content(rel)
        if content is not None:
            return len(content), fingerprint(content)
        names = self._names.get(self._place(rel))
        if not names:
            return self._below.stamp(rel)
        try:
            kept = self._below.stamp(rel)
        except OSError:
            kept = ABSENT
        return len(names), fingerprint(repr((kept, sorted(names.items()))).encode())

    def is_file(self, rel: str) -> bool:
        """Whether there is a regular file."""
        return self._content(rel) is not None or self._below.is_file(rel)

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory; see Ground."""
        names = self._names.get(self._place(rel), {})
        try:
            kept = [] if self._replaced(rel) else self._below.entries(rel)
            found = {entry.name: entry for entry in kept}
        except OSError:
            if not any(names.values()):
                raise
            found = {}
        for name, entry in names.items():
            found.pop(name, None)
            if entry is not None:
                found[name] = entry
        return sorted(found.values())

    def real(self, rel: str) -> str:
        """Return the path without links in it that `rel` leads to."""
        return self._below.real(rel) if self._content(rel) is None else self._place(rel)

    def link(self, rel: str) -> str | None:
        """Return what a symbolic link says, None for anything else."""
        return self._below.link(rel) if self._place(rel) not in self._changes else None

    def begin(self) -> None:
        """Begin a piece of work; see Ground."""
        self._below.begin()

    def manifest(self, lose: Lose) -> dict[str, Stamp]:
        """Return the states of all files that a check may read; see Ground."""
        found = dict(self._below.manifest(lose))
        before = len(found)
        changed = {self._below.shown(place): content for place, content in self._changes.items()}
        for name, content in changed.items():
            if content is None or not wanted(name):
                before -= found.pop(name, None) is not None
            else:
                found[name] = len(content), fingerprint(content)
        return found if len(found) == before else dict(sorted(found.items()))

    def same_files(self) -> bool:
        """Tell whether no file has come or gone since `manifest`; see Ground."""
        return self._below.same_files()

    def shown(self, place: str) -> str:
        """Return the name under which a place is listed."""
        return self._below.shown(place)

    def content_id(self, rel: str) -> str:
        """Return the name of a regular file's content; see Ground."""
        content = self._content(rel)
        return self._below.content_id(rel) if content is None else blob_id(content)

    def known_ids(self, listed: Mapping[str, Stamp]) -> dict[str, str]:
        """Return the names of contents that nobody need read; see Ground."""
        changed = {self._below.shown(place): content for place, content in self._changes.items()}
        found = self._below.known_ids({r: stamp for r, stamp in listed.items() if r not in changed})
        for name, content in changed.items():
            if content is not None and name in listed:
                found[name] = blob_id(content)
        return found

    def _content(self, rel: str) -> bytes | None:
        """The new content of a file; None when it is as below. Raises OSError when it is gone."""
        place = self._place(rel)
        if place not in self._changes:
            if self._replaced(rel):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            try:
                place = self._below.real(rel)
            except OSError:
                return None
            if place not in self._changes:
                return None
        content = self._changes[place]
        if content is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return content

    def _place(self, rel: str) -> str:
        """The path of a file with the links in its directory's path followed."""
        head, name = _split(rel)
        place = self._heads.get(head)
        if place is None:
            place = self._heads[head] = self._directory(head)
        return f"{place}/{name}" if place else name

    def _replaced(self, rel: str) -> str | None:
        """The part of a path that the changes name and below which nothing else remains, if any.

        That is a link to a directory which was something else before.
        """
        while rel:
            if rel in self._given:
                with contextlib.suppress(OSError, ValueError):
                    if self._below.link(rel) is not None:
                        return rel
            rel, _ = _split(rel)
        return None

    def _directory(self, rel: str) -> str:
        """The path of a directory, of which only the changes may have the last parts."""
        below = ""
        while self._replaced(rel) is not None:
            rel, name = _split(rel)
            below = f"/{name}{below}"
        while rel:
            try:
                return self._below.real(rel) + below
            except (OSError, ValueError):
                rel, name = _split(rel)
                below = f"/{name}{below}"
        return below.lstrip("/")


class Mounted:
    """A ground with another as one of its directories."""

    def __init__(self, below: Ground, rel: str, other: Ground) -> None:
        """Put `other` into `below` as the directory `rel`, in place of what is there."""
        self._below = below
        self._rel = rel
        self._other = other

    def read(self, rel: str, cap: int) -> bytes:
        """Return the bytes of a file; see Ground."""
        ground, rel = self._of(rel)
        return ground.read(rel, cap)

    def into(self, rel: str, buffer: bytearray, cap: int) -> int:
        """Put the bytes of a file at the start of `buffer`; see Ground."""
        ground, rel = self._of(rel)
        return ground.into(rel, buffer, cap)

    def stamp(self, rel: str) -> Stamp:
        """Return the state of a file or directory."""
        ground, rel = self._of(rel)
        return ground.stamp(rel)

    def is_file(self, rel: str) -> bool:
        """Whether there is a regular file."""
        ground, rel = self._of(rel)
        return ground.is_file(rel)

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory; see Ground."""
        ground, inner = self._of(rel)
        found = ground.entries(inner)
        head, name = _split(self._rel)
        if ground is self._below and rel == head:
            found = sorted([*(entry for entry in found if entry.name != name), Entry(name, True)])
        return found

    def real(self, rel: str) -> str:
        """Return the path without links in it that `rel` leads to."""
        ground, rel = self._of(rel)
        place = ground.real(rel)
        return self._above(place) if ground is self._other else place

    def link(self, rel: str) -> str | None:
        """Return what a symbolic link says, None for anything else."""
        ground, rel = self._of(rel)
        return ground.link(rel)

    def begin(self) -> None:
        """Begin a piece of work; see Ground."""
        self._below.begin()
        self._other.begin()

    def manifest(self, lose: Lose) -> dict[str, Stamp]:
        """Return the states of all files that a check may read; see Ground."""
        below = f"{self._rel}/"
        found = {
            rel: stamp
            for rel, stamp in self._below.manifest(lose).items()
            if not rel.startswith(below)
        }
        other = self._other.manifest(lambda rel, reason: lose(self._above(rel), reason))
        found.update((self._above(rel), stamp) for rel, stamp in other.items())
        return dict(sorted(found.items()))

    def same_files(self) -> bool:
        """Tell whether no file has come or gone since `manifest`; see Ground."""
        return self._below.same_files() and self._other.same_files()

    def shown(self, place: str) -> str:
        """Return the name under which a place is listed."""
        ground, rel = self._of(place)
        return self._above(ground.shown(rel)) if ground is self._other else ground.shown(rel)

    def content_id(self, rel: str) -> str:
        """Return the name of a regular file's content; see Ground."""
        ground, rel = self._of(rel)
        return ground.content_id(rel)

    def known_ids(self, listed: Mapping[str, Stamp]) -> dict[str, str]:
        """Return the names of contents that nobody need read; see Ground."""
        return self._below.known_ids(
            {rel: stamp for rel, stamp in listed.items() if self._of(rel)[0] is self._below}
        )

    def _of(self, rel: str) -> tuple[Ground, str]:
        """Which of the two has a path, and under which name."""
        if rel == self._rel:
            return self._other, ""
        inner = rel.removeprefix(f"{self._rel}/")
        return (self._other, inner) if inner != rel else (self._below, rel)

    def _above(self, rel: str) -> str:
        return f"{self._rel}/{rel}" if rel else self._rel


def _split(rel: str) -> tuple[str, str]:
    head, _, name = rel.rpartition("/")
    return head, name
