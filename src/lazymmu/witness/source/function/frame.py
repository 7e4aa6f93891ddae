# SPDX-License-Identifier: GPL-2.0-or-later
"""One function while it is walked: what its names mean, and how they cross a call.

Entries and locks are named by their spelling in the function that is walked.  Entering a
callee renames them to the callee's spelling; what the callee cannot name gets the prefix ``^``
and keeps it until the call returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lazymmu.contract.events import UNKNOWN_ENTRY, Level
from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.kernelc.ir.expr import Address, AnyCall, Binary, Deref, Expr, IncDec, Name
from lazymmu.kernelc.ir.nodes import Function, spell, strip_casts
from lazymmu.witness.source.function.liveness import LOCK_TYPES, Plan, names_it

_LEVELS: tuple[Level, ...] = ("pte", "pmd", "pud", "p4d", "pgd")

ENTRY_LEVELS: Mapping[str, Level] = {f"{level}_t *": level for level in _LEVELS}
"""C types that point to a page-table entry."""


@dataclass(slots=True)
class Frame:
    """A function that is being walked, with the constants that its caller gave it."""

    graph: Function
    constants: Mapping[str, Value]
    plan: Plan

    def env(self, facts: tuple[tuple[str, Value], ...]) -> dict[str, Value]:
        """What is known of names on a path: the caller's constants, then the path's facts."""
        env = dict(self.constants)
        env.update(facts)
        return env

    def entry_level(self, expr: Expr) -> Level | None:
        """The level of the entry that an expression points to, by its declared type."""
        expr = strip_casts(expr)
        if isinstance(expr, Binary) and expr.op in ("+", "-"):
            expr = strip_casts(expr.left)
        if isinstance(expr, IncDec):
            expr = strip_casts(expr.target)
        if isinstance(expr, Name):
            return ENTRY_LEVELS.get(self.graph.types.get(expr.spelling, ""))
        return None

    def carries(self, call: AnyCall) -> bool:
        """Whether a call hands an entry or a lock to its callee."""
        for arg in call.args:
            inner = strip_casts(arg)
            if self.entry_level(inner) is not None:
                return True
            if isinstance(inner, Address):
                inner = strip_casts(inner.operand)
            if isinstance(inner, Name) and self.graph.types.get(inner.spelling) in LOCK_TYPES:
                return True
        return False


def entry_name(expr: Expr) -> str:
    """How an entry is named: by the pointer's spelling, before a step that follows."""
    expr = strip_casts(expr)
    if isinstance(expr, IncDec):
        expr = strip_casts(expr.target)
    return spell(expr)


def enter(product: Product, call: AnyCall, callee: Function) -> Product:
    """The product with entries and locks under the callee's names."""
    pairs = [
        (param, strip_casts(arg)) for param, arg in zip(callee.params, call.args, strict=False)
    ]

    def inward(name: str) -> str:
        if name == UNKNOWN_ENTRY:
            return name
        for param, arg in pairs:
            spelling = entry_name(arg)
            if spelling == name:
                return param
            if spelling == "&" + name:
                return "*" + param
            if name.startswith(spelling + "->"):
                return param + name[len(spelling) :]
        return "^" + name

    return _rename(product, inward, inward)


def leave(product: Product, call: AnyCall, callee: Function, rewritten: frozenset[str]) -> Product:
    """The product with the caller's names again; what only the callee could name is unnamed."""
    args = {
        param: strip_casts(arg)
        for param, arg in zip(callee.params, call.args, strict=False)
        if param not in rewritten
    }

    def outward(name: str, lost: str) -> str:
        if name == UNKNOWN_ENTRY:
            return name
        if name.startswith("^"):
            return name[1:]
        if name in args:
            return entry_name(args[name])
        if name.startswith("*") and name[1:] in args:
            return spell(Deref(args[name[1:]]))
        head, arrow, tail = name.partition("->")
        if arrow and head in args:
            return f"{entry_name(args[head])}->{tail}"
        return lost

    return _rename(
        product,
        lambda name: outward(name, UNKNOWN_ENTRY),
        lambda name: outward(name, f"{callee.name}:{name}"),
    )


def forget(product: Product, name: str) -> Product:
    """The product after a variable got another value: entries it named have no name any more."""
    task = product.task
    if not task.pending and not task.locks:
        return product

    def entry(old: str) -> str:
        return UNKNOWN_ENTRY if not old.startswith("^") and names_it(old, name) else old

    def lock(old: str) -> str:
        # "helper:ptl" is a helper's variable, which no assignment here changes.
        here = not old.startswith("^") and ":" not in old
        return f"^{old}" if here and names_it(old, name) else old

    return _rename(product, entry, lock)


def rename_lock(product: Product, old: str, new: str) -> Product:
    """The product with one lock under another name."""
    if all(held.lock != old for held in product.task.locks):
        return product
    return _rename(product, lambda name: name, lambda name: new if name == old else name)


def _rename(product: Product, entry: Callable[[str], str], lock: Callable[[str], str]) -> Product:
    task = product.task
    if not task.pending and not task.locks:
        return product
    entries = {p.entry: entry(p.entry) for p in task.pending}
    locks = {h.lock: lock(h.lock) for h in task.locks}
    for pending in task.pending:
        for name in pending.locks:
            locks.setdefault(name, lock(name))
    if all(a == b for a, b in entries.items()) and all(a == b for a, b in locks.items()):
        return product
    return replace(product, task=task.renamed(entries, locks))
