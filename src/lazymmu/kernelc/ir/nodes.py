# SPDX-License-Identifier: GPL-2.0-or-later
"""The compact form of one C function: expressions as tuples, statements as a flow graph.

An expression is a tuple whose first item names it:

    ("id", name)                 ("num", value)               ("str",)
    ("call", callee, args, line, column)      callee: a name, or an expression
    ("field", base, name)        ``a.b`` and ``a->b`` alike
    ("index", base, index)       ("deref", e)                 ("addr", e)
    ("not", e)                   ("un", op, e)                ("bin", op, a, b)
    ("assign", op, target, e)    ("step", op, target)         ``x++`` and ``--x``
    ("cond", c, a, b)            ("cast", type, e)            ("other", items)

Calls, assignments and steps are the only expressions with an effect; they happen in the
order in which an inner-first, left-to-right walk meets them.  ``&&``, ``||``, ``!`` in
conditions and ``?:`` with effects inside are lowered into branches, so that a node's
expression is evaluated as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Expr = tuple[Any, ...]

EVAL, BRANCH, SWITCH, RETURN, NOP = range(5)

UNPARSED = "not understood by the parser"
"""Why a function is broken that has an ERROR or MISSING node, or a jump to no label."""

LOOP = "for each"
"""Callee of the pseudo-call that a loop macro's head becomes; it sets any of its arguments."""


@dataclass(slots=True)
class Node:
    """One node of a flow graph.

    ``succ`` holds indices of nodes: one for EVAL and NOP; (taken, not taken) for BRANCH;
    one per case for SWITCH, whose ``cases`` are the case values (None: default or unknown
    value); none for RETURN.
    """

    op: int
    expr: Expr | None
    line: int
    column: int
    succ: list[int] = field(default_factory=list)
    cases: tuple[int | None, ...] = ()


@dataclass(slots=True)
class Function:
    """One function, or one macro taken as a function of its arguments."""

    name: str
    file: str
    line: int
    params: tuple[str, ...]
    types: dict[str, str]
    returns: str
    nodes: list[Node]
    macro: bool = False
    broken: str = ""
    """Why what this function does is not fully known, such as "not understood by the parser";
    empty when all of it was read."""

    @property
    def unread(self) -> bool:
        """Whether nothing of it was read: the graph is empty, and stands for anything."""
        return self.broken not in ("", UNPARSED)

    def calls(self) -> Iterator[tuple[Node, Expr]]:
        """Every call of the function with the node it stands in."""
        for node in self.nodes:
            if node.expr is not None:
                for call in calls_in(node.expr):
                    yield node, call


def calls_in(expr: Expr) -> Iterator[Expr]:
    """Calls inside an expression, inner first, left to right."""
    for item in expr[1:]:
        if type(item) is tuple:
            if item and type(item[0]) is str:
                yield from calls_in(item)
            else:
                for part in item:
                    if type(part) is tuple:
                        yield from calls_in(part)
    if expr[0] == "call":
        yield expr


def names_in(expr: Expr) -> Iterator[str]:
    """Identifiers that an expression mentions, fields left out."""
    kind = expr[0]
    if kind == "id":
        yield expr[1]
        return
    if kind == "field":
        yield from names_in(expr[1])
        return
    for item in expr[1:]:
        if type(item) is tuple:
            if item and type(item[0]) is str:
                yield from names_in(item)
            else:
                for part in item:
                    if type(part) is tuple:
                        yield from names_in(part)


@lru_cache(maxsize=1 << 16)
def text(expr: Expr) -> str:
    """A canonical spelling of an expression; equal spellings mean the same operation."""
    match expr:
        case ("id", name):
            return str(name)
        case ("num", value):
            return str(value)
        case ("call", callee, args, *_):
            head = callee if isinstance(callee, str) else text(callee)
            return f"{head}({', '.join(text(a) for a in args)})"
        case ("field", ("deref", base), name):
            return f"{text(base)}->{name}"
        case ("field", ("addr", base), name):
            return f"{text(base)}->{name}"
        case ("field", base, name):
            return f"{text(base)}->{name}"
        case ("index", base, index):
            return f"{text(base)}[{text(index)}]"
        case ("deref", ("addr", inner)) | ("addr", ("deref", inner)):
            return text(inner)
        case ("deref", inner):
            return f"*{text(inner)}"
        case ("addr", inner):
            return f"&{text(inner)}"
        case ("not", inner):
            return f"!{text(inner)}"
        case ("un", op, inner):
            return f"{op}{text(inner)}"
        case ("bin", op, left, right):
            return f"({text(left)} {op} {text(right)})"
        case ("assign", op, target, value):
            return f"{text(target)} {op} {text(value)}"
        case ("step", op, target):
            return f"{text(target)}{op}"
        case ("cond", test, yes, no):
            return f"({text(test)} ? {text(yes)} : {text(no)})"
        case ("cast", _, inner):
            return text(inner)
        case ("str",):
            return '""'
        case ("other", items):
            return f"{{{', '.join(text(i) for i in items)}}}"
    return "?"


def changed(expr: Expr) -> Iterator[tuple[Expr, Expr | None]]:
    """What evaluating an expression writes: (target, value); value None for a change in place.

    ``&x`` given to a call, and the arguments of a loop macro, count as changed in place.
    """
    for item in expr[1:]:
        if type(item) is tuple and item:
            if type(item[0]) is str:
                yield from changed(item)
            else:
                for part in item:
                    if type(part) is tuple:
                        yield from changed(part)
    kind = expr[0]
    if kind == "assign":
        yield strip(expr[2]), expr[3] if expr[1] == "=" else None
    elif kind == "step":
        yield strip(expr[2]), None
    elif kind == "call":
        for arg in expr[2]:
            if arg[0] == "addr":
                yield arg[1], None
            elif expr[1] == LOOP and arg[0] == "id":
                yield arg, None


def strip(expr: Expr) -> Expr:
    """The expression without casts around it."""
    while expr[0] == "cast":
        expr = expr[2]
    return expr
