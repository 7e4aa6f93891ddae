# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a function with those macros replaced that are part of it (see expand/leaving.py).

All other macros are read as functions of their arguments, under their own names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.expand.c_tokens import Origins, Token, joined, tokens
from lazymmu.kernelc.expand.expansion import Expander, ExpansionError, MacroText
from lazymmu.kernelc.expand.leaving import HOLDING, TELLING, woven
from lazymmu.kernelc.name_lookup import NameLookup

__all__ = ["Woven", "WovenMacros"]

_WORD: Final = re.compile(rb"(?<![\w.])[A-Za-z_]\w*+")
_GIVEN: Final = re.compile(
    rb"([A-Za-z_]\w*+)[ \t\n]*+\((?:[^(){};]|\([^(){};]*+\))*?,[ \t\n]*+"
    rb"(?:return|goto|break|continue)\b"
)
"""A jump that is an argument."""

_JUMP_GIVEN: Final = re.compile(rb",[ \t\n]*+(?:return|goto|break|continue)\b")

_DEEP: Final = 12
"""Macros in each other's text that are looked at."""

_FORMS: Final = "cleanup.h"
"""The header that defines the forms in which scopes hold things: those are read as they are."""


class Woven:
    """A text in which macros were replaced, where it comes from, and which macros those were."""

    __slots__ = ("macros", "origins", "text")

    def __init__(self, text: bytes, origins: Origins, macros: tuple[Definition, ...]) -> None:
        """Take all three."""
        self.text = text
        self.origins = origins
        self.macros = macros


class WovenMacros:
    """Finds them by name, for one configured tree, and replaces them."""

    def __init__(self, names: NameLookup) -> None:
        """Look macros up in `names`."""
        self._names = names
        self._known: dict[tuple[str, str], bool] = {}
        self.lost: dict[tuple[str, int, str], str] = {}
        """Definitions (file, line, name) whose macros could not be replaced, with the reason."""

    def text(self, definition: Definition, text: bytes) -> Woven | None:
        """Return a function's text with its macros replaced, None when it has none of them."""
        near = definition.file
        words = {word.decode("latin-1") for word in set(_WORD.findall(text))}
        found = {word for word in words if self.is_woven(word, near)}
        if _JUMP_GIVEN.search(text):
            given = {match[1].decode("latin-1") for match in _GIVEN.finditer(text)}
            found |= {w for w in given if w.encode() not in HOLDING and self._macro(w, near)}
        if not found:
            return None
        used: dict[str, None] = {}

        def wanted(token: Token, _braces: int) -> MacroText | None:
            word = token.text.decode("latin-1")
            if word not in found and not self.is_woven(word, near):
                return None
            used[word] = None
            return self._names.macro_text(token.text, near)

        expander = Expander(wanted, lambda word: self._names.macro_text(word, near))
        try:
            woven_text, origins = joined(expander.run(list(tokens(text))))
        except ExpansionError as why:
            self.lost[near, definition.first_line, definition.name] = str(why)
            return None
        macros = tuple(d for word in used if (d := self._names.macro(word, near)) is not None)
        return Woven(woven_text, origins, macros)

    def _macro(self, word: str, near: str) -> bool:
        macro = self._names.macro_text(word.encode("latin-1"), near)
        return macro is not None and macro.params is not None

    def is_woven(self, word: str, near: str, depth: int = 0) -> bool:
        """Tell whether a word is such a macro in a file."""
        if not self._names.may_be_macro(word, near):
            return False
        key = (word, near if self._names.is_local(word, near) else "")
        known = self._known.get(key)
        if known is None:
            self._known[key] = False
            known = self._known[key] = self._judge(word, near, depth)
        return known

    def _judge(self, word: str, near: str, depth: int) -> bool:
        macro = self._names.macro_text(word.encode("latin-1"), near)
        if macro is None or depth > _DEEP:
            return False
        if word.encode() in HOLDING:
            definition = self._names.macro(word, near)
            if definition is None or definition.file.endswith(_FORMS):
                return False
        words = {token.text for token in macro.body if token.word}
        if not words.isdisjoint(TELLING) and woven(macro.body):
            return True
        return any(self.is_woven(name, near, depth + 1) for name in _names(words, macro))


def _names(words: set[bytes], macro: MacroText) -> Iterator[str]:
    """What of the words in a macro's text may be macros."""
    params = macro.params or ()
    return (w.decode("latin-1") for w in words if w not in params and w != macro.name)
