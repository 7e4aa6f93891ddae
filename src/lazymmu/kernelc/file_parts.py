# SPDX-License-Identifier: GPL-2.0-or-later
"""Which parts of files an analysis looked at, and what tells each from others.

A file may change without a change of what was asked of it: a comment between functions, a function
whose name nobody looked for, lines that move. Parts are compared without their places; where those
of definitions are is told beside it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.parse import kernel_doc
from lazymmu.kernelc.parse.lexemes import without_comments
from lazymmu.kernelc.preprocess.directives import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.kernelc.asked import Asked
    from lazymmu.kernelc.function_tables import FunctionTables
    from lazymmu.kernelc.name_lookup import NameLookup
    from lazymmu.kernelc.parse.slices import RawDef
    from lazymmu.kernelc.preprocess.headers import Headers
    from lazymmu.kernelc.source_texts import SourceTexts

__all__ = [
    "ChangedParts", "FileParts", "Lines", "by_line", "difference", "macros_used", "names_told",
]  # fmt: skip

Lines = list[tuple[str, int, int]]
"""Definitions of a file in its order: the name, the first line and the last. A function has one of
these for each run of lines that comments and empty lines in its body leave."""

_WORDS: Final = re.compile(r"[A-Za-z_]\w*")

_TOLD: Final = ("define", "include")
"""Directives that are told otherwise: with the definitions of the file, and by the walk."""

_REST: Final = 4
"""What tells a file comes before what tells its definitions."""

_USE: Final = "+"
"""Between a macro and the words that a use of it is given which may make functions."""

_NONE: Final = ("", "")
"""What tells a definition that is not there."""

_LONG: Final = 64 << 10
"""Bytes of a function's body from which on comments count: no file takes long, and a definition
that is near the bound of what is read (ir/bounds.py) is told by its whole text."""


class ChangedParts(NamedTuple):
    """In what two states of one file differ.

    :param bodies: names of functions of which the body alone is another one.
    :param names: names that are defined there now, or no more, or otherwise: as a function that
        takes other parameters, say, or is compiled under another condition.
    :param conditions: whether the file has other conditions of `#if`, or others are around it.
    :param order: whether macros are defined elsewhere among the conditions.
    :param tables: whether tables of functions, or constants beside them, are other ones.
    :param made: words that are given to macros which may make other functions now.
    """

    bodies: list[str]
    names: list[str]
    conditions: bool
    order: bool
    tables: bool
    made: set[str]


class FileParts:
    """The parts of the files of one configured tree."""

    def __init__(
        self,
        asked: Asked,
        texts: SourceTexts,
        headers: Headers,
        names: NameLookup,
        tables: FunctionTables,
    ) -> None:
        """Tell of what `asked` says was asked for, by those that answered."""
        self._asked = asked
        self._texts = texts
        self._headers = headers
        self._names = names
        self._tables = tables

    def files(self) -> list[str]:
        """Return the files of which something was asked."""
        return sorted(
            {
                *self._names.read, *self._names.made.read, *self._tables.read,
                *self._headers.read,
            }
        )  # fmt: skip

    def with_uses(self, rel: str) -> bool:
        """Tell whether uses of macros that make functions were looked for in a file."""
        return rel in self._names.made.read

    def with_tables(self, rel: str) -> bool:
        """Tell whether the tables of a file were looked at."""
        return rel in self._tables.read

    def in_tables(self, rel: str) -> frozenset[str]:
        """Return the words that tables of functions, and constants beside them, have as values."""
        items, constants = self._tables.of_file(rel)
        values = (*(item.function for item in items), *constants.values())
        return frozenset(word for value in values for word in _WORDS.findall(value))

    def of(
        self, rel: str, names: Iterable[str], *, listed: bool, tables: bool, uses: bool
    ) -> list[str]:
        """Return what tells the parts of a file: those with one of `names`, and the rest.

        Of a .c file, all macros are told that it defines itself.

        :param listed: which definitions there are counts too.
        :param tables: so do its tables.
        :param uses: so do uses of macros that make functions.
        """
        text = self._texts.raw(rel)
        # Of a header that was walked the walk tells as much.
        walked = rel in self._headers.selections and not rel.endswith(".c")
        lines, _ = ([], []) if walked else scan(text.decode("latin-1"))
        torn = bool(self._texts.conflicts(rel))
        items, constants = self._tables.of_file(rel) if tables else ((), {})
        raws = self._names.of_file(rel)
        # Who gives a table's members by place has their names of a header that he includes.
        by_place = any(item.field.startswith("#") for item in items)
        held = (
            [replace(item, line=0) for item in items],
            sorted(constants.items()),
            list(self._headers.includes.get(rel, ())) if by_place else [],
        )
        return [
            _short((torn, [(raw.kind, raw.name) for raw in raws] if listed else [])),
            _short(held),
            _short([(kind, word, rest) for kind, _, _, word, rest in lines if kind not in _TOLD]),
            _short([(kind, word) for kind, _, _, word, _ in lines if kind != "include"]),
            *self._definitions(rel, text, frozenset(names), macros=not walked),
            *(self._uses(rel, text) if uses else ()),
        ]

    def _definitions(
        self, rel: str, text: bytes, names: frozenset[str], *, macros: bool
    ) -> list[str]:
        selection = self._headers.selection(rel)
        found: dict[str, list[tuple[object, bytes]]] = {}
        for raw in self._names.of_file(rel):
            if raw.name in names or (macros and raw.kind != "function"):
                said = kernel_doc.doc_context(text, raw) if raw.kind != "object" else ""
                told, own = _told(text, raw), _is_told_by_code(raw)
                head = (
                    raw.kind, raw.static, raw.inline, raw.params, raw.body - raw.start,
                    text[raw.start : raw.body], b"" if own else told, said,
                    selection.is_compiled(raw.start), selection.presence(raw.start),
                )  # fmt: skip
                found.setdefault(raw.name, []).append((head, told if own else b""))
        return [
            f"{name} {_short([head for head, _ in items])} {_short([body for _, body in items])}"
            for name, items in sorted(found.items())
        ]

    def _uses(self, rel: str, text: bytes) -> Iterable[str]:
        """What tells the uses of macros, those of one with the same words together."""
        selection = self._headers.selection(rel)
        macros = [raw for raw in self._names.of_file(rel) if raw.kind != "function"]
        found: dict[str, list[object]] = {}
        for macro, start, end in self._names.made.of_file(rel):
            compiled = selection.is_compiled(start), selection.presence(start)
            # With a macro that stands behind the use it is not expanded.
            later = [raw.name for raw in macros if raw.start >= start]
            words = sorted({*_WORDS.findall(text[start:end].decode("latin-1"))} - {macro})
            use = macro + _USE + ",".join(words)
            found.setdefault(use, []).append((text[start:end], later, compiled))
        for use, some in sorted(found.items()):
            yield f"{use} {_short(some)} {_short(some)}"

    def lines(self, rel: str, names: Iterable[str]) -> Lines:
        """Return the lines of the definitions of a file that have one of `names`, and of uses."""
        wanted = frozenset(names)
        text = self._texts.raw(rel)
        places: list[tuple[int, int, str, RawDef | None]] = [
            (raw.start, raw.end, raw.name, raw)
            for raw in self._names.of_file(rel)
            if raw.name in wanted
        ]
        if self.with_uses(rel):
            uses = self._names.made.of_file(rel)
            places += ((start, end, macro, None) for macro, start, end in uses)
        found: Lines = []
        line, at = 1, 0
        for start, end, name, raw in sorted(places, key=itemgetter(0, 1, 2)):
            line += text.count(b"\n", at, start)
            at = start
            if raw is None or not _is_told_by_code(raw):
                found.append((name, line, line + text.count(b"\n", at, end)))
                continue
            found += _runs(name, line, line + text.count(b"\n", start, raw.body), _code(text, raw))
        return found


def difference(then: Sequence[str], now: Sequence[str]) -> ChangedParts | None:
    """Return in what a file differs; None where that is more than definitions.

    :param then: what told the parts of a file (`FileParts.of`).
    :param now: likewise.
    """
    if then[:1] != now[:1]:
        return None
    before, after = _by_name(then[_REST:]), _by_name(now[_REST:])
    tables, conditions, order = (then[at] != now[at] for at in range(1, _REST))
    found = ChangedParts([], [], conditions, order, tables, set())
    for name in sorted(before.keys() | after.keys()):
        (head, body), (new_head, new_body) = before.get(name, _NONE), after.get(name, _NONE)
        if _USE in name:
            if head != new_head:
                found.made.update(name.partition(_USE)[2].split(","))
        elif head != new_head:
            found.names.append(name)
        elif body != new_body:
            found.bodies.append(name)
    return found


def names_told(told: Sequence[str]) -> set[str]:
    """Return the names of the definitions that are told."""
    return {name for name in _by_name(told[_REST:]) if _USE not in name}


def macros_used(told: Sequence[str]) -> set[str]:
    """Return the macros of which uses are told that may make functions."""
    return {name.partition(_USE)[0] for name in _by_name(told[_REST:]) if _USE in name}


def _by_name(told: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What tells the heads and the bodies of the definitions of each name."""
    found = {}
    for item in told:
        name, head, body = item.split(" ")
        found[name] = head, body
    return found


