# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions of C, from the nodes of tree-sitter to those of expr.py.

What has effects and is evaluated only sometimes (``a && f()``, ``c ? f() : g()``,
statement expressions) becomes branches of the flow graph and a temporary variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lazymmu.kernelc.ir.bounds import MAX_DEPTH, MAX_DIGITS, MAX_PARTS, NESTED, Unread
from lazymmu.kernelc.ir.expr import (
    INT,
    Address,
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Deref,
    Expr,
    Field,
    IncDec,
    Index,
    IntegerType,
    Name,
    Not,
    Number,
    Other,
    String,
    Temporary,
    Unary,
)
from lazymmu.kernelc.ir.initialisers import members, named_members
from lazymmu.kernelc.ir.syntax import TsNode, is_typeof, source_text

if TYPE_CHECKING:
    from collections.abc import Callable

_CONSTANTS = {"true": 1, "false": 0, "NULL": 0, "TRUE": 1, "FALSE": 0}
_MOVING = frozenset({"no_free_ptr", "retain_and_null_ptr"})
"""Macros whose value is that of a variable, which is NULL from then on, so that its cleanup
function has nothing to do (include/linux/cleanup.h)."""
_TRANSPARENT = frozenset({"likely", "unlikely", "__builtin_expect", "data_race", "__force"})
"""Macros whose value is their first argument (include/linux/compiler.h)."""


class Lowering(Protocol):
    """What the builder of a flow graph offers to the lowering of expressions."""

    at: int
    depth: int
    """Expressions and statements that are open."""
    met: int
    """Expressions and statements that were begun."""
    holding: dict[int, bool]
    """By a syntax node's id: whether it holds a call or a write."""

    def place(self, ts: TsNode) -> tuple[int, int]:
        """Line and column of a syntax node, from 1."""
        ...

    def effect(self, expr: Expr, ts: TsNode) -> None:
        """Append a node that evaluates an expression."""
        ...

    def temp(self) -> Temporary:
        """Return a variable that the source does not have."""
        ...

    def detached(self, ts: TsNode | None) -> int:
        """Return a place that nothing leads to yet."""
        ...

    def jump(self, target: int) -> None:
        """Continue at a place, and be nowhere."""
        ...

    def test(self, value: Expr, yes: int, no: int, ts: TsNode) -> None:
        """Continue at place `yes` or at place `no`, by a condition that is lowered already."""
        ...

    def branch(self, ts: TsNode, yes: int, no: int) -> None:
        """Continue at one of two places, as a condition holds or not."""
        ...

    def statement(self, ts: TsNode) -> None:
        """Lower a statement."""
        ...

    def held(self) -> int:
        """How much is held by the scopes that are open."""
        ...

    def close(self, depth: int, ts: TsNode) -> None:
        """Leave a scope: let go of what it holds above `depth`."""
        ...


def expression(low: Lowering, ts: TsNode) -> Expr:
    """Lower one expression; statements that must run before it are emitted on the way.

    :raises Unread: for one that is beyond a bound.
    """
    kind = ts.type
    if kind == "identifier":
        name = source_text(ts)
        if name in _CONSTANTS:
            return Number(_CONSTANTS[name])
        return Name(name)
    deeper(low)
    handler = _HANDLERS.get(kind)
    if handler is not None:
        value = handler(low, ts)
    else:
        value = Other(tuple(expression(low, child) for child in ts.named_children))
    low.depth -= 1
    return value


def deeper(low: Lowering) -> None:
    """Count one more expression or statement, inside of those that are open.

    :raises Unread: they are too many.
    """
    low.depth += 1
    low.met += 1
    if low.depth > MAX_DEPTH:
        raise Unread(NESTED)
    if low.met > MAX_PARTS:
        raise Unread(f"more than {MAX_PARTS} expressions and statements")


def _field(ts: TsNode, name: str) -> TsNode:
    child = ts.child_by_field_name(name)
    return child if child is not None else ts


def _number(_low: Lowering, ts: TsNode) -> Expr:
    spelled = source_text(ts)
    digits = spelled.rstrip("uUlL")
    if len(digits) > MAX_DIGITS:
        raise Unread(f"an integer of more than {MAX_DIGITS} digits")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567"
    try:
        value = int(digits, 8 if octal else 0)
    except ValueError:
        return String()
    decimal = digits.isdecimal() and not octal
    return Number(value, integer_type(value, spelled[len(digits) :].lower(), decimal=decimal))


