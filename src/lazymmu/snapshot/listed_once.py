# SPDX-License-Identifier: GPL-2.0-or-later
"""A ground whose files are listed once, for a series of trees that are all made of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lazymmu.snapshot.beneath import settled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.snapshot.beneath import Entry, Ground, Lose, Stamp

__all__ = ["ListedOnce"]


class ListedOnce:
    """A ground that is asked for its files again and again; all else is as it is below.

    What is written in between is read as it is, under the state that the file had before. So it is
    within one check as well, and nobody takes that for the file's own (`result_cache.keep`);
    `changed` tells of which files that may be so.
    """

    def __init__(self, below: Ground) -> None:
        """Stand on `below`."""
        self._below = below
        self._listed: tuple[dict[str, Stamp], list[tuple[str, str]]] | None = None
        self._first: dict[str, Stamp] = {}

    def begin(self) -> None:
        """Begin a piece of work; see Ground."""
        self._below.begin()

    def manifest(self, lose: Lose) -> dict[str, Stamp]:
        """Return the states of all files that a check may read; see Ground.

        A listing is kept where each of its states tells a file's content for ever: one that has
        just changed may change again and be in the same state.
        """
        if self._listed is None:
            now = time.time_ns()
            lost: list[tuple[str, str]] = []
            found = self._below.manifest(lambda rel, why: lost.append((rel, why)))
            self._first = self._first or found
            if not all(settled(stamp, now) for stamp in found.values()):
                for rel, why in lost:
                    lose(rel, why)
                return found
            self._listed = found, lost
        found, lost = self._listed
        for rel, why in lost:
            lose(rel, why)
        return found

    def changed(self) -> list[str]:
        """Return the files that are in another state than when they were first listed, or gone."""
        return [rel for rel, stamp in self._first.items() if self._now(rel) != stamp]

    def _now(self, rel: str) -> Stamp | None:
        try:
            return self._below.stamp(rel)
        except (OSError, ValueError):
            return None

    def read(self, rel: str, cap: int) -> bytes:
        """Return the bytes of a file; see Ground."""
        return self._below.read(rel, cap)

    def into(self, rel: str, buffer: bytearray, cap: int) -> int:
        """Put the bytes of a file at the start of `buffer`; see Ground."""
        return self._below.into(rel, buffer, cap)

    def stamp(self, rel: str) -> Stamp:
        """Return the state of a file or directory."""
        return self._below.stamp(rel)

    def is_file(self, rel: str) -> bool:
        """Whether there is a regular file."""
        return self._below.is_file(rel)

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory; see Ground."""
        return self._below.entries(rel)

    def real(self, rel: str) -> str:
        """Return the path without links in it that `rel` leads to."""
        return self._below.real(rel)

    def link(self, rel: str) -> str | None:
        """Return what a symbolic link says, None for anything else."""
        return self._below.link(rel)

    def same_files(self) -> bool:
        """Tell whether no file has come or gone since they were listed; see Ground."""
        return self._below.same_files()

    def shown(self, place: str) -> str:
        """Return the name under which a place is listed."""
        return self._below.shown(place)

    def content_id(self, rel: str) -> str:
        """Return the name of a regular file's content; see Ground."""
        return self._below.content_id(rel)

    def known_ids(self, listed: Mapping[str, Stamp]) -> dict[str, str]:
        """Return the names of contents that nobody need read; see Ground."""
        return self._below.known_ids(listed)
