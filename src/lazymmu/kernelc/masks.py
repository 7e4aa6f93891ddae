# SPDX-License-Identifier: GPL-2.0-or-later
"""Make kernel C parseable: blank or rewrite what a C grammar cannot know, byte for byte.

Every step keeps the length and the newlines, so that offsets and lines of the masked text are
those of the file. Nothing is expanded and no list of kernel macros is kept: a macro is recognised
by where it stands (a call before a `{` heads a loop). Forms that a reader of the syntax tree meets:

    for_each_x(a, b) stmt                 while     (a, b) stmt         runs 0 to n times
    other_macro(a) { ... }                while      (a) { ... }        likewise; no name is needed
    scoped_guard(name, args) stmt         while(_guard,name, args) stmt         runs once, not a loop
    scoped_cond_guard(name, fail, args)   while(_cond_guard,name, FAIL, args)   likewise, or FAIL
    guard(name)(args);                    as it is: a call of a call
    f(x, return -E), f(x, goto out)       f(x, RETURN+-E), f(x, GOTO+out)       also BREAK, CONTINUE
    f(x, a(); b();)                       f(x, a(), b() )               statements as arguments
    F(x, if (y) return 1; z();)           { x; if (y) return 1; z(); }  those that are no expressions
    do { } while_each_x(a);               do { } while       (a);
    case A ... B:                         case A ||  B:                 a range
    SYSCALL_DEFINE2(x, T, a, U, b)        long            x(T  a, U  b)
    f(struct x *, a)                      f(struct_x  , a)              a type as an argument
    typeof(x), MACRO(x) name = ...        typeof   , MACRO    name = ...
    offsetof(type, a.b)                   0
    strings, asm templates, constraints   spaces inside the quotes; one string for each
"""

from __future__ import annotations

import re

from .inlineasm import mask_asm
from .heads import ATTRIBUTE_CALLS, ATTRIBUTES, mask_head
from .lexemes import blank, closing, without_lexemes, word_before
from .slices import RawDef

__all__ = ["macro_body", "mask"]

_MARKED = re.compile(rb"__\w++")
_ATTRIBUTE_CALL = re.compile(rb"__\w++[ \t\n]*+\(|_Alignas[ \t\n]*+\(")
_TYPEOF = re.compile(rb"[Tt][Yy][Pp][Ee][Oo][Ff]\w*+[ \t\n]*+\(")
_OFFSETOF = re.compile(rb"offsetof[ \t\n]*+\(")
_ALIGNOF = re.compile(rb"__alignof__|__alignof|_Alignof|alignof")
_RANGE = re.compile(rb"(case\b[^:;{}?\n]*?)([ \t]*\.\.\.[ \t]*)")
_GUARD = re.compile(rb"scoped_(cond_)?guard[ \t]*+\(")
_JUMP = re.compile(rb"(?<=[(,])(\s*+)(return|goto|break|continue)\b([ \t]?)(?=[^;{}]*[,)])")
_LOG_LEVEL = re.compile(rb"KERN_[A-Z]++[ \t\n]++(?=[\w\"])")
_STRING_WORDS = re.compile(rb'[A-Za-z_]\w*+[ \t]++([A-Za-z_]\w*+)[ \t\n]++(?=")')
_STRING_CALL = re.compile(rb'"([ \t\n]*+)[A-Za-z_]\w*+[ \t]*+\(')
_STATIC_CALL = re.compile(rb"(?:static|extern)((?:[ \t]+const)?)(?=[ \t]+[A-Za-z_]\w*[ \t]*\()")
_GLUED_NUMBER = re.compile(rb"[^\w]\d[0-9a-fA-FxX]*_\w+")
_OPERATOR_ARGUMENT = re.compile(rb"(?<=[(,])(\s*+)([-+*/%&|^<>=!~.]++)(?=\s*[,)])")
_EMPTY_ARGUMENT = re.compile(rb"[,(]\s*+(?=,)|,(?=\s*\))")

_BASE = rb"(?:unsigned|signed|long|short|int|char|void|bool|float|double|_Bool|__int128)\b"
_QUALIFIER = rb"(?:(?:const|volatile)\b\s*+)*+"
_TYPE_ARGUMENT = re.compile(
    rb"([(,]\s*+)("
    + _QUALIFIER
    + rb"(?:(?:struct|union|enum)\s++\w++|(?:" + _BASE + rb"\s*+)++|\w++(?=\s*+[*,)]|\s++const\b))"
    + rb"[\s*]*+(?:const\b[\s*]*+)?+)(?:\[\w*+\]\s*+)?+(?=[,)])"
)  # fmt: skip
_TYPED_ARGUMENT = re.compile(
    rb"([(,]\s*+)(" + _QUALIFIER + rb"(?:(?:struct|union|enum)\s++\w++|" + _BASE
    + rb")[\s*]++)(?=\w++\s*+[,)])"
)  # fmt: skip
_PLAIN = re.compile(rb"\w++")

