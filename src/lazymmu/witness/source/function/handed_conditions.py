# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions that a caller hands to its helpers, `begin(mm, new_ptl != old_ptl)`.

What one of a pair of helpers finds of its parameter is so for the other where that is handed the
same condition, and nobody has written a variable of it in between.
"""

from __future__ import annotations

from typing import Final

from lazymmu.kernelc.ir.expr import VARIABLES, Binary, Expr, Field, Number, Unary
from lazymmu.kernelc.ir.nodes import Function, strip_casts
from lazymmu.witness.source.function.spelled_words import names_it, words_in

__all__ = ["is_about", "is_condition", "of_several"]

_SIDES: Final = frozenset({"==", "!=", "<", ">", "<=", ">=", "&", "&&", "||", "|", "+", "-"})


def is_condition(arg: Expr) -> bool:
    """Whether an argument is made of variables and numbers, or compares a member with a number.

    A call may write another member than a pair of helpers is known by, wherever that stands.
    """
    plain = strip_casts(arg)
    if not isinstance(plain, Binary):
        return False
    left, right = strip_casts(plain.left), strip_casts(plain.right)
    return _is_made(plain) or (isinstance(left, Field) and isinstance(right, Number))


def _is_made(expr: Expr) -> bool:
    match strip_casts(expr):
        case Binary(op, left, right):
            return op in _SIDES and _is_made(left) and _is_made(right)
        case Unary(_, inner):
            return _is_made(inner)
        case plain:
            return isinstance(plain, (*VARIABLES, Number))


def is_about(spelling: str, place: str) -> bool:
    """Whether what is known under a name is a condition in which a variable stands."""
    return spelling.startswith("(") and names_it(spelling, place)


def of_several(spelling: str, graph: Function) -> bool:
    """Whether it is a condition about several of a function's variables.

    A callee that is not handed all of it has no name for that.
    """
    if not spelling.startswith("("):
        return False
    return sum(word in graph.types or word in graph.params for word in words_in(spelling)) > 1