def integer_type(value: int, suffix: str, *, decimal: bool) -> IntegerType:
    """Return the type of an integer constant: the first one that holds it (C11, 6.4.4.1).

    :param suffix: what follows the digits, in small letters: `ul`.
    :param decimal: whether it is written in base 10; in another base an unsigned type will do.

    Limits: `long` has 64 bits. A constant that no type holds counts as the widest.
    """
    unsigned = "u" in suffix
    if "l" not in suffix:
        if not unsigned and value < 1 << 31:
            return INT
        if (unsigned or not decimal) and value < 1 << 32:
            return IntegerType(32, signed=False)
    return IntegerType(64, signed=not unsigned and (decimal or value < 1 << 63))


def _constant(_low: Lowering, ts: TsNode) -> Expr:
    return Number(_CONSTANTS.get(source_text(ts), 0))


def _literal(_low: Lowering, _ts: TsNode) -> Expr:
    return String()


def _unevaluated(_low: Lowering, _ts: TsNode) -> Expr:
    return Other()


def _parenthesized(low: Lowering, ts: TsNode) -> Expr:
    children = [c for c in ts.named_children if c.type != "comment"]
    if len(children) == 1 and children[0].type == "compound_statement":
        return _statement_expression(low, children[0])
    if len(children) == 1:
        return expression(low, children[0])
    return Other(tuple(expression(low, child) for child in children))


def _statement_expression(low: Lowering, ts: TsNode) -> Expr:
    children = [c for c in ts.named_children if c.type != "comment"]
    depth = low.held()
    for child in children[:-1]:
        low.statement(child)
    value: Expr = Other()
    last = children[-1] if children else None
    if last is not None and last.type == "expression_statement" and last.named_child_count:
        value = expression(low, last.named_children[0])
        if low.held() > depth:
            kept = low.temp()
            low.effect(Assign("=", kept, value), last)
            value = kept
    elif last is not None:
        low.statement(last)
    low.close(depth, ts)
    return value


def _call(low: Lowering, ts: TsNode) -> Expr:
    function = _field(ts, "function")
    arguments = ts.child_by_field_name("arguments")
    children = arguments.named_children if arguments is not None else []
    args = tuple(expression(low, child) for child in children if child.type != "comment")
    line, column = low.place(ts)
    while function.type == "parenthesized_expression" and function.named_child_count == 1:
        function = function.named_children[0]
    if function.type == "identifier":
        name = source_text(function)
        if name in _TRANSPARENT and args:
            return args[0]
        if is_typeof(name) and len(args) == 1:
            return Cast(name, args[0])  # (typeof(x))(y), where brackets make a call of a cast
        if name in _MOVING and len(args) == 1:
            moved = low.temp()
            low.effect(Assign("=", moved, args[0]), ts)
            low.effect(Assign("=", args[0], Number(0)), ts)
            return moved
        return Call(name, args, line, column)
    callee = expression(low, function)
    if isinstance(callee, Deref):
        callee = callee.operand
    return Call(callee.spelling if isinstance(callee, Name) else callee, args, line, column)


def _field_access(low: Lowering, ts: TsNode) -> Expr:
    return Field(expression(low, _field(ts, "argument")), source_text(_field(ts, "field")))


def _index(low: Lowering, ts: TsNode) -> Expr:
    base, index = _field(ts, "argument"), _field(ts, "index")
    return Index(expression(low, base), expression(low, index))


def _pointer(low: Lowering, ts: TsNode) -> Expr:
    values = named_members(ts.child_by_field_name("argument"))
    if values is not None and low.at >= 0:
        made = low.temp()
        members(low, made, values, ts, expression)
        return Address(made)
    inner = expression(low, _field(ts, "argument"))
    if source_text(_field(ts, "operator")) == "*":
        return inner.operand if isinstance(inner, Address) else Deref(inner)
    return inner.operand if isinstance(inner, Deref) else Address(inner)


def _unary(low: Lowering, ts: TsNode) -> Expr:
    op = source_text(_field(ts, "operator"))
    inner = expression(low, _field(ts, "argument"))
    if op == "!":
        return Not(inner)
    if op == "-" and isinstance(inner, Number):
        return inner._replace(value=-inner.value)
    return Unary(op, inner)


def _binary(low: Lowering, ts: TsNode) -> Expr:
    op = source_text(_field(ts, "operator"))
    if op in ("&&", "||") and _has_call(low, _field(ts, "right")):
        return _by_branches(low, ts)
    left = expression(low, _field(ts, "left"))
    return Binary(op, left, expression(low, _field(ts, "right")))


