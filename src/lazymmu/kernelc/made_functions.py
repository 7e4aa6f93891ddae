# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that a macro makes where it is used at file level: `DEFINE_GUARD(x, ...)`.

Their names are made too, of words that the macro is given, so that a name is looked for among the
uses that are given a part of it. Such a use is expanded as far as file level goes: what the
functions call keeps the name under which the source calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.expand.c_tokens import Origins, Token, joined, tokens
from lazymmu.kernelc.expand.expansion import Expander, ExpansionError, MacroText
from lazymmu.kernelc.ir.scopes import class_word
from lazymmu.kernelc.parse import slices
from lazymmu.kernelc.parse.function_head import ATTRIBUTE_CALLS, ATTRIBUTES
from lazymmu.kernelc.parse.lexemes import (
    CHAR,
    COMMENT,
    LINE_COMMENT,
    STRING,
    without_lexemes,
)
from lazymmu.kernelc.presence import ALWAYS, both

if TYPE_CHECKING:
    from lazymmu.kernelc.asked import Asked
    from lazymmu.kernelc.configured_tree_builder import TreeState
    from lazymmu.kernelc.source_texts import SourceTexts

__all__ = ["MacroFinder", "MadeFunctions", "name_parts"]

_USE: Final = re.compile(rb"(?:\A|\n)([A-Za-z_]\w*+)[ \t]*+\(")
_WORDS: Final = re.compile(rb"[A-Za-z_]\w*+")
_NESTING: Final = re.compile(
    rb"([()])|" + STRING + rb"|" + CHAR + rb"|" + COMMENT + rb"|" + LINE_COMMENT
)

_NOISE: Final = ATTRIBUTES | ATTRIBUTE_CALLS
_TYPES: Final = frozenset({b"struct", b"union", b"enum"})
_NO_BODY: Final = _TYPES | {b"=", b"(", b",", b"{", b"do", b"else"}
"""What stands before a brace that begins no function."""

_DEEP: Final = 60
"""Macros in each other's text that are looked at."""

