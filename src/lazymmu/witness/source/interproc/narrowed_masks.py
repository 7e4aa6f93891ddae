# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a function takes what allows to wait off the mask that it is handed.

    static void *quick(size_t size, gfp_t gfp)
    {
        return kmalloc(size, gfp & ~__GFP_DIRECT_RECLAIM);
    }

Its caller may hand it any mask. It is so where the mask is handed on, and nowhere as one that
allows to wait; who keeps it in a structure, returns it, or asks it something is taken to use it as
it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from lazymmu.kernelc.ir.abstract_value import BLOCKING, NONBLOCKING, Evaluator, Value
from lazymmu.kernelc.ir.expr import VARIABLES, Assign, Binary, Call, Expr, Name
from lazymmu.kernelc.ir.nodes import EVAL, Function, assigned, calls_in, strip_casts, uses, walk
from lazymmu.witness.source.interproc.constants import ConstantEvaluator

__all__ = ["narrows"]

_STEPS = 500
"""Steps through a function after which its mask is taken to be used as it is."""


def narrows(graph: Function, param: str, facts: ConstantEvaluator) -> bool:
    """Whether a function that is handed a mask which allows to wait lets nobody wait by it."""
    todo: list[tuple[int, tuple[tuple[str, Value], ...]]] = [(0, ((param, BLOCKING),))]
    seen = set(todo)
    handed_on = False
    while todo and len(seen) < _STEPS:
        index, held = todo.pop()
        node = graph.nodes[index]
        masks = dict(held)
        expr = node.expr
        if expr is not None and not uses(expr).isdisjoint(masks):
            evaluator = facts.within(graph, masks)
            handed = [
                arg
                for call in calls_in(expr)
                for arg in call.args
                if not _named(arg).isdisjoint(masks)
            ]
            if any(evaluator.value(arg) != NONBLOCKING for arg in handed):
                return False
            if not handed:
                kept = _kept(expr, masks, evaluator) if node.op == EVAL else None
                if kept is None:
                    return False
                masks.update((kept,))
            handed_on = handed_on or bool(handed)
        after = tuple(sorted(masks.items(), key=lambda item: item[0]))
        fresh = {(succ, after) for succ in node.succ} - seen
        seen |= fresh
        todo += fresh
    return handed_on and not todo


def _named(arg: Expr) -> frozenset[str]:
    """The variables in an argument, without those that are arguments of a call in it."""
    outside = walk(arg, lambda expr: () if isinstance(expr, Call) else expr.operands)
    return frozenset(expr.spelling for expr in outside if isinstance(expr, VARIABLES))


def _kept(expr: Expr, masks: Mapping[str, Value], evaluator: Evaluator) -> tuple[str, Value] | None:
    """The variable that is given a mask, with what that is; None for any other use of one."""
    if not isinstance(expr, Assign):
        return None
    target = strip_casts(expr.target)
    if not isinstance(target, Name):
        return None
    if expr.op == "=":
        return target.spelling, evaluator.value(assigned(expr.value))
    if target.spelling not in masks:
        return None
    return target.spelling, evaluator.value(Binary(expr.op[:-1], target, expr.value))
