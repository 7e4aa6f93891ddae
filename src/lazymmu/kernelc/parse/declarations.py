# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file declares outside of its functions: variables, types, members, prototypes.

Read as `slices` reads functions, without a parse: what stands between functions is cut at the
semicolons outside of braces, and of each piece the name is found by where it stands. Branches of
`#if` are not chosen between. What a macro declares is known by its form: `static M(x)`, or a macro
whose name has DEFINE, DECLARE or HEAD; of `DEFINE_PER_CPU(type, name)` the type is left out.

Limits: what a macro makes out of several of its arguments (`name##_fops`) is not found, and a macro
at file level that ends in no semicolon is read together with what follows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.parse.lexemes import KEYWORDS, blank, closing, without_lexemes
from lazymmu.kernelc.parse.slices import definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.kernelc.parse.slices import RawDef

__all__ = ["FileDeclaration", "declarations"]


class FileDeclaration(NamedTuple):
    """One name that a file declares outside of its functions.

    :param kind: variable, function (a prototype), type (a typedef, or a tag), member, enumerator.
    :param start: byte offsets of the declaration that it is part of.
    :param end: likewise.
    :param how: that declaration, without what it is initialised with, on one line.
    :param static: nobody but this file knows it.
    """

    name: str
    kind: str
    start: int
    end: int
    how: bytes
    static: bool


_DIRECTIVE: Final = re.compile(rb"^[ \t]*#(?:[^\n\\]|\\[\s\S])*", re.M)
_MARK: Final = re.compile(rb"[{}();]")
_TAGGED: Final = re.compile(rb"\b(struct|union|enum)\b((?:\s+\w+)*)\s*\Z")
_STORAGE: Final = re.compile(rb"(?:(?:static|extern|const|inline|__always_inline)\b\s*)*")
_CALL: Final = re.compile(rb"([A-Za-z_]\w*)\s*\(")
_MACRO: Final = re.compile(rb"DEFINE|DECLARE|(?:^|_)HEAD(?:_|$)")
_PLAIN: Final = re.compile(rb"\s*([A-Za-z_]\w*)\s*\Z")
_TYPE: Final = re.compile(rb"(?:[us](?:8|16|32|64)|__[us](?:8|16|32|64)|\w+_t|u?int|ulong)\Z")
_ATTRIBUTE: Final = re.compile(rb"\b(?:__attribute__|__attribute|asm|__asm__)\s*\(|\b__\w+\s*\(")
_WORD: Final = re.compile(rb"[A-Za-z_]\w*")
_POINTER: Final = re.compile(rb"\(\s*(?:__\w+\s+)?\*+\s*(?:const\s+)?(\w+)")
_ARRAY: Final = re.compile(rb"\[[^\]]*\]")
_LAST: Final = re.compile(rb"(\w+)\s*(?::[^:]*)?\Z")
_ENUMERATOR: Final = re.compile(rb"\s*([A-Za-z_]\w*)\s*(?:=|\Z)")


def declarations(text: bytes, functions: Iterable[RawDef] | None = None) -> list[FileDeclaration]:
    """What a file declares outside of its functions, in its order.

    Never raises: text that is not C declares nothing, or what looks like it.

    :param functions: what `definitions` says of the text, if that is at hand.
    """
    known = definitions(text) if functions is None else functions
    clean = bytearray(_DIRECTIVE.sub(lambda line: blank(line[0]), without_lexemes(text)))
    for one in known:
        if one.kind == "function":
            clean[one.start : one.end] = blank(bytes(clean[one.start : one.end]))
            clean[one.start : one.start + 1] = b";"
    found: list[FileDeclaration] = []
    whole = bytes(clean)
    for start, end in _pieces(whole, 0, len(whole)):
        found += _declared(whole, start, end)
    return found


