# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a tree's files, for a while, and parts of them as the compiler sees them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.parse.lexemes import blank
from lazymmu.kernelc.preprocess.directives import scan
from lazymmu.kernelc.preprocess.line_splicing import plain_lines, whole_words
from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts

if TYPE_CHECKING:
    from lazymmu.kernelc.preprocess.headers import Headers
    from lazymmu.snapshot.tree import Tree

__all__ = ["SourceTexts"]

_MAX_KEPT_BYTES: Final = 24 << 20
"""How many bytes of file texts are kept at once."""

_LARGE_BYTES: Final = 200_000
"""Bytes of a file from which on the places of its lines are worth being kept."""


class SourceTexts:
    """Files are read again when they are asked for after a while; texts are not kept for long."""

    def __init__(self, tree: Tree, headers: Headers) -> None:
        """Read files of `tree`, of which `headers` knows what is compiled."""
        self._tree = tree
        self._headers = headers
        self._raws: OrderedDict[str, bytes] = OrderedDict()
        self._held = 0
        self._blanks: dict[str, list[tuple[int, int]]] = {}
        self._lines: tuple[str, list[int]] = ("", [])
        self._unread: dict[str, list[tuple[int, int]]] = {}

    def conflicts(self, rel: str) -> list[tuple[int, int]]:
        """Return what conflict markers make unreadable of a file; the file is lost then."""
        known = self._unread.get(rel)
        if known is None:
            known = self._unread[rel] = conflicts(self.raw(rel))
            if known:
                self._tree.lose(rel, CONFLICT)
        return known

    def raw(self, rel: str) -> bytes:
        """Return a whole file, with its lines and words in one piece each."""
        known = self._raws.get(rel)
        if known is not None:
            self._raws.move_to_end(rel)
            return known
        text = self._raws[rel] = plain_lines(whole_words(self._tree.read(rel)))
        self._held += len(text)
        while self._held > _MAX_KEPT_BYTES and len(self._raws) > 1:
            self._held -= len(self._raws.popitem(last=False)[1])
        return text

    def cut(self, rel: str, start: int, end: int) -> bytes:
        """Return part of a file with directives and what is not compiled blanked."""
        spans = self._blanks.get(rel)
        if spans is None:
            directives, _ = scan(self.raw(rel).decode("latin-1"))
            spans = [(item[1], item[2]) for item in directives]
            spans = _apart(sorted(spans + self._headers.selection(rel).dead))
            self._blanks[rel] = spans
        text = self.raw(rel)
        pieces: list[bytes] = []
        position = start
        for place in range(max(0, bisect_left(spans, (start, 0)) - 1), len(spans)):
            first, last = spans[place]
            if first >= end:
                break
            if last > position:
                first, last = max(first, position), min(last, end)
                pieces += (text[position:first], blank(text[first:last]))
                position = last
        pieces.append(text[position:end])
        return b"".join(pieces)

    def line(self, rel: str, offset: int) -> int:
        """Return the line of an offset, from 1, in a time that does not grow with the file."""
        text = self.raw(rel)
        if len(text) < _LARGE_BYTES:
            return text.count(b"\n", 0, offset) + 1
        if self._lines[0] != rel:
            self._lines = rel, [match.start() for match in re.finditer(rb"\n", text)]
        return bisect_left(self._lines[1], offset) + 1

    def place(self, rel: str, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, from 1."""
        return self.line(rel, offset), offset - self.raw(rel).rfind(b"\n", 0, offset)


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted spans, those that overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
