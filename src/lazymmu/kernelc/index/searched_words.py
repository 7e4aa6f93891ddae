# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that a tree was searched for, so that no word costs a second pass over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.index.word_search import files_containing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.snapshot.cache import Cache
    from lazymmu.snapshot.tree import Stamp, Tree

__all__ = ["SearchedWords"]


class SearchedWords:
    """Which files of one state of a tree have which words; what was asked for is remembered."""

    def __init__(
        self, tree: Tree, jobs: int, manifest: Mapping[str, Stamp], cache: Cache | None
    ) -> None:
        """Search nothing yet; the arguments are those of `files_containing`."""
        self.tree = tree
        self.manifest = manifest
        self._jobs = jobs
        self._cache = cache
        self._asked: set[bytes] = set()
        self._found: dict[str, set[bytes]] = {}

    def files(self, needles: Iterable[bytes]) -> dict[str, set[bytes]]:
        """Find the .c and .h files that contain any of some words, and which; see word_search.py.

        :param needles: all that are not known yet are searched for in one pass.
        """
        wanted = dict.fromkeys(needles)
        unknown = [needle for needle in wanted if needle not in self._asked]
        for file, words in self._search(unknown, self.manifest).items():
            self._found.setdefault(file, set()).update(words)
        self._asked.update(unknown)
        found = {file: words & wanted.keys() for file, words in self._found.items()}
        return {file: words for file, words in found.items() if words}

    def among(self, files: Iterable[str], needles: Iterable[bytes]) -> dict[str, set[bytes]]:
        """Look through some files of the manifest alone; nothing of it is remembered."""
        return self._search([*needles], {file: self.manifest[file] for file in files})

    def _search(self, needles: list[bytes], manifest: Mapping[str, Stamp]) -> dict[str, set[bytes]]:
        return files_containing(
            self.tree, needles, self._jobs, manifest=manifest, cache=self._cache
        )
