# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a function with those macros replaced that are part of it (see expand/leaving.py).

All other macros are read as functions of their arguments, under their own names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.expand.c_tokens import Origins, Token, joined, tokens
from lazymmu.kernelc.expand.expansion import Expander, ExpansionError, MacroText
from lazymmu.kernelc.expand.leaving import (
    ATTRIBUTE,
    FORMS,
    NO_MARKS,
    TELLING,
    Marks,
    steers,
    woven,
)

if TYPE_CHECKING:
    from lazymmu.kernelc.definition import Definition
    from lazymmu.kernelc.name_lookup import NameLookup

__all__ = ["Woven", "WovenMacros"]

_WORD: Final = re.compile(rb"[A-Za-z_]\w*+")
_GIVEN: Final = re.compile(
    rb"([A-Za-z_]\w*+)[ \t\n]*+\((?:[^(){};]|\([^(){};]*+\))*?,[ \t\n]*+"
    rb"(?:return|goto|break|continue)\b"
)
"""A jump that is an argument."""

_JUMP_GIVEN: Final = re.compile(rb",[ \t\n]*+(?:return|goto|break|continue)\b")

_DEEP: Final = 60
"""Macros in each other's text that are looked at."""


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

    def __init__(self, names: NameLookup, marks: Marks = NO_MARKS) -> None:
        """Look macros up in `names`; `marks` are the words of what is followed."""
        self._names = names
        self._marks = marks
        self._known: dict[tuple[bytes, str], bool] = {}
        self._plain: set[bytes] = set()
        """Words that are none in any file that does not define a macro of that name itself."""
        self.lost: dict[tuple[str, int], str] = {}
        """Definitions (file, offset) whose macros could not be replaced, with the reason."""

    def text(self, definition: Definition, text: bytes) -> Woven | None:
        """Return a function's text with its macros replaced, None when it has none of them."""
        near = definition.file
        words = set(_WORD.findall(text))
        asked = (words - self._plain) | (words & self._names.local_macros(near))
        found = {word for word in asked if self.is_woven(word, near)}
        if _JUMP_GIVEN.search(text):
            given = {match[1] for match in _GIVEN.finditer(text)}
            found |= {w for w in given if not self._is_form(w, near) and self._macro(w, near)}
        if not found:
            return None
        used: dict[bytes, None] = {}

        def wanted(token: Token, _braces: int) -> MacroText | None:
            word = token.text
            if word not in found and not self.is_woven(word, near):
                return None
            used[word] = None
            return self._names.macro_text(word, near)

        expander = Expander(wanted, lambda word: self._names.macro_text(word, near))
        try:
            woven_text, origins = joined(expander.run(list(tokens(text))))
        except ExpansionError as why:
            self.lost[near, definition.start] = str(why)
            return None
        every = (self._names.macro(word.decode("latin-1"), near) for word in used)
        macros = tuple(macro for macro in every if macro is not None)
        return Woven(woven_text, origins, macros)

    def _macro(self, word: bytes, near: str) -> bool:
        macro = self._names.macro_text(word, near)
        return macro is not None and macro.params is not None

    def is_woven(self, word: bytes, near: str, depth: int = 0) -> bool:
        """Tell whether a word is such a macro in a file."""
        local = word in self._names.local_macros(near)
        if not local and (word in self._plain or not self._names.may_be_macro(word)):
            self._plain.add(word)
            return False
        everywhere = not local and self._names.is_everywhere(word)
        key = (word, "" if everywhere else near)
        known = self._known.get(key)
        if known is None:
            self._known[key] = False
            known = self._known[key] = self._judge(word, near, depth)
            if everywhere and not known and not depth:
                self._plain.add(word)
        return known

    def _judge(self, word: bytes, near: str, depth: int) -> bool:
        macro = self._names.macro_text(word, near)
        if macro is None or depth > _DEEP or self._is_form(word, near):
            return False
        words = macro.words
        if word in self._marks.kept:
            return False
        marked = self._marks.words & words
        if marked and steers(macro.body, macro.params or (), marked):
            return True
        if not words.isdisjoint(TELLING) and woven(macro.body):
            return True
        return any(self.is_woven(name, near, depth + 1) for name in words)

    def _is_form(self, word: bytes, near: str) -> bool:
        """Tell whether a macro is a form in which scopes hold things: those are read as they are.

        One that a tree defines comes to the compiler's attribute, and to what the names of the
        functions begin with that are called.
        """
        begin = FORMS.get(word)
        if begin is None:
            return False
        macro = self._names.macro_text(word, near)
        if macro is None:
            return True
        found = self._reached(macro, near, 0)
        return not found.isdisjoint(ATTRIBUTE) and (not begin or begin in found)

    def _reached(self, macro: MacroText, near: str, depth: int) -> set[bytes]:
        """The words that a macro may come to."""
        found = macro.words
        for word in tuple(found) if depth < _DEEP else ():
            inner = self._names.macro_text(word, near)
            if inner is not None and inner.name != macro.name:
                found |= self._reached(inner, near, depth + 1)
        return found
