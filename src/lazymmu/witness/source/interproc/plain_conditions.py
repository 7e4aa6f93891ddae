# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions as what they ask for in the end, where a function decides whether it changes the mode.

    static bool many(struct batch *b) { return b->nr > 4; }

    if (many(batch))                        /* batch->nr > 4 */
        lazy_mmu_mode_enable();

So whoever asks by such a function, by a copy of a pointer, for a static key, or by a variable that
is given the condition once, asks the same as whoever asks for the place itself. A question about
the context asks for something that has its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import WARNING
from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    Address,
    Assign,
    Binary,
    Call,
    Cast,
    Deref,
    Expr,
    Name,
    Not,
    Number,
    Temporary,
)
from lazymmu.kernelc.ir.nodes import (
    EVAL,
    RETURN,
    Function,
    assigned,
    calls_in,
    has_effect,
    spell,
    strip_casts,
    uses,
    walk,
    writes,
)
from lazymmu.kernelc.ir.rewriting import rewritten
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.function.deciding import deciding_conditions
from lazymmu.witness.source.interproc.constants import CONFIG_TESTS

__all__ = ["PlainConditions"]

_COMPARISONS: Final = frozenset({"==", "!=", "<", ">", "<=", ">="})
_PLAIN: Final = (Address, Binary, Cast, Name, Number, Temporary)

_HOPS: Final = 3
"""Functions inside each other that only say what they ask."""


class PlainConditions:
    """Reads conditions of one program's functions."""

    def __init__(self, program: Program, words: Vocabulary) -> None:
        self._program = program
        self._words = words

    def of(self, graph: Function, goals: Collection[int]) -> Mapping[Expr, Expr]:
        """The conditions that decide whether some nodes are come to, by what is written there."""
        copies = _copies(graph)
        found: dict[Expr, Expr] = {}
        for expr in _conditions(graph, goals):
            plain = self._plain(expr, graph.file, copies, _HOPS)
            if plain != expr and not has_effect(plain):
                found[expr] = plain
        return found

    def _plain(self, expr: Expr, file: str, copies: Mapping[Expr, Expr], hops: int) -> Expr:
        parts: dict[Expr, Expr] = dict(copies)
        for call in calls_in(expr):
            asked = self._asked(call, file, hops) if isinstance(call, Call) else None
            if asked is not None:
                parts[call] = rewritten(asked, copies)
        return rewritten(expr, parts) if parts else expr

    def _asked(self, call: Call, file: str, hops: int) -> Expr | None:
        """What a call asks for that does nothing else; None for any other call."""
        if call.name in WARNING and call.args and not has_effect(call.args[0]):
            return call.args[0]
        if any(has_effect(arg) for arg in call.args) or call.name is None or not hops:
            return None
        if call.name in self._words.context_questions:
            return Name(f"{call.name}()")
        if (option := _option(call)) is not None:
            return option
        if call.name in self._words.asks and call.args:
            place = strip_casts(call.args[0])
            return place.operand if isinstance(place, Address) else Deref(place)
        if call.name in self._words.names or call.name in self._words.features:
            return None
        target = self._program.resolve(call.name, file)
        if target is None or target.ambiguous or target.definition.kind != "function":
            return None
        inner = self._program.function(target.definition)
        said = [node for node in inner.nodes if node.expr is not None]
        if inner.broken or target.definition.presence or len(inner.params) != len(call.args):
            return None
        if len(said) != 1 or said[0].op != RETURN or said[0].expr is None:
            return None
        given: dict[Expr, Expr] = {
            Name(param): strip_casts(arg)
            for param, arg in zip(inner.params, call.args, strict=True)
        }
        return rewritten(self._plain(said[0].expr, inner.file, {}, hops - 1), given)


def _conditions(graph: Function, goals: Collection[int]) -> Iterator[Expr]:
    """The conditions that decide, and what the variables are given that these ask for."""
    kept: set[str] = set()
    for condition in deciding_conditions(graph, goals):
        kept |= uses(condition)
        yield condition
    for node in graph.nodes if kept else ():
        expr = node.expr
        if node.op == EVAL and isinstance(expr, Assign) and expr.op == "=":
            target = strip_casts(expr.target)
            if isinstance(target, VARIABLES) and spell(target) in kept:
                yield assigned(expr.value)


def _copies(graph: Function) -> dict[Expr, Expr]:
    """Variables that are given once what stays as it is: a parameter, or a condition."""
    given: dict[str, list[Expr | None]] = {}
    for node in graph.nodes:
        for target, value in writes(node.expr) if node.expr is not None else ():
            if isinstance(target, VARIABLES):
                given.setdefault(spell(target), []).append(value)
    found: dict[Expr, Expr] = {}
    for name, values in given.items():
        source = strip_casts(values[0]) if len(values) == 1 and values[0] is not None else None
        if source is None or name in graph.params:
            continue
        if (option := _option(source)) is not None:
            found[Name(name)] = option
            continue
        parameter = isinstance(source, Name) and source.spelling in graph.params
        if (parameter or _compares(source)) and uses(source).isdisjoint(given):
            found[Name(name)] = source
    return found


def _option(expr: Expr) -> Expr | None:
    """What stands for a question about the configuration, which always has one answer."""
    match strip_casts(expr):
        case Call(str() as name, (said, *_)) if name in CONFIG_TESTS:
            return Name(f"{name.lower()}({spell(said)})")
    return None


def _compares(expr: Expr) -> bool:
    """Whether an expression is a condition on variables alone, and on nothing in memory."""
    inner = strip_casts(expr)
    while isinstance(inner, Not):
        inner = strip_casts(inner.operand)
    compared = isinstance(inner, Binary) and inner.op in _COMPARISONS
    return compared and all(isinstance(part, _PLAIN) for part in walk(inner))
