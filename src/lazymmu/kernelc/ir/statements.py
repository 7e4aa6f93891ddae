# SPDX-License-Identifier: GPL-2.0-or-later
"""Statements and conditions, from syntax trees to the nodes of a flow graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import Expr, Name, Number, Other
from lazymmu.kernelc.ir.expression_lowering import deeper, expression
from lazymmu.kernelc.ir.initialisers import members, named_members
from lazymmu.kernelc.ir.loops import loop
from lazymmu.kernelc.ir.nodes import SWITCH
from lazymmu.kernelc.ir.simple_statements import declaration, evaluate, expression_statement
from lazymmu.kernelc.ir.syntax import TsNode, source_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.kernelc.ir.flow_graph import FlowGraph


def statement(build: FlowGraph, ts: TsNode) -> None:
    """Lower one statement.

    :raises Unread: for one that is beyond a bound.
    """
    deeper(build)
    kind = ts.type
    handler = _STATEMENTS.get(kind)
    if handler is not None:
        handler(build, ts)
    elif kind == "ERROR" or kind.startswith("preproc") or kind in _SILENT:
        for child in ts.named_children if kind == "ERROR" else ():
            build.statement(child)
    else:
        # An expression where a statement may stand: in a macro's body, or after an ERROR.
        evaluate(build, ts)
    build.depth -= 1


def branch(build: FlowGraph, ts: TsNode, yes: int, no: int) -> None:
    """Lower a condition so that it continues at node `yes` or at node `no`."""
    deeper(build)
    _branch(build, ts, yes, no)
    build.depth -= 1


def _branch(build: FlowGraph, ts: TsNode, yes: int, no: int) -> None:
    while ts.type == "parenthesized_expression" and ts.named_child_count == 1:
        inner = ts.named_children[0]
        if inner.type == "compound_statement":
            break
        ts = inner
    if ts.type == "binary_expression":
        op = source_text(ts.child_by_field_name("operator"))
        left, right = ts.child_by_field_name("left"), ts.child_by_field_name("right")
        if op in ("&&", "||") and left is not None and right is not None:
            middle = build.detached(right)
            if op == "&&":
                build.branch(left, middle, no)
            else:
                build.branch(left, yes, middle)
            build.at = middle
            build.branch(right, yes, no)
            return
    if ts.type == "unary_expression" and source_text(ts.child_by_field_name("operator")) == "!":
        inner_ts = ts.child_by_field_name("argument")
        if inner_ts is not None:
            build.branch(inner_ts, no, yes)
            return
    if ts.type == "call_expression":
        callee = source_text(ts.child_by_field_name("function"))
        args = ts.child_by_field_name("arguments")
        if callee in ("likely", "unlikely") and args is not None and args.named_child_count == 1:
            build.branch(args.named_children[0], yes, no)
            return
    value = expression(build, ts)
    build.test(value, yes, no, ts)


def block(build: FlowGraph, ts: TsNode) -> None:
    """Lower the statements of a block, and leave its scope."""
    depth = len(build.guards)
    for child in ts.named_children:
        build.statement(child)
    build.close(depth, ts)


def _labelled(build: FlowGraph, ts: TsNode) -> None:
    label = source_text(ts.child_by_field_name("label"))
    join = build.detached(ts)
    if build.at >= 0:
        build.edge(build.at, join)
    build.at = join
    build.labels[label] = (join, len(build.guards))
    for child in ts.named_children[1:]:
        build.statement(child)


def _if(build: FlowGraph, ts: TsNode) -> None:
    test = ts.child_by_field_name("condition")
    yes, no = build.condition(test, ts)
    join = build.detached(ts)
    build.at = yes
    then = ts.child_by_field_name("consequence")
    if then is not None:
        build.statement(then)
    build.jump(join)
    build.at = no
    other = ts.child_by_field_name("alternative")
    if other is not None:
        for child in other.named_children:
            build.statement(child)
    build.jump(join)
    build.at = join if join in build.entered else -1


def _switch(build: FlowGraph, ts: TsNode) -> None:
    test = ts.child_by_field_name("condition")
    value = expression(build, test) if test is not None else Other()
    head = build.node(SWITCH, value, ts)
    after = build.detached(ts)
    build.at = -1
    depth = len(build.guards)
    build.breaks.append((after, depth))
    cases: list[int | str | None] = []
    targets: list[int] = []
    has_default = False
    body = ts.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        if child.type != "case_statement":
            build.statement(child)
            continue
        join = build.detached(child)
        if build.at >= 0:
            build.edge(build.at, join)
        build.at = join
        label = child.child_by_field_name("value")
        const = expression(build, label) if label is not None else None
        cases.append(_case(const))
        targets.append(join)
        for inner in child.named_children:
            if label is not None and inner.start_byte == label.start_byte:
                continue
            build.statement(inner)
        has_default = has_default or label is None
    build.close(depth, ts)
    build.jump(after)
    build.breaks.pop()
    if not has_default:
        cases.append(None)
        targets.append(after)
    for target in targets:
        build.edge(head, target)
    build.nodes[head].cases = tuple(cases)
    build.at = after if after in build.entered else -1


def _case(label: Expr | None) -> int | str | None:
    """The value of a case, or the name that it is given by."""
    match label:
        case Number(value):
            return value
        case Name(spelling):
            return spelling
    return None


def _leave_to(build: FlowGraph, where: list[tuple[int, int]], ts: TsNode) -> None:
    if not where:
        # `break` in a macro's body speaks of the loop around its use.
        build.end(ts)
        build.at = -1
        return
    target, depth = where[-1]
    if build.at >= 0:
        build.unguard(build.guards, depth, ts)
    build.jump(target)


def _break(build: FlowGraph, ts: TsNode) -> None:
    _leave_to(build, build.breaks, ts)


def _continue(build: FlowGraph, ts: TsNode) -> None:
    _leave_to(build, build.continues, ts)


def _goto(build: FlowGraph, ts: TsNode) -> None:
    build.goes_to(source_text(ts.child_by_field_name("label")), ts)


def _return(build: FlowGraph, ts: TsNode) -> None:
    given = ts.named_children[0] if ts.named_child_count else None
    values = named_members(given)
    if given is None or values is None or build.at < 0:
        build.returns(expression(build, given) if given is not None else None, ts)
        return
    # A variable of the function, as `struct s made = { .a = b }; return made;` has it.
    build.temps += 1
    made = f"made${build.temps}"
    build.out.types[made] = source_text(given.child_by_field_name("type"))
    members(build, Name(made), values, ts, expression)
    build.returns(Name(made), ts)


_SILENT = frozenset({"comment", "type_definition", "attributed_statement", "struct_specifier"})

_STATEMENTS: dict[str, Callable[[FlowGraph, TsNode], None]] = {
    "compound_statement": block,
    "expression_statement": expression_statement,
    "declaration": declaration,
    "labeled_statement": _labelled,
    "if_statement": _if,
    "while_statement": loop,
    "for_statement": loop,
    "do_statement": lambda build, ts: loop(build, ts, post=True),
    "switch_statement": _switch,
    "break_statement": _break,
    "continue_statement": _continue,
    "goto_statement": _goto,
    "return_statement": _return,
}
