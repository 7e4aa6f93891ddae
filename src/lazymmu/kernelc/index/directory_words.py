# SPDX-License-Identifier: GPL-2.0-or-later
"""What a search for words came to in whole directories, kept by what their files hold.

The content of a file is known without reading it where git has seen it as it is: in a clone, after
a checkout, in a commit. A directory whose files all have the names and contents of one that was
searched has the same words, in whatever tree and at whatever path it lies.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lazymmu.snapshot.cache import Cache

__all__ = ["DirectoryWords"]

_KIND: Final = "directory-words"


class DirectoryWords:
    """The directories of one search whose contents are known."""

    def __init__(
        self, store: Cache, needles: Sequence[bytes], files: Iterable[str], ids: Mapping[str, str]
    ) -> None:
        """Group files by directory.

        :param needles: what is searched for; what is kept are their numbers.
        :param files: all that the search would read, sorted.
        :param ids: of those whose contents are known, the names that git has for these.
        """
        self._store = store
        self._count = len(needles)
        whole: dict[str, list[tuple[str, str]]] = {}
        unknown: set[str] = set()
        for path in files:
            head, _, name = path.rpartition("/")
            known = ids.get(path)
            if known is None:
                unknown.add(head)
            else:
                whole.setdefault(head, []).append((name, known))
        told = {head: some for head, some in whole.items() if head not in unknown}
        self._keys = {head: _key(needles, some) for head, some in told.items()}
        self._names = {head: [name for name, _ in some] for head, some in told.items()}

    def recall(self) -> dict[str, list[int]]:
        """Return by file the numbers of the needles in it, of the directories that are kept."""
        kept = self._store.get_many(_KIND, dict.fromkeys(self._keys.values()))
        found: dict[str, list[int]] = {}
        for head, key in self._keys.items():
            hits = kept.get(key)
            if isinstance(hits, dict) and all(map(self._are_numbers, hits.values())):
                found.update((_path(head, name), hits.get(name, [])) for name in self._names[head])
        return found

    def _are_numbers(self, value: object) -> bool:
        """Whether a value that was kept are numbers of needles."""
        return isinstance(value, list) and all(
            type(number) is int and 0 <= number < self._count for number in value
        )

    def keep(
        self, found: Mapping[str, list[int]], fresh: Iterable[str], lost: Iterable[str]
    ) -> None:
        """Keep what a search came to.

        :param found: by file that has any, the numbers of the needles.
        :param fresh: the files that were searched now; lost: those of them that could not be.
        """
        without = {path.rpartition("/")[0] for path in lost}
        heads = {path.rpartition("/")[0] for path in fresh} - without
        values = {
            self._keys[head]: {
                name: found[path]
                for name in self._names[head]
                if found.get(path := _path(head, name))
            }
            for head in sorted(heads & self._keys.keys())
        }
        if values:
            self._store.put_many(_KIND, values)


def _path(head: str, name: str) -> str:
    return f"{head}/{name}" if head else name


def _key(needles: Sequence[bytes], some: Sequence[tuple[str, str]]) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for needle in needles:
        whole.update(b"%d:%s" % (len(needle), needle))
    whole.update(
        "".join(f"\0{name}\0{known}" for name, known in some).encode("utf-8", "surrogatepass")
    )
    return whole.hexdigest()
