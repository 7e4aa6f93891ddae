# SPDX-License-Identifier: GPL-2.0-or-later
"""Counters by which helpers begin a section once, and end it when the last user is done.

    static void begin(struct batch *b)
    {
        if (b->users++ == 0)
            lazy_mmu_mode_enable();
    }

A path is two where such a counter decides: it has the value that is asked for, or it has not. What
is known of it then goes along, into callees and back, under the name that each has for it. So does
what a helper notes for its caller in a flag (`scan->on = true`, `*on = true`), and what it asks of
that which it is handed (`if (batch->nr > 4)`): the other half of the pair asks the same.

Who moves such a counter and returns what it was (`scan_get(scan) == 0`) is walked in its caller's
place as well, where that value decides (`deciding.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, cast

from lazymmu.contract.monitor import Product
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import AtLeast, Int, NonZero, Value, shifted
from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    Address,
    AnyCall,
    Assign,
    Binary,
    Call,
    Deref,
    Expr,
    IncDec,
    Name,
    Number,
    Other,
)
from lazymmu.kernelc.ir.nodes import (
    Function,
    has_effect,
    spell,
    strip_casts,
    walk,
)
from lazymmu.witness.source.function.handed_conditions import is_about, is_condition, of_several
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.function.spelled_words import names_it

__all__ = [
    "Counter",
    "CounterList",
    "CounterMove",
    "handed_back",
    "inward",
    "is_zeros",
    "member_of",
    "moved",
    "outward",
    "passed_on",
]

UNKNOWN = AtLeast(0)
"""What is known of a counter at first."""

MOST = 8
"""Uses inside each other that are told apart."""

_WORD = re.compile(r"[A-Za-z_][\w$]*")


class Counter(NamedTuple):
    """A counter by its name in the function that is walked, and what is known of it."""

    name: EntryName
    value: Value


CounterList: TypeAlias = tuple[Counter, ...]
"""Counters in the order of their names, one of each."""


class CounterMove(NamedTuple):
    """A part of an expression that moves a counter, and what its own value is."""

    counter: str
    by: int
    gives: str


def of_product(product: Product) -> CounterList:
    """What is known of counters, where the walker keeps it."""
    return cast(CounterList, product.carried)


def move(expr: Expr, words: Vocabulary) -> CounterMove | None:
    """How an expression moves a counter by itself; None when it moves none."""
    match expr:
        case IncDec(op, target, prefix):
            return CounterMove(
                spell(target), 1 if op == "++" else -1, "after" if prefix else "before"
            )
        case Assign("+=" | "-=" as op, target, value) if strip_casts(value) == Number(1):
            return CounterMove(spell(target), 1 if op == "+=" else -1, "after")
        case Assign("=", target, Binary("+" | "-" as op, base, Number(1))) if spell(
            strip_casts(base)
        ) == spell(target):
            return CounterMove(spell(target), 1 if op == "+" else -1, "after")
    if not isinstance(expr, Call):
        return None
    word = words.counters.get(expr.name or "")
    arg = expr.arg(word.arg) if word is not None else None
    if word is None or arg is None:
        return None
    arg = strip_casts(arg)
    if not word.variable:
        arg = arg.operand if isinstance(arg, Address) else Deref(arg)
    return CounterMove(spell(arg), word.by, word.gives)


def apart(value: Value, asked: int) -> tuple[Value, ...]:
    """What may be known of a counter when it is asked for a value: it is that one, or it is not."""
    if not isinstance(value, AtLeast) or asked < value.number:
        return (value,)
    if asked > value.number:
        return (Int(asked), value)
    return (Int(asked), AtLeast(asked + 1))


def known(counters: CounterList, name: str) -> Value:
    """What is known of a counter, by its spelling in the function at hand."""
    return dict(counters).get(EntryName(name), UNKNOWN)


def learnt(counters: CounterList, name: str, value: Value) -> CounterList:
    """The counters with what is known of one."""
    others = {counter.name: counter.value for counter in counters}
    return _ordered({**others, EntryName(name): value})


def moved(
    counters: CounterList, expr: Expr, words: Vocabulary, more: frozenset[str] = frozenset()
) -> CounterList:
    """The counters after an expression.

    :param more: counters, by spelling, of which something is known once they are moved.
    """
    values = {counter.name: counter.value for counter in counters}
    for part in walk(expr):
        made = move(part, words)
        if made is not None:
            at = EntryName(made.counter)
            if at in values or made.counter in more:
                _enter(values, at, shifted(values.get(at, UNKNOWN), made.by))
            _forget_about(values, made.counter)
        elif isinstance(part, Assign):
            target, value = strip_casts(part.target), strip_casts(part.value)
            name = EntryName(spell(target))
            if name in values or name.spelling in more:
                plain = part.op == "=" and isinstance(value, Number)
                given: Value = UNKNOWN if name.spelling in more else None
                given = Int(value.value) if plain and isinstance(value, Number) else given
                _enter(values, name, given)
            if isinstance(target, VARIABLES):
                for other in list(values):
                    if other.here and other != name and names_it(other.spelling, target.spelling):
                        del values[other]
            _forget_about(values, name.spelling)
            if isinstance(target, VARIABLES) and is_zeros(value):
                inside = [other for other in more if other.startswith(f"{name.spelling}->")]
                values.update((EntryName(other), Int(0)) for other in inside)
            if isinstance(target, VARIABLES) and isinstance(value, VARIABLES) and part.op == "=":
                _copy_members(values, value.spelling, target.spelling)
    return _ordered(values)


def is_zeros(value: Expr) -> bool:
    """Whether it is an initialiser in braces that gives nothing but zeros."""
    return isinstance(value, Other) and all(
        isinstance(part, Number) and part.value == 0 for part in value.parts
    )


def _enter(values: dict[EntryName, Value], name: EntryName, value: Value) -> None:
    values.pop(name, None)
    if value is not None:
        values[name] = value


def _forget_about(values: dict[EntryName, Value], place: str) -> None:
    """Forget what was known by comparing a place that is written, and of what is behind it."""
    inside = place.removeprefix("*")
    begins = [f"({place} ", f"{inside}->", f"({inside}->"]
    for name in [name for name in values if name.here]:
        if name.spelling.startswith(tuple(begins)) or is_about(name.spelling, inside):
            del values[name]


def _copy_members(values: dict[EntryName, Value], source: str, target: str) -> None:
    """What is known of the members of a structure holds for a copy of the whole."""
    for name, value in list(values.items()):
        inside = _below(name.spelling, Name(source), target) if name.here else ""
        if f"{target}->" in inside:
            values[EntryName(inside)] = value


def handed_back(counters: CounterList, returned: EntryName, target: str = "") -> CounterList:
    """The counters when a structure that a function has returned is somewhere, or nowhere.

    :param returned: the structure, as a variable of that function.
    :param target: the variable that is given it.
    """
    values: dict[EntryName, Value] = {}
    for name, value in counters:
        if name.owners and name.owners == returned.owners:
            inside = _below(name.spelling, Name(returned.spelling), target) if target else ""
            name = EntryName(inside)
        if name.spelling:
            values[name] = value
    return _ordered(values)


def passed_on(counters: CounterList, before: CounterList, returned: EntryName) -> CounterList:
    """The counters where a structure that a call has returned is returned again.

    :param before: those that were known when the call had returned.
    """
    own = [each for each in before if each.name.owners and each.name.owners == returned.owners]
    return _ordered({**dict(counters), **dict(own)}) if own else counters


def member_of(name: EntryName) -> str:
    """The member that a counter is, or is about, in the function at hand; "" where that is none."""
    place = name.spelling.strip("(").partition(" ")[0]
    return place if name.here and "->" in place else ""


def inward(
    counters: CounterList,
    call: AnyCall,
    graph: Function,
    callee: Function,
    facts: Mapping[str, Value] = MappingProxyType({}),
) -> CounterList:
    """The counters of a caller under the names that its callee has for them.

    :param facts: what is known of the caller's variables: one whose address is handed on is known.
    """
    given = dict(_given(call, callee))
    values: dict[EntryName, Value] = {
        EntryName(spell(Deref(Name(param)))): facts[arg.operand.spelling]
        for param, arg in given.items()
        if isinstance(arg, Address) and isinstance(arg.operand, VARIABLES)
        if isinstance(facts.get(arg.operand.spelling), Int)
    }
    for name, value in counters:
        values[_inward(name, given, graph, callee)] = value
    return _ordered(values)


def _inward(
    name: EntryName, given: Mapping[str, Expr], graph: Function, callee: Function
) -> EntryName:
    if not name.here:
        return name._replace(up=name.up + 1)
    for param, arg in given.items():
        if is_condition(arg) and spell(arg) == name.spelling:
            return EntryName(param)
    several = of_several(name.spelling, graph)
    for param, arg in given.items() if not several else ():
        there = _below(name.spelling, arg, param)
        if there:
            return EntryName(there)
    if _local(name.spelling, graph) or _local(name.spelling, callee):
        return name._replace(up=1)
    return name


def _below(spelling: str, arg: Expr, param: str) -> str:
    """What a callee calls something by a parameter that is given it, or a pointer to it; or ""."""
    if spelling.startswith("("):
        inner = _below(spelling[1:], arg, param)
        return f"({inner}" if inner else ""
    if isinstance(arg, Address):
        base = spell(arg.operand)
        if spelling == base:
            return spell(Deref(Name(param)))
    else:
        base = spell(arg)
        if spelling == base or spelling.startswith(f"{base} "):
            return param + spelling[len(base) :]
        if spelling == spell(Deref(arg)):
            return spell(Deref(Name(param)))
    return param + spelling[len(base) :] if spelling.startswith(f"{base}->") else ""


def outward(
    counters: CounterList,
    call: AnyCall,
    graph: Function,
    callee: Function,
    rewritten: frozenset[str],
    returned: EntryName = EntryName(""),  # noqa: B008 - immutable
) -> CounterList:
    """The counters under their caller's names again; those of the callee alone are gone.

    :param returned: the variable that is returned, of the callee or of who returned it to that one:
        its members stay there.
    """
    given = {p: arg for p, arg in _given(call, callee) if p not in rewritten}
    values: dict[EntryName, Value] = {}
    for name, value in counters:
        back: EntryName | None
        if name.owners:
            back = name.owned_by(callee.name) if name.owners == returned.owners else None
        elif name.up:
            back = name._replace(up=name.up - 1)
            if name.up == 1 and not _local(name.spelling, graph):
                back = EntryName(name.spelling)
        else:
            back = _outward(name.spelling, given, callee)
            own = returned.spelling if returned.here else ""
            if back is None and own and _below(name.spelling, Name(own), own):
                back = name.owned_by(callee.name)
        if back is not None:
            values[back] = value
    return _ordered(values)


def _outward(spelling: str, given: Mapping[str, Expr], callee: Function) -> EntryName | None:
    several = of_several(spelling, callee)
    for param, arg in given.items() if not several else ():
        above = _above(spelling, arg, param)
        if above:
            return EntryName(above)
    return None if _local(spelling, callee) else EntryName(spelling)


def _above(spelling: str, arg: Expr, param: str) -> str:
    """What a caller calls something that its callee has by a parameter, "" where that is none."""
    if spelling.startswith("("):
        inner = _above(spelling[1:], arg, param)
        return f"({inner}" if inner else ""
    if spelling == spell(Deref(Name(param))):
        return spell(arg.operand if isinstance(arg, Address) else Deref(arg))
    base = spell(arg.operand if isinstance(arg, Address) else arg)
    itself = spelling == param or spelling.startswith(f"{param} ")
    if spelling.startswith(f"{param}->") or (itself and not isinstance(arg, Address)):
        return base + spelling[len(param) :]
    return ""


def _given(call: AnyCall, callee: Function) -> Iterator[tuple[str, Expr]]:
    """What each parameter is given that is a plain place."""
    for param, arg in zip(callee.params, call.args, strict=False):
        plain = strip_casts(arg)
        if not has_effect(plain) and not isinstance(plain, Number):
            yield param, plain


def is_own_variable(spelling: str, graph: Function) -> bool:
    """Whether it is a variable of a function, and nothing in what one points to."""
    return _WORD.fullmatch(spelling) is not None and _local(spelling, graph)


@lru_cache(maxsize=1 << 12)
def _root(spelling: str) -> str:
    found = _WORD.search(spelling)
    return found[0] if found is not None else ""


def _local(spelling: str, graph: Function) -> bool:
    """Whether a name begins with a variable that only this function has."""
    root = _root(spelling)
    return root in graph.types or root in graph.params


def _ordered(values: Mapping[EntryName, Value]) -> CounterList:
    return tuple(sorted(Counter(name, _bounded(value)) for name, value in values.items()))


def _bounded(value: Value) -> Value:
    match value:
        case Int(number) if number > MOST:
            return AtLeast(MOST)
        case AtLeast(number) if number > MOST:
            return AtLeast(MOST)
        case Int() | AtLeast() | NonZero():
            return value
    return UNKNOWN
