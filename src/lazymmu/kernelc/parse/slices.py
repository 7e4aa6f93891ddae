# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the functions and macros of a C file begin and end, by one regular expression.

No parse: kernel style puts every definition at the left margin, so a candidate is a line that
begins with a `#define` or with a word whose text runs to a `{` without `;`, `=` or `}`. What the
expression proposes is then read properly: comments, attributes, the name, the closing brace.
Branches of `#if` are not chosen between; the definitions of all of them are returned.

Limits: a function that does not begin at the left margin, has parameters in the style before C89,
or is made whole by a macro (`DEFINE_SHOW_ATTRIBUTE(x)`), is not found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lazymmu.kernelc.parse.function_head import DIRECTIVE, Head, read_head
from lazymmu.kernelc.parse.lexemes import CHAR, COMMENT, LINE_COMMENT, STRING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RawDef", "definitions", "macro_at"]


class RawDef(NamedTuple):
    """One definition in the text of a file.

    A tuple and no dataclass: a core of a kernel tree has 350,000 of them, and making a frozen
    dataclass takes four times as long.

    :param name: as the source spells it; `sys_x` for SYSCALL_DEFINEn(x, ...), `compat_sys_x` for
        its compat forms, the first argument of any other macro that stands in place of a head.
    :param kind: function, macro (function-like) or object.
    :param start: byte offsets of the whole definition, from the return type (or the `#`) to the
        closing brace (or the last line of the macro), newline not included.
    :param end: likewise.
    :param line: 1-based line of the name.
    :param body: offset of the `{`, or of the macro's replacement text (equal to end if there is
        none).
    :param static: words before the name.
    :param inline: likewise.
    :param params: names of a macro's parameters, `...` or `args...` as written.
    """

    name: str
    kind: str
    start: int
    end: int
    line: int
    body: int
    static: bool
    inline: bool
    params: tuple[str, ...]


_REST = (
    rb"(?>(?:[^\\\n/\"']++|\\\r?[\s\S]?|" + COMMENT + rb"|" + LINE_COMMENT + rb"|" + STRING
    + rb"|" + CHAR + rb"|[/\"'])*)"
)  # fmt: skip
"""The rest of a logical line: over continued lines and comments that span lines."""

_DEFINE = (
    rb"[ \t]*+\#[ \t]*+define[ \t]++(\w++)"
    rb"(?>(?:\(((?>(?:[^()\n\\]++|\\\r?\n)*))\))?)"
    rb"(?>(?:[ \t]|\\\r?\n)*)(" + _REST + rb")"
)  # fmt: skip
_HEAD = (
    rb"(?>(?:[ \t]++(?=static\b))?)[A-Za-z_]"
    rb"(?>(?:[^;{}=/\"\n:]++|\n(?!\n++[^{\n]|\}|[ \t]*+\#[ \t]*+define\b)"
    rb"|/\*(?>(?:[^*]++|\*(?!/)){0,400})\*/|//[^\n]*+|" + STRING + rb"){0,120})"
)  # fmt: skip
"""At most 120 pieces and comments of bounded length, so that no file takes quadratic time."""

_CANDIDATE = re.compile(rb"\n(?:" + _DEFINE + rb"|(" + _HEAD + rb")\{)")
_INNER_DEFINE = re.compile(rb"\n" + _DEFINE)
_BRACE = re.compile(
    rb"[^{}/\"']*+(?>(?:(?:" + COMMENT + rb"|//[^\n]*+|" + STRING + rb"|" + CHAR
    + rb"|[/\"'])[^{}/\"']*+)*)([{}])"
)  # fmt: skip
_NOISE = re.compile(COMMENT + rb"|//[^\n]*+|" + STRING)
_MARGIN_LINE = re.compile(rb"\n[A-Za-z_]")
_INLINE = re.compile(rb"\b(?:__)?(?:always_)?inline(?:__)?\b")
_QUICK = 100
"""How many bytes are counted in the time in which one is read with care."""

_LONGEST_MACRO = 64 << 10
"""Longest macro that is read by its place, in bytes."""

_CAREFUL = 8 << 20
"""How many bytes of one file the careful search for a closing brace may read."""


def definitions(text: bytes) -> list[RawDef]:
    """Find the functions and macros of a file, in the order of their beginnings.

    `text` is a file as read, or with unselected parts blanked. Never raises: text that is not C
    has no definitions. A body that is never closed ends where the text ends.
    """
    # Offsets below are those of the text with a newline in front: one more than in the file.
    text = b"\n" + text
    found: list[RawDef] = []
    position = safe = line = counted = 0  # before `safe` the state of comments is settled
    margin = -1
    careful = _CAREFUL
    search, rfind, count, add = _CANDIDATE.search, text.rfind, text.count, found.append
    new = tuple.__new__  # RawDef(...) by keyword costs as much as all the searching
    while (match := search(text, position)) is not None:
        start = match.start() + 1
        opened = rfind(b"/*", safe, start)
        if opened >= 0 and (out := _inside_comment(text, opened, start)):
            position = safe = out
            continue
        if match.lastindex == 3:
            position = safe = match.end()
            params = match[2]
            at = match.start(1)
            line += count(b"\n", counted, at)
            counted = at
            kind = "object" if params is None else "macro"
            names = _params(params) if params else ()
            name = match[1].decode("ascii", "replace")
            body = match.start(3) - 1
            macro = (name, kind, start - 1, position - 1, line, body, False, False, names)
            add(new(RawDef, macro))
            continue
        head = match[4]
        if b"(" not in head:
            # A struct, a union, an enum. What is inside may define macros.
            position = safe = match.end()
            continue
        brace = match.end() - 1
        read = read_head(head)
        if read is None:
            position = match.end() - len(head)
            safe = start
            continue
        if margin < brace:
            margin = text.find(b"\n}", brace)
            margin = len(text) if margin < 0 else margin
        end, spent = _body_end(text, brace, min(margin + 2, len(text)), careful)
        careful -= spent
        at = start + read.at
        line += count(b"\n", counted, at)
        counted = at
        add(_function(head, read, start, end, line, brace))
        if b"#" in head:
            found += _branches(head, read, start, end, line, brace)
        if text.find(b"define", brace, end) >= 0:
            for inner in _inner_macros(text, brace, end, line + count(b"\n", at, brace)):
                found.append(inner)
        position = safe = end
    return found


