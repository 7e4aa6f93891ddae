# SPDX-License-Identifier: GPL-2.0-or-later
"""What code does to a per-CPU batch: compares its key, appends to it.

A batch is what a local pointer to per-CPU data points to.  Its key is the member that code
compares with a ``struct mm_struct *``, or sets to one; appending is storing into one of its
arrays.

Limit: that the key is only set while the batch is empty is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lazymmu.contract.events import BatchAdd, BatchKey, Event, Site
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.nodes import BRANCH, Expr, Function, Node, calls_in, changed, strip, text


def keyed(graph: Function, words: Vocabulary) -> set[str]:
    """Per-CPU variables of a function that have a key: only those are batches of one mm."""
    local = batches(graph, words)
    return {
        event.variable
        for node in graph.nodes
        for event in events(graph, node, local)
        if isinstance(event, BatchKey)
    }


def batches(graph: Function, words: Vocabulary) -> Mapping[str, str]:
    """Local pointers to per-CPU data: the pointer's name, and the variable's."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        if node.expr is None:
            continue
        for target, value in changed(node.expr):
            if target[0] != "id" or value is None:
                continue
            for call in calls_in(value):
                access = words.percpu.get(call[1]) if isinstance(call[1], str) else None
                if access is not None and -len(call[2]) <= access.arg < len(call[2]):
                    found[target[1]] = text(call[2][access.arg]).lstrip("&")
    return found


def events(graph: Function, node: Node, local: Mapping[str, str]) -> Iterator[Event]:
    """What one node does to the batches that ``local`` names."""
    if node.expr is None:
        return
    site = Site(graph.file, node.line, node.column, graph.name)
    if node.op == BRANCH:
        for batch in _compared(node.expr, graph, local):
            yield BatchKey(batch, checked=True, site=site)
    for target, value in changed(node.expr):
        if value is None:
            continue
        if target[0] == "field" and text(target[1]) in local and _is_mm(value, graph):
            yield BatchKey(local[text(target[1])], checked=True, site=site)
        if target[0] == "index" and strip(target[1])[0] == "field":
            base = text(strip(target[1])[1])
            if base in local:
                yield BatchAdd(local[base], site=site)


def _compared(expr: Expr, graph: Function, local: Mapping[str, str]) -> Iterator[str]:
    if expr[0] == "bin" and expr[1] in ("==", "!="):
        for mine, other in ((expr[2], expr[3]), (expr[3], expr[2])):
            mine, other = strip(mine), strip(other)
            if mine[0] == "field" and text(mine[1]) in local and _is_mm(other, graph):
                yield local[text(mine[1])]
    for item in expr[1:]:
        if type(item) is tuple and item and type(item[0]) is str:
            yield from _compared(item, graph, local)


def _is_mm(expr: Expr, graph: Function) -> bool:
    expr = strip(expr)
    return expr[0] == "id" and graph.types.get(expr[1], "") == "struct mm_struct *"
