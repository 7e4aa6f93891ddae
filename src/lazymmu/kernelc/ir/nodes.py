# SPDX-License-Identifier: GPL-2.0-or-later
"""The compact form of one C function: a flow graph of expressions (see expr.py).

Calls, assignments, `++` and `--` are the only expressions with an effect; they happen in the
order of `walk`: inner first, from the left. `&&`, `||`, `!` in conditions and `?:` with effects
inside are lowered into branches, so that a node's expression is evaluated as a whole or not at
all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import (
    CALLS,
    EFFECTS,
    LEAVES,
    VARIABLES,
    Address,
    AnyCall,
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Deref,
    Expr,
    Field,
    Guard,
    IncDec,
    Index,
    LoopHead,
    Name,
    Not,
    Number,
    Other,
    String,
    Temporary,
    Unary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVAL, BRANCH, SWITCH, RETURN, NOP = range(5)

UNPARSED = "not understood by the parser"
"""Why a function is broken that has an ERROR or MISSING node, or a jump to no label."""


@dataclass(slots=True)
class Node:
    """One node of a flow graph.

    `succ` holds indices of nodes: one for EVAL and NOP; (taken, not taken) for BRANCH;
    one per case for SWITCH, whose `cases` are the case values (a name, which an enumerator may
    have; None: default or unknown value); none for RETURN.
    """

    op: int
    expr: Expr | None
    line: int
    column: int
    succ: list[int] = field(default_factory=list)
    cases: tuple[int | str | None, ...] = ()


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
    scoped: list[int] = field(default_factory=list)
    """The nodes that a scope brings with it: its guards taken, asked for and dropped, and cleanup
    functions called (include/linux/cleanup.h)."""
    spliced: dict[tuple[str, int, str], None] = field(default_factory=dict)
    """File, line of the text, and name of the functions whose bodies stand in it."""

    @property
    def place(self) -> tuple[str, int, str]:
        """File, line and name: a macro may make several functions in one line."""
        return (self.file, self.line, self.name)

    @property
    def unread(self) -> bool:
        """Whether nothing of it was read: the graph is empty, and stands for anything."""
        return self.broken not in ("", UNPARSED)

    def calls(self) -> Iterator[tuple[Node, AnyCall]]:
        """Every call of the function with the node it stands in."""
        for node in self.nodes:
            if node.expr is not None:
                for call in calls_in(node.expr):
                    yield node, call


def walk(expr: Expr, into: Callable[[Expr], tuple[Expr, ...]] | None = None) -> tuple[Expr, ...]:
    """Return an expression and all inside of it, in the order of evaluation.

    That is inner first, from the left; every node once for each place at which it stands.

    :param into: the parts of a node that are gone into, all if it is not given.
    """
    if into is None:
        return _walked(expr)
    found: list[Expr] = []
    todo = [expr]
    while todo:
        node = todo.pop()
        found.append(node)
        todo += into(node)
    return tuple(reversed(found))


@lru_cache(maxsize=1 << 15)
def _walked(expr: Expr) -> tuple[Expr, ...]:
    found: list[Expr] = []
    todo = [expr]
    while todo:
        node = todo.pop()
        found.append(node)
        if not isinstance(node, LEAVES):
            todo += node.operands
    return tuple(reversed(found))


@lru_cache(maxsize=1 << 16)
def calls_in(expr: Expr) -> tuple[AnyCall, ...]:
    """Return the calls inside an expression in the order of evaluation."""
    return tuple(node for node in walk(expr) if isinstance(node, CALLS))


@lru_cache(maxsize=1 << 16)
def uses(expr: Expr) -> frozenset[str]:
    """Return the spellings of the variables that an expression depends on.

    Members are none, nor is a function that is called by its name.
    """
    return frozenset(node.spelling for node in walk(expr) if isinstance(node, VARIABLES))


@lru_cache(maxsize=1 << 16)
def has_effect(expr: Expr) -> bool:
    """Whether evaluating an expression calls or writes anything."""
    return any(isinstance(node, EFFECTS) for node in walk(expr))


@lru_cache(maxsize=1 << 16)
def writes(expr: Expr) -> tuple[tuple[Expr, Expr | None], ...]:
    """Return what evaluating an expression writes: (target, value), in the order of evaluation.

    The value is None for a change in place. `&x` given to a call, and the arguments of a loop
    macro, count as changed in place.
    """
    found: list[tuple[Expr, Expr | None]] = []
    for node in walk(expr):
        if isinstance(node, LEAVES):
            continue
        match node:
            case Assign(op, target, value):
                found.append((strip_casts(target), value if op == "=" else None))
            case IncDec(_, target):
                found.append((strip_casts(target), None))
            case Call() | Guard() | LoopHead():
                for arg in node.args:
                    if isinstance(arg, Address):
                        found.append((arg.operand, None))
                    elif isinstance(node, LoopHead) and isinstance(arg, VARIABLES):
                        found.append((arg, None))
            case _:
                pass
    return tuple(found)


def strip_casts(expr: Expr) -> Expr:
    """Return the expression without casts around it."""
    while isinstance(expr, Cast):
        expr = expr.operand
    return expr


def assigned(value: Expr) -> Expr:
    """Return what `a = b = c` assigns to `a`: c, without casts around it."""
    value = strip_casts(value)
    while isinstance(value, Assign):
        value = strip_casts(value.value)
    return value


@lru_cache(maxsize=1 << 16)
def spell(expr: Expr) -> str:
    """Return the canonical spelling of an expression; equal spellings mean the same operation.

    Casts, and what type a number has, are left out.
    """
    match expr:
        case Name() | Temporary():
            return expr.spelling
        case Number(value):
            return str(value)
        case String():
            return '""'
        case Call(callee, args):
            return f"{callee if isinstance(callee, str) else spell(callee)}({_listed(args)})"
        case Guard() | LoopHead():
            return f"{expr.name}({_listed(expr.args)})"
        case Field(Deref(base) | Address(base), name) | Field(base, name):
            return f"{spell(base)}->{name}"
        case Index(base, position):
            return f"{spell(base)}[{spell(position)}]"
        case Deref(Address(inner)) | Address(Deref(inner)) | Cast(_, inner):
            return spell(inner)
        case Deref(inner):
            return f"*{spell(inner)}"
        case Address(inner):
            return f"&{spell(inner)}"
        case Not(inner):
            return f"!{spell(inner)}"
        case Unary(op, inner):
            return f"{op}{spell(inner)}"
        case Binary(op, left, right):
            return f"({spell(left)} {op} {spell(right)})"
        case Assign(op, target, value):
            return f"{spell(target)} {op} {spell(value)}"
        case IncDec(op, target, prefix):
            return f"{op}{spell(target)}" if prefix else f"{spell(target)}{op}"
        case Conditional(test, yes, no):
            return f"({spell(test)} ? {spell(yes)} : {spell(no)})"
        case Other(parts):
            return f"{{{_listed(parts)}}}"


def _listed(exprs: tuple[Expr, ...]) -> str:
    return ", ".join(map(spell, exprs))