def _short(parts: Sequence[object]) -> str:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def by_line(lines: Lines) -> Lines:
    """Return each line for itself: what is told by its code may have others in between."""
    return [(name, at, at) for name, first, last in lines for at in range(first, last + 1)]


def _is_told_by_code(raw: RawDef) -> bool:
    """Whether comments and empty lines in a definition's body say nothing to anybody.

    In a macro they are part of a directive.
    """
    return raw.kind == "function" and raw.end - raw.body < _LONG


def _code(text: bytes, raw: RawDef) -> list[tuple[int, bytes]]:
    """The lines of a function's body that have more than comments, counted from its first."""
    body = text[raw.body : raw.end]
    if b"\\\n" in body:
        return list(enumerate(body.split(b"\n")))
    lines = without_comments(body).split(b"\n")
    return [(n, line) for n, one in enumerate(lines) if (line := one.rstrip())]


def _told(text: bytes, raw: RawDef) -> bytes:
    """The body of a definition, of a function what counts of it."""
    if not _is_told_by_code(raw):
        return text[raw.body : raw.end]
    return b"\n".join(line for _, line in _code(text, raw))


def _runs(name: str, first: int, body: int, code: list[tuple[int, bytes]]) -> Lines:
    """The lines of a function: its head, from `first`, and what counts of its body, as runs."""
    found = [(name, first, body)]
    for n, _ in code:
        at = body + n
        if at == found[-1][2] + 1:
            found[-1] = name, found[-1][1], at
        elif at > body:
            found.append((name, at, at))
    return found
