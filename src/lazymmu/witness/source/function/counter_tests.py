# SPDX-License-Identifier: GPL-2.0-or-later
"""What a helper asks before it begins or ends a section: counters, flags, what it is handed.

Each is a place that has a name in the caller too (counters.py), or a comparison of such a place
with a constant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import normalize_condition
from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    Assign,
    Binary,
    Deref,
    Expr,
    Field,
    Name,
    Not,
    Number,
    Unary,
)
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    RETURN,
    Function,
    Node,
    spell,
    strip_casts,
    walk,
    writes,
)
from lazymmu.kernelc.ir.nodes import assigned as last_assigned
from lazymmu.witness.source.function.counters import is_own_variable, is_zeros, move
from lazymmu.witness.source.function.deciding import deciding_conditions, deciding_switches
from lazymmu.witness.source.function.local_members import handed_on

__all__ = [
    "CounterTest",
    "asked",
    "cases_of",
    "constants",
    "counted",
    "flags",
    "questions",
    "tests",
]

_COMPARING: Final = frozenset({"==", "!=", ">", "<=", ">=", "<", "&"})


class CounterTest(NamedTuple):
    """A counter that decides, and the value before the expression for which it decides so."""

    counter: str
    value: int


def flags(graph: Function, handed_to: Collection[str] | None = None) -> frozenset[str]:
    """What a function gives a constant, or a condition's outcome, and another can see.

    That is its caller; or, of the names of functions that are called, who is handed the structure.
    """
    found = {
        spell(target)
        for node in graph.nodes
        for target, value in (writes(node.expr) if node.expr is not None else ())
        if value is not None and isinstance(last_assigned(value), (Number, Binary, Not))
    }
    found = {name for name in found if not is_own_variable(name, graph) and "[" not in name}
    if handed_to is not None and found:
        calls = [call for _, call in graph.calls() if call.name in handed_to]
        handed = {handed_on(arg) for call in calls for arg in call.args}
        found = {name for name in found if name.partition("->")[0] in handed}
    return frozenset(found)


def zeroed(graph: Function) -> frozenset[str]:
    """The structures of a function that begin as zeros, but for members that are named then."""
    return frozenset(
        spell(target)
        for node in graph.nodes
        for target, value in (writes(node.expr) if node.expr is not None else ())
        if value is not None and isinstance(target, VARIABLES) and is_zeros(strip_casts(value))
        if graph.types.get(spell(target), "").startswith("struct ")
    )


def constants(graph: Function) -> dict[str, bool]:
    """The flags to which a function gives one constant, each with whether that is not zero."""
    found: dict[str, set[bool]] = {}
    for node in graph.nodes:
        for target, value in writes(node.expr) if node.expr is not None else ():
            inner = last_assigned(value) if value is not None else None
            if isinstance(inner, Number):
                found.setdefault(spell(target), set()).add(inner.value != 0)
    known = flags(graph)
    return {
        name: values.pop() for name, values in found.items() if len(values) == 1 and name in known
    }


def counted(graph: Function, words: Vocabulary) -> frozenset[str]:
    """What a function moves by one and asks for, by spelling: no own variable, no item."""
    found = {
        made.counter
        for node in graph.nodes
        if node.expr is not None
        for part in walk(node.expr)
        if (made := move(part, words)) is not None
    }
    found = {name for name in found if not is_own_variable(name, graph) and "[" not in name}
    if not found:
        return frozenset()
    every = frozenset(found)
    return frozenset(test.counter for node in graph.nodes for test in tests(node, every, words))


def asked(
    graph: Function, goals: Collection[int], plain: Mapping[Expr, Expr] = MappingProxyType({})
) -> frozenset[str]:
    """What decides whether a function comes to some nodes, and its caller has a name for.

    That is a parameter that stays what it is, what stands behind one, or a global variable; or a
    comparison of such a place with a constant, or a bit of it. What stands behind one may be
    written, and is asked for as it is then.

    :param plain: what conditions ask for in the end.
    :returns: the conditions by their subjects (normalize_condition()).
    """
    written = {
        spell(target)
        for node in graph.nodes
        if node.expr is not None and node.expr not in plain
        for target, _ in writes(node.expr)
    }
    parts = [
        part
        for condition in deciding_conditions(graph, goals)
        for part in _with_values(graph, condition, plain)
    ]
    parts += [part for node in deciding_switches(graph, goals) for part, _ in cases_of(node)]
    found = set()
    for part in parts:
        place, known = _place_asked(part), normalize_condition(part)
        if place is None or known is None or "[" in known.subject:
            continue
        name = spell(place)
        stays = name not in written or not isinstance(place, Name)
        seen = name in graph.params or not is_own_variable(name, graph)
        if seen and stays and not name.isupper():
            found.add(known.subject)
    return frozenset(found)


def cases_of(node: Node) -> Iterator[tuple[Expr, int]]:
    """Yield the conditions under which a switch goes where it does, but for its default."""
    if node.expr is None:
        return
    for case, succ in zip(node.cases, node.succ, strict=True):
        if case is not None:
            yield (
                Binary("==", node.expr, Number(case) if isinstance(case, int) else Name(case)),
                succ,
            )


def questions(
    node: Node, subjects: frozenset[str], plain: Mapping[Expr, Expr] = MappingProxyType({})
) -> Iterator[tuple[Expr, str]]:
    """Yield the conditions that are about some subjects, each with its subject.

    They are those of a branch, or of what a variable is given.
    """
    expr = node.expr
    if node.op != BRANCH:
        given = isinstance(expr, Assign) and expr.op == "=" and isinstance(expr.target, VARIABLES)
        expr = last_assigned(expr.value) if given and isinstance(expr, Assign) else None
    for part in _parts(plain.get(expr, expr)) if expr is not None else ():
        known = normalize_condition(part)
        if known is not None and known.subject in subjects:
            yield part, known.subject


def _parts(condition: Expr) -> Iterator[Expr]:
    """The conditions that one is made of."""
    match strip_casts(condition):
        case Not(inner):
            yield from _parts(inner)
        case Binary("&&" | "||", left, right):
            yield from _parts(left)
            yield from _parts(right)
        case plain:
            yield plain


def _with_values(graph: Function, condition: Expr, plain: Mapping[Expr, Expr]) -> Iterator[Expr]:
    """The conditions that one is made of, and those by which its variables are given a value."""
    for part in _parts(plain.get(condition, condition)):
        yield part
        name = spell(part) if isinstance(part, VARIABLES) else ""
        if name and name not in graph.params and is_own_variable(name, graph):
            for node in graph.nodes:
                for target, value in writes(node.expr) if node.expr is not None else ():
                    if value is not None and spell(target) == name:
                        given = last_assigned(value)
                        yield from _parts(plain.get(given, given))


def _place_asked(condition: Expr) -> Expr | None:
    """The place that a condition asks for being zero, or compares with a constant."""
    if isinstance(condition, Binary) and condition.op in _COMPARING and _constant(condition.right):
        condition = strip_casts(condition.left)
    return condition if isinstance(condition, (Name, Field, Deref)) else None


def _constant(expr: Expr) -> bool:
    """Whether an expression is a number, or a name as macros and enumerators have."""
    match strip_casts(expr):
        case Unary("-" | "~", inner):
            return isinstance(inner, Number)
        case Name(spelling):
            return spelling.isupper()
        case inner:
            return isinstance(inner, Number)


def tests(node: Node, counters: frozenset[str], words: Vocabulary) -> Iterator[CounterTest]:
    """The tests of some counters that a node makes, or is."""
    expr = node.expr
    if expr is None:
        return
    for part in walk(expr):
        match part:
            case Binary("==" | "!=", left, right):
                sides = (strip_casts(left), strip_casts(right))
                for asked, number in (sides, sides[::-1]):
                    if isinstance(number, Number):
                        yield from _test(asked, number.value, counters, words)
            case Binary(">" | "<=" | ">=" | "<" as op, left, Number(number)):
                # What is not below 0 is below 1 when it is 0.
                for test in _test(strip_casts(left), number, counters, words):
                    if test.value == (0 if op in (">", "<=") else 1):
                        yield CounterTest(test.counter, 0)
            case Not(inner):
                yield from _test(strip_casts(inner), 0, counters, words)
    if node.op in (BRANCH, RETURN):
        yield from _test(strip_casts(expr), 0, counters, words)
    if node.op == RETURN:
        yield from _given_away(expr, counters, words)
    elif isinstance(expr, Assign) and expr.op == "=" and isinstance(expr.target, VARIABLES):
        yield from _given_away(expr.value, counters, words)


def _given_away(expr: Expr, counters: frozenset[str], words: Vocabulary) -> Iterator[CounterTest]:
    """The tests of who asks later for a value of a counter: is it the first, is it the last."""
    inner = last_assigned(expr)
    made = move(inner, words)
    if made is None and spell(inner) in counters:
        yield from (CounterTest(spell(inner), value) for value in (0, 1))
    elif made is not None and made.counter in counters:
        yield CounterTest(made.counter, 0 if made.by > 0 else 1)


def _test(
    expr: Expr, value: int, counters: frozenset[str], words: Vocabulary
) -> Iterator[CounterTest]:
    made = move(expr, words)
    name, by = (spell(expr), 0) if made is None else (made.counter, made.by)
    if name in counters:
        if made is not None and made.gives == "zero":
            yield CounterTest(name, -by)
        else:
            yield CounterTest(
                name, value - (by if made is not None and made.gives == "after" else 0)
            )
