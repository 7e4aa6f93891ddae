# SPDX-License-Identifier: GPL-2.0-or-later
"""The variables of a function that it asks for itself, returns, or hands to whoever may ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from lazymmu.kernelc.ir.abstract_value import normalize_condition
from lazymmu.kernelc.ir.expr import VARIABLES, AnyCall, Binary, Expr, Not, Number
from lazymmu.kernelc.ir.nodes import BRANCH, RETURN, Function, strip_casts
from lazymmu.witness.source.function.freed_variables import variables_of

__all__ = ["handed_to", "returned_by", "tested"]


def tested(graph: Function, plain: Mapping[Expr, Expr]) -> Counter[str]:
    """How often branches ask for each condition."""
    tests: Counter[str] = Counter()
    for node in graph.nodes:
        if node.op == BRANCH and node.expr is not None:
            known = normalize_condition(plain.get(node.expr, node.expr))
            if known is not None:
                tests[known.subject] += 1
                tests.update(_compared(node.expr) - {known.subject})
    return tests


def returned_by(graph: Function) -> set[str]:
    """The variables that are returned."""
    ends = (node.expr for node in graph.nodes if node.op == RETURN and node.expr is not None)
    return {end.spelling for end in map(strip_casts, ends) if isinstance(end, VARIABLES)}


def handed_to(graph: Function, taken: Callable[[AnyCall], bool]) -> set[str]:
    """The variables that some calls are handed."""
    return {name for _, call in graph.calls() if taken(call) for name in variables_of(call)}


def _compared(expr: Expr) -> set[str]:
    """Variables that a condition compares for being equal, or asks for a bit."""
    match strip_casts(expr):
        case Not(inner):
            return _compared(inner)
        case Binary("&", left, Number()):
            inner = strip_casts(left)
            return {inner.spelling} if isinstance(inner, VARIABLES) else set()
        case Binary("==" | "!=", left, right):
            sides = map(strip_casts, (left, right))
            return {side.spelling for side in sides if isinstance(side, VARIABLES)}
    return set()
