# SPDX-License-Identifier: GPL-2.0-or-later
"""Make kernel C parseable: blank or rewrite what a C grammar cannot know, byte for byte.

Every step keeps the length and the newlines, so that offsets and lines of the masked text are
those of the file. Nothing is expanded and no list of kernel macros is kept: a macro is recognised
by where it stands (a call before a `{` heads a loop). Forms that a reader of the syntax tree meets:

    for_each_x(a, b) stmt                while     (a, b) stmt      runs 0 to n times
    other_macro(a) { ... }               while      (a) { ... }     likewise; no name is needed
    do { } while_each_x(a);              do { } while       (a);
    scoped_guard(name, args) stmt        while(_guard,name, args) stmt       runs once: no loop
    scoped_cond_guard(name, fail, args)  while(_cond_guard,name, FAIL, args) once, or FAIL
    guard(name)(args);                   as it is: a call of a call; so is CLASS(name, var)(args);
    T x __cleanup(f), x __free(f) = ...  T x[~~f]    , x[!!f]    = ...   no array has such a size
    f(x, return -E), f(x, goto out)      f(x, RETURN+-E), f(x, GOTO+out)     BREAK, CONTINUE
    f(x, a(); b();)                      f(x, a(), b() )            statements as arguments
    F(x, if (y) return 1; z();)           { x; if (y) return 1; z(); }   if no expressions
    MACRO(x) <newline> next();           MACRO(x); next();          one that brings its own `;`
    case A ... B:                        case A ||  B:              a range
    SYSCALL_DEFINE2(x, T, a, U, b)       long            x(T  a, U  b)
    f(struct x *, a)                     f(struct_x  , a)           a type as an argument
    typeof(x), MACRO(x) name = ...       typeof   , MACRO    name = ...
    auto x = ...                         Auto x = ...
    struct { DECLARE_X(a, b); }          struct { int m          ; }
    offsetof(type, a.b)                  0
    f(.a = 1), f(+=, x), f(, x)          f( a = 1), f(0 , x), f(  x)
    strings, asm templates, constraints  spaces inside the quotes; one string for each

A loop macro's name is longer than `while` and its one space, so that a gap of two or more spaces
behind `while` tells a macro from a loop of the source.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lazymmu.kernelc.parse.function_head import ATTRIBUTE_CALLS, ATTRIBUTES, mask_head
from lazymmu.kernelc.parse.lexemes import blank, closing, fill, is_word, without_lexemes
from lazymmu.kernelc.parse.mask_arguments import mask_arguments, mask_strings
from lazymmu.kernelc.parse.mask_asm import mask_asm
from lazymmu.kernelc.parse.mask_cleanup import mask_cleanup
from lazymmu.kernelc.parse.mask_members import mask_members
from lazymmu.kernelc.parse.mask_statements import mask_statements

if TYPE_CHECKING:
    from lazymmu.kernelc.parse.slices import RawDef

__all__ = ["macro_body", "mask"]

_LARGEST = 512 << 10
"""Longest text that is masked, in bytes; the longest function of 7.3 has 213 kB."""

_MARKED = re.compile(rb"__\w++")
_JOINS = frozenset(b".>_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOOSE = re.compile(rb"\b(?:no[a-z]\w++|asmlinkage|fastcall)\b")
_ATTRIBUTE_CALL = re.compile(rb"__\w++[ \t\n]*+\(")
_PLACED = re.compile(rb"\][ \t]*+(__\w++)(?=[ \t\n]*+[=;])")
_TYPEOF = re.compile(rb"(?:typeof|TYPEOF)\w*+[ \t\n]*+\(")
_OFFSETOF = re.compile(rb"offsetof[ \t\n]*+\(")
_ALIGNOF = re.compile(rb"(?<!\w)(?:__alignof__|__alignof|_Alignof|alignof)\b")
_RANGE = re.compile(rb"(?<=case)\b(?>(?:[^:;{}?\n.]++|\.(?!\.\.))+)\.\.\.")
_GUARD = re.compile(rb"scoped_(cond_)?guard[ \t]*+\(")
_AUTO = re.compile(rb"auto(?=\s++\w++\s*+=)")
_STATIC_CALL = re.compile(rb"(?:static|extern)(?:[ \t]+const)?(?=[ \t]+[A-Za-z_]\w*[ \t]*\()")


def mask(text: bytes, loop_macros: frozenset[str]) -> bytes:
    """Mask one function's slice, or a macro's body prepared by `macro_body`.

    Never raises. The result has the length and the newlines of `text`; in one of more than 512 kB
    only comments and strings are masked.

    :param loop_macros: the names under ForEachMacros in the tree's .clang-format; they decide where
        a call before a statement on the same line heads a loop.
    """
    clean = without_lexemes(text)
    if len(clean) > _LARGEST:
        return clean
    if b"__" in clean:
        clean = _attributes(clean)
    out = bytearray(clean)
    brace = clean.find(b"{")
    start = brace if brace > 0 and mask_head(out, brace) else 0
    if not start:
        # No head, but perhaps several of them, in a macro that defines functions.
        for match in _LOOSE.finditer(clean):
            if match[0] in ATTRIBUTES:
                fill(out, *match.span())
    _words(out, start)
    in_asm = mask_asm(out) if b"asm" in clean else []
    if b'"' in clean or b"KERN_" in clean:
        mask_strings(out, start, in_asm)
    mask_arguments(out, start)
    if b"struct" in clean or b"union" in clean:
        mask_members(out, start)
    mask_statements(out, start, loop_macros)
    return bytes(out)


def macro_body(text: bytes, rawdef: RawDef) -> bytes:
    """Return a macro's replacement text, ready for `mask`; the length is that of text[body:end].

    Line continuations become spaces (the newline stays), `a ## b` becomes one word, `#x` becomes a
    string, `, ##__VA_ARGS__` loses its `##`, and `__VA_OPT__(x)` is blanked.
    """
    out = text[rawdef.body : rawdef.end]
    out = re.sub(rb"\\(?=\r?\n|\r?\Z)", b" ", out)
    if b"#" in out:
        out = re.sub(rb"(,\s*)##(?=\s*\w)", rb"\1  ", out)
        out = re.sub(rb"(?<=\w)[ \t]*##[ \t]*(?=\w)", lambda m: b"_" * len(m[0]), out)
        out = out.replace(b"##", b"  ")
        out = re.sub(rb"#[ \t]*\w+", lambda m: b'""' + b" " * (len(m[0]) - 2), out)
    if b"__VA_OPT__" in out:
        out = re.sub(rb"__VA_OPT__\s*\([^()]*\)", lambda m: blank(m[0]), out)
    return out


def _attributes(text: bytes) -> bytes:
    """Blank attributes, and those with arguments with their arguments."""

    def replace(match: re.Match[bytes]) -> bytes:
        word = match[0]
        if word in ATTRIBUTES:
            # Not the end of a longer word, nor a field that is called like an attribute.
            before = text[match.start() - 1] if match.start() else 0x20
            return word if before in _JOINS else b" " * len(word)
        return b"volatile    " if word == b"__volatile__" else word

    out = bytearray(_MARKED.sub(replace, text))
    if b"__" in out:
        for match in _ATTRIBUTE_CALL.finditer(out):
            if match[0].rstrip(b"( \t\n") in ATTRIBUTE_CALLS:
                close = closing(out, match.end() - 1)
                if close < 0:
                    break
                mask_cleanup(out, match.start(), close + 1)
        for match in _PLACED.finditer(out):
            fill(out, *match.span(1))
    return bytes(out)


def _words(out: bytearray, start: int) -> None:
    """What few functions have, each asked for first, because asking is fast."""
    if b"scoped_" in out:
        for match in _GUARD.finditer(out, start):
            word = b"while(_cond_guard," if match[1] else b"while(_guard,"
            fill(out, *match.span(), word)
    if b"offsetof" in out:
        for match in _OFFSETOF.finditer(out, start):
            close = closing(out, match.end() - 1)
            if close < 0:
                break
            if not is_word(out, match.start() - 1):
                fill(out, match.start(), close + 1, b"0")
    if b"typeof" in out or b"TYPEOF" in out:
        for match in _TYPEOF.finditer(out):
            close = closing(out, match.end() - 1)
            if close < 0:
                break
            fill(out, match.end() - 1, close + 1)
    if b"lignof" in out:
        for match in _ALIGNOF.finditer(out, start):
            fill(out, *match.span(), b"sizeof")
    if b"auto" in out:
        for match in _AUTO.finditer(out, start):
            if not is_word(out, match.start() - 1):
                out[match.start()] = 0x41
    if b"..." in out:
        for match in _RANGE.finditer(out, start):
            fill(out, match.end() - 3, match.end(), b"||")
    if out.find(b"static", start) >= 0 or out.find(b"extern", start) >= 0:
        for match in _STATIC_CALL.finditer(out, start):
            if not is_word(out, match.start() - 1):
                fill(out, *match.span())
