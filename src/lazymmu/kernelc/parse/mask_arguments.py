# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments of macros that are no C expressions, and strings side by side with macros.

See the table in masks.py for what becomes of them.
"""

from __future__ import annotations

import re

from lazymmu.kernelc.parse.lexemes import KEYWORDS, closing, fill, opening, word_before

__all__ = ["mask_arguments", "mask_strings"]

_BASE = rb"(?:unsigned|signed|long|short|int|char|void|bool|float|double|_Bool|__int128)\b\s*+"
_POINTER = rb"[\s*]*+(?>(?:const\b[\s*]*+)?)"
_ODD = re.compile(
    rb"[(,]\s*+(?:"
    # 1: a type
    rb"((?>(?:(?:const|volatile)\b\s*+)*)(?:(?:struct|union|enum)\s++\w++|(?>(?:" + _BASE + rb")+)"
    rb"|[A-Za-z_]\w*+(?=\s*+\*[\s*]*+[,)]|\s++const\b))"
    + _POINTER
    + rb"(?>(?:\[\w*+\]\s*+)?))(?=[,)])"
    # 2: a declaration in front of the other arguments
    rb"|((?:struct|union|enum)\s++\w++\s[\s*]*+|(?>(?:" + _BASE + rb")+)[\s*]*+)(?=\w++\s*+,)"
    # 3: a jump
    rb"|((?:return|goto|break|continue)\b[ \t]?+)"
    # 4: an operator; 5: nothing; 6: a designated initialiser; 7: part of a number;
    # 8: the name of an operand; 9: a bit field without a name
    rb"|([-+*/%&|^<>=!~][-+*/%&|^<>=!~ ]*+)(?=[,)])"
    rb"|((?=,)|(?<=,)(?=\))|(?<=\s)(?=\)))"
    rb"|(\.)(?=[A-Za-z_]\w*+\s*+=)"
    rb"|(?=\d)(?!(?:\d++|0[xX][0-9a-fA-F]++|0[bB][01]++)[uUlL]*+\b)(\d\w++)(?=\s*+[,)])"
    rb"|((?:[A-Za-z_]\w*+\s++%)?\[\w++\])(?=\s*+[,)])"
    rb"|(:\s*+\d++)(?=\s*+[,;])"
    rb")"
)
_ENDED = re.compile(rb"[^;,(){}]*+;")  # a statement of its own: see statements.py
_LOG_LEVEL = re.compile(rb"KERN_[A-Z]++[ \t\n]++(?=[\w\"])")
_STRING_WORDS = re.compile(rb'[A-Za-z_]\w*+[ \t]++((?>(?:[A-Za-z_]\w*+[ \t\n]++)+))(?=")')
_STRING_CALL = re.compile(rb'"[ \t\n]*+([A-Za-z_]\w*+[ \t]*+\()')
_CALL_STRING = re.compile(rb'\)[ \t\n]*+(?=")')
_OPERAND = re.compile(rb'(?>(?:\[\s*+\w++\s*+\]\s*+)?)"[ ]*+"\s*+(?=\()')
_TWO_WORDS = re.compile(rb"[(,][ \t]*+([A-Z_][A-Z0-9_]*+)[ \t]++(?!const\b)(?=[A-Za-z_])")
_SECTION = re.compile(rb'\)\s*+(:)\s*+(?=")')
_DESIGNATOR = re.compile(rb"[(,]\s*+\.(?=[A-Za-z_]\w*+\s*+=)")


def mask_arguments(out: bytearray, start: int) -> None:
    """Rewrite types, jumps, operators and empty arguments behind offset `start`, in place."""
    text = bytes(out)
    for match in _ODD.finditer(text, start):
        kind = match.lastindex
        if kind is None:
            continue
        at, first, last = match.start(), *match.span(kind)
        if kind == 1:
            if match[1] != b"void" and _in_call(text, at):
                _type(out, text, first, last)
        elif kind == 2:
            if text[at] == 0x28 and _begins_statement(text, at, start):
                fill(out, first, last)
        elif kind == 3:
            word = match[3].strip().upper()
            if not _ENDED.match(text, last) and _in_call(text, at):
                room = last - first > len(word) and word in (b"RETURN", b"GOTO")
                out[first:last] = (word + (b"+" if room else b"")).ljust(last - first)
        elif kind == 4:
            if text[at] == 0x2C or text[last] == 0x2C:
                fill(out, first, last, b"0")
        elif kind == 5:
            if text[at] == 0x2C:
                out[at] = 0x20
            elif text[last] == 0x2C:
                out[last] = 0x20
        elif kind == 6:
            if text[at] == 0x28 and _in_call(text, at):
                _designated(out, text, at)
        elif kind == 9:
            fill(out, at, last)
        else:
            out[first:last] = b"1" * (last - first)


def _in_call(text: bytes, at: int) -> bool:
    """Whether the `(` or `,` at `at` opens or parts the arguments of a call."""
    if text[at] == 0x2C:
        return True
    start, end = word_before(text, at)
    return start < end and text[start:end] not in KEYWORDS


def _begins_statement(text: bytes, at: int, start: int) -> bool:
    """Whether the call whose `(` is at `at` begins a statement."""
    first, last = word_before(text, at)
    if first == last or text[first:last] in KEYWORDS:
        return False
    first, last = word_before(text, first)
    return last <= start or (first == last and text[last - 1] in b";{}):")


def _designated(out: bytearray, text: bytes, at: int) -> None:
    """Blank the dots of `(.a = 1, .b = 2)`."""
    close = closing(text, at)
    for dot in _DESIGNATOR.finditer(text, at, max(close, at)):
        out[dot.end() - 1] = 0x20


def _type(out: bytearray, text: bytes, first: int, last: int) -> None:
    """One word in place of a type."""
    words = text[first:last].replace(b"*", b" ").replace(b"[", b" ").replace(b"]", b" ").split()
    joined = b"_".join(words)
    if joined in KEYWORDS:
        joined = b"T" + joined[1:]
    newline = text.find(b"\n", first, last)
    room = (newline if newline >= 0 else last) - first
    fill(out, first, last, joined[:room])


def mask_strings(out: bytearray, start: int, in_asm: list[tuple[int, int]]) -> None:
    """One string of strings, macros and calls of macros that stand side by side, in place.

    :param in_asm: offsets of the operands of asm statements, where `"r" (x)` is right.
    """
    if b"KERN_" in out:
        for match in _LOG_LEVEL.finditer(out, start):
            fill(out, *match.span())
    for match in _STRING_WORDS.finditer(out, start):
        if KEYWORDS.isdisjoint(match[0].split()):
            fill(out, *match.span(1))
    for match in _STRING_CALL.finditer(out, start):
        close = closing(out, match.end() - 1)
        if close < 0:
            break
        if not _inside(in_asm, match.start()):
            fill(out, match.start(1), close + 1, b'""')
    for match in _CALL_STRING.finditer(out, start):
        opened = opening(out, match.start())
        if opened < 0:
            break
        first, last = word_before(out, opened)
        if first < last and bytes(out[first:last]) not in KEYWORDS:
            fill(out, first, match.start() + 1, b'""')
    for match in _SECTION.finditer(out, start):
        if not _inside(in_asm, match.start()) and not _chooses(out, match.start(1), start):
            out[match.start(1)] = 0x2C
    for match in _OPERAND.finditer(out, start):
        if not _inside(in_asm, match.start()):
            fill(out, *match.span())
    for match in _TWO_WORDS.finditer(out, start):
        fill(out, *match.span(1))


def _chooses(out: bytearray, at: int, start: int) -> bool:
    """Whether a `?` stands before the `:` at `at`, in the same parentheses, or none are around."""
    opened = opening(out, at)
    if opened < start:
        return True
    # Nested parentheses hold their own `?`.
    depth = 0
    for offset in range(opened + 1, at):
        byte = out[offset]
        depth += (byte == 0x28) - (byte == 0x29)
        if byte == 0x3F and depth == 0:
            return True
    return False


def _inside(spans: list[tuple[int, int]], at: int) -> bool:
    return any(first <= at < last for first, last in spans)
