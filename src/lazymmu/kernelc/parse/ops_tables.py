# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of functions: what a file's initialisers and assignments put into which field.

    static const struct mm_walk_ops smaps_walk_ops = { .pmd_entry = smaps_pte_range, ... };
    .mmu = { .lazy_mode = { .enter = xen_enter_lazy_mmu, ...
    pv_ops.mmu.lazy_mode.enter = xen_enter_lazy_mmu;
    pv_ops.mmu = xen_mmu_ops;
    pv_ops.mmu = (struct pv_mmu_ops){ .lazy_mode.enter = xen_enter_lazy_mmu };
    memcpy(&pv_ops.mmu, &xen_mmu_ops, sizeof(pv_ops.mmu));

Only names are read. Whether a name is a function, or another table that is copied whole, is for
the caller to see.

Limits: initialisers without designators are not read, nor assignments through a pointer (`->`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lazymmu.kernelc.presence import ALWAYS, PresenceCondition

__all__ = ["Initialiser", "read_initialisers"]


@dataclass(frozen=True, slots=True)
class Initialiser:
    """One field of a table that is given a name.

    table: the variable; struct: its type without the word struct, empty for an assignment;
    field: the path of the field in it, `mmu.lazy_mode.enter`, empty for the whole of it; function:
    the name, with a path behind it where part of a table is copied (`xen_ops.mmu`); presence: the
    presence condition of the place.
    """

    file: str
    line: int
    table: str
    struct: str
    field: str
    function: str
    presence: PresenceCondition = ALWAYS


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
    rb"[&*]?(?:[A-Z_]\w*\([ \t]*&?)?([A-Za-z_]\w*(?:\.\w+)*)\)?[ \t]*;"
)
_LITERAL: Final = re.compile(
    rb"\n[ \t]+([A-Za-z_]\w*)((?:\.\w+|\[[^\]\n]*\])*)[ \t]*=[ \t\n]*"
    rb"\([ \t]*(?:const[ \t]+)?(?:struct[ \t]+\w+|typeof\([^()\n]*\))[ \t]*\)[ \t\n]*\{"
)
_COPY: Final = re.compile(
    rb"\n[ \t]+memcpy[ \t]*\([ \t\n]*&?([A-Za-z_]\w*)((?:\.\w+)*)[ \t\n]*,"
    rb"[ \t\n]*&?([A-Za-z_]\w*(?:\.\w+)*)[ \t\n]*,"
)
_WHOLE: Final = re.compile(rb"\n[ \t]+([A-Za-z_]\w*)()[ \t]*=[ \t\n]*[&*]?([A-Za-z_]\w*)[ \t]*;")
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
    tables: set[bytes] = set()
    while (match := _TABLE.search(text, position)) is not None and unclosed < _UNCLOSED:
        tables.add(match["table"])
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
    for match in _LITERAL.finditer(text):
        table, path = match[1].decode("latin-1"), _path(match[2])
        line = text.count(b"\n", 0, match.end()) + 1
        for at, field, value in _braces(text, match.end())[1]:
            place = line + text.count(b"\n", match.end(), at)
            yield at, Initialiser(file, place, table, "", f"{path}.{field}".lstrip("."), value)
    copied = (_WHOLE,) if tables else ()
    for pattern in (_ASSIGN, _COPY, *copied):
        for match in pattern.finditer(text):
            # A variable that is assigned a name as a whole is of interest when that is a table.
            if pattern is _WHOLE and match[3] not in tables:
                continue
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
