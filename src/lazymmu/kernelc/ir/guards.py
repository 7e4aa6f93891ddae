# SPDX-License-Identifier: GPL-2.0-or-later
"""Guards: the forms in which they are taken (include/linux/cleanup.h)."""

from __future__ import annotations

from lazymmu.kernelc.ir.expr import Binary, Expr, Guard, Name, Other
from lazymmu.kernelc.ir.expression_lowering import expression
from lazymmu.kernelc.ir.flow_graph import FlowGraph
from lazymmu.kernelc.ir.nodes import has_effect
from lazymmu.kernelc.ir.syntax import TsNode, comma_parts, source_text


def guard_of(cls: Expr, args: tuple[Expr, ...], line: int, column: int) -> Guard:
    """Return the guard of a class, which is named by an expression."""
    return Guard(cls.spelling if isinstance(cls, Name) else "?", args, line, column)


def scoped(build: FlowGraph, test: TsNode | None) -> tuple[Guard, Expr | None] | None:
    """`while(_guard,class, args)`, the form that masks.py leaves of a guard, is no loop.

    The guard, and for scoped_cond_guard() what is returned when it is not had.
    """
    items = comma_parts(test) if test is not None else []
    head = source_text(items[0]) if len(items) > 1 else ""
    if head not in ("_guard", "_cond_guard"):
        return None
    values = [expression(build, item) for item in items[1:]]
    line, column = build.place(items[0])
    if head == "_guard":
        return guard_of(values[0], tuple(values[1:]), line, column), None
    fail = values[1] if len(values) > 1 else Other()
    return guard_of(values[0], tuple(values[2:]), line, column), fail


def take(build: FlowGraph, guard: Guard, fail: Expr | None, ts: TsNode, after: int) -> None:
    """Take a guard for the statement that follows, or leave by `fail`.

    A `fail` that is no jump goes on behind that statement (include/linux/cleanup.h).
    """
    if fail is not None:
        taken, missed = build.detached(ts), build.detached(ts)
        build.test(Other(), taken, missed, ts)
        build.at = missed
        match fail:
            case Binary("+", Name("RETURN"), value):
                build.returns(value, ts)
            case Name("RETURN"):
                build.returns(None, ts)
            case Binary("+", Name("GOTO"), Name(label)):
                build.goes_to(label, ts)
            case _ if has_effect(fail):
                build.effect(fail, ts)
        build.jump(after)
        build.at = taken
    build.effect(guard, ts)
    build.hold(guard)
