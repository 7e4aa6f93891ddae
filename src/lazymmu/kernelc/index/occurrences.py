# SPDX-License-Identifier: GPL-2.0-or-later
"""Where in a file a part of a word stands: in a comment, a directive, a declaration, a body.

This is the plain search that everything else is held against: it parses nothing, so that it sees
what a parser loses. Each word that contains the part looked for is found once, after splicing.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.parse.lexemes import CHAR, COMMENT, LINE_COMMENT, STRING, blank
from lazymmu.kernelc.parse.slices import RawDef, definitions
from lazymmu.kernelc.preprocess.line_splicing import plain_lines, whole_words

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Context", "Occurrence", "occurrences"]


class Context(StrEnum):
    """What a word stands in."""

    COMMENT = "comment"
    STRING = "string"
    DIRECTIVE = "directive"
    """A line that the preprocessor reads and that defines nothing: #if, #undef, #include."""
    EXPORT = "export"
    """The parentheses of EXPORT_SYMBOL() and its kin at file level."""
    DECLARATION = "declaration"
    """A prototype, a structure, the name or the parameters of a definition."""
    BODY = "body"
    """The body of a function or a macro."""
    VALUE = "value"
    """What a variable at file level is initialised with."""
    MACRO = "macro"
    """The arguments of a macro that is called at file level."""
    STRAY = "stray"
    """Code at file level that belongs to no definition that was found."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One word, and where it stands.

    :param start: byte offset of the word.
    :param line: 1-based.
    :param word: the whole identifier.
    :param called: an opening parenthesis follows.
    :param field: it names a member (`a.word`, `a->word`).
    :param tag: a struct, union or enum.
    :param definition: the innermost definition around it, for DECLARATION only one that it names or
        whose head it is in.
    :param outer: name of the macro for MACRO and EXPORT.
    """

    start: int
    line: int
    word: str
    context: Context
    called: bool = False
    field: bool = False
    tag: bool = False
    definition: RawDef | None = None
    outer: str = ""


_LEXEME = re.compile(COMMENT + rb"|" + LINE_COMMENT + rb"|" + STRING + rb"|" + CHAR)
_DIRECTIVE = re.compile(
    rb"(?:\A|(?<=\n))[ \t]*+#[ \t]*+(\w*+)[ \t]*+(\w*+)(?>(?:[^\\\n]++|\\\r?[\s\S]|\\\Z)*)"
)
_CALL = re.compile(rb"(?>(?:\s|\\\r?\n)*)\(")
_BRACKET = re.compile(rb"[(){};\[\]\x7f]")
_WORD_BEFORE = re.compile(rb"(\w++)\s*+\Z")
_TAGGED = re.compile(rb"(?:struct|union|enum)\s++\Z")
_FIELD = re.compile(rb"(?:\.|->)\s*+\Z")
_AGGREGATE = re.compile(rb"\b(?:struct|union|enum)\b[^()=;]*+\Z")
_ALONE = re.compile(rb"\s*+\w++\s*+")
_NEAR = 400
"""How many bytes before a word or a bracket are looked at for what it is."""
_DEPTH = 64
"""How many brackets at file level are told apart; the outermost one that says something decides."""


_TEXTS: Final = 256
"""Texts of which the words are remembered. Those of a kernel that name the mode are some sixty, and
the trees of one series have nearly all of them alike."""


@functools.lru_cache(maxsize=_TEXTS)
def occurrences(text: bytes, part: bytes) -> tuple[Occurrence, ...]:
    """Find every word of a file that contains `part`, in the order of their places.

    Never raises.

    :param text: a file as read.
    :param part: bytes that an identifier may contain.
    """
    text = plain_lines(whole_words(text))
    return tuple(_Sweep(text, part)) if part in text else ()