_SCAN = re.compile(
    rb"(\()|(\))(?=[ \t\n]*+(?:[A-Za-z_{}\"]|=[ \t\n]*+\{))|(\))|(\{)|(\})|(;)"
)  # fmt: skip
_WORD = re.compile(rb"[A-Za-z_]\w*+")
_AFTER = re.compile(rb"[ \t\n]*+([A-Za-z_]\w*+|[\s\S])")
_STATEMENT_WORD = re.compile(
    rb"(?:^|[;,({])\s*+(?:if|return|goto|break|continue|for|while|do|switch|case|else)\b"
)
_KEYWORDS = frozenset(
    b"if while for switch return sizeof else do case goto asm __asm__ default typeof typeof_unqual "
    b"__typeof__ __typeof volatile __volatile__ __asm inline const struct union enum "
    b"static extern register int long char void unsigned signed short bool float double".split()
)
_STATEMENT_STARTS = frozenset(b"if while for switch return else do goto break continue".split())


def mask(
    text: bytes, loop_macros: frozenset[str], attributes: frozenset[bytes] = frozenset()
) -> bytes:
    """Mask one function's slice, or a macro's body prepared by `macro_body`.

    loop_macros: the names under ForEachMacros in the tree's .clang-format; they decide where a
    call before a statement on the same line heads a loop. attributes: further words to blank, as
    `attribute_words` finds them in a tree's headers. Never raises. The result has the length and
    the newlines of `text`.
    """
    clean = without_lexemes(text)
    if b"__" in clean:
        clean = _attributes(clean, attributes)
    out = bytearray(clean)
    brace = clean.find(b"{")
    if brace > 0:
        mask_head(out, brace, attributes)
    _rare(out)
    _types(out, brace)
    _Scan(out, max(brace, 0), loop_macros).run()
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


def _attributes(text: bytes, attributes: frozenset[bytes]) -> bytes:
    """Blank attributes, and those with arguments with their arguments."""

    def replace(match: re.Match[bytes]) -> bytes:
        word = match[0]
        return b" " * len(word) if word in ATTRIBUTES or word in attributes else word

    text = _MARKED.sub(replace, text)
    out: bytearray | None = None
    for match in _ATTRIBUTE_CALL.finditer(text):
        if match[0].rstrip(b"( \t\n") in ATTRIBUTE_CALLS:
            close = closing(text, match.end() - 1)
            if close >= 0:
                out = bytearray(text) if out is None else out
                _fill(out, match.start(), close + 1)
    return text if out is None else bytes(out)


def _fill(out: bytearray, start: int, end: int, text: bytes = b"") -> None:
    """Put `text` and spaces in place of out[start:end]; newlines stay."""
    out[start:end] = blank(bytes(out[start:end]))
    if text and len(text) <= end - start:
        out[start : start + len(text)] = text


def _rare(out: bytearray) -> None:
    """What few functions have, each asked for first, because asking is fast."""
    if b"scoped_" in out:
        _guards(out)
    if b"typeof" in out or b"TYPEOF" in out:
        for match in _TYPEOF.finditer(out):
            close = closing(out, match.end() - 1)
            if close >= 0:
                _fill(out, match.end() - 1, close + 1)
    if b"lignof" in out:
        for match in _ALIGNOF.finditer(out):
            _fill(out, *match.span(), b"sizeof")
    if b"offsetof" in out:
        for match in _OFFSETOF.finditer(out):
            start, close = word_before(out, match.start())[0], closing(out, match.end() - 1)
            if close >= 0 and start == match.start():
                _fill(out, start, close + 1, b"0")
    if b"..." in out:
        for match in _RANGE.finditer(out):
            if match.end(2) - match.start(2) >= 4:
                _fill(out, *match.span(2), b" ||")
            else:
                _fill(out, *match.span(2), b"||")
    if b"asm" in out:
        mask_asm(out)
    if b'"' in out:
        _strings(out)
    for match in _STATIC_CALL.finditer(out):
        if match.start() and out[match.start() - 1] in b" \t\n;{}":
            _fill(out, *match.span())
    if b"_" in out:
        for match in _GLUED_NUMBER.finditer(out):
            out[match.start() : match.end()] = bytes(match[0]).replace(b"_", b"0")


