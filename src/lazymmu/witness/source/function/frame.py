# SPDX-License-Identifier: GPL-2.0-or-later
"""One function while it is walked: what its names mean, and how they cross a call.

Entries and locks are named by their spelling in the function that is walked.  Entering a
callee renames them to the callee's spelling; what the callee cannot name gets the prefix ``^``
and keeps it until the call returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lazymmu.contract.event_words import Level
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.kernelc.ir.expr import Address, AnyCall, Binary, Deref, Expr, IncDec, Index, Name
from lazymmu.kernelc.ir.nodes import Function, strip_casts
from lazymmu.witness.source.function.liveness import LOCK_TYPES, Liveness
from lazymmu.witness.source.function.names import plain_pointer

_LEVELS: tuple[Level, ...] = ("pte", "pmd", "pud", "p4d", "pgd")

ENTRY_LEVELS: Mapping[str, Level] = {f"{level}_t *": level for level in _LEVELS}
"""C types that point to a page-table entry."""


@dataclass(slots=True)
class Frame:
    """A function that is being walked, with the constants that its caller gave it."""

    graph: Function
    constants: Mapping[str, Value]
    plan: Liveness
    counted: frozenset[str] = frozenset()
    """Counters that may decide whether it begins or ends a section, by spelling."""
    asked: frozenset[str] = frozenset()
    """What it is handed that may do so likewise, and stays as it is."""
    begun: Mapping[str, bool] = field(default_factory=dict)
    """What its flags have where a section was begun: zero, or not."""

    def env(self, facts: tuple[tuple[str, Value], ...]) -> dict[str, Value]:
        """What is known of names on a path: the caller's constants, then the path's facts."""
        env = dict(self.constants)
        env.update(facts)
        return env

    def entry_level(self, expr: Expr) -> Level | None:
        """The level of the entry that an expression points to, by its declared type."""
        expr = plain_pointer(expr)
        if isinstance(expr, Deref) and isinstance(expr.operand, Address):
            expr = strip_casts(expr.operand.operand)
        if isinstance(expr, Binary) and expr.op in ("+", "-"):
            expr = strip_casts(expr.left)
        if isinstance(expr, IncDec):
            expr = strip_casts(expr.target)
        match expr:
            case Name(name):
                return ENTRY_LEVELS.get(self.graph.types.get(name, ""))
            case Deref(Name(name)) | Index(Name(name)):  # `*pp`, `slots[0]`
                kind = self.graph.types.get(name, "")
                return ENTRY_LEVELS.get(kind.removesuffix(" *")) if kind.endswith(" * *") else None
        return None

    def carries(self, call: AnyCall) -> bool:
        """Whether a call hands an entry or a lock to its callee."""
        for arg in call.args:
            inner = strip_casts(arg)
            if self.entry_level(inner) is not None:
                return True
            if self.entry_level(Deref(inner)) is not None:
                return True  # `pp`, `&pte`
            if isinstance(inner, Address):
                inner = strip_casts(inner.operand)
            if isinstance(inner, Name) and self.graph.types.get(inner.spelling) in LOCK_TYPES:
                return True
        return False