def macro_at(text: bytes, start: int) -> RawDef | None:
    """Return the macro whose `#define` begins at an offset of a file; its line is not counted."""
    match = _INNER_DEFINE.match(b"\n" + text[start : start + _LONGEST_MACRO])
    if match is None:
        return None
    kind = "object" if match[2] is None else "macro"
    names = _params(match[2]) if match[2] else ()
    name, shift = match[1].decode("ascii", "replace"), start - 1
    body, end = match.start(3) + shift, match.end() + shift
    return RawDef(name, kind, start, end, 0, body, False, False, names)


def _function(head: bytes, read: Head, start: int, end: int, line: int, brace: int) -> RawDef:
    before = head[read.start : read.at]
    inline = b"inline" in before and _INLINE.search(before) is not None
    first = start + read.start - 1
    static = b"static" in before
    return RawDef(read.name, "function", first, end - 1, line, brace - 1, static, inline, ())


def _branches(
    head: bytes, read: Head, start: int, end: int, line: int, brace: int
) -> Iterator[RawDef]:
    """Further heads of one body, in other branches of an #if before it."""
    position = read.close
    for directive in DIRECTIVE.finditer(head, position):
        piece = head[directive.end() :]
        after = DIRECTIVE.search(piece)
        other = read_head(piece[: after.start()] if after else piece)
        if other is not None and other.name != read.name:
            at = directive.end() + other.at
            below = head.count(b"\n", read.at, at)
            yield _function(piece, other, start + directive.end(), end, line + below, brace)


def _inner_macros(text: bytes, start: int, end: int, line: int) -> Iterator[RawDef]:
    """Macros defined inside the body of a function; `line` is that of `start`."""
    counted = start
    for match in _INNER_DEFINE.finditer(text, start, end):
        params = match[2]
        line += text.count(b"\n", counted, match.start(1))
        counted = match.start(1)
        yield RawDef(
            match[1].decode("ascii", "replace"),
            "object" if params is None else "macro",
            match.start(),
            match.end() - 1,
            line,
            match.start(3) - 1,
            False,
            False,
            _params(params) if params else (),
        )


def _params(params: bytes) -> tuple[str, ...]:
    if b"\\" in params:
        params = params.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    names = params.decode("ascii", "replace").split(",")
    return tuple([name for piece in names if (name := piece.strip())])


def _inside_comment(text: bytes, opened: int, at: int) -> int:
    """Where the comment that begins at `opened` ends, if `at` is inside of it, else 0.

    A `/*` that is part of a string (a file name pattern) or of a `//` comment begins none.
    """
    if text.find(b"*/", opened + 2, at) >= 0:
        return 0
    for noise in _NOISE.finditer(text, text.rfind(b"\n", 0, opened) + 1):
        if noise.start() > opened:
            break
        if noise.end() > opened:
            return noise.end() if noise.start() == opened and noise.end() > at else 0
    close = text.find(b"*/", opened + 2)
    return len(text) if close < 0 else close + 2


def _body_end(text: bytes, brace: int, margin: int, budget: int) -> tuple[int, int]:
    """Offset behind the `}` that closes the body opened at `brace`, and how much was read for it.

    `margin` is the offset behind the next `}` at the left margin, or of the end of the text.
    Kernel style closes a body there, and that is right if the braces up to there are as many of
    each kind, and none opens at the margin, as another body does. If not, or if the body may be one
    line, the braces are matched outside strings and comments; the margin still wins where branches
    of an #if unbalance them.
    """
    newline = text.find(b"\n", brace)
    newline = len(text) if newline < 0 else newline
    spent = (margin - brace) // _QUICK
    if text.find(b"}", brace, newline) < 0 and spent <= budget:
        alike = text.count(b"{", brace, margin) == text.count(b"}", brace, margin)
        if alike and text.find(b"\n{", brace, margin) < 0:
            return margin, spent
        budget -= spent
    else:
        spent = 0
    depth = 0
    position = brace
    limit = min(len(text), brace + min(budget, 1 << 20))
    while (found := _BRACE.match(text, position, limit)) is not None:
        position = found.end()
        depth += 1 if found[1] == b"{" else -1
        if depth == 0:
            break
    else:
        return margin, spent + limit - brace
    spent += position - brace
    if position <= newline or position == margin or text[position - 2] == 0x0A:
        return position, spent
    if position < margin and _MARGIN_LINE.search(text, position, margin):
        return position, spent
    return margin, spent
