# SPDX-License-Identifier: GPL-2.0-or-later
"""The names of a structure's members in their order, for initialisers that go by place.

Limit: of a structure that has another without a name inside, what stands before that is known.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lazymmu.kernelc.parse.ops_tables import Initialiser

__all__ = ["members", "with_names"]

_NOISE: Final = re.compile(
    rb"/\*[\s\S]*?\*/|//[^\n]*|^[ \t]*#(?:[^\n\\]|\\\n)*|__attribute__\s*\(\(.*?\)\)", re.M
)
_POINTER: Final = re.compile(rb"\(\s*\*\s*(?:const\s+)?(\w+)\s*(?:\[[^\]]*\])?\s*\)\s*\(")
_NAME: Final = re.compile(rb"(\w+)\s*(?:\[[^\]]*\]\s*)*(?::\s*\w+\s*)?\Z")
_LONGEST: Final = 1 << 16
"""How long a structure may be, in bytes; the longest of the kernel have some 20,000."""


def members(text: bytes, struct: str) -> tuple[str, ...]:
    """Return the members of a structure in the order in which a text declares them.

    Empty where the text does not define it.
    """
    head = re.search(rb"\bstruct\s+" + re.escape(struct.encode()) + rb"\s*\{", text)
    if head is None:
        return ()
    body = _NOISE.sub(b" ", text[head.end() : head.end() + _LONGEST])
    found: list[str] = []
    for statement in _statements(body):
        inner = statement.rpartition(b"}")[2] if b"{" in statement else statement
        names = _declared(inner)
        if not names:
            break
        found += names
    return tuple(found)


def with_names(
    items: Iterable[Initialiser], known: Callable[[str], tuple[str, ...]]
) -> Iterator[Initialiser]:
    """Yield initialisers with the names of fields that are given by place.

    Those whose name nobody knows are left out.

    :param known: the members of a structure, in their order.
    """
    for item in items:
        if not item.field.startswith("#"):
            yield item
            continue
        names, place = known(item.struct), int(item.field[1:])
        if place < len(names):
            yield replace(item, field=names[place])


def _statements(body: bytes) -> Iterator[bytes]:
    """Yield what ends in a semicolon outside of braces, up to the brace that ends it all."""
    depth = begin = 0
    for match in re.finditer(rb"[{};]", body):
        if match[0] == b"{":
            depth += 1
        elif match[0] == b"}":
            depth -= 1
            if depth < 0:
                return
        elif depth == 0:
            yield body[begin : match.start()]
            begin = match.end()


def _declared(statement: bytes) -> list[str]:
    """Return the names that one statement declares."""
    pointer = _POINTER.search(statement)
    if pointer is not None:
        return [pointer[1].decode("latin-1")]
    names = [_NAME.search(part.strip()) for part in statement.split(b",")]
    return [name[1].decode("latin-1") for name in names if name is not None]
