# SPDX-License-Identifier: GPL-2.0-or-later
"""Inline assembly: keep the expressions and labels of its operands, empty the rest.

Templates are built of macros (ALTERNATIVE, LOCK_PREFIX, _ASM_EXTABLE) and so are constraints
(CC_OUT(c), ASM_CALL_CONSTRAINT); no C grammar knows them and no flow depends on them.
"""

from __future__ import annotations

import re

from lazymmu.kernelc.parse.lexemes import blank, closing, fill, is_word, word_before

__all__ = ["mask_asm"]

_ASM = re.compile(
    rb"(asm_volatile_goto|asm_goto_output|asm_inline|__asm__|__asm|asm)"
    rb"((?>(?:\s++(?:volatile|__volatile__|__volatile|inline|__inline|__inline__|goto))*))\s*+\("
)
_NAMED = re.compile(rb"\s*+\[\s*\w++\s*\]")
_PREFIX_FREE = frozenset({b"else", b"do", b""})


def mask_asm(out: bytearray) -> list[tuple[int, int]]:
    """Rewrite every asm statement of `out` in place, so that a C grammar knows it.

    Returns the offsets (first, last) of their operands.
    """
    spans = []
    for match in _ASM.finditer(out):
        start = match.start()
        if is_word(out, start - 1):
            continue
        opened = match.end() - 1
        closed = closing(out, opened)
        if closed < 0:
            break
        first, last = word_before(out, start)
        if bytes(out[first:last]) not in _PREFIX_FREE or out[last - 1 : last] == b"]":
            # The name of a symbol or register in a declaration: int x asm("r1") = y;
            fill(out, start, closed + 1)
            continue
        _words(out, match)
        _operands(out, opened, closed)
        spans.append((opened, closed))
    return spans


def _words(out: bytearray, match: re.Match[bytes]) -> None:
    name = match[1]
    if name in (b"asm_volatile_goto", b"asm_goto_output"):
        words = b"asm volatile goto" if name == b"asm_volatile_goto" else b"asm goto"
        out[match.start(1) : match.end(1)] = words.ljust(len(name))
    elif name == b"asm_inline":
        out[match.start(1) : match.end(1)] = b"asm       "
    for word in re.finditer(rb"__inline__|__inline|inline|__volatile\b", bytes(match[2])):
        at = match.start(2) + word.start()
        out[at : at + len(word[0])] = b" " * len(word[0])


def _operands(out: bytearray, opened: int, closed: int) -> None:
    text = bytes(out[opened + 1 : closed])
    sections = _cut(text, 0, len(text), 0x3A)
    for number, (start, end) in enumerate(sections):
        shift = opened + 1
        if number == 0:
            _one_string(out, shift + start, shift + end)
        elif number in (1, 2):
            _constraints(out, text, start, end, shift)
        elif number == 3:
            out[shift + start : shift + end] = blank(text[start:end])


def _one_string(out: bytearray, start: int, end: int) -> None:
    piece = bytes(out[start:end])
    lead = len(piece) - len(piece.lstrip())
    out[start:end] = blank(piece)
    if lead + 2 <= len(piece):
        out[start + lead : start + lead + 2] = b'""'


def _constraints(out: bytearray, text: bytes, start: int, end: int, shift: int) -> None:
    """Each operand becomes `[name] "" (expression)`; what has no expression is blanked."""
    kept = False
    pieces = _cut(text, start, end, 0x2C)
    for first, last in pieces:
        piece = text[first:last]
        body = piece.rstrip()
        opened = _last_group(body)
        named = _NAMED.match(piece)
        lead = named.end() if named else 0
        room = piece[lead:opened]
        gap = len(room) - len(room.lstrip())
        if not body.endswith(b")") or opened < 0 or len(room) - gap < 2:
            out[shift + first : shift + last] = blank(piece)
            if first > start:
                out[shift + first - 1] = 0x20
            continue
        if not kept and first > start:
            out[shift + first - 1] = 0x20
        elif kept:
            out[shift + first - 1] = 0x2C
        kept = True
        depth = 0
        for offset in range(opened, len(body)):
            byte = body[offset]
            depth += (byte in b"([{") - (byte in b")]}")
            if byte == 0x2C and depth == 1:
                out[shift + first + offset] = 0x7C  # no comma expression may stand here
        at = shift + first + lead
        out[at : at + len(room)] = blank(room)
        out[at + gap : at + gap + 2] = b'""'


def _last_group(body: bytes) -> int:
    """Offset of the `(` whose `)` ends `body`, or -1."""
    depth = 0
    for offset in range(len(body) - 1, -1, -1):
        byte = body[offset]
        depth += (byte == 0x29) - (byte == 0x28)
        if depth == 0:
            return offset if byte == 0x28 else -1
    return -1


def _cut(text: bytes, start: int, end: int, mark: int) -> list[tuple[int, int]]:
    """The pieces between the bytes `mark` outside parentheses and brackets, as offsets."""
    pieces = []
    depth = 0
    first = start
    for offset in range(start, end):
        byte = text[offset]
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            depth -= 1
        elif byte == mark and depth == 0:
            pieces.append((first, offset))
            first = offset + 1
    pieces.append((first, end))
    return pieces