def _strings(out: bytearray) -> None:
    """One string of the strings, macros and calls of macros that stand side by side."""
    if b"KERN_" in out:
        for match in _LOG_LEVEL.finditer(out):
            _fill(out, *match.span())
    for match in _STRING_WORDS.finditer(out):
        if match[1] not in _KEYWORDS:
            _fill(out, match.start(1), match.end(1))
    for match in _STRING_CALL.finditer(out):
        close = closing(out, match.end() - 1)
        if close >= 0:
            _fill(out, match.end(1), close + 1, b'""')


def _guards(out: bytearray) -> None:
    for match in _GUARD.finditer(out):
        word = b"while(_cond_guard," if match[1] else b"while(_guard,"
        _fill(out, *match.span(), word)


def _types(out: bytearray, brace: int) -> None:
    """Make words of types that stand as arguments of a call."""
    text = bytes(out)
    for match in _TYPE_ARGUMENT.finditer(text):
        first, last = match.span(2)
        if _PLAIN.fullmatch(text, first, last) or not _in_call(text, match.start(), brace):
            continue
        words = text[first:last].split()
        joined = b"_".join(w.strip(b"*") for w in words if w.strip(b"*"))
        if joined in (b"void", b"int", b"long", b"char", b"unsigned", b"short", b"bool"):
            joined = b"T" + joined[1:]
        newline = text.rfind(b"\n", first, last)
        if newline >= 0:
            joined = joined[: max(newline - first, last - newline - 1)]
            at = first if newline - first >= len(joined) else newline + 1
        else:
            at = first
        _fill(out, first, match.end())
        out[at : at + len(joined)] = joined
    if b"," in text:
        for match in _TYPED_ARGUMENT.finditer(text, max(brace, 0)):
            if text[match.start()] == 0x28 and _in_call(text, match.start(), brace):
                start, _ = word_before(text, match.start())
                if text[:start].rstrip()[-1:] in (b";", b"{", b"}", b")", b":", b""):
                    _fill(out, *match.span(2))


def _in_call(text: bytes, at: int, brace: int) -> bool:
    """Whether the `(` or `,` at `at` opens or parts the arguments of a call."""
    if at < brace:
        return False
    if text[at] == 0x2C:
        return True
    start, end = word_before(text, at)
    return start < end and text[start:end] not in _KEYWORDS