MacroFinder = Callable[[bytes, str], MacroText | None]
"""The macro that a word means in a file, None when it means none."""


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of what may be a macro at file level: its place, and the words that it is given."""

    macro: bytes
    start: int
    end: int
    words: frozenset[str]


class MadeFunctions:
    """The functions that macros make in the files of a configured tree, as they are asked for."""

    def __init__(
        self, state: TreeState, texts: SourceTexts, macro: MacroFinder, asked: Asked
    ) -> None:
        """Expand uses in the files of `state` by the macros that `macro` finds.

        asked: is told which words that uses are given were looked for.
        """
        self._asked = asked
        self._state = state
        self._texts = texts
        self._macro = macro
        self._uses: dict[str, tuple[_Use, ...]] = {}
        self._found: dict[tuple[str, int], tuple[Definition, ...]] = {}
        self._made: dict[tuple[str, int, str], tuple[bytes, Origins]] = {}
        self._bodies: dict[tuple[str, int], bool] = {}
        self.lost: dict[tuple[str, int, str], str] = {}
        """The uses (file, line and macro) that could not be expanded, with the reason."""

    def definitions(
        self, name: str, files: Iterable[str], *, headers: bool = False
    ) -> Iterator[Definition]:
        """Yield the functions of a name that uses in `files` make, or in any of the headers."""
        parts = name_parts(class_word(name))
        found = self._headers(parts) if headers else ()
        for rel in dict.fromkeys((*files, *found)):
            for use in self._in_file(rel):
                if not use.words or not use.words.isdisjoint(parts):
                    yield from (made for made in self._of_use(rel, use) if made.name == name)

    def is_maker(self, macro: Definition) -> bool:
        """Tell whether a macro's own text has the head and the body of a function."""
        text = self._texts.raw(macro.file)[macro.body : macro.end].replace(b"\\\n", b" \n")
        lined = b"".join(t.space + t.text for t in _lined(list(tokens(text))))
        return any(raw.kind == "function" for raw in slices.definitions(lined))

    def at(self, rel: str, offset: int) -> tuple[Definition, ...]:
        """Return the functions that the use around an offset of a file makes."""
        for use in self._in_file(rel):
            if use.start <= offset < use.end:
                return self._of_use(rel, use)
        return ()

    def naming(self, rel: str, *words: bytes) -> Iterator[Definition]:
        """Yield the functions that uses make in whose text is one of `words`."""
        text = self._texts.raw(rel)
        for use in self._in_file(rel):
            if any(text.find(word, use.start, use.end) >= 0 for word in words):
                yield from self._of_use(rel, use)

    def text(self, definition: Definition) -> tuple[bytes, Origins]:
        """Return the text of a function that was made, and where its bytes come from."""
        return self._made[definition.file, definition.start, definition.name]

    def _headers(self, parts: Iterable[str]) -> Iterator[str]:
        """Yield the headers that give a macro one of the words that a name is made of."""
        for part in parts:
            self._asked.given.add(part)
            yield from self._state.given.get(part, ())

    @property
    def read(self) -> Collection[str]:
        """The files whose uses of macros were looked at."""
        return self._uses.keys()

    def of_file(self, rel: str) -> list[tuple[str, int, int]]:
        """Return the uses of macros in a file that may make functions: name, start and end."""
        return [(use.macro.decode("latin-1"), use.start, use.end) for use in self._in_file(rel)]

    def _in_file(self, rel: str) -> tuple[_Use, ...]:
        known = self._uses.get(rel)
        if known is None:
            known = self._uses[rel] = tuple(self._scan(rel))
        return known

    def _scan(self, rel: str) -> Iterator[_Use]:
        raw = self._texts.raw(rel)
        plain = b""
        for use in _USE.finditer(raw):
            start = use.start(1)
            end = _end(raw, use.end() - 1) if self._is_made_of(use[1], rel) else 0
            if not end:
                continue
            if raw.rfind(b"/*", 0, start) > raw.rfind(b"*/", 0, start):
                # It looks as if it stood in a comment: only the whole file tells.
                plain = plain or without_lexemes(raw)
                if not plain.startswith(use[1], start):
                    continue
            given = frozenset(w.decode("latin-1") for w in _WORDS.findall(raw, use.end(), end))
            yield _Use(use[1], start, end, given)

    def _of_use(self, rel: str, use: _Use) -> tuple[Definition, ...]:
        key = (rel, use.start)
        known = self._found.get(key)
        if known is None:
            self._found[key] = ()
            known = self._found[key] = tuple(self._make(rel, use))
        return known

    def _is_made_of(self, word: bytes, rel: str) -> bool:
        """Tell whether a word is a macro that may come to functions."""
        macro = self._macro(word, rel)
        return macro is not None and macro.params is not None and self._makes(macro, rel)

    def _makes(self, macro: MacroText, rel: str, depth: int = 0) -> bool:
        """Tell whether a macro may come to functions: whether there is a body in its text."""
        known = self._bodies.get(macro.place)
        if known is None:
            self._bodies[macro.place] = False
            known = self._bodies[macro.place] = _has_body(macro) or (
                depth < _DEEP
                and any(
                    self._makes(inner, rel, depth + 1)
                    for word in macro.words
                    if (inner := self._macro(word, rel)) is not None
                )
            )
        return known

    def _make(self, rel: str, use: _Use) -> Iterator[Definition]:
        macro = self._macro(use.macro, rel)
        selection = self._state.headers.selection(rel)
        if macro is None or not selection.is_compiled(use.start):
            return
        line = self._texts.line(rel, use.start)

        def named(word: bytes) -> MacroText | None:
            found = None if word in _NOISE else self._macro(word, rel)
            if found is None or (found.place[0] == rel and found.place[1] > use.start):
                # Not yet defined there: from 7.0 on a class's functions are macros as well.
                return None
            return found

        expander = Expander(lambda token, braces: None if braces else named(token.text), named)
        source = self._texts.raw(rel)[use.start : use.end]
        try:
            text, origins = joined(_lined(expander.run(list(tokens(source, use.start)))))
        except ExpansionError as why:
            self.lost[rel, line, use.macro.decode("latin-1")] = str(why)
            return
        presence = both(self._state.built.get(rel, ALWAYS), selection.presence(use.start))
        found = [raw for raw in slices.definitions(text) if raw.kind == "function"]
        for raw in found:
            self._made[rel, use.start, raw.name] = (
                text[raw.start : raw.end],
                origins.moved(raw.start),
            )
            yield Definition(
                name=raw.name,
                kind="function",
                file=rel,
                line=line,
                first_line=line,
                start=use.start,
                end=use.end,
                body=use.start,
                static=raw.static,
                inline=raw.inline,
                params=(),
                presence=presence,
                made=True,
            )


def _has_body(macro: MacroText) -> bool:
    """Tell whether a text may have the body of a function, or make the name of a macro.

    DEFINE_GUARD_COND() takes it from how many arguments it has: `CONCATENATE(...)(X)`.
    """
    if not any(sign in macro.text for sign in (b"{", b"##", b")(")):
        return False
    texts = [b"", b"", *(token.text for token in macro.body)]
    return any(
        (last == b"{" and before not in _NO_BODY and first not in _TYPES)
        or (last == b"(" and (first == b"##" or before == b")"))
        for first, before, last in zip(texts, texts[1:], texts[2:], strict=False)
    )


def _end(text: bytes, start: int) -> int:
    """Return the offset behind the parenthesis that closes the one at `start`; 0 for none."""
    depth = 0
    for match in _NESTING.finditer(text, start):
        if match[1]:
            depth += 1 if match[1] == b"(" else -1
            if not depth:
                return match.end()
    return 0


def name_parts(word: str) -> frozenset[str]:
    """Return the words that a name may be made of: it, and what it begins or ends with."""
    borders = [match.start() for match in re.finditer("_", word)]
    return frozenset(
        part
        for at in borders
        for part in (word[:at], word[: at + 1], word[at:], word[at + 1 :])
        if part.strip("_")
    ) | {word}


def _lined(found: list[Token]) -> Iterator[Token]:
    """Put each definition and declaration at the beginning of a line."""
    depth, space = 0, b""
    for token in found:
        depth += (token.text == b"{") - (token.text == b"}")
        spaced = space or (b" " if token.space else b"")
        yield Token(token.text, spaced, token.at, token.own, token.hidden)
        space = b"\n" if not depth and token.text in (b";", b"}") else b""