class _Sweep:
    """One pass over a file, from one word looked for to the next."""

    def __init__(self, text: bytes, part: bytes) -> None:
        self._text = text
        self._lexemes = _Spans()
        self._code = _LEXEME.sub(self._blanked, text)
        self._directives = _Spans()
        self._kinds: dict[int, tuple[bytes, int]] = {}
        for match in _DIRECTIVE.finditer(self._code):
            self._directives.add(*match.span())
            self._kinds[match.start()] = (match[1], match.start(2))
        self._raws = sorted(definitions(text), key=lambda raw: (raw.start, -raw.end))
        self._outside = self._file_level()
        self._word = re.compile(rb"\w*" + re.escape(part) + rb"\w*")
        self._around: list[RawDef] = []
        self._next = 0
        self._brackets: list[tuple[int, int]] = []
        """Open at file level: offset of the bracket, and where its statement begins."""
        self._deeper = 0
        """How many brackets are open beyond those that are kept."""
        self._statement = 0
        self._swept = 0

    def _blanked(self, match: re.Match[bytes]) -> bytes:
        self._lexemes.add(*match.span())
        return blank(match[0])

    def _file_level(self) -> bytes:
        """The code that is in no directive and no function; a function leaves a mark behind."""
        code = bytearray(self._code)
        for start, end in self._directives:
            code[start:end] = blank(self._code[start:end])
        for raw in self._raws:
            if raw.kind == "function":
                code[raw.start : raw.end] = blank(self._code[raw.start : raw.end])
                code[raw.end - 1] = 0x7F
        return bytes(code)

    def __iter__(self) -> Iterator[Occurrence]:
        line, counted = 1, 0
        for match in self._word.finditer(self._text):
            start, end = match.span()
            line += self._text.count(b"\n", counted, start)
            counted = start
            name = match[0].decode("latin-1")
            self._sweep(start)
            if (lexeme := self._lexemes.around(start)) is not None:
                comment = self._text[lexeme] == 0x2F
                yield Occurrence(start, line, name, Context.COMMENT if comment else Context.STRING)
                continue
            before = self._code[max(0, start - _NEAR) : start]
            called = _CALL.match(self._code, end) is not None
            context, raw, outer = self._context(start, called)
            yield Occurrence(
                start,
                line,
                name,
                context,
                called=called,
                field=_FIELD.search(before) is not None,
                tag=_TAGGED.search(before) is not None,
                definition=raw,
                outer=outer,
            )

    def _sweep(self, start: int) -> None:
        """Go on to an offset: which definitions are around it, which brackets are open there."""
        self._around = [raw for raw in self._around if raw.end > start]
        while self._next < len(self._raws) and self._raws[self._next].start <= start:
            raw = self._raws[self._next]
            self._next += 1
            if raw.end > start:
                self._around.append(raw)
        for match in _BRACKET.finditer(self._outside, self._swept, start):
            token = match[0]
            if token in b"([{":
                if len(self._brackets) < _DEPTH:
                    self._brackets.append((match.start(), self._statement))
                else:
                    self._deeper += 1
                if token == b"{":
                    self._statement = match.end()
            elif token == b"\x7f":
                self._brackets.clear()
                self._deeper = 0
                self._statement = match.end()
            elif token == b";":
                if all(self._outside[at] == 0x7B for at, _ in self._brackets[-1:]):
                    self._statement = match.end()
            elif self._deeper:
                self._deeper -= 1
            else:
                if self._brackets:
                    self._brackets.pop()
                if token == b"}" and not self._brackets:
                    self._statement = match.end()
        self._swept = max(self._swept, start)

    def _context(self, start: int, called: bool) -> tuple[Context, RawDef | None, str]:
        """What a word stands in, the definition around it, and the macro that it is given to."""
        raw = self._around[-1] if self._around else None
        directive = self._directives.around(start)
        if directive is not None:
            kind, first = self._kinds[directive]
            if kind != b"define":
                return Context.DIRECTIVE, raw, ""
            if start == first:
                return Context.DECLARATION, raw, ""
        if raw is not None:
            return Context.BODY if start >= raw.body else Context.DECLARATION, raw, ""
        context, outer = self._between_definitions(start, called)
        return context, None, outer

    def _between_definitions(self, start: int, called: bool) -> tuple[Context, str]:
        """What a word at file level stands in, by the outermost bracket that decides it."""
        code = self._outside
        for at, begin in self._brackets:
            head = code[max(begin, at - _NEAR) : at]
            if code[at] == 0x7B:
                if _AGGREGATE.search(head):
                    return Context.DECLARATION, ""
                return (Context.VALUE if head.rstrip().endswith(b"=") else Context.STRAY), ""
            if b"=" in head:
                return Context.VALUE, ""
            if code[at] == 0x28 and (word := _WORD_BEFORE.search(head)) is not None:
                if _ALONE.fullmatch(head) is None:
                    return Context.DECLARATION, ""
                # A word alone before parentheses is no prototype, but a macro.
                name = word[1].decode("latin-1")
                return (Context.EXPORT if name.startswith("EXPORT_") else Context.MACRO), name
        head = code[max(self._statement, start - _NEAR) : start]
        if b"=" in head:
            return Context.VALUE, ""
        typed = re.search(rb"\w", head) is not None
        return (Context.DECLARATION if typed or not called else Context.STRAY), ""


class _Spans:
    """Spans of a text, sorted and apart."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Add a span behind all others."""
        self._starts.append(start)
        self._ends.append(end)

    def around(self, at: int) -> int | None:
        """The start of the span that an offset is in."""
        index = bisect_right(self._starts, at) - 1
        return self._starts[index] if index >= 0 and at < self._ends[index] else None

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)
