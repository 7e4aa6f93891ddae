# SPDX-License-Identifier: GPL-2.0-or-later
"""What the names of a file mean: its functions and macros, variables, types, members, symbols.

A name is written as those who use it can tell it from others: `.name` for a member, `name@file` for
what a C file has for itself alone, `name.o` for what a Makefile calls a file, `#name` for a header
that others include, and else as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.parse.declarations import declarations
from lazymmu.kernelc.parse.slices import definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.snapshot.tree import Tree

__all__ = ["FileMeanings", "names_of_file", "used"]

_CODE: Final = (".c", ".h", ".S")
_WORD: Final = re.compile(rb"(\.|->)?\s*([A-Za-z_]\w*)")
_OBJECT: Final = re.compile(rb"\b([\w-]+)\.o\b")
_INCLUDE: Final = re.compile(rb"^\s*#\s*include\s*[<\"](?:[^<>\"]*/)?([^/<>\"]+)[>\"]", re.M)
_LABEL: Final = re.compile(
    rb"^(?:[ \t]*(?:SYM_\w*START\w*|ENTRY)\((\w+)\)|([A-Za-z_]\w*):|[ \t]*\.macro[ \t]+(\w+))", re.M
)
_ENTRY: Final = re.compile(rb"^[ \t]*(?:menu)?config[ \t]+(\w+)[^\n]*\n", re.M)
_NEXT: Final = re.compile(
    rb"^[ \t]*(?:(?:menu)?config|menu|endmenu|choice|endchoice|if|endif|source|comment|mainmenu)\b",
    re.M,
)
_HELP: Final = re.compile(rb"^[ \t]*(?:---)?help(?:---)?[ \t]*$", re.M)


class _Named(NamedTuple):
    """A name and where it is given a meaning: byte offsets, and how it is declared.

    whole: what stands in it is one thing, and two changes of it are of one; code: a function or a
    macro.
    """

    name: str
    key: bytes
    start: int
    end: int
    how: bytes
    whole: bool
    code: bool = False


class FileMeanings:
    """A file of a tree, and what its names mean."""

    def __init__(self, tree: Tree, rel: str | None) -> None:
        """Read the file `rel` of a tree; None: there is none, and no name."""
        self.rel = rel or ""
        self.text = tree.read(rel) if rel and tree.has(rel) else b""
        self.lines = self.text.split(b"\n")
        begins = [0]
        for line in self.lines:
            begins.append(begins[-1] + len(line) + 1)
        meanings: dict[bytes, list[bytes]] = {}
        self._placed: list[tuple[int, int, _Named]] = []
        for one in self._found():
            meanings.setdefault(one.key, []).append(one.how)
            ends = (one.start, max(one.end - 1, one.start))
            first, last = (bisect_right(begins, offset) - 1 for offset in ends)
            self._placed.append((first, last, one))
        self.meanings = {key: sorted(hows) for key, hows in meanings.items()}

    def _found(self) -> Iterator[_Named]:
        base = self.rel.rpartition("/")[2]
        if self.rel.endswith(_CODE):
            yield from self._of_code()
        elif base.startswith("Kconfig"):
            yield from self._of_kconfig()

    def _of_code(self) -> Iterator[_Named]:
        found = definitions(self.text)
        alone = self.rel.endswith(".c")
        for one in found:
            # What a constant is worth is what it means; of others the head tells.
            until = one.end if one.kind == "object" else one.body
            how = b" ".join(self.text[one.start : until].split())
            key = self._key(one.name.encode(), alone and (one.static or one.kind != "function"))
            yield _Named(one.name, key, one.start, one.end, how, True, True)
        for each in declarations(self.text, found):
            name = each.name.encode()
            if each.kind == "member":
                key = b"." + name
            else:
                key = self._key(name, alone and (each.static or each.kind in _OF_A_FILE))
            whole = each.kind == "variable"
            yield _Named(each.name, key, each.start, each.end, each.how, whole)
        if self.rel.endswith(".S"):
            for match in _LABEL.finditer(self.text):
                name = match[1] or match[2] or match[3]
                yield _Named(name.decode(), name, match.start(), match.end(), b"", False)

    def _key(self, name: bytes, alone: bool) -> bytes:
        return name + b"@" + self.rel.encode() if alone else name

    def _of_kconfig(self) -> Iterator[_Named]:
        for match in _ENTRY.finditer(self.text):
            after = _NEXT.search(self.text, match.end())
            end = after.start() if after else len(self.text)
            told = _HELP.search(self.text, match.end(), end)
            how = b" ".join(self.text[match.end() : told.start() if told else end].split())
            yield _Named(match[1].decode(), match[1], match.start(), end, how, True)

    def changed(self, lines: tuple[bytes, ...], leading: int, trailing: int, near: int) -> range:
        """Where the lines of a hunk stand, less its context; counted from 0."""
        block = [line.rstrip(b"\n") for line in lines]
        at = near
        if self.lines[near : near + len(block)] != block:
            places = range(len(self.lines) - len(block) + 1)
            at = min(
                (place for place in places if self.lines[place : place + len(block)] == block),
                key=lambda place: abs(place - near),
                default=near,
            )
        return range(at + leading, at + len(block) - trailing)

    def overlapped(self, lines: range) -> list[_Named]:
        """The names whose meaning some lines, or the gap where there are none, are part of."""
        last = lines.stop - 1
        if not len(lines):
            return [one for begins, ends, one in self._placed if begins < lines.start <= ends]
        return [one for begins, ends, one in self._placed if begins <= last and ends >= lines.start]


_OF_A_FILE: Final = frozenset({"type", "enumerator"})
"""What nobody but a C file knows that has it, whatever it says."""


def names_of_file(rel: str) -> Iterator[bytes]:
    """How others call a file: a Makefile an object, C a header."""
    base, _, kind = rel.rpartition("/")[2].rpartition(".")
    if kind == "h":
        yield b"#" + base.encode() + b".h"
    else:
        yield base.encode() + b".o"


def used(lines: Iterable[bytes], rel: str) -> frozenset[bytes]:
    """The names that lines of a file use."""
    text = b"\n".join(lines)
    found = {stem + b".o" for stem in _OBJECT.findall(text)}
    found |= {b"#" + name for name in _INCLUDE.findall(text)}
    for member, name in _WORD.findall(text):
        if member:
            found.add(b"." + name)
            continue
        found |= {name, name.removeprefix(b"CONFIG_"), name + b"@" + rel.encode()}
    return frozenset(found)
