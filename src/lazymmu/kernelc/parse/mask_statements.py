# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros that stand where a statement begins and are no C statements.

What such a macro is follows from what stands behind its parentheses: a `{` or a statement that is
indented more makes it a loop, a name on the same line makes it a type, and anything else shows
that it brings its own semicolon. See the table in masks.py for what becomes of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lazymmu.kernelc.parse.lexemes import (
    KEYWORDS,
    REACH,
    closing,
    fill,
    is_word,
    opening,
    parentheses,
    word_before,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mask_statements"]

_GROUP = parentheses(5)
_INTERESTING = rb"(?:[ \t\n]*+[A-Za-z_{}=]|[ \t]*+\n[ \t\n]*+[(*+-])"
_SKIP = (
    rb"(?>(?:[^()]++"
    rb"|(?<!\w)(?<!\w )" + _GROUP  # a cast, or an expression in parentheses
    + rb"|(?:(?<=\bif )|(?<=\bwhile )|(?<=\bswitch ))" + _GROUP
    + rb"|(?<=\bfor )\((?>(?:[^(){}]++|" + parentheses(3) + rb")*)\)"
    + rb"|" + _GROUP + rb"(?!" + _INTERESTING + rb"))*)"
)  # fmt: skip
_NEXT = re.compile(_SKIP + rb"(?:(" + _GROUP + rb")|(\()|(\))|\Z)")
_AFTER = re.compile(rb"[ \t\n]*+([A-Za-z_]\w*+|[\s\S])")
_CALLED = re.compile(rb"\w++[ \t]*+\(")
_DO_MACRO = re.compile(rb"\}[ \t]*+([A-Za-z_]\w*+)[ \t]*+\(")
_LONE_WORD = re.compile(rb"\n[ \t]++([A-Z_][A-Z0-9_]*+)[ \t]*+\n(?=[ \t\n]*+[\w}*(])")
_STATEMENT_WORD = re.compile(
    rb"(?:^|[;,({])\s*+(?:if|return|goto|break|continue|for|while|do|switch|case|else)\b"
)
_DEEP = 100
"""Inside of more open parentheses than this nobody looks for statements as arguments."""

_STATEMENT_STARTS = frozenset(b"if while for switch return else do goto break continue".split())


def mask_statements(out: bytearray, start: int, loop_macros: frozenset[str]) -> None:
    """Rewrite macros in the place of statements behind offset `start`, in place.

    :param loop_macros: names that head a loop even when the statement is on the same line.
    """
    body = _Body(bytes(out), out, start, loop_macros)
    body.scan()
    text = body.text
    if b"do" in text:
        for match in _DO_MACRO.finditer(text, start):
            if match[1] not in KEYWORDS and not body.do_macro(match):
                break
    for match in _LONE_WORD.finditer(text, start):
        first, last = match.span(1)
        if body.starts_statement(first):
            out[first - 1 : last] = out[first:last] + b";"


class _Body:
    """One body: the text as it was, and the text that is rewritten."""

    __slots__ = ("loops", "out", "start", "text")

    def __init__(
        self, text: bytes, out: bytearray, start: int, loop_macros: frozenset[str]
    ) -> None:
        self.text = text
        self.out = out
        self.start = start
        self.loops = loop_macros

    def scan(self) -> None:
        """Visit every pair of parentheses that something but an operator or `;` follows."""
        position = self.start
        match_at = _NEXT.match
        open_: list[int] = []
        while (match := match_at(self.text, position)) is not None:
            kind = match.lastindex
            position = match.end()
            if kind == 1:
                self.call(match.start(1), position - 1)
            elif kind == 2:
                # Deep, or with statements inside: look into it, and at it.
                open_.append(position - 1)
                if len(open_) <= _DEEP:
                    self.statements(position - 1)
            elif kind == 3:
                if open_:
                    opened = open_.pop()
                    if _AFTER.match(self.text, position):
                        self.call(opened, position - 1)
            else:
                break

    def call(self, opened: int, closed: int) -> None:
        """Parentheses that something else than an operator or a `;` follows."""
        text = self.text
        start, end = word_before(text, opened)
        if start == end:
            return
        word = text[start:end]
        after = _AFTER.match(text, closed + 1)
        if word in KEYWORDS or after is None or not self.starts_statement(start):
            return
        behind = after[1]
        at = after.start(1)
        if behind == b"{":
            self.loop(start, end, opened, closed)
        elif behind == b"=":
            # A macro declares and code initialises: DECLARE_BITMAP(x, n) = { 0 };
            brace = text.find(b"{", at)
            if brace >= 0 and not text[at + 1 : brace].strip():
                last = self.closing_brace(brace)
                if last > 0:
                    fill(self.out, at, last + 1)
        elif behind == b"}":
            self.end_statement(opened, closed)
        elif not is_word(behind, 0) and not (behind in b"(*+-" and self.known(word)):
            return
        elif text.find(b"\n", closed, at) < 0:
            if behind in _STATEMENT_STARTS or self.known(word):
                self.loop(start, end, opened, closed)
            elif _CALLED.match(text, at):
                self.end_statement(opened, closed)
            else:
                fill(self.out, opened, closed + 1)  # a type that a macro makes
        elif behind != b"else" and (self.known(word) or self.indent(at) > self.indent(start) >= 0):
            self.loop(start, end, opened, closed)
        else:
            self.end_statement(opened, closed)

    def known(self, word: bytes) -> bool:
        """Whether the name alone says that the macro heads a loop."""
        return b"for_each" in word or word.decode() in self.loops

    def loop(self, start: int, end: int, opened: int, closed: int) -> None:
        """Put `while` in place of the name of a macro that heads a loop or a condition."""
        out = self.out
        fill(out, start, end, b"while" if end - start >= 5 else b"if")
        if not self.text[opened + 1 : closed].strip():
            # An expression must stand there; the name is longer than `while`.
            if closed - opened > 1:
                out[opened + 1] = 0x31
            elif opened - start > 5:
                out[opened - 1], out[opened] = 0x28, 0x31

    def starts_statement(self, start: int) -> bool:
        """Whether a statement may begin at `start`."""
        before, behind = word_before(self.text, start)
        if before < behind:
            return self.text[before:behind] in (b"else", b"do")
        return behind <= self.start or self.text[behind - 1] in b";{}:)"

    def indent(self, at: int) -> int:
        """How far the line of `at` is indented, in columns; a tab ends at a multiple of eight.

        -1 for the first line of the text, which may be the rest of a line of the file.
        """
        line = self.text.rfind(b"\n", 0, at) + 1
        if not line:
            return -1
        lead = self.text[line:at]
        return len(lead[: len(lead) - len(lead.lstrip(b" \t"))].expandtabs())

    def end_statement(self, opened: int, closed: int) -> None:
        """Put the missing `;` behind a macro that brings its own."""
        text, out = self.text, self.out
        mark = 0x2C if self.in_initialiser(opened) else 0x3B
        place = closed + 1
        while place < len(text) and text[place] == 0x0A:
            place += 1
        if place < len(text) and text[place] in b" \t":
            out[place] = mark
            return
        # Make room by moving what stands on the line.
        line = text.rfind(b"\n", 0, closed) + 1
        first = line
        while text[first] in b" \t":
            first += 1
        if first > line:
            out[first - 1 : closed + 1] = out[first : closed + 1] + bytes([mark])

    def in_initialiser(self, at: int) -> bool:
        """Whether the brace around `at` holds values and no statements."""
        text = self.text
        brace = opening(text, at, b"{}") if at > 0 else -1
        if brace < 0 or (self.start and brace <= self.start):
            return False
        before, behind = word_before(text, brace)
        if before < behind or behind == 0:
            return False
        if text[behind - 1] != 0x29:
            return text[behind - 1] in b"=,{("
        # A compound literal, `(type) { ... }`, or the head of a block.
        before, behind = word_before(text, max(opening(text, behind - 1), 0))
        return before == behind or text[before:behind] == b"return"

    def closing_brace(self, brace: int) -> int:
        """Offset of the `}` that closes the brace at `brace`, or -1."""
        depth = 0
        for offset in range(brace, min(len(self.text), brace + REACH)):
            byte = self.text[offset]
            depth += (byte == 0x7B) - (byte == 0x7D)
            if depth == 0:
                return offset
        return -1

    def do_macro(self, match: re.Match[bytes]) -> bool:
        """`do { } while_each_x(a);`: the end of a loop by a macro. False if nothing closes it."""
        brace = opening(self.text, match.start(), b"{}")
        start, end = word_before(self.text, max(brace, 0))
        if self.text[start:end] != b"do":
            return True
        closed = closing(self.text, match.end() - 1)
        if closed >= 0:
            self.loop(*match.span(1), match.end() - 1, closed)
        return closed >= 0

    def statements(self, opened: int) -> None:
        """Statements as arguments of a macro: `;` inside parentheses."""
        text, out = self.text, self.out
        start, end = word_before(text, opened)
        closed = closing(text, opened)
        if closed < 0 or text[start:end] == b"for" or text.find(b";", opened, closed) < 0:
            return
        inside = text[opened:closed]
        block = (
            start < end
            and text[start:end] not in KEYWORDS
            and _STATEMENT_WORD.search(inside) is not None
            and self.starts_statement(start)
        )
        marks = {0x2C, 0x3B} if block else {0x3B}
        found = [(at, byte) for at, byte in self.top_level(opened, closed) if byte in marks]
        if not any(byte == 0x3B for _, byte in found):
            return
        if block:
            fill(out, start, end)
            out[opened], out[closed] = 0x7B, 0x7D
        for at, _ in found:
            out[at] = 0x3B if block else 0x2C
        last = found[-1][0]
        if not block and not text[last + 1 : closed].strip():
            out[last] = 0x20

    def top_level(self, opened: int, closed: int) -> Iterator[tuple[int, int]]:
        """Bytes between two parentheses and in no further ones, with their offsets."""
        depth = 0
        for offset in range(opened + 1, closed):
            byte = self.text[offset]
            if byte in b"({[":
                depth += 1
            elif byte in b")}]":
                depth -= 1
            elif depth == 0:
                yield offset, byte
