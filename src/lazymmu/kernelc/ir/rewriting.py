# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions with other names, at another place: what a function's text means in its caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import (
    Address,
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
from lazymmu.kernelc.ir.nodes import strip_casts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Place", "rewritten"]

Place = tuple[int, int]
"""Line and column, from 1."""


def rewritten(
    expr: Expr, parts: Mapping[Expr, Expr], temporaries: int = 0, place: Place | None = None
) -> Expr:
    """Return an expression in which parts of it are replaced.

    :param parts: what stands for a variable, or for another part.
    :param temporaries: what is added to the number of each variable that the source lacks.
    :param place: where its calls are made, None to leave them; `*&x` and `&*x` become `x`.
    """
    known = parts.get(expr)
    if known is not None:
        return known

    def whole(inner: Expr) -> Expr:
        return rewritten(inner, parts, temporaries, place)

    match expr:
        case Temporary(number):
            return Temporary(number + temporaries)
        case Name() | Number() | String():
            return expr
        case Deref(operand):
            inner = whole(operand)
            pointer = strip_casts(inner)
            return pointer.operand if isinstance(pointer, Address) else Deref(inner)
        case Address(operand):
            inner = whole(operand)
            return inner.operand if isinstance(inner, Deref) else Address(inner)
        case Field(base, name):
            inner = whole(base)
            pointed = strip_casts(inner)
            return Field(pointed.operand if isinstance(pointed, Address) else inner, name)
        case Call(callee, args):
            made = expr._replace(
                callee=callee if isinstance(callee, str) else whole(callee),
                args=tuple(map(whole, args)),
            )
            return made._replace(line=place[0], column=place[1]) if place else made
        case Guard() | LoopHead():
            held = expr._replace(args=tuple(map(whole, expr.args)))
            return held._replace(line=place[0], column=place[1]) if place else held
        case Index(base, position):
            return Index(whole(base), whole(position))
        case Not(operand):
            return Not(whole(operand))
        case Unary(op, operand):
            return Unary(op, whole(operand))
        case Binary(op, left, right):
            return Binary(op, whole(left), whole(right))
        case Assign(op, target, value):
            return Assign(op, whole(target), whole(value))
        case IncDec(op, target, prefix):
            return IncDec(op, whole(target), prefix)
        case Conditional(test, yes, no):
            return Conditional(whole(test), whole(yes), whole(no))
        case Cast(kind, operand):
            return Cast(kind, whole(operand))
        case Other(inside):
            return Other(tuple(map(whole, inside)))
