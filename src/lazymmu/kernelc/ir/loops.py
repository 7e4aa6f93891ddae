# SPDX-License-Identifier: GPL-2.0-or-later
"""Loops, and what masks.py writes as one: heads of loop macros, guards of one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import LoopHead
from lazymmu.kernelc.ir.expression_lowering import expression
from lazymmu.kernelc.ir.guards import scoped, take
from lazymmu.kernelc.ir.simple_statements import declaration, evaluate
from lazymmu.kernelc.ir.syntax import TsNode, comma_parts

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.flow_graph import FlowGraph

_LOOP_MACRO_GAP = len("while ") + 1
"""masks.py turns a loop macro's name into `while` and spaces: more of them than anyone types."""


def loop(build: FlowGraph, ts: TsNode, *, post: bool = False) -> None:
    """Lower a loop; `post` for one that tests after its body."""
    depth = len(build.guards)
    start = ts.child_by_field_name("initializer")
    if start is not None:
        if start.type == "declaration":
            declaration(build, start)
        else:
            evaluate(build, start)
    inner = len(build.guards)
    head = build.detached(ts)
    after = build.detached(ts)
    again = build.detached(ts)
    test = ts.child_by_field_name("condition")
    body = ts.child_by_field_name("body")
    build.jump(head)
    build.at = head
    scope = scoped(build, test)
    if scope is not None:
        take(build, *scope, ts, after)
    elif not post:
        if test is not None and _heads_macro(ts, test):
            yes, no = _loop_macro(build, test, ts)
        else:
            yes, no = build.condition(test, ts)
        build.at = no
        if build.at >= 0:
            build.unguard(build.guards, depth, ts)
        build.jump(after)
        build.at = yes
    build.breaks.append((after, depth))
    build.continues.append((again, inner))
    if body is not None:
        build.statement(body)
    build.close(inner, ts)
    build.breaks.pop()
    build.continues.pop()
    build.jump(again)
    build.at = again
    update = ts.child_by_field_name("update")
    if update is not None:
        evaluate(build, update)
    if post:
        yes, no = build.condition(test, ts)
        build.at = yes
        build.jump(head)
        build.at = no
        build.jump(after)
    elif scope is not None:
        build.jump(after)
    else:
        build.jump(head)
    del build.guards[depth:]
    build.at = after if after in build.entered else -1


def _loop_macro(build: FlowGraph, test: TsNode, where: TsNode) -> tuple[int, int]:
    """A loop macro sets its arguments in ways that only its body tells."""
    if build.at < 0:
        return -1, -1
    args = [expression(build, item) for item in comma_parts(test)]
    yes, no = build.detached(where), build.detached(where)
    line, column = build.place(where)
    build.test(LoopHead(tuple(args), line, column), yes, no, where)
    return yes, no


def _heads_macro(loop: TsNode, test: TsNode) -> bool:
    """Whether a loop's head is a macro that masks.py made a `while`."""
    return loop.type == "while_statement" and test.start_byte - loop.start_byte > _LOOP_MACRO_GAP
