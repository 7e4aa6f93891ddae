# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables and members of a function whose value may come to be freed: their origin matters."""

from __future__ import annotations

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.expr import VARIABLES, AnyCall, Call, Expr, Field, Index, Name
from lazymmu.kernelc.ir.nodes import Function, assigned, spell, strip_casts, uses, writes
from lazymmu.witness.source.function.local_members import root_of

__all__ = ["array_of", "freed_by", "hands_page", "stored", "variables_of"]

_TABLES = frozenset({"pte_t *", "pmd_t *", "pud_t *", "p4d_t *"})
"""C types of tables, which a function may give back for its caller by their address."""

_FREED = _TABLES | {
    "struct page *",
    "pgtable_t",
    "struct folio *",
    "struct page * *",
    "struct folio * *",
}
"""C types of what the vocabulary's frees take, and a function may give back for its caller."""


_HELD = frozenset({"pte_t", "pmd_t", "pud_t", "p4d_t", "pgd_t"})
"""C types of what an entry holds, of which a call may make a page: `put(batch, pte_page(old))`."""


def variables_of(call: AnyCall) -> set[str]:
    """Variables that are arguments of a call."""
    return {arg.spelling for arg in map(strip_casts, call.args) if isinstance(arg, VARIABLES)}


def array_of(target: Expr) -> str:
    """What is written, by its spelling: of an element of an array, the array."""
    base = strip_casts(target.base) if isinstance(target, Index) else target
    return spell(base if isinstance(base, Name) else target)


def hands_page(call: AnyCall, graph: Function) -> bool:
    """Whether a call hands a page, or several, to whom it calls."""
    return any(graph.types.get(name) in _FREED for name in variables_of(call))


def freed_by(call: AnyCall, graph: Function, words: Vocabulary) -> set[str]:
    """Variables whose value a call may free: by what it is, or since a page is handed to it."""
    free = words.frees.get(call.name or "")
    if free is None and call.name in words.queues:
        # An item may stand in the page itself: `&page->rcu_head`.
        parts = {name for arg in call.args for name in uses(arg)}
        return {name for name in parts if graph.types.get(name) in _FREED}
    if free is None and call.name not in words.names:
        made = {name for arg in call.args if isinstance(arg, Call) for name in uses(arg)}
        made = {name for name in made if graph.types.get(name) in _HELD}
        return made | {name for name in variables_of(call) if graph.types.get(name) in _FREED}
    if free is None:
        return {name for name in variables_of(call) if graph.types.get(name) in _FREED}
    arg = call.arg(free.arg)
    return set() if arg is None else {*uses(arg)}


def stored(graph: Function, words: Vocabulary) -> list[tuple[str, Expr]]:
    """Members, and variables outside of functions, that are freed by who is handed them, or later.

    :returns: each with what it is given.
    """
    given = [
        (target, assigned(value))
        for node in graph.nodes
        if node.expr is not None
        for target, value in writes(node.expr)
        if value is not None
        and (
            isinstance(target, Field)
            or (isinstance(target, Name) and target.spelling not in graph.types)
        )
    ]
    calls = [call for _, call in graph.calls()] if given else []
    queues = any(call.name in words.queues for call in calls)
    handed = {name for call in calls for arg in call.args for name in uses(arg)}
    return [
        (spell(target), source)
        for target, source in given
        if (root_of(target) in handed if isinstance(target, Field) else queues)
    ]
