# SPDX-License-Identifier: GPL-2.0-or-later
"""Which words stand in the texts of macros, as it is asked for: of 60,000, some thousand matter.

A word is a macro of the headers, by what the walk left, or one that a .c file defines itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.parse import slices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.kernelc.preprocess.headers import Headers
    from lazymmu.kernelc.source_texts import SourceTexts

__all__ = ["MacroWords"]

_WORD: Final = re.compile(rb"[A-Za-z_]\w*+")
_DEFINE: Final = re.compile(
    rb"^[ \t]*+#[ \t]*+define[ \t]++([A-Za-z_]\w*+)((?:[^\n\\]|\\[\s\S])*)", re.M
)


class MacroWords:
    """The words of the macros of one configured tree, those of a word whatever file means it."""

    def __init__(self, headers: Headers, texts: SourceTexts, files: Iterable[str]) -> None:
        """Look for macros in the headers that were walked, and in some .c files.

        :param files: those of which the own macros count; others are left out.
        """
        self._headers = headers
        self._texts = texts
        self._files = [rel for rel in files if rel.endswith(".c")]
        self._own: dict[str, set[str]] | None = None

    def of(self, words: Iterable[str]) -> dict[str, set[str]]:
        """Return the words that the texts of macros have, for those of `words` that are macros."""
        own, found = self._of_files(), {}
        places: dict[str, list[tuple[str, int]]] = {}
        for word in words:
            if word in own:
                found[word] = set(own[word])
            for file, start in self._places(word):
                places.setdefault(file, []).append((word, start))
        for file, macros in places.items():
            text = self._texts.raw(file)
            for word, start in macros:
                raw = slices.macro_at(text, start)
                if raw is not None:
                    found.setdefault(word, set()).update(_words(text, raw.body, raw.end))
        return found

    def _places(self, word: str) -> Iterator[tuple[str, int]]:
        """Where the headers define a word, at the end of the walk or where local ones are seen."""
        headers = self._headers
        last = headers.macros.where(word)
        changes = headers.overrides.get(word, {}).values()
        for file, start in (*([last] if last is not None else ()), *changes):
            if file and start >= 0:
                yield file, start

    def _of_files(self) -> dict[str, set[str]]:
        if self._own is None:
            self._own = {}
            for rel in self._files:
                for match in _DEFINE.finditer(self._texts.raw(rel)):
                    name = match[1].decode("latin-1")
                    self._own.setdefault(name, set()).update(_words(match[2]))
        return self._own


def _words(text: bytes, start: int = 0, end: int | None = None) -> set[str]:
    found = _WORD.findall(text, start, len(text) if end is None else end)
    return {word.decode("latin-1") for word in found}
