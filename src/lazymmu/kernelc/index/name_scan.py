# SPDX-License-Identifier: GPL-2.0-or-later
"""Which names one file may define: enough to know where to look, and quick.

The index of a tree is made of these. It errs towards too much: every function that slices.py
finds in a file is named here, and some names besides (of prototypes' attributes, of functions
in branches that are not compiled). Who asks for a definition reads the file and sees.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Names", "scan_names"]


class Names(NamedTuple):
    """What one file may define.

    :param functions: names of function definitions, of those without `static` on their line in a .c
        file.
    :param fields: last components of fields that an initialiser or an assignment gives a name as
        value, or a part of another table.
    :param structs: variables with an initialiser in braces, variables that are assigned a name, as
        a whole or a field of theirs, and the types of the former, `typeof(x)` as `x`.
    :param given: words of a header that are given to what may be a macro at file level, which may
        make functions of them.
    """

    functions: list[str]
    fields: list[str]
    structs: list[str]
    given: list[str]


# From a line's beginning to the first brace, semicolon or equals sign: what comes to none of them
# is passed over as well, so that text that is no C costs no more than its length.
_REST = (
    rb"[A-Za-z_](?>(?:[^;{}=/]++|/\*(?>(?:[^*]{1,400}+|\*(?!/)){0,20})\*/|//[^\n]*+|/)*))"
    rb"([;{}=]|\Z)"
)
_HEAD: Final = re.compile(rb"\n {0,2}(" + _REST)
_EXTERNAL: Final = re.compile(rb"\n {0,2}((?!static )" + _REST)
_COMMENT: Final = re.compile(rb"/\*(?>(?:[^*]++|\*(?!/))*)\*/")
_CALL: Final = re.compile(rb"(\w+)[ \t\n]*\([ \t\n]*(\w*)")
_USE: Final = re.compile(rb"\n[A-Za-z_]\w*+[ \t]*+\(([^()\n;{}]*+)")
_WORDS: Final = re.compile(rb"[A-Za-z_]\w*+")
_FIELD: Final = re.compile(
    rb"\.(\w+)[ \t]*=[ \t]*[&*]?(?:[A-Z_]+\()?[a-z_]\w*(?:\.\w+)*[ \t]*[),}\n;]"
)
_BRACE: Final = re.compile(rb"=[ \t\n]*\{")
_STRUCT: Final = re.compile(rb"(?:struct[ \t]+|typeof\()(\w+)\)?[ \t\n]+(\w+)[^=;{}]*\Z")
_ASSIGN: Final = re.compile(
    rb"\n\t++([a-z_]\w*+)(?:(\.)\w++(?>(?:\.\w++)*)[ \t]*+=[ \t]*+[&*]?(?:[A-Z_]++\()?[a-z_]\w*+"
    rb"(?>(?:\.\w++)*)\)?;|[ \t]*+=[ \t]*+(\w++);)"
)
"""A field of a variable that is given a name, or a variable that is given one word."""
_COPY: Final = re.compile(rb"\bmemcpy\([ \t\n]*&?([a-z_]\w*)((?:\.\w+)*)[ \t\n]*,[ \t\n]*&?[a-z_]")
_REACH: Final = 160


def scan_names(text: bytes, header: bool) -> Names:
    """Return the names that the file with this text may define; of a header no tables."""
    functions: set[bytes] = set()
    for head, end in (_HEAD if header else _EXTERNAL).findall(b"\n" + text):
        if end != b"{":
            continue
        # What looks like a head may begin in a comment, or with a macro that has no semicolon.
        if b"*/" in head:
            head = _COMMENT.sub(b" ", head).rpartition(b"*/")[2]
        if b"\n\n" in head:
            head = head.rstrip().rpartition(b"\n\n")[2]
        call = _CALL.search(head)
        if call is None:
            continue
        name = call[1]
        if name.startswith(b"_") or name[:1].isupper():
            # An attribute may stand before the name, and a macro may make it.
            for name, argument in _CALL.findall(head):
                functions.add(name)
                if name.upper() == name:
                    functions.update((argument, b"sys_" + argument, b"compat_sys_" + argument))
        else:
            functions.add(name)
    fields: set[bytes] = set()
    structs: set[bytes] = set()
    given: set[bytes] = set()
    if header:
        for use in _USE.findall(b"\n" + text):
            given.update(_WORDS.findall(use))
    else:
        fields.update(_FIELD.findall(text))
        for brace in _BRACE.finditer(text):
            start = brace.start()
            before = _STRUCT.search(text, max(0, start - _REACH), start)
            if before is not None:
                structs.update(before.groups())
        assigned = _ASSIGN.findall(text)
        structs.update(variable for variable, dot, _ in assigned if dot)
        if structs:
            tables = frozenset(structs)
            structs.update(to for to, dot, table in assigned if not dot and table in tables)
        if b"memcpy(&" in text:
            for variable, path in _COPY.findall(text):
                structs.add(variable)
                if path:
                    fields.add(path.rpartition(b".")[2])
    return Names(
        *(
            sorted(name.decode("latin-1") for name in found)
            for found in (functions, fields, structs, given)
        )
    )
