# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits of a range, what each has changed, and which of them can have changed an answer."""

from __future__ import annotations

from posixpath import dirname
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.snapshot.listing import CONTENT_CAP, wanted
from lazymmu.snapshot.object_store import StoreError
from lazymmu.witness.source.prefilter import searched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lazymmu.snapshot.object_store import Changed, GitEntry, LogEntry
    from lazymmu.snapshot.repository import Repository

__all__ = ["CommitLine"]


class CommitLine:
    """The commits that one revision has and another has not, each after its parents."""

    def __init__(self, seen: Repository, old: str, new: str) -> None:
        """Follow the history from the commit `old` to `new`; raises Problem."""
        self.seen = seen
        try:
            self.entries: dict[str, LogEntry] = {
                entry.commit: entry for entry in seen.store.log(old, new)
            }
        except StoreError as error:
            raise Problem(f"the git repository of {seen.tree} cannot be read: {error}") from None
        self.commits = list(self.entries)
        self.old, self.new = old, new
        self._changed: dict[str, Changed] = {}
        self._has_word: dict[str, bool] = {}

    @property
    def edges(self) -> list[str]:
        """The first parents of commits of the line that are not in it themselves."""
        parents = (entry.parents[0] for entry in self.entries.values() if entry.parents)
        return list(dict.fromkeys(one for one in (self.old, *parents) if one not in self.entries))

    @property
    def trunk(self) -> list[str]:
        """The commits that are first parents all the way from the new end, the oldest first."""
        found = []
        here = self.new
        while here in self.entries:
            found.append(here)
            here = next(iter(self.entries[here].parents), "")
        return found[::-1]

    def parent(self, commit: str) -> str:
        """The first parent of a commit of the line, "" of the first of all."""
        return next(iter(self.entries[commit].parents), "")

    def touching(self, inputs: Collection[str], commits: Iterable[str]) -> list[str]:
        """Those of some commits that can have changed an answer that rests on some paths.

        They change one of the paths or what is in a directory that is one, or a file that has a
        word for which every tree is searched, before or after. The first commit of all counts.
        """
        return [one for one in commits if not self.parent(one) or self._touches(one, inputs)]

    def differ(self, one: str, other: str, inputs: Collection[str]) -> bool:
        """Whether an answer that rests on some paths may be another for two commits."""
        changed = self._between(one, other)
        return self._hits(changed, inputs) or self._words(changed)

    def _touches(self, commit: str, inputs: Collection[str]) -> bool:
        if commit not in self._changed:
            self._changed[commit] = self._between(self.parent(commit), commit)
        changed = self._changed[commit]
        if self._hits(changed, inputs):
            return True
        if commit not in self._has_word:
            self._has_word[commit] = self._words(changed)
        return self._has_word[commit]

    def _between(self, old: str, new: str) -> Changed:
        try:
            return self.seen.store.changed(old, new, self.seen.inside)
        except StoreError as error:
            raise Problem(
                f"the git repository of {self.seen.tree} cannot be read: {error}"
            ) from None

    def _hits(self, changed: Changed, inputs: Collection[str]) -> bool:
        for path, (before, after) in changed.items():
            if path in inputs:
                return True
            if before is None or after is None or before.mode != after.mode:
                # A directory has another entry, and so may those above it.
                above = dirname(path)
                while above:
                    if above in inputs:
                        return True
                    above = dirname(above)
        return False

    def _words(self, changed: Changed) -> bool:
        words = searched()
        return any(
            word in content
            for path, entries in changed.items()
            if wanted(path)
            for content in map(self._content, filter(None, entries))
            for word in words
        )

    def _content(self, entry: GitEntry) -> bytes:
        try:
            return self.seen.store.blob(entry.blob, CONTENT_CAP) or b""
        except (KeyError, StoreError):
            return b""  # the look at the commit says that it cannot be read
