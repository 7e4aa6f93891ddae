# SPDX-License-Identifier: GPL-2.0-or-later
"""C types as far as the machine needs them: how wide an integer is, what a structure has in it.

Limits: bit fields are taken to be as wide as they say and to stand alone; the members of unions
are taken to be separate.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["CType", "Declared", "declarations", "typed"]

_WIDTHS: Final = {
    "bool": (1, False),
    "_Bool": (1, False),
    "u8": (8, False),
    "__u8": (8, False),
    "uint8_t": (8, False),
    "unsigned char": (8, False),
    "s8": (8, True),
    "__s8": (8, True),
    "char": (8, True),
    "signed char": (8, True),
    "u16": (16, False),
    "__u16": (16, False),
    "uint16_t": (16, False),
    "unsigned short": (16, False),
    "s16": (16, True),
    "__s16": (16, True),
    "short": (16, True),
    "u32": (32, False),
    "__u32": (32, False),
    "uint32_t": (32, False),
    "unsigned int": (32, False),
    "unsigned": (32, False),
    "s32": (32, True),
    "__s32": (32, True),
    "int": (32, True),
    "u64": (64, False),
    "__u64": (64, False),
    "uint64_t": (64, False),
    "unsigned long": (64, False),
    "unsigned long long": (64, False),
    "size_t": (64, False),
    "s64": (64, True),
    "__s64": (64, True),
    "long": (64, True),
    "long long": (64, True),
}
"""Bits and sign, where `long` has 64 bits, as on all machines with the mode."""

_QUALIFIERS: Final = re.compile(
    r"\b(?:const|volatile|static|extern|register|inline|__percpu|__rcu|__user|__iomem|__force|__bitwise)\b"
    r"|__attribute__\s*\(\(.*?\)\)|\b__aligned\s*\([^)]*\)|\b____cacheline_aligned\w*"
)
_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_DIRECTIVE: Final = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.M)


class CType(NamedTuple):
    """A type: what it is of, how many stars stand behind that, its dimensions as they are spelled.

    :param bits: of a bit field, 0 for none.
    """

    base: str
    stars: int = 0
    dims: tuple[str, ...] = ()
    bits: int = 0

    @property
    def aggregate(self) -> bool:
        """Whether a value of it is several: a structure or an array."""
        return bool(self.dims) or (not self.stars and self.base.startswith(("struct ", "union ")))

    @property
    def width(self) -> tuple[int, bool] | None:
        """Bits and sign of an integer, None for what is none or is not known."""
        if self.stars or self.dims:
            return None
        if self.base.startswith("enum "):
            return 32, False
        known = _WIDTHS.get(self.base)
        return (self.bits, known[1]) if self.bits and known else known

    def wrapped(self, value: object) -> object:
        """Return what a variable of this type holds once `value` is stored in it."""
        if not isinstance(value, int) or isinstance(value, bool):
            value = int(value) if isinstance(value, bool) else value
        width = self.width
        if width is None or not isinstance(value, int):
            return value
        bits, signed = width
        if bits == 1:
            return int(value != 0)
        value &= (1 << bits) - 1
        return value - (1 << bits) if signed and value >> (bits - 1) else value

    @property
    def element(self) -> CType:
        """Return the type of an element of the array, or of what a pointer points to."""
        if self.dims:
            return self._replace(dims=self.dims[1:])
        return self._replace(stars=max(self.stars - 1, 0))


class Declared(NamedTuple):
    """A member or a variable: its name and its type; of one without a name, what is inside."""

    name: str
    type: CType
    inside: tuple[Declared, ...] = ()


def typed(text: str, stars: int = 0, dims: tuple[str, ...] = (), bits: int = 0) -> CType:
    """Return the type that `text` spells: `struct lazy_mmu_state *`, `const unsigned int`."""
    plain = _QUALIFIERS.sub(" ", text)
    stars += plain.count("*")
    base = " ".join(plain.replace("*", " ").split())
    for spelled in ("long unsigned int", "unsigned long int", "long int"):
        if base == spelled:
            base = {"long int": "long"}.get(base, "unsigned long")
    return CType(base, stars, dims, bits)


def declarations(body: str) -> tuple[Declared, ...]:
    """Return what stands between the braces of a structure, in order."""
    plain = _DIRECTIVE.sub(" ", _COMMENT.sub(" ", body))
    found: list[Declared] = []
    for part in _statements(plain):
        found += _declared(part)
    return tuple(found)


def _statements(text: str) -> list[str]:
    """Return the parts of `text` that end in a semicolon outside of braces."""
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
        elif char == ";" and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return parts


_DECLARATOR: Final = re.compile(
    r"(?P<stars>[*\s]*)(?P<name>[A-Za-z_]\w*)\s*(?P<dims>(?:\[[^\]]*\]\s*)*)"
    r"(?::\s*(?P<bits>\d+)\s*)?\Z"
)
_FIRST: Final = re.compile(
    r"\s*(\w+(?:\s+\w+)*?)(\s+|\s*\*[\s*]*)(\w+\s*(?:\[[^\]]*\]\s*)*(?::\s*\d+\s*)?)\Z"
)
_FUNCTION: Final = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(", re.S)


def _declared(part: str) -> list[Declared]:
    """Return what one declaration declares: several names may share a type."""
    if "{" in part:
        inner, _, after = part[part.index("{") + 1 :].rpartition("}")
        members = declarations(inner + ";")
        kind = part[: part.index("{")].split()
        head = " ".join(kind[:2]) or "struct"
        names = [match for match in map(_one, after.split(",")) if match is not None]
        if not names:
            return [Declared("", CType(head if len(kind) > 1 else "struct "), members)]
        return [Declared(n, CType("struct ", s, d), members) for n, s, d, _ in names]
    pointer = _FUNCTION.search(part)
    if pointer is not None:
        return [Declared(pointer[1], CType("function", 1))]
    plain = _QUALIFIERS.sub(" ", part)
    first, *others = plain.split(",")
    match = _FIRST.match(first)
    if match is None:
        return []
    found = []
    for text in (f"{match[2]}{match[3]}", *others):
        one = _one(text)
        if one is not None:
            name, stars, dims, bits = one
            found.append(Declared(name, typed(match[1], stars, dims, bits)))
    return found


def _one(text: str) -> tuple[str, int, tuple[str, ...], int] | None:
    """Return name, stars, dimensions and bits of one declarator."""
    match = _DECLARATOR.match(_QUALIFIERS.sub(" ", text))
    if match is None:
        return None
    dims = tuple(re.findall(r"\[([^\]]*)\]", match["dims"]))
    return match["name"], match["stars"].count("*"), dims, int(match["bits"] or 0)