def _by_branches(low: Lowering, ts: TsNode) -> Expr:
    """The truth value of a condition whose right side has effects."""
    value = low.temp()
    if low.at < 0:
        return value
    yes, no, join = low.detached(ts), low.detached(ts), low.detached(ts)
    low.branch(ts, yes, no)
    for place, truth in ((yes, 1), (no, 0)):
        low.at = place
        low.effect(Assign("=", value, Number(truth)), ts)
        low.jump(join)
    low.at = join
    return value


def _conditional(low: Lowering, ts: TsNode) -> Expr:
    test = _field(ts, "condition")
    yes_ts, no_ts = ts.child_by_field_name("consequence"), _field(ts, "alternative")
    # ``a() ?: b`` evaluates a() once: its condition counts as an arm.
    arms = (yes_ts if yes_ts is not None else test, no_ts)
    if not any(_has_call(low, arm) for arm in arms) or low.at < 0:
        value = expression(low, test)
        yes = expression(low, yes_ts) if yes_ts is not None else value
        return Conditional(value, yes, expression(low, no_ts))
    value = low.temp()
    then, other, join = low.detached(ts), low.detached(ts), low.detached(ts)
    if yes_ts is not None:
        low.branch(test, then, other)
    else:
        low.effect(Assign("=", value, expression(low, test)), test)
        low.test(value, join, other, test)
    for place, arm in ((then, yes_ts), (other, no_ts)):
        if arm is not None:
            low.at = place
            result = expression(low, arm)
            low.effect(Assign("=", value, result), arm)
            low.jump(join)
    low.at = join
    return value


def _assignment(low: Lowering, ts: TsNode) -> Expr:
    op = source_text(_field(ts, "operator"))
    value = expression(low, _field(ts, "right"))
    return Assign(op, expression(low, _field(ts, "left")), value)


def _update(low: Lowering, ts: TsNode) -> Expr:
    operator, target = _field(ts, "operator"), _field(ts, "argument")
    prefix = operator.start_byte < target.start_byte
    op, inner = source_text(operator), expression(low, target)
    # The grammar reads `!x++` as `(!x)++`.
    turned = not prefix and target.type == "unary_expression"
    return _postfix(op, inner) if turned else IncDec(op, inner, prefix)


def _postfix(op: str, expr: Expr) -> Expr:
    """Return what `++` or `--` behind an operand of unary operators is."""
    match expr:
        case Not(inner):
            return Not(_postfix(op, inner))
        case Unary(unary, inner):
            return Unary(unary, _postfix(op, inner))
    return IncDec(op, expr, False)


def _cast(low: Lowering, ts: TsNode) -> Expr:
    return Cast(source_text(_field(ts, "type")), expression(low, _field(ts, "value")))


def _comma(low: Lowering, ts: TsNode) -> Expr:
    left = expression(low, _field(ts, "left"))
    low.effect(left, ts)
    return expression(low, _field(ts, "right"))


def _has_call(low: Lowering, ts: TsNode, depth: int = 0) -> bool:
    """Whether a syntax node holds a call or a write.

    Remembered: it is asked again at every level of what is nested.
    """
    if ts.type in ("call_expression", "assignment_expression", "update_expression"):
        return True
    children = ts.named_children
    if not children:
        return False
    known = low.holding.get(ts.id)
    if known is None:
        if depth > MAX_DEPTH:
            raise Unread(NESTED)
        known = False
        for child in children:
            if _has_call(low, child, depth + 1):
                known = True
                break
        low.holding[ts.id] = known
    return known


_HANDLERS: dict[str, Callable[[Lowering, TsNode], Expr]] = {
    "number_literal": _number,
    "true": _constant,
    "false": _constant,
    "null": _constant,
    "string_literal": _literal,
    "concatenated_string": _literal,
    "char_literal": _literal,
    "sizeof_expression": _unevaluated,
    "alignof_expression": _unevaluated,
    "offsetof_expression": _unevaluated,
    "type_descriptor": _unevaluated,
    "parenthesized_expression": _parenthesized,
    "call_expression": _call,
    "field_expression": _field_access,
    "subscript_expression": _index,
    "pointer_expression": _pointer,
    "unary_expression": _unary,
    "binary_expression": _binary,
    "conditional_expression": _conditional,
    "assignment_expression": _assignment,
    "update_expression": _update,
    "cast_expression": _cast,
    "comma_expression": _comma,
    "initializer_pair": lambda low, ts: expression(low, _field(ts, "value")),
}
