# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the functions and macros of a C file begin and end, by one regular expression.

No parse: kernel style puts every definition at the left margin, so a candidate is a line that
begins with a `#define` or with a word whose text runs to a `{` without `;`, `=` or `}`. What the
expression proposes is then read properly: comments, attributes, the name, the closing brace.
Branches of `#if` are not chosen between; the definitions of all of them are returned.

Limits: a function definition that does not begin at the left margin, or is written in the style
before C89, or is made whole by a macro (`DEFINE_SHOW_ATTRIBUTE(x)`), is not found.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Head", "RawDef", "blank", "closing", "definitions", "read_head"]


class RawDef(NamedTuple):
    """One definition in the text of a file (a tuple: a tree has a million of them).

    name: as the source spells it, `sys_x` for SYSCALL_DEFINEn(x, ...), the first argument for
    other macros that head a function. kind: function, macro (function-like) or object.
    start, end: byte offsets of the whole definition, return type included, closing brace or last
    line of the macro included, newline not. line: 1-based line of the name. body: offset of the
    `{`, or of the macro's replacement text. static, inline: words before the name. params: names
    of a macro's parameters, `...` or `args...` as written.
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


class Head(NamedTuple):
    """The head of a function: what stands before its `{`. Offsets are relative to the head.

    start: where it really begins, behind macros that stand before it without a semicolon.
    name: of the function; at: where the name begins; open, close: the parentheses of the
    parameters; maker: the macro that makes the function (SYSCALL_DEFINE2), or empty.
    """

    start: int
    name: str
    at: int
    open: int
    close: int
    maker: str


_COMMENT = rb"/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
_STRING = rb'"(?:[^"\\\n]++|\\[\s\S])*+"'
_CHAR = rb"'(?:[^'\\\n]++|\\[^\n])++'"

_CANDIDATE = re.compile(
    rb"\n(?:"
    rb"(?P<define>[ \t]*+\#[ \t]*+define[ \t]++)(?P<name>\w++)(?:\((?P<params>[^()\n]*+(?:\\\n[^()\n]*+)*+)\))?+"
    rb"|(?P<head>[A-Za-z_](?:[^;{}=/\"\n:]++|\n(?!\})|" + _COMMENT + rb"|//[^\n]*+|" + _STRING + rb")*+)\{"
    rb")"
)
_REST = re.compile(
    rb"(?:[^\\\n/\"']++|\\[\s\S]|" + _COMMENT + rb"|//(?:[^\\\n]++|\\[\s\S])*+|" + _STRING + rb"|"
    + _CHAR + rb"|[/\"'])*+"
)
_BRACE = re.compile(
    rb"[^{}/\"'#]*+(?:(?:" + _COMMENT + rb"|//[^\n]*+|" + _STRING + rb"|" + _CHAR
    + rb"|[/\"'#])[^{}/\"'#]*+)*+([{}])"
)
_NOISE = re.compile(_COMMENT + rb"|//[^\n]*+|" + _STRING)
_PAREN = re.compile(rb"[()]")
_GROUP = re.compile(rb"([A-Za-z_]\w*+)?([ \t\n]*+)\(")
_SPACES = bytes(b if b == 0x0A else 0x20 for b in range(256))
_WORD = re.compile(rb"[A-Za-z_]\w*+")
_MAKER = re.compile(rb"_*[A-Z][A-Z0-9_]*[A-Z0-9](?:_[a-z0-9]+)?\Z")
_PREFIX = re.compile(
    rb"(?:__attribute__|__attribute|__printf|__scanf|__aligned|__section|__no_sanitize|__alloc_size"
    rb"|__assume_aligned|__malloc|__target|__error|__warning|__cold|__format_arg|__typeof__|typeof"
    rb"|__typeof|_Alignas|alignas|__diagnose_as|__diagnose_if|__must_hold|__acquires|__releases"
    rb"|__cond_acquires|__nonnull|__nonstring|__counted_by|__guarded_by|__realloc_size"
    rb"|__alloc_align|__overloadable|__asm__|asm|__deprecated|__declspec|__stringify)\Z"
)
_NOT_HEAD = frozenset({b"struct", b"union", b"enum", b"typedef", b"extern", b"if", b"else", b"do"})
_CONTROL = re.compile(rb"(?:if|while|for|switch|do|else|return|sizeof|case|goto)\Z")
_TYPE = re.compile(rb"(?:void|int|char|long|short|unsigned|signed|bool|float|double)\Z")
_SYSCALL = re.compile(r"(COMPAT_)?(?:SYSCALL|SYSCALL32|SYSCALL_COMPAT)_DEFINE\d\Z")


def blank(piece: bytes) -> bytes:
    """Spaces in place of every byte but newlines."""
    return piece.translate(_SPACES)


def closing(text: bytes, start: int, end: int | None = None) -> int:
    """Offset of the `)` that closes the `(` at `start`, or -1.

    Strings and comments must have been blanked. `end` bounds the search.
    """
    depth = 0
    for match in _PAREN.finditer(text, start, len(text) if end is None else end):
        depth += 1 if match[0] == b"(" else -1
        if depth == 0:
            return match.start()
    return -1


def definitions(text: bytes) -> list[RawDef]:
    """Find the functions and macros of a file, in the order of the text.

    `text` is a file as read, or with unselected parts blanked. Never raises: text that is not C
    has no definitions, and a body that is never closed ends where the text ends or the next
    definition at the left margin begins.
    """
    text = b"\n" + text
    found: list[RawDef] = []
    position = 0
    line = 0
    counted = 0
    safe = 0  # up to here the text is known to be outside of comments
    search = _CANDIDATE.search
    while match := search(text, position):
        start = match.start() + 1
        opened = text.rfind(b"/*", safe, start)
        if opened >= 0 and (out := _inside_comment(text, opened, start)):
            position = out
            safe = out
            continue
        if match["define"] is not None:
            begin, name_at = match.end(), match.start("name")
            rest = _REST.match(text, begin)
            end = rest.end() if rest else begin
            line += text.count(b"\n", counted, name_at)
            counted = name_at
            found.append(_macro(text, match, start, end, line))
            position = safe = end
            continue
        brace = match.end() - 1
        head = read_head(match["head"])
        if head is None:
            position = start
            safe = start
            skip = text.find(b"\n", start)
            position = brace if skip < 0 else skip
            continue
        end = _body_end(text, brace)
        name_at = start + head.at
        line += text.count(b"\n", counted, name_at)
        counted = name_at
        before = set(_WORD.findall(match["head"], head.start, head.at))
        found.append(
            RawDef(
                head.name,
                "function",
                start + head.start - 1,
                end - 1,
                line,
                brace - 1,
                b"static" in before,
                not before.isdisjoint((b"inline", b"__always_inline", b"__inline", b"__inline__")),
                (),
            )
        )
        position = safe = end
    return found


def _macro(text: bytes, match: re.Match[bytes], start: int, end: int, line: int) -> RawDef:
    body = match.end()
    while body < end and text[body] in b" \t":
        body += 1
    params = match["params"]
    return RawDef(
        match["name"].decode("ascii", "replace"),
        "object" if params is None else "macro",
        start - 1,
        end - 1,
        line,
        body - 1,
        False,
        False,
        ()
        if not params
        else tuple(
            part
            for piece in params.replace(b"\\\n", b" ").decode("ascii", "replace").split(",")
            if (part := piece.strip())
        ),
    )


def _inside_comment(text: bytes, opened: int, at: int) -> int:
    """Where the comment that begins at `opened` ends, if `at` is inside of it, else 0.

    A `/*` that is part of a string (a file name pattern) or of a `//` comment begins none.
    """
    if text.find(b"*/", opened + 2, at) >= 0:
        return 0
    left = text.rfind(b"\n", 0, opened) + 1
    for noise in _NOISE.finditer(text, left):
        if noise.start() > opened:
            break
        if noise.start() == opened:
            return noise.end() if noise.end() > at else 0
        if noise.end() > opened:
            return 0
    close = text.find(b"*/", opened + 2)
    return len(text) if close < 0 else close + 2


def read_head(head: bytes) -> Head | None:
    """Read what stands before a `{` at file level; None if it is not the head of a function."""
    text = _NOISE.sub(lambda noise: blank(noise[0]), head) if b"/" in head or b'"' in head else head
    start = 0
    if b"#" in text:
        text = re.sub(rb"^[ \t]*#(?:[^\\\n]|\\[\s\S])*", lambda line: blank(line[0]), text, flags=re.M)
    first: Head | None = None
    position = 0
    while (group := _GROUP.search(text, position)) is not None:
        opened = group.end() - 1
        closed = closing(text, opened)
        if closed < 0:
            return None
        position = closed + 1
        word = group[1]
        if word is None:
            continue
        if _CONTROL.match(word):
            return None
        if _PREFIX.match(word):
            continue
        at = group.start()
        if _TYPE.match(word):
            # A function that returns a pointer to a function: int (*name(args))(args).
            inner = re.compile(rb"[\s*]*+([A-Za-z_]\w*+)\s*+\(").match(text, opened + 1, closed)
            if inner is None:
                continue
            at, opened = inner.start(1), inner.end() - 1
            word, closed = inner[1], closing(text, opened)
        start = _true_start(text, at)
        before = _WORD.findall(text, start, at)
        if not before or all(w in (b"static", b"noinline", b"notrace", b"extern", b"inline") for w in before):
            if not _MAKER.match(word):
                if before:
                    return Head(start, word.decode("ascii"), at, opened, closed, "")
                # Either an old head without a type, or a macro alone on its line before the head.
                if first is None and not text[closed + 1 :].strip():
                    first = Head(start, word.decode("ascii"), at, opened, closed, "")
                continue
            inner = re.compile(rb"\s*+([A-Za-z_]\w*+)\s*+[,)]").match(text, opened + 1, closed + 1)
            if inner is None:
                continue
            maker = word.decode("ascii")
            name = inner[1].decode("ascii")
            if call := _SYSCALL.match(maker):
                name = ("compat_sys_" if call[1] else "sys_") + name
            first = Head(start, name, at, opened, closed, maker)
            continue
        if before[0] in _NOT_HEAD and not _returns_struct(before):
            return None
        return Head(start, word.decode("ascii"), at, opened, closed, "")
    return first


def _returns_struct(before: list[bytes]) -> bool:
    return before[0] in (b"struct", b"union", b"enum", b"extern") and len(before) > 1


def _true_start(text: bytes, at: int) -> int:
    """Where the definition whose name is at `at` begins.

    Macros that stand alone on lines before it, without a semicolon, are not part of it, nor is
    anything before a blank line or a directive (which the caller has blanked).
    """
    line = text.rfind(b"\n", 0, at) + 1
    while line > 0:
        previous = text.rfind(b"\n", 0, line - 1) + 1
        piece = text[previous : line - 1].strip()
        if not piece:
            break
        if piece.endswith(b")"):
            word = _WORD.match(piece)
            if word and piece[word.end() : word.end() + 1] == b"(" and not _PREFIX.match(word[0]):
                break
        line = previous
    while text[line : line + 1] in (b" ", b"\t", b"\n"):
        line += 1
    return line


def _body_end(text: bytes, brace: int) -> int:
    """Offset behind the `}` that closes the body opened at `brace`."""
    margin = text.find(b"\n}", brace)
    newline = text.find(b"\n", brace)
    if margin < 0:
        margin = len(text)
    if newline < 0 or text.find(b"}", brace, newline) < 0:
        end = min(margin + 2, len(text))
        if text.count(b"{", brace, end) == text.count(b"}", brace, end):
            return end
    else:
        end = margin
    # One line, braces in strings, `#if` around braces, or a brace at the margin inside.
    depth = 0
    position = brace
    limit = min(len(text), brace + (1 << 20))
    while found := _BRACE.match(text, position, limit):
        position = found.end()
        depth += 1 if found[1] == b"{" else -1
        if depth == 0:
            if position <= end or text[position - 2 : position - 1] == b"\n":
                return position
            break
    return min(margin + 2, len(text))
