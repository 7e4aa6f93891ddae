# SPDX-License-Identifier: GPL-2.0-or-later
"""One change at one place of a syntax tree, and what it is called.

A change is made on the tree it was found in, so whoever makes one parses the source anew.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Change = Callable[[], None]

RENAMED: Final = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "reversed": "list",
}
"""Functions that another takes the place of: the other end, or no order."""

METHODS: Final = {
    one: other
    for pair in (
        ("union", "intersection"),
        ("issubset", "issuperset"),
        ("startswith", "endswith"),
        ("removeprefix", "removesuffix"),
        ("lstrip", "rstrip"),
        ("partition", "rpartition"),
        ("find", "rfind"),
        ("match", "search"),
        ("add", "discard"),
        ("append", "extend"),
    )
    for one, other in (pair, pair[::-1])
    if one not in {"discard", "extend"}
}
"""Methods that another takes the place of."""

OPPOSITE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

BOUNDARY: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}

SIGNS: Final[dict[type[ast.AST], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.And: "and",
    ast.Or: "or",
    ast.BitAnd: "&",
    ast.BitOr: "|",
}
"""How the operators are written that another takes the place of."""


@dataclass(frozen=True, slots=True)
class Place:
    """One change that can be made.

    kind: what is done, as in "never"; text: the code that it is done to; change: does it; family:
    which kinds are alike; lines: where in the file it is.
    """

    kind: str
    text: str
    change: Change
    family: str = ""
    lines: range = range(0)


def numbered(places: Iterable[Place]) -> Iterator[tuple[Place, int, int]]:
    """Each place, how many before it are of its kind, and how many of those have its text."""
    before: list[Place] = []
    for place in places:
        alike = [one.text for one in before if one.kind == place.kind]
        before.append(place)
        yield place, len(alike), alike.count(place.text)


def title(owner: str, kind: str, text: str, again: int) -> str:
    """What a mutant is called in a data file: the function, the kind and the text."""
    which = f" ({again + 1})" if again else ""
    return f"{owner}: {kind} `{text}`{which}"


def setting(node: ast.AST, field: str, value: object) -> Change:
    """Gives a field another value."""
    return lambda: setattr(node, field, value)


def deciding(node: ast.AST, field: str) -> Iterator[tuple[str, Change]]:
    """Takes a condition to be true, and to be false."""
    for value, word in ((True, "always"), (False, "never")):
        yield word, setting(node, field, ast.Constant(value))


def deleting(block: list[ast.stmt], index: int) -> Change:
    """Leaves a statement out."""

    def change() -> None:
        # An empty generator has to stay one.
        old = block[index]
        yields = any(isinstance(node, ast.Yield) for node in ast.walk(old))
        block[index] = ast.parse("yield from ()" if yields else "pass").body[0]

    return change


def swapping(nodes: list[Any], index: int) -> Change:
    """Makes two neighbours change places."""

    def change() -> None:
        nodes[index], nodes[index + 1] = nodes[index + 1], copy.copy(nodes[index])

    return change


def dropping(nodes: list[ast.expr], index: int) -> Change:
    """Leaves one of several out."""
    return lambda: nodes.__delitem__(index)


def conjuncts(node: ast.BoolOp) -> Iterator[tuple[str, Change]]:
    """Leaves out one part of a condition: its text, and the change."""
    if len(node.values) > 1:
        for index, value in enumerate(node.values):
            yield ast.unparse(value), dropping(node.values, index)
