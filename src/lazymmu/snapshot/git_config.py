# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration of a git repository as text: keys and values, and nothing that they mean.

What a configuration includes is not read, and of what stands in it only plain words are passed on,
and only those that `taken` lists. The syntax: git, Documentation/config.txt.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parse", "taken"]

_SECTION: Final = re.compile(rb'[ \t]*\[([\w.-]+)(?:[ \t]+"((?:[^"\\\n]|\\.)*)")?\]', re.A)
_NAME: Final = re.compile(rb"[ \t]*([A-Za-z][\w-]*)[ \t]*(=?)", re.A)
_BLANK: Final = re.compile(rb"[ \t]*(?:[#;].*)?\r?")
_ESCAPES: Final = {b"n": b"\n", b"t": b"\t", b"b": b"\b", b'"': b'"', b"\\": b"\\"}

_VALUES: Final = {
    # The other formats go without saying, and an older git does not know these words.
    "extensions.objectformat": r"sha256",
    "extensions.refstorage": r"reftable",
    # What `@{upstream}` means.
    "branch.*.remote": r"[\w./+@-]+",
    "branch.*.merge": r"[\w./+@-]+",
    "remote.*.fetch": r"[\w./+@:*-]+",
}
"""What is taken over from a repository's configuration, and how it may read. Whoever adds to it:
a value that names a program, a file or a place must never be here."""

_SUBSECTION: Final = re.compile(r"[\w./+@-]+", re.ASCII)


def parse(text: bytes) -> list[tuple[str, str]]:
    """The keys of a configuration in order, as `section.subsection.name`, each with its value.

    :raises Problem: it is none.
    """
    found: list[tuple[str, str]] = []
    section = ""
    lines = iter(text.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    for number, line in enumerate(lines, 1):
        if match := _SECTION.match(line):
            below = re.sub(rb"\\(.)", rb"\1", match[2]) if match[2] is not None else b""
            section = os.fsdecode(match[1].lower() + (b"." + below if below else b"") + b".")
            line = line[match.end() :]
        if _BLANK.fullmatch(line):
            continue
        name = _NAME.match(line)
        if name is None or not section:
            raise Problem(
                f"the configuration of the git repository cannot be read: bad line {number}"
            )
        key = section + os.fsdecode(name[1].lower())
        rest = line[name.end() :]
        if not name[2]:
            found.append((key, "true"))
            continue
        value, more = _value(rest)
        while more:
            value, more = _value(rest := rest.rstrip(b"\r")[:-1] + next(lines, b""))
        found.append((key, os.fsdecode(value)))
    return found


def _value(text: bytes) -> tuple[bytes, bool]:
    """A value without its quotes, and whether it goes on in the next line."""
    out = bytearray()
    kept = 0  # blanks behind it are not the value's, unless quoted
    quoted = False
    at = 0
    text = text.lstrip(b" \t").removesuffix(b"\r")
    while at < len(text):
        byte = text[at : at + 1]
        at += 1
        if byte == b"\\":
            if at == len(text):
                return bytes(out), True
            out += _ESCAPES.get(text[at : at + 1], text[at : at + 1])
            at += 1
        elif byte == b'"':
            quoted = not quoted
        elif byte in b"#;" and not quoted:
            break
        else:
            out += byte
            if byte in b" \t" and not quoted:
                continue
        kept = len(out)
    return bytes(out[:kept]), False


def taken(found: Iterable[tuple[str, str]]) -> str:
    """The part of a configuration, found as keys and values, that is taken over.

    Returned as git writes one. What is taken has no character that means anything to git there.
    """
    lines = []
    for key, value in found:
        section, _, rest = key.partition(".")
        subsection, dot, name = rest.rpartition(".")
        pattern = _VALUES.get(f"{section}.*.{name}" if dot else key)
        if pattern is None or not re.fullmatch(pattern, value, re.ASCII):
            continue
        if dot and not _SUBSECTION.fullmatch(subsection):
            continue
        quoted = f' "{subsection}"' if dot else ""
        lines.append(f"[{section}{quoted}]\n\t{name} = {value}\n")
    return "".join(lines)
