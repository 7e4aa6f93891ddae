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
    rb"(?P<table>\w+)[ \t]*(?:\[[^\]]*\][ \t]*)?(?:__\w+(?:\([^()]*\))?[ \t\n]*)*=[ \t\n]*\{"
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
_INDEX: Final = re.compile(rb"\[[^\]]*\]")


def _path(text: bytes) -> str:
    return _INDEX.sub(b"", text).decode("latin-1").strip(".")


def read_initialisers(file: str, text: bytes) -> Iterator[tuple[int, Initialiser]]:
    """Yield what the tables of `text` hold, each with its offset.

    `text` is the file with what is not compiled blanked.
    """
    for match in _TABLE.finditer(text):
        table = match["table"].decode("latin-1")
        struct = match["struct"].decode("latin-1")
        if not match["kind"].startswith(b"struct"):
            struct = f"typeof({struct})"
        yield from _braces(file, text, match.end(), table, struct)
    for match in _ASSIGN.finditer(text):
        at = match.start(1)
        yield (
            at,
            Initialiser(
                file,
                text.count(b"\n", 0, at) + 1,
                match[1].decode("latin-1"),
                "",
                _path(match[2]),
                match[3].decode("latin-1"),
            ),
        )


def _braces(
    file: str, text: bytes, start: int, table: str, struct: str
) -> Iterator[tuple[int, Initialiser]]:
    """Yield the fields of the initialiser whose opening brace ends at `start`."""
    # The designator that stands before each open brace, and the one just read.
    path: list[str] = [""]
    pending = ""
    counted, line = 0, 1
    for match in _PIECE.finditer(text, start):
        if match["brace"] == b"{":
            path.append(pending)
            pending = ""
        elif match["brace"] == b"}":
            path.pop()
            pending = ""
            if not path:
                return
        elif match["comma"] is not None:
            pending = ""
        elif match["field"] is not None:
            pending = _path(match["field"])
            if match["value"] is not None:
                at = match.start("field")
                line += text.count(b"\n", counted, at)
                counted = at
                field = ".".join(part for part in (*path, pending) if part)
                value = match["value"].decode("latin-1")
                yield at, Initialiser(file, line, table, struct, field, value)
