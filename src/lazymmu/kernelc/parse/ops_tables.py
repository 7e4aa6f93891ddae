# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of functions: what a file's initialisers and assignments put into which field.

    static const struct mm_walk_ops smaps_walk_ops = { .pmd_entry = smaps_pte_range, ... };
    static const struct scan_ops scan_ops = { scan_begin, scan_end };
    .mmu = { .lazy_mode = { .enter = xen_enter_lazy_mmu, ...
    pv_ops.mmu.lazy_mode.enter = xen_enter_lazy_mmu;
    pv_ops.mmu = xen_mmu_ops;
    pv_ops.mmu = (struct pv_mmu_ops){ .lazy_mode.enter = xen_enter_lazy_mmu };
    static const struct mm_walk_ops *used = &smaps_walk_ops;
    used = some ? &smaps_walk_ops : &smaps_shmem_walk_ops;
    memcpy(&pv_ops.mmu, &xen_mmu_ops, sizeof(pv_ops.mmu));

Only names are read. Whether a name is a function, or another table that is copied whole, is for
the caller to see.

What an initialiser gives without a designator has the number of its place for a field (`#0`):
struct_members.py knows the name for it.

Limits: initialisers without designators are read at the top of a table alone, not in a structure
within it; assignments through a pointer (`->`) are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.parse.enumerators import read_enumerators
from lazymmu.kernelc.presence import ALWAYS, PresenceCondition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["Initialiser", "read_constants", "read_initialisers"]


@dataclass(frozen=True, slots=True)
class Initialiser:
    """One field of a table that is given a name.

    :param table: the variable.
    :param struct: its type without the word struct, empty for an assignment.
    :param field: the path of the field in it, `mmu.lazy_mode.enter`, empty for the whole of it,
        `#1` for the second.
    :param function: the name, with a path behind it where part of a table is copied
        (`xen_ops.mmu`).
    :param presence: the presence condition of the place.
    :param constant: whether the table is declared const.
    :param value: all of what the field is given, where that is short.
    """

    file: str
    line: int
    table: str
    struct: str
    field: str
    function: str
    presence: PresenceCondition = ALWAYS
    constant: bool = False
    value: str = ""


_TABLE: Final = re.compile(
    rb"(?:(?P<kind>struct[ \t]++|typeof\()[ \t]*+(?P<struct>\w++)\)?[ \t\n]++)(?:const[ \t\n]++)?"
    rb"(?P<table>\w++)[ \t]*+(?P<array>\[[^\]]*+\][ \t]*+)?"
    rb"(?>(?:__\w++(?>(?:\([^()]*+\))?)[ \t\n]*+)*)=[ \t\n]*+\{"
)
_PIECE: Final = re.compile(
    rb"/\*[\s\S]*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|(?P<brace>[{}])|(?P<comma>,)"
    rb"|(?P<field>(?:\.\w+|\[[^\]]*\])+)[ \t\n]*=[ \t\n]*(?:\([^()]*\)[ \t]*)?&?[ \t]*"
    rb"(?:[A-Z_]\w*[ \t]*\([ \t]*&?)?(?P<value>[A-Za-z_]\w*)?"
    rb"|&?[ \t]*(?P<name>[A-Za-z_]\w*)(?=[ \t\n]*[,}])"
)
_ASSIGN: Final = re.compile(
    rb"\n[ \t]++([A-Za-z_]\w*+)((?>(?:\.\w++|\[[^\]\n]*+\])+))[ \t]*+=[ \t\n]*+"
    rb"[&*]?(?:[A-Z_]\w*+\([ \t]*+&?)?([A-Za-z_]\w*+(?>(?:\.\w++)*))\)?[ \t]*+;"
)
_LITERAL: Final = re.compile(
    rb"\n[ \t]++([A-Za-z_]\w*+)((?>(?:\.\w++|\[[^\]\n]*+\])*))[ \t]*+=[ \t\n]*+"
    rb"\([ \t]*+(?:const[ \t]++)?(?:struct[ \t]++\w++|typeof\([^()\n]*+\))[ \t]*+\)[ \t\n]*+\{"
)
_COPY: Final = re.compile(
    rb"\n[ \t]++memcpy[ \t]*+\([ \t\n]*+&?([A-Za-z_]\w*+)((?>(?:\.\w++)*))[ \t\n]*+,"
    rb"[ \t\n]*+&?([A-Za-z_]\w*+(?>(?:\.\w++)*))[ \t\n]*+,"
)
_POINTER: Final = re.compile(
    rb"\n(?>(?:(?:static|const|extern|__\w+)[ \t]+)*)struct[ \t]+\w+[ \t]*(?:const[ \t]*)?\*[ \t]*"
    rb"(const[ \t]+)?(?>(?:__\w+[ \t]+)*)(\w+)[ \t]*(?:\[[^\]\n]*\][ \t]*)?"
    rb"(?>(?:__\w+[ \t]*)*)=[ \t\n]*"
    rb"(\{[^{};]*\}|&[ \t]*[A-Za-z_]\w*)[ \t\n]*;"
)
_POINTED: Final = re.compile(rb"&[ \t]*([A-Za-z_]\w*)")
_VALUE: Final = re.compile(rb"=([^,{}=;]{1,120})[,}]")
_CONST: Final = re.compile(rb"\bconst\b")
_SCALAR: Final = re.compile(
    rb"^(?:static[ \t]+)?(?:const[ \t]+(?:\w+[ \t]+){1,3}|(?:\w+[ \t]+){1,2}const[ \t]+)(\w+)"
    rb"[ \t]*(?>(?:__\w+[ \t]*)*)=[ \t\n]*([^;{}\"=]{1,120});",
    re.M,
)
_WHOLE: Final = re.compile(
    rb"\n[ \t]++([A-Za-z_]\w*+)()[ \t]*+=[ \t\n]*+[&*]?([A-Za-z_]\w*+)[ \t]*+;"
)
_CHOICE: Final = re.compile(
    rb"\n[ \t]++([A-Za-z_]\w*+)((?>(?:\.\w++|\[[^\]\n]*+\])*))[ \t]*+=[ \t\n]*+"
    rb"(?>(?:[=!<>]=|[^;{}=?]){1,120})\?[ \t\n]*+&?([A-Za-z_]\w*+)[ \t\n]*+:[ \t\n]*+"
    rb"&?([A-Za-z_]\w*+)[ \t\n]*+;"
)
_FUNCTION: Final = re.compile(
    rb"^[A-Za-z_][\w \t*]*+\([ \t]*+\*[ \t]*+const[ \t]++(\w++)[ \t]*+\)[ \t]*+"
    rb"\([^;{}\"=]{1,120}\)[ \t\n]*+=[ \t\n]*+&?[ \t]*+([A-Za-z_]\w*+)[ \t\n]*+;",
    re.M,
)
_LONGEST: Final = 1 << 20
"""How far an initialiser may go on, in bytes."""

_UNCLOSED: Final = 8
"""After so many initialisers without an end a file is no C."""

_DESIGNATED: Final = -(1 << 30)
"""The place of what follows a designator without one of its own: nobody writes so."""

_BETWEEN: Final = re.compile(rb"/\*[\s\S]*?\*/|//[^\n]*")
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
        constant = _is_constant(text, match)
        position, found = _braces(text, match.end(), 1 + (match["array"] is not None))
        if position < 0:
            position, unclosed = match.end(), unclosed + 1
        for at, field, name in found:
            place = line + text.count(b"\n", match.end(), at)
            yield (
                at,
                Initialiser(
                    file,
                    place,
                    table,
                    struct,
                    field,
                    name,
                    constant=constant,
                    value=_value(text, at),
                ),
            )
    for match in _POINTER.finditer(text):
        line = text.count(b"\n", 0, match.start(2)) + 1
        for pointed in _POINTED.finditer(match[3]):
            to = pointed[1].decode("latin-1")
            table, fixed = match[2].decode("latin-1"), match[1] is not None
            yield match.start(2), Initialiser(file, line, table, "", "", to, constant=fixed)
    for match in _LITERAL.finditer(text):
        table, path = match[1].decode("latin-1"), _path(match[2])
        line = text.count(b"\n", 0, match.end()) + 1
        for at, field, value in _braces(text, match.end())[1]:
            place = line + text.count(b"\n", match.end(), at)
            yield at, Initialiser(file, place, table, "", f"{path}.{field}".lstrip("."), value)
    yield from _choices(file, text, tables)
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


def _choices(
    file: str, text: bytes, tables: Collection[bytes]
) -> Iterator[tuple[int, Initialiser]]:
    """What is given one of two names, by a condition; a variable, where those are tables."""
    for match in _CHOICE.finditer(text) if tables else ():
        line = text.count(b"\n", 0, match.start(1)) + 1
        table, path = match[1].decode("latin-1"), _path(match[2])
        for value in (match[3], match[4]):
            if path or value in tables:
                name = value.decode("latin-1")
                yield match.start(1), Initialiser(file, line, table, "", path, name)


def read_constants(text: bytes) -> dict[str, str]:
    """Return the scalars that a file declares const outside of functions, with what they are given.

    Pointers to functions that are const themselves are among them, with the function's name, and
    enumerators with their number. Those that it declares more than once are left out.
    """
    found = read_enumerators(text)
    twice: set[str] = set()
    # Only lines with the word are looked at: few have it.
    at = text.find(b"const")
    while at >= 0:
        begin = text.rfind(b"\n", 0, at) + 1
        match = _SCALAR.match(text, begin) or _FUNCTION.match(text, begin)
        if match is not None:
            name = match[1].decode("latin-1")
            if name in found:
                twice.add(name)
            found[name] = match[2].strip().decode("latin-1")
        end = match.end() if match is not None else text.find(b"\n", at)
        at = text.find(b"const", end) if end >= 0 else -1
    return {name: value for name, value in found.items() if name not in twice}


def _is_constant(text: bytes, table: re.Match[bytes]) -> bool:
    """Whether the table whose initialiser begins is declared const."""
    start = text.rfind(b"\n", 0, table.start()) + 1
    return _CONST.search(text, start, table.end()) is not None


def _value(text: bytes, field: int) -> str:
    """What the field that begins at an offset is given, "" where that is long or has braces."""
    found = _VALUE.search(text, field, field + 200)
    return found[1].strip().decode("latin-1") if found is not None else ""


def _braces(text: bytes, start: int, top: int = 0) -> tuple[int, list[tuple[int, str, str]]]:
    """Read the initialiser whose opening brace ends at `start`.

    Returns the offset behind its closing brace, -1 when there is none, and its fields that are
    given a name: (offset, path, name).

    :param top: how many braces are open where the fields of the table itself stand; 0: those that
        have no designator are not read.
    """
    found: list[tuple[int, str, str]] = []
    # The designator that stands before each open brace, and the one just read.
    path: list[str] = [""]
    pending = ""
    # Which field comes next without a designator, and where what it is given begins.
    places, fresh = [0], start
    for match in _PIECE.finditer(text, start, start + _LONGEST):
        if match["brace"] == b"{":
            path.append(pending)
            places.append(0)
            pending, fresh = "", match.end()
        elif match["brace"] == b"}":
            path.pop()
            places.pop()
            pending = ""
            if not path:
                return match.end(), found
        elif match["comma"] is not None:
            pending, fresh = "", match.end()
            places[-1] += 1
        elif match["field"] is not None:
            pending = _path(match["field"])
            places[-1] = _DESIGNATED
            if match["value"] is not None:
                field = ".".join(part for part in (*path, pending) if part)
                found.append((match.start("field"), field, match["value"].decode("latin-1")))
        elif len(path) == top and places[-1] >= 0 and match["name"] is not None:
            alone = not _BETWEEN.sub(b"", text[fresh : match.start()]).strip()
            name = match["name"].decode("latin-1")
            found += [(match.start(), f"#{places[-1]}", name)] if alone else []
        elif len(path) > max(top, 1) and path[-1] and places[-1] >= 0 and match["name"] is not None:
            # An element of an array that is a member: `.steps = { quick, slow }`.
            field = ".".join(part for part in path if part)
            alone = not _BETWEEN.sub(b"", text[fresh : match.start()]).strip()
            name = match["name"].decode("latin-1")
            found += [(match.start(), field, name)] if alone else []
    return -1, found
