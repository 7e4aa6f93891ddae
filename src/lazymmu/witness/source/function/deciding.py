# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls whose value decides whether a function comes to something: in a condition, or kept for one.

first = scan_get(scan) == 0;
if (first)
    lazy_mmu_mode_enable();
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lazymmu.kernelc.ir.expr import VARIABLES, AnyCall, Expr
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    RETURN,
    SWITCH,
    Function,
    Node,
    calls_in,
    spell,
    uses,
    writes,
)


def deciding_calls(graph: Function, goals: Collection[int]) -> Iterator[AnyCall]:
    """The calls that decide which of some nodes a path of a function comes to."""
    kept: set[str] = set()
    for condition in deciding_conditions(graph, goals):
        yield from calls_in(condition)
        kept |= uses(condition)
    yield from _kept_in(graph, kept)


def deciding_conditions(graph: Function, goals: Collection[int]) -> Iterator[Expr]:
    """The conditions that decide which of some nodes a path of a function comes to."""
    for at, node in enumerate(graph.nodes):
        if node.expr is not None and _decides(graph, at, goals):
            yield node.expr


def deciding_switches(graph: Function, goals: Collection[int]) -> Iterator[Node]:
    """The switches that decide which of some nodes a path of a function comes to."""
    for at, node in enumerate(graph.nodes):
        if node.op == SWITCH and node.expr is not None and _parts(graph, at, goals):
            yield node


def returned_calls(graph: Function) -> Iterator[AnyCall]:
    """The calls whose value a function returns, itself or by a variable."""
    kept: set[str] = set()
    for node in graph.nodes:
        if node.op == RETURN and node.expr is not None:
            yield from calls_in(node.expr)
            kept |= uses(node.expr)
    yield from _kept_in(graph, kept)


def _kept_in(graph: Function, variables: Collection[str]) -> Iterator[AnyCall]:
    """The calls whose value is kept in some variables."""
    for node in graph.nodes if variables else ():
        for target, value in writes(node.expr) if node.expr is not None else ():
            if value is not None and isinstance(target, VARIABLES) and spell(target) in variables:
                yield from calls_in(value)


def _decides(graph: Function, at: int, goals: Collection[int]) -> bool:
    """Whether one way of a branch comes to other nodes than its other way, not by it again."""
    return graph.nodes[at].op == BRANCH and _parts(graph, at, goals)


def _parts(graph: Function, at: int, goals: Collection[int]) -> bool:
    node = graph.nodes[at]
    if len(set(node.succ)) < 2:
        return False
    ways = [_reached(graph, succ, at).intersection(goals) for succ in node.succ]
    return any(way != ways[0] for way in ways)


def _reached(graph: Function, start: int, without: int) -> set[int]:
    found = {without}
    todo = [start]
    while todo:
        at = todo.pop()
        if at not in found:
            found.add(at)
            todo += graph.nodes[at].succ
    return found - {without}