class _Scan:
    """One pass over the parentheses and braces of a body, rewriting by where macros stand."""

    def __init__(self, out: bytearray, start: int, loop_macros: frozenset[str]) -> None:
        self.out = out
        self.text = bytes(out)
        self.start = start
        self.loops = loop_macros
        self.open: list[int] = []
        self.odd: set[int] = set()

    def run(self) -> None:
        """Rewrite the text in place."""
        text, open_ = self.text, self.open
        push, pop = open_.append, open_.pop
        for match in _SCAN.finditer(text, self.start):
            kind = match.lastindex
            if kind == 1 or kind == 4:
                push(match.start())
            elif kind == 3:
                if open_ and text[open_[-1]] == 0x28:
                    pop()
            elif kind == 2:
                if open_ and text[open_[-1]] == 0x28:
                    self.call(pop(), match.start())
            elif kind == 5:
                if open_ and text[open_[-1]] == 0x7B:
                    self.block(pop(), match.start())
            elif open_ and text[open_[-1]] == 0x28:
                self.odd.add(open_[-1])
        if self.odd:
            for opened in self.odd:
                self.statements(opened)
        self.arguments()

    def call(self, opened: int, closed: int) -> None:
        """A `)` with a word, a brace or a string behind it."""
        text, out = self.text, self.out
        start, end = word_before(text, opened)
        if start == end:
            return
        word = text[start:end]
        if word in _KEYWORDS:
            return
        after = _AFTER.match(text, closed + 1)
        if after is None:
            return
        behind = after[1]
        if behind == b'"':
            _fill(out, start, closed + 1, b'""')
            return
        if not self.starts_statement(start):
            return
        if behind == b"=":
            # A macro declares and code initialises: DECLARE_BITMAP(x, n) = { 0 };
            brace = text.find(b"{", closed)
            end_brace = self.match_brace(brace)
            if end_brace > 0:
                _fill(out, after.start(1), end_brace + 1)
            return
        if behind == b"{":
            self.loop(start, end, opened, closed)
            return
        newline = text.find(b"\n", closed, after.start(1))
        if behind == b"}":
            self.end_statement(closed, opened)
        elif newline < 0:
            if word.decode("ascii", "replace") in self.loops or behind in _STATEMENT_STARTS:
                self.loop(start, end, opened, closed)
            elif b"for_each" not in word:
                _fill(out, opened, closed + 1)  # a type made by a macro
            else:
                self.loop(start, end, opened, closed)
        elif behind not in (b"else",) and self.deeper(start, after.start(1)):
            self.loop(start, end, opened, closed)
        else:
            self.end_statement(closed, opened)

    def loop(self, start: int, end: int, opened: int, closed: int) -> None:
        """Put `while` in place of the name of a macro that heads a loop or a condition."""
        room = end - start
        _fill(self.out, start, end, b"while" if room >= 5 else b"if")
        if not self.text[opened + 1 : closed].strip() and closed - opened > 1:
            self.out[opened + 1] = 0x31
        elif closed - opened == 1 and room > 6:
            self.out[end - 1 : opened + 1] = b"(1"[: opened + 2 - end].ljust(opened + 2 - end)

    def starts_statement(self, start: int) -> bool:
        """Whether a statement may begin at `start`."""
        before, behind = word_before(self.text, start)
        if before < behind:
            return self.text[before:behind] in (b"else", b"do")
        return behind <= self.start or self.text[behind - 1] in b";{}:)"

    def deeper(self, start: int, after: int) -> bool:
        """Whether the line of `after` is indented more than the line of `start`."""
        return self.indent(after) > self.indent(start)

    def indent(self, at: int) -> int:
        line = self.text.rfind(b"\n", 0, at) + 1
        width = 0
        for byte in self.text[line:at]:
            if byte == 0x09:
                width += 8 - width % 8
            elif byte == 0x20:
                width += 1
            else:
                break
        return width

    def end_statement(self, closed: int, opened: int) -> None:
        """Put the missing `;` behind a macro that needs none."""
        text, out = self.text, self.out
        mark = 0x3B
        if self.open and text[self.open[-1]] == 0x7B:
            before = self.open[-1] - 1
            while before > 0 and text[before] in b" \t\n":
                before -= 1
            if text[before] in b"=,{":
                mark = 0x2C  # in an initialiser
        place = closed + 1
        while place < len(text) and text[place] == 0x0A:
            place += 1
        if place < len(text) and text[place] in b" \t":
            out[place] = mark
            return
        gap = text.find(b", ", opened, closed)
        if gap >= 0 and b"\n" not in text[gap:closed]:
            out[gap + 1 : closed + 1] = text[gap + 2 : closed + 1] + bytes([mark])

    def match_brace(self, brace: int) -> int:
        depth = 0
        for offset in range(brace, len(self.text)):
            byte = self.text[offset]
            depth += (byte == 0x7B) - (byte == 0x7D)
            if depth == 0:
                return offset
        return -1

    def block(self, opened: int, closed: int) -> None:
        """A `}`: `do { } while_each_x(a);` ends a loop by a macro."""
        text = self.text
        if text.startswith(b"while_", closed + 2) or text.startswith(b"while_", closed + 1):
            start, end = word_before(text, opened)
            if text[start:end] == b"do":
                word = _WORD.search(text, closed)
                paren = text.find(b"(", closed)
                if word and paren >= 0:
                    _fill(self.out, word.start(), word.end(), b"while")
                    if text[paren + 1 : paren + 2] == b")":
                        self.out[paren - 1 : paren + 1] = b"(1"

    def statements(self, opened: int) -> None:
        """Statements as arguments of a macro: `;` inside parentheses."""
        text, out = self.text, self.out
        start, end = word_before(text, opened)
        word = text[start:end]
        if word == b"for":
            return
        closed = closing(text, opened)
        if closed < 0:
            return
        inside = text[opened:closed]
        if start < end and self.starts_statement(start) and _STATEMENT_WORD.search(inside):
            _fill(out, start, end)
            out[opened], out[closed] = 0x7B, 0x7D
            mark, target = 0x2C, 0x3B
        else:
            mark, target = 0x3B, 0x2C
        depth = 0
        last = -1
        for offset in range(opened + 1, closed):
            byte = text[offset]
            if byte in b"({[":
                depth += 1
            elif byte in b")}]":
                depth -= 1
            elif depth == 0 and byte == mark:
                out[offset] = target
                last = offset
        if target == 0x2C and last >= 0 and not text[last + 1 : closed].strip():
            out[last] = 0x20

    def arguments(self) -> None:
        """Arguments that are no expressions: jumps, operators, nothing."""
        out = self.out
        for match in _JUMP.finditer(out, self.start):
            word = bytes(match[2]).upper()
            glue = b"+" if match[3] and word in (b"RETURN", b"GOTO") else bytes(match[3])
            out[match.start(2) : match.end()] = word + glue
        for match in _OPERATOR_ARGUMENT.finditer(out, self.start):
            if match[2] != b"..." or True:
                _fill(out, *match.span(2), b"0")
        for match in _EMPTY_ARGUMENT.finditer(out, self.start):
            if out[match.start()] == 0x2C:
                out[match.start()] = 0x20
            elif match.end() - match.start() > 1:
                out[match.start() + 1] = 0x30
