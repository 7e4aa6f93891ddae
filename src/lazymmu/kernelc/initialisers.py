# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of functions: what a file's initialisers and assignments put into which field.

    static const struct mm_walk_ops smaps_walk_ops = { .pmd_entry = smaps_pte_range, ... };
    .mmu = { .lazy_mode = { .enter = xen_enter_lazy_mmu, ...
    pv_ops.mmu.lazy_mode.enter = xen_enter_lazy_mmu;

Only names are read. Whether a name is a function is for the caller to see.

Limits: initialisers without designators are not read, nor assignments through a pointer (`->`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Initialiser", "read_initialisers"]


@dataclass(frozen=True, slots=True)
class Initialiser:
    """One field of a table that is given a name.

    table: the variable; struct: its type without the word struct, empty for an assignment;
    field: the path of the field in it, `mmu.lazy_mode.enter`; function: the name; conditions:
    the free CONFIG symbols that the place rests on.
    """

    file: str
    line: int
    table: str
    struct: str
    field: str
    function: str
    conditions: tuple[str, ...] = ()


_TABLE: Final = re.compile(
    rb"(?:(?P<kind>struct[ \t]+|typeof\()[ \t]*(?P<struct>\w+)\)?[ \t\n]+)"
    rb"(?P<table>\w+)[ \t]*(?:\[[^\]]*\][ \t]*)?(?:__\w++(?:\([^()]*+\))?+[ \t\n]*+)*+=[ \t\n]*\{"
)
_PIECE: Final = re.compile(
    rb"/\*[\s\S]*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|(?P<brace>[{}])|(?P<comma>,)"
    rb"|(?P<field>(?:\.\w+|\[[^\]]*\])+)[ \t\n]*=[ \t\n]*(?:\([^()]*\)[ \t]*)?&?[ \t]*"
    rb"(?:[A-Z_]\w*[ \t]*\([ \t]*&?)?(?P<value>[A-Za-z_]\w*)?"
)
_ASSIGN: Final = re.compile(
    rb"\n[ \t]+([A-Za-z_]\w*)((?:\.\w+|\[[^\]\n]*\])+)[ \t]*=[ \t\n]*"
    rb"&?(?:[A-Z_]\w*\([ \t]*&?)?([A-Za-z_]\w*)\)?[ \t]*;"
)
_LONGEST: Final = 1 << 20
"""How far an initialiser may go on, in bytes."""

_UNCLOSED: Final = 8
"""After so many initialisers without an end a file is no C."""

_INDEX: Final = re.compile(rb"\[[^\]]*\]")


def _path(text: bytes) -> str:
    return _INDEX.sub(b"", text).decode("latin-1").strip(".")


def read_initialisers(file: str, text: bytes) -> Iterator[tuple[int, Initialiser]]:
    """Yield what the tables of `text` hold, each with its offset.

    `text` is the file with what is not compiled blanked.
    """
    position, unclosed = 0, 0
    while (match := _TABLE.search(text, position)) is not None and unclosed < _UNCLOSED:
        table = match["table"].decode("latin-1")
        struct = match["struct"].decode("latin-1")
        if not match["kind"].startswith(b"struct"):
            struct = f"typeof({struct})"
        line = text.count(b"\n", 0, match.end()) + 1
        position, found = _braces(text, match.end())
        if position < 0:
            position, unclosed = match.end(), unclosed + 1
        for at, field, value in found:
            place = line + text.count(b"\n", match.end(), at)
            yield at, Initialiser(file, place, table, struct, field, value)
    for match in _ASSIGN.finditer(text):
        at = match.start(1)
        line = text.count(b"\n", 0, at) + 1
        table, value = match[1].decode("latin-1"), match[3].decode("latin-1")
        yield at, Initialiser(file, line, table, "", _path(match[2]), value)


def _braces(text: bytes, start: int) -> tuple[int, list[tuple[int, str, str]]]:
    """Read the initialiser whose opening brace ends at `start`.

    Returns the offset behind its closing brace, -1 when there is none, and its fields that are
    given a name: (offset, path, name).
    """
    found: list[tuple[int, str, str]] = []
    # The designator that stands before each open brace, and the one just read.
    path: list[str] = [""]
    pending = ""
    for match in _PIECE.finditer(text, start, start + _LONGEST):
        if match["brace"] == b"{":
            path.append(pending)
            pending = ""
        elif match["brace"] == b"}":
            path.pop()
            pending = ""
            if not path:
                return match.end(), found
        elif match["comma"] is not None:
            pending = ""
        elif match["field"] is not None:
            pending = _path(match["field"])
            if match["value"] is not None:
                field = ".".join(part for part in (*path, pending) if part)
                found.append((match.start("field"), field, match["value"].decode("latin-1")))
    return -1, found
