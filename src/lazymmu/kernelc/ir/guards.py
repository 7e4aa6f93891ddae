# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scope holds, and in which forms it is taken (include/linux/cleanup.h).

A guard is an object of a class whose constructor is called where it is taken and whose destructor
where its scope is left; a variable with a cleanup function is the same without a class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import (
    Address,
    Assign,
    Binary,
    Call,
    Expr,
    Guard,
    Name,
    Number,
    Other,
)
from lazymmu.kernelc.ir.expression_lowering import expression
from lazymmu.kernelc.ir.nodes import BRANCH, has_effect
from lazymmu.kernelc.ir.syntax import TsNode, comma_parts, source_text

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.flow_graph import FlowGraph

_CLASSES = {"guard": 1, "CLASS": 2}
"""The calls that make a function of a class, and how many arguments they have."""

_FREE = "__free_"
"""What DEFINE_FREE(name, ...) puts before the name of the function that __free(name) calls."""


def declared_guard(build: FlowGraph, value: Expr) -> Guard | None:
    """The guard that a statement `guard(class)(args)` or `CLASS(class, var)(args)` declares."""
    match value:
        case Call(Call(str() as form, named), args, line, column) if _CLASSES.get(form) == len(
            named
        ):
            variable = named[1].spelling if form == "CLASS" and isinstance(named[1], Name) else ""
            return _guard_of(build, named[0], args, (line, column), variable)
        case Call("CLASS_INIT", (cls, Name(variable), initial), line, column):
            # The value is what the constructor would have returned.
            return _guard_of(build, cls, (initial,), (line, column), variable, made=True)
    return None


def _guard_of(
    build: FlowGraph,
    cls: Expr,
    args: tuple[Expr, ...],
    place: tuple[int, int],
    variable: str = "",
    *,
    made: bool = False,
) -> Guard:
    name = cls.spelling if isinstance(cls, Name) else "?"
    if variable:
        build.out.types[variable] = f"class_{name}_t"
    else:
        build.temps += 1
        variable = f"$guard{build.temps}"
    guard = Guard(name, args, *place, variable=variable)
    return guard._replace(args=(Assign("=", Name(variable), args[0]),)) if made else guard


def hold(build: FlowGraph, guard: Guard, ts: TsNode) -> None:
    """Take a guard until the scope at hand is left."""
    if build.at >= 0:
        build.effect(guard, ts)
        build.out.scoped.append(build.at)
    build.hold(guard)


def cleanup(build: FlowGraph, declarator: TsNode, name: str, initial: int | None) -> None:
    """Hold a variable that has a cleanup function, which masks.py writes as its size.

    `[~~fn]` stands for __cleanup(fn), `[!!name]` for __free(name). The node `initial` assigns its
    first value: what makes that of other than a pointer is its constructor.
    """
    ts: TsNode | None = declarator
    while ts is not None and ts.type != "identifier":
        size = ts.child_by_field_name("size") if ts.type == "array_declarator" else None
        spelled = source_text(size)
        if spelled[:2] in ("~~", "!!") and (word := spelled[2:].strip()).isidentifier():
            function = word if spelled[0] == "~" else _FREE + word
            if initial is not None and not build.out.types[name].endswith("*"):
                build.out.scoped.append(initial)
            build.hold(Call(function, (Address(Name(name)),), *build.place(declarator)))
        ts = ts.child_by_field_name("declarator")


def scoped(build: FlowGraph, test: TsNode | None) -> tuple[Guard, Expr | None] | None:
    """`while(_guard,class, args)`, the form that masks.py leaves of a guard, is no loop.

    The guard, and for scoped_cond_guard() what is done when it is not had.
    """
    items = comma_parts(test) if test is not None else []
    head = source_text(items[0]) if len(items) > 1 else ""
    if head not in ("_guard", "_cond_guard"):
        return None
    values = [expression(build, item) for item in items[1:]]
    place = build.place(items[0])
    if head == "_guard":
        return _guard_of(build, values[0], tuple(values[1:]), place), None
    fail = values[1] if len(values) > 1 else Other()
    return _guard_of(build, values[0], tuple(values[2:]), place), fail


def take(build: FlowGraph, guard: Guard, fail: Expr | None, ts: TsNode, after: int) -> None:
    """Take a guard for the statement that follows, or leave by `fail`.

    A `fail` that is no jump goes on behind that statement. Whether the guard is had is asked in
    either form: only its class tells whether it may not be.
    """
    depth = len(build.guards)
    hold(build, guard, ts)
    taken, missed = build.detached(ts), build.detached(ts)
    if build.at >= 0:
        build.node(BRANCH, Number(1) if fail is None else Other(), ts)
        build.out.scoped.append(build.at)
        build.edge(build.at, taken)
        build.edge(build.at, missed)
    build.at = missed if missed in build.entered else -1
    match fail:
        case Binary("+", Name("RETURN"), value):
            build.returns(value, ts)
        case Name("RETURN"):
            build.returns(None, ts)
        case Binary("+", Name("GOTO"), Name(label)):
            build.goes_to(label, ts)
        case Name("BREAK" | "CONTINUE"):
            # Both speak of the loop that the guard is itself.
            pass
        case None:
            pass
        case _ if has_effect(fail):
            build.effect(fail, ts)
    if build.at >= 0:
        build.unguard(build.guards, depth, ts)
    build.jump(after)
    build.at = taken if taken in build.entered else -1