def _pieces(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What ends in a semicolon outside of braces and parentheses, from its first word on."""
    depth, begin = 0, start
    for match in _MARK.finditer(text, start, end):
        if match[0] in b"{(":
            depth += 1
        elif match[0] in b"})":
            depth = max(0, depth - 1)
        elif depth == 0:
            word = _WORD.search(text, begin, match.start())
            if word is not None:
                yield word.start(), match.start()
            begin = match.end()


def _declared(text: bytes, start: int, end: int) -> Iterator[FileDeclaration]:
    piece = text[start:end]
    opened = piece.find(b"{")
    assigned = piece.find(b"=")
    head = piece[:opened] if opened >= 0 else piece
    tagged = _TAGGED.search(head) if opened >= 0 and not 0 <= assigned < opened else None
    static = _is_static(head)
    if tagged is None:
        yield from _names(piece, start, end, static)
        return
    close = _brace(piece, opened)
    tag = tagged[2].split()[-1:]
    kind = tagged[1].decode()
    if tag and not tag[0].startswith(b"__"):
        how = tagged[1] + b" " + tag[0]
        yield FileDeclaration(tag[0].decode(), "type", start, end, how, False)
    if kind == "enum":
        yield from _enumerators(piece, start, opened + 1, close)
    else:
        for first, last in _pieces(text, start + opened + 1, start + close):
            for one in _declared(text, first, last):
                yield one._replace(kind="member") if one.kind != "enumerator" else one
    before = piece[: tagged.start()] + tagged[1] + b" x "
    yield from _names(before + piece[close + 1 :], start, end, static)


def _is_static(head: bytes) -> bool:
    return b"static" in (_STORAGE.match(head) or [b""])[0]


def _brace(piece: bytes, opened: int) -> int:
    depth = 0
    for match in re.finditer(rb"[{}]", piece[opened:]):
        depth += 1 if match[0] == b"{" else -1
        if depth == 0:
            return opened + match.start()
    return len(piece)


def _enumerators(piece: bytes, start: int, first: int, last: int) -> Iterator[FileDeclaration]:
    at = first
    for part in piece[first:last].split(b","):
        name = _ENUMERATOR.match(part)
        if name is not None:
            begins = start + at + name.start(1)
            how = b" ".join(part.split())
            yield FileDeclaration(
                name[1].decode(), "enumerator", begins, start + at + len(part), how, False
            )
        at += len(part) + 1


def _names(piece: bytes, start: int, end: int, static: bool) -> Iterator[FileDeclaration]:
    """The names of one declaration, whose bodies of types are left out."""
    storage = _STORAGE.match(piece)
    rest = piece[storage.end() :] if storage else piece
    call = _CALL.match(rest)
    if call is not None and call[1] not in KEYWORDS:
        if static or _MACRO.search(call[1]):
            yield from _by_macro(rest, call, start, end, static)
        return
    plain = _without_attributes(rest)
    kind = "type" if plain.startswith(b"typedef") else "variable"
    base = b""
    for number, whole in enumerate(_parted(plain)):
        part = whole.partition(b"=")[0]
        name, is_function = _declarator(part, first=number == 0)
        if name:
            how = b" ".join((base + part).split())
            base = base or part[: part.index(name)].rstrip(b"*( \n\t") + b" "
            sort = "function" if is_function and kind == "variable" else kind
            yield FileDeclaration(name.decode(), sort, start, end, how, static)


def _by_macro(
    piece: bytes, call: re.Match[bytes], start: int, end: int, static: bool
) -> Iterator[FileDeclaration]:
    """What stands where a macro's declared name does: its first argument that is no type."""
    close = closing(piece, call.end() - 1, len(piece))
    inside = piece[call.end() : close if close >= 0 else len(piece)]
    how = b" ".join(piece[: close + 1].split())
    arguments = list(_parted(inside))[:2]
    typed = len(arguments) == 2 and b"PER_CPU" in call[1]
    for argument in arguments[typed:]:
        name = _PLAIN.match(_ARRAY.sub(b"", argument))
        if name is not None and name[1] not in KEYWORDS and not _TYPE.match(name[1]):
            yield FileDeclaration(name[1].decode(), "variable", start, end, how, static)
            return


def _without_attributes(piece: bytes) -> bytes:
    """A declaration without `__attribute__((...))`, `__aligned(...)` and the like."""
    at = 0
    while (match := _ATTRIBUTE.search(piece, at)) is not None:
        close = closing(piece, match.end() - 1, len(piece))
        if close < 0:
            return piece
        name = match[0].split(b"(")[0].strip()
        # A function may be called like an attribute: its name is all that there is.
        if name not in (b"asm", b"__asm__") and not _attribute(piece, match.start(), close):
            at = match.end()
            continue
        piece = piece[: match.start()] + b" " + piece[close + 1 :]
        at = match.start()
    return piece


def _attribute(piece: bytes, start: int, close: int) -> bool:
    """Whether a word before parentheses stands beside a declarator: more follows, or one ended."""
    before = piece[:start].rstrip()
    after = piece[close + 1 :].lstrip()
    return bool(after[:1].isalpha() or before.endswith((b")", b"]")) or b"__attribute" in
                piece[start:close] or after[:1] == b"_" or _settled(before))  # fmt: skip


def _settled(before: bytes) -> bool:
    """Whether a declaration has a type and a name already: `int x __aligned(8)`."""
    words = [one for one in _WORD.findall(before) if one not in (b"static", b"extern", b"const")]
    tag = bool(words) and words[0] in (b"struct", b"union", b"enum")
    kinds = (b"unsigned", b"signed", b"long", b"short")
    named = [one for one in words if one not in kinds and not one.startswith(b"__")]
    return not before.endswith(b"*") and len(named) > 1 + tag


def _parted(text: bytes) -> Iterator[bytes]:
    """What stands between commas outside of all brackets."""
    depth = begin = 0
    for at, byte in enumerate(text):
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            depth -= 1
        elif byte == 0x2C and depth == 0:
            yield text[begin:at]
            begin = at + 1
    yield text[begin:]


def _declarator(part: bytes, *, first: bool) -> tuple[bytes, bool]:
    """The name that a declarator gives, and whether it is that of a function."""
    part = part.strip()
    opened = part.find(b"(")
    if opened >= 0:
        pointer = _POINTER.match(part, opened)
        if pointer is not None:
            return pointer[1], False
        words = _WORD.findall(part[:opened])
        return (words[-1], True) if len(words) > first else (b"", False)
    part = _ARRAY.sub(b"", part).strip()
    words = _WORD.findall(part.partition(b":")[0])
    while len(words) > 1 + first and words[-1].startswith(b"__"):
        words.pop()  # an attribute without arguments, as __read_mostly
    if len(words) <= first or words[-1] in KEYWORDS:
        return b"", False
    if first and len(words) == 2 and words[0] in (b"struct", b"union", b"enum"):
        return b"", False  # a tag, declared in advance
    return words[-1], False
