# SPDX-License-Identifier: GPL-2.0-or-later
"""What code does to a per-CPU batch: compares its key, appends to it.

A batch is what a local pointer to per-CPU data points to.  Its key is the member that code
compares with a ``struct mm_struct *``, or sets to one; appending is storing into one of its
arrays.

Limit: that the key is only set while the batch is empty is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lazymmu.contract.events import BatchAdd, BatchKey, Event, PerCpu, Pin
from lazymmu.contract.site import Site
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.expr import Address, AnyCall, Binary, Expr, Field, Index, Name
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    Function,
    Node,
    calls_in,
    spell,
    strip_casts,
    walk,
    writes,
)
from lazymmu.witness.source.effects.effect import Effect


def keyed(graph: Function, words: Vocabulary) -> set[str]:
    """Per-CPU variables of a function that have a key: only those are batches of one mm."""
    local = batches(graph, words)
    return {
        event.variable
        for node in graph.nodes
        for event in events(graph, node, local)
        if isinstance(event, BatchKey)
    }


def per_cpu_variable(call: AnyCall, words: Vocabulary) -> str | None:
    """Return the per-CPU variable that a call gives access to, None when it is none of those."""
    access = words.percpu.get(call.name or "")
    variable = call.arg(access.arg) if access is not None else None
    if variable is None:
        return None
    variable = strip_casts(variable)
    return spell(variable.operand if isinstance(variable, Address) else variable)


def batches(graph: Function, words: Vocabulary) -> Mapping[str, str]:
    """Local pointers to per-CPU data: the pointer's name, and the variable's."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        if node.expr is None:
            continue
        for target, value in writes(node.expr):
            if not isinstance(target, Name) or value is None:
                continue
            for call in calls_in(value):
                variable = per_cpu_variable(call, words)
                if variable is not None:
                    found[target.spelling] = variable
    return found


def events(graph: Function, node: Node, local: Mapping[str, str]) -> Iterator[Event]:
    """What one node does to the batches that `local` names."""
    if node.expr is None:
        return
    site = Site(graph.file, node.line, node.column, graph.name)
    if node.op == BRANCH:
        for batch in _compared(node.expr, graph, local):
            yield BatchKey(batch, checked=True, site=site)
    for target, value in writes(node.expr):
        if value is None:
            continue
        match target:
            case Field(base) if spell(base) in local and _is_mm(value, graph):
                yield BatchKey(local[spell(base)], checked=True, site=site)
            case Index(array):
                match strip_casts(array):
                    case Field(base) if spell(base) in local:
                        yield BatchAdd(local[spell(base)], site=site)


def _compared(expr: Expr, graph: Function, local: Mapping[str, str]) -> Iterator[str]:
    """Batches whose member is compared with an mm, wherever in a condition."""
    for node in walk(expr):
        match node:
            case Binary("==" | "!=", left, right):
                for mine, other in ((left, right), (right, left)):
                    match strip_casts(mine):
                        case Field(base) if spell(base) in local and _is_mm(other, graph):
                            yield local[spell(base)]


def _is_mm(expr: Expr, graph: Function) -> bool:
    match strip_casts(expr):
        case Name(name):
            return graph.types.get(name) == "struct mm_struct *"
    return False


def percpu_notes(call: AnyCall, name: str, words: Vocabulary, site: Site) -> list[Effect]:
    """What a call of the vocabulary does that accesses this CPU's data."""
    access = words.percpu[name]
    variable = per_cpu_variable(call, words) or "?"
    notes = [Effect(Pin("preempt", site=site))] if access.pins else []
    event = PerCpu(variable, access.access, site=site)
    return [*notes, Effect(event, "percpu", f"calls {name}()")]
