# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers at file level that always point to one function: calls of them are calls of it.

That is a variable or a member of a table that is const, or that is the file's own and assigned
nowhere else in it; a declaration with the attribute alias
(include/linux/compiler_attributes.h); and the key of a static call that its file defines, and that
nobody updates (include/linux/static_call.h).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.index.occurrences import Context, Occurrence
from lazymmu.kernelc.parse.ops_tables import read_initialisers
from lazymmu.kernelc.parse.struct_members import members, with_names
from lazymmu.witness.source.interproc.mode_api import by_key

_NEAR: Final = 400
"""How many bytes before a function's name are looked at for what it is assigned to."""

_HEAD: Final = re.compile(
    rb"([^;{}]*?)(?:\(\s*\*\s*(const\s+)?(\w+)\s*\)\s*\([^()]*\)|\b(\w+))"
    rb"(?:\s*\b__\w+(?:\s*\([^()]*\))?)*\s*=\s*&?\s*\Z"  # __ro_after_init, __section(".x")
)
_ALIAS: Final = re.compile(
    rb"(?:\b(\w+)\s*\([^;{}]*\)|\btypeof\s*\(\s*\w+\s*\)\s*(\w+))[^;{}()]*"
    rb"(?:__attribute__\s*\(\(\s*(?:\w+\s*,\s*)*(?:__)?alias(?:__)?\s*\(\s*\"|\b__alias\s*\(\s*)\Z"
)
_MEMBER: Final = re.compile(rb"(?:(?:\.\s*\w+|\w\s*\])\s*=|[{,])\s*&?\s*\Z")
_KEY: Final = re.compile(rb"\bDEFINE_STATIC_CALL\s*\(\s*(\w+)\s*,\s*&?\s*\Z")
_CONST: Final = re.compile(rb"\bconst\b")
_STATIC: Final = re.compile(rb"\bstatic\b")


class Pointer(NamedTuple):
    """A pointer that is always the same.

    :param path: how it is called, `enable` or `ops->enable`.
    :param private: it is its file's alone.
    :param start: of the function's name in the file.
    :param key: of a static call, "" for a pointer.
    """

    file: str
    path: str
    private: bool
    function: str
    start: int
    key: str = ""


def pointers(
    view: ConfiguredTree, found: Mapping[str, tuple[Occurrence, ...]]
) -> Iterator[Pointer]:
    """The constant pointers of the files that a profile builds to what is one of some words."""
    for file, items in found.items():
        if file.endswith(".c") and file not in view.built:
            continue
        selection = view.headers.selection(file)
        held = list(held_in(file, view.sources.read(file), items))
        view.asked.check("pointers", file, "", told(held))
        compiled = (item for item in held if selection.is_compiled(item.start))
        yield from (item for item in compiled if not _may_be_updated(view, item))


def _may_be_updated(view: ConfiguredTree, pointer: Pointer) -> bool:
    """Whether another file may give a key another function: it names it, and updates some key."""
    if not pointer.key:
        return False
    naming = {*view.having(pointer.key)} - {pointer.file}
    return bool(naming) and not naming.isdisjoint(view.having("static_call_update"))


def told(pointers: Iterable[Pointer]) -> list[str]:
    """Return pointers but for their places."""
    return [f"{item.path} {item.function} {item.private}" for item in pointers]


def held_in(file: str, text: bytes, items: tuple[Occurrence, ...]) -> Iterator[Pointer]:
    """The constant pointers of a file to some of its words, be they compiled or not.

    Limit: a table that is given its members by place has its structure in the same file.
    """
    values = [item for item in items if item.context is Context.VALUE]
    for item in items if b"alias" in text else ():
        match = _ALIAS.search(_before(text, item.start))
        if match is not None:
            name = (match[1] or match[2]).decode("latin-1")
            yield Pointer(file, name, False, item.word, item.start)
    for item in items:
        if item.context is Context.MACRO and (key := _key(text, item.start)):
            private = file.endswith(".c")
            yield Pointer(file, by_key(key), private, item.word, item.start, key)
    # The whole file is only read for tables where something stands as one's member.
    words = {i.word for i in values if _MEMBER.search(text, max(0, i.start - _NEAR), i.start)}
    tables = list(_tables(file, text, words)) if words else []
    for item in values:
        held = [
            (path, private)
            for line, word, path, private in tables
            if (line, word) == (item.line, item.word)
        ]
        if not held and (alone := _variable(text, item.start)) is not None:
            held.append(alone)
        for path, private in held[:1]:
            yield Pointer(file, path, private and file.endswith(".c"), item.word, item.start)


def _variable(text: bytes, start: int) -> tuple[str, bool] | None:
    """The name of the variable that is initialised at an offset, if it never changes."""
    match = _HEAD.search(_before(text, start))
    if match is None:
        return None
    name = match[3] or match[4]
    private = _STATIC.search(match[1]) is not None
    # A const before a pointer's star is that of what it points to.
    const = match[2] is not None or (match[4] is not None and _CONST.search(match[1]) is not None)
    if not const and (not private or _changes(text, name, name)):
        return None
    return name.decode("latin-1"), private


def _key(text: bytes, start: int) -> str:
    """The key of a static call that is defined with the function at an offset, if it stays so."""
    match = _KEY.search(_before(text, start))
    if match is None or re.search(rb"\bstatic_call_update\s*\(\s*" + match[1] + rb"\b", text):
        return ""
    return match[1].decode("latin-1")


def _before(text: bytes, start: int) -> bytes:
    """What stands before an offset in the same declaration."""
    before = text[max(0, start - _NEAR) : start]
    return before[max(before.rfind(mark) for mark in (b";", b"}", b"{")) + 1 :]


def _tables(file: str, text: bytes, words: Collection[str]) -> Iterator[tuple[int, str, str, bool]]:
    """Members of tables that never change: line, function, how it is called, whether private.

    :param words: the functions that are asked for.
    """
    every = (item for _, item in read_initialisers(file, text))
    for item in with_names(every, partial(members, text)):
        if not item.struct or not item.field or item.function not in words:
            continue
        table = item.table.encode()
        begins = re.search(rb"\b" + table + rb"\b[^;{}=]{0,%d}=\s*\{" % _NEAR, text)
        if begins is None or b"[" in begins[0]:
            continue  # Of an array's elements nobody asks which one is called.
        head = _before(text, begins.start())
        private = _STATIC.search(head) is not None
        member = rb"\s*\.\s*".join(part.encode() for part in item.field.split("."))
        path = rb"\b" + table + rb"\s*(?:\.|->)\s*" + member
        if _CONST.search(head) is None and (not private or _changes(text, path, table)):
            continue
        spelled = "->".join((item.table, *item.field.split(".")))
        yield item.line, item.function, spelled, private


def _changes(text: bytes, path: bytes, name: bytes) -> bool:
    """Whether a file assigns to what a pattern fits, more than once, or gives its address away."""
    # The initialiser of a variable is an assignment, that of a member is none.
    inits = 1 if path == name else 0
    assigned = re.findall(
        rb"(?<![\w.>])\(?\*?" + path + rb"\s*\)?\s*(?:\([^()]*\)\s*)?=(?!=)", text
    )
    return len(assigned) > inits or re.search(rb"&\s*" + name + rb"\b", text) is not None
