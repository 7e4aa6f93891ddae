# SPDX-License-Identifier: GPL-2.0-or-later
"""Statements without another one inside: expressions and declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import Assign, Call, Name, Other
from lazymmu.kernelc.ir.expression_lowering import expression
from lazymmu.kernelc.ir.guards import cleanup, declared_guard, hold
from lazymmu.kernelc.ir.initialisers import has_designators, members, named_members
from lazymmu.kernelc.ir.nodes import has_effect
from lazymmu.kernelc.ir.syntax import TsNode, declared, source_text, stars

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.flow_graph import FlowGraph


def evaluate(build: FlowGraph, ts: TsNode, *, alone: bool = False) -> None:
    """Lower an expression whose value nobody asks for, or a guard of the scope at hand.

    :param alone: it is a statement.
    """
    value = expression(build, ts)
    if alone and isinstance(value, Name) and not _is_own(build, value.spelling):
        # A name alone does nothing in C: it is a macro that stands for what is done.
        value = Call(value.spelling, (), *build.place(ts))
    guard = declared_guard(build, value)
    if guard is not None:
        hold(build, guard, ts)
    elif has_effect(value):
        build.effect(value, ts)


def expression_statement(build: FlowGraph, ts: TsNode) -> None:
    """Lower an expression that is a statement, or a guard of the block around it."""
    for child in ts.named_children:
        if not _whole(build, child):
            evaluate(build, child, alone=True)
        if child.type == "gnu_asm_expression":
            _asm_goto(build, child)


def _asm_goto(build: FlowGraph, ts: TsNode) -> None:
    """Continue behind an asm statement, or at any of its labels: its template decides."""
    labels = ts.child_by_field_name("goto_labels")
    for label in labels.named_children if labels is not None and build.at >= 0 else ():
        there, behind = build.detached(label), build.detached(label)
        build.test(Other(), there, behind, ts)
        build.at = there
        build.goes_to(source_text(label), label)
        build.at = behind


def declaration(build: FlowGraph, ts: TsNode) -> None:
    """Lower the initialisers of a declaration, and note its types."""
    kind = source_text(ts.child_by_field_name("type"))
    for child in ts.children_by_field_name("declarator"):
        inner = child
        initial: TsNode | None = None
        if child.type == "init_declarator":
            inner = child.child_by_field_name("declarator") or child
            initial = child.child_by_field_name("value")
        name = declared(inner)
        if not name:
            if initial is not None:
                expression(build, initial)
            continue
        build.out.types[name] = kind + stars(inner)
        first, values = None, named_members(initial) or initial
        if values is not None and has_designators(values):
            members(build, Name(name), values, child, expression)
        elif initial is not None:
            build.effect(Assign("=", Name(name), expression(build, initial)), child)
            first = build.at if build.at >= 0 else None
        cleanup(build, inner, name, first)


def _whole(build: FlowGraph, ts: TsNode) -> bool:
    """Lower `x = (struct s){ .a = b }`, and tell whether that is what stands there."""
    if ts.type != "assignment_expression" or source_text(ts.child_by_field_name("operator")) != "=":
        return False
    target = ts.child_by_field_name("left")
    values = named_members(ts.child_by_field_name("right"))
    if target is None or values is None:
        return False
    members(build, expression(build, target), values, ts, expression)
    return True


def _is_own(build: FlowGraph, name: str) -> bool:
    """Tell whether a name is a variable or a parameter of what is lowered."""
    return name in build.out.types or name in build.out.params or name == "__VA_ARGS__"
