# SPDX-License-Identifier: GPL-2.0-or-later
"""The directives of a tree's files, each file scanned once, and what tells them from others.

A walk of the headers sees nothing else of a file. What it came to is therefore good as long as the
directives are the same and in the same order, wherever they stand.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from lazymmu.kernelc.preprocess.directives import (
    MAX_DIRECTIVES,
    Directive,
    include_guard,
    scan,
)
from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.snapshot.tree import Tree

__all__ = ["Text", "Texts"]


class Text(NamedTuple):
    """The directives of a file (see `scan`), its length in bytes, and its include guard.

    :param torn: whether conflict markers stand in it.
    """

    directives: list[Directive]
    following: list[int]
    length: int
    guard: str | None
    torn: bool = False

    @property
    def digest(self) -> str:
        """What tells these directives from others, wherever in the file they stand."""
        parts = [f"{kind} {word} {len(rest)} {rest}" for kind, _, _, word, rest in self.directives]
        whole = hashlib.blake2b(b"!" if self.torn else b".", digest_size=12)
        whole.update("\n".join(parts).encode("latin-1"))
        return whole.hexdigest()

    @property
    def places(self) -> list[int]:
        """The offsets at which directives begin and end, in their order, and the file's length."""
        return [offset for item in self.directives for offset in item[1:3]] + [self.length]


class Texts:
    """The directives of a tree's files, each file scanned once.

    Of a source file only what stands before its last include is scanned.
    """

    def __init__(self, tree: Tree) -> None:
        """Scan files of `tree` when they are asked for."""
        self.tree = tree
        self._known: dict[str, Text] = {}

    def get(self, rel: str) -> Text:
        """Return what is known of the file `rel`."""
        known = self._known.get(rel)
        if known is None:
            raw = self.tree.read(rel)
            torn = bool(conflicts(raw))
            if torn:
                self.tree.lose(rel, CONFLICT)
            text = raw.decode("latin-1")
            length = len(text)
            if rel.endswith(".c"):
                last = max(map(text.rfind, ("#include", "# include", "#\tinclude")))
                text = text[: text.find("\n", last) + 1 or length] if last >= 0 else ""
            directives, following = scan(text)
            if len(directives) >= MAX_DIRECTIVES:
                self.tree.lose(rel, f"more than {MAX_DIRECTIVES} directives")
            guarded = include_guard(directives, following)
            known = self._known[rel] = Text(directives, following, length, guarded, torn)
        return known

    def all(self) -> Mapping[str, Text]:
        """Return what was scanned, by file."""
        return self._known
