# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines told by what they say, and by which function: that stays when others come before them."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.json_shapes import string, strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.kernelc.configured_tree import ConfiguredTree

__all__ = ["LineToken", "LineTokens", "token_of"]

_FILES: Final = 4
"""Files whose lines are kept at once: who asks goes through one file after the other."""


class LineToken(NamedTuple):
    """One line of a definition.

    :param name: of the definition.
    :param nth: of the definitions of that name in the file.
    :param said: tells the line's text from others.
    :param again: how often the same was said before in the definition.
    :param presence: the conditions under which it is compiled.
    """

    name: str
    nth: int
    said: str
    again: int
    presence: tuple[str, ...]


def token_of(plain: Sequence[object]) -> LineToken:
    """Return a token that was kept as plain values.

    :raises TypeError: it is none.
    :raises ValueError: it is none.
    """
    name, nth, said, again, presence = plain
    if not isinstance(nth, int) or not isinstance(again, int):
        raise TypeError("no token")
    return LineToken(string(name), nth, string(said), again, tuple(strings(presence)))


class LineTokens:
    """Tells lines of one configured tree, and finds them."""

    def __init__(self, view: ConfiguredTree) -> None:
        """Tell lines of the files of `view`."""
        self._view = view
        self._spans: dict[str, list[tuple[int, int, str, int]]] = {}
        self._texts: dict[str, list[bytes]] = {}
        self._starts: dict[str, list[int]] = {}
        self._told: dict[tuple[str, str, int], dict[int, LineToken]] = {}

    def of(self, file: str, line: int) -> LineToken | int:
        """Return what tells a line, its number where it stands in no definition."""
        for first, last, name, nth in self._around(file, line):
            if first <= line <= last:
                return self._lines(file, first, last, name, nth)[line]
        return line

    def text(self, file: str, line: int) -> bytes:
        """Return what a line says."""
        lines = self._read(file)
        return lines[line - 1].strip() if 0 < line <= len(lines) else b""

    def find(self, file: str, token: LineToken) -> int:
        """Return the line that is told so.

        :raises LookupError: no line is.
        """
        for first, last, name, nth in self._span(file):
            if (name, nth) == (token.name, token.nth):
                lines = self._lines(file, first, last, name, nth)
                for line, told in lines.items():
                    if told == token:
                        return line
        raise LookupError(f"{file}: {token.name}()")

    def name(self, file: str, line: int) -> str:
        """Return the name of the definition that a line stands in, "" for none."""
        told = self.of(file, line)
        return told.name if isinstance(told, LineToken) else ""

    def _around(self, file: str, line: int) -> Iterable[tuple[int, int, str, int]]:
        spans = self._span(file)
        at = bisect_right(spans, line, key=lambda span: span[0])
        return reversed(spans[max(0, at - 2) : at])

    def _read(self, file: str) -> list[bytes]:
        lines = self._texts.get(file)
        if lines is None:
            if len(self._texts) >= _FILES:
                del self._texts[next(iter(self._texts))]
            lines = self._texts[file] = self._view.sources.read(file).split(b"\n")
        return lines

    def _span(self, file: str) -> list[tuple[int, int, str, int]]:
        if file in self._spans:
            return self._spans[file]
        lines = self._read(file)
        starts = [0]
        for one in lines:
            starts.append(starts[-1] + len(one) + 1)
        self._starts[file] = starts
        seen: dict[str, int] = {}
        spans = []
        for raw in self._view.raw_definitions(file):
            nth = seen[raw.name] = seen.get(raw.name, 0) + 1
            first = bisect_right(starts, raw.start)
            spans.append((first, bisect_right(starts, max(raw.start, raw.end - 1)), raw.name, nth))
        self._spans[file] = sorted(spans)
        return self._spans[file]

    def _lines(self, file: str, first: int, last: int, name: str, nth: int) -> dict[int, LineToken]:
        known = self._told.get((file, name, nth))
        if known is None:
            texts, starts = self._read(file), self._starts[file]
            selection = self._view.headers.selection(file)
            seen: dict[bytes, int] = {}
            known = {}
            for line in range(first, last + 1):
                text = texts[line - 1].strip()
                again = seen[text] = seen.get(text, 0) + 1
                said = hashlib.blake2b(text, digest_size=8).hexdigest()
                presence = tuple(selection.presence(starts[line - 1]))
                known[line] = LineToken(name, nth, said, again, presence)
            self._told[file, name, nth] = known
        return known
