# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a function is worth remembering along a path, and where along it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import normalize_condition
from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    Address,
    AnyCall,
    Assign,
    Binary,
    Call,
    Deref,
    Expr,
    Field,
    IncDec,
    Name,
    Not,
    Number,
    Temporary,
)
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    RETURN,
    SWITCH,
    Function,
    Node,
    assigned,
    calls_in,
    spell,
    strip_casts,
    uses,
    walk,
    writes,
)
from lazymmu.kernelc.program import assignments
from lazymmu.witness.source.function.freed_variables import array_of, freed_by, stored, variables_of
from lazymmu.witness.source.function.local_members import root_of
from lazymmu.witness.source.function.pointer_offsets import OffsetMap, offsets_in
from lazymmu.witness.source.function.spelled_words import words_in
from lazymmu.witness.source.function.tested_variables import handed_to, returned_by, tested

LOCK_TYPES = frozenset({"spinlock_t *", "spinlock_t * *", "raw_spinlock_t *"})
"""C types that point to a lock."""

_SETTLING = (Number, Call, IncDec)
"""What a variable is assigned that is then worth remembering: a constant, a call's outcome, what a
counter was; and what comparing such a thing, or a member, comes to."""

_COPIED = (Name, Temporary, Field)
"""What a variable is assigned that shares what is known of it."""

_ENTRIES = frozenset(f"{level}_t *" for level in ("pte", "pmd", "pud", "p4d", "pgd"))
_CARRIED = LOCK_TYPES | _ENTRIES

MAX_REMEMBERED = 1_000_000
"""Conditions that a function remembers, summed over its steps; beyond it the function is not
walked. The most in 7.3 are 1,343."""

MAX_ROUNDS = 64
"""How often a step is looked at on average until it is known what matters there."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """What of a function is worth remembering along a path.

    :param tracked: spellings of conditions that are tested more than once, or whose operand is
        given a constant or a call's outcome somewhere.
    :param live: per node, those of them that some path from there still tests.
    :param locks: class of each variable that holds a lock.
    :param traced: variables whose value may come to be freed, so that its origin matters.
    :param rewritten: variables that are assigned.
    :param masks: variables, and members of own structures, that are given allocation masks, not
        always the same.
    :param too_much: that the function has more conditions to remember than MAX_REMEMBERED, and
        `live` is empty everywhere.
    """

    tracked: frozenset[str]
    live: list[frozenset[str]]
    locks: Mapping[str, str]
    traced: frozenset[str]
    rewritten: frozenset[str]
    masks: frozenset[str] = frozenset()
    too_much: bool = False
    plain: Mapping[Expr, Expr] = field(default_factory=dict)
    """What conditions ask for in the end, by what is written there."""
    offsets: OffsetMap = field(default_factory=dict)
    """Places near pointers to entries that are asked for."""

    @classmethod
    def of(
        cls,
        graph: Function,
        words: Vocabulary,
        plain: Mapping[Expr, Expr] = MappingProxyType({}),
        *,
        in_place: Callable[[AnyCall], bool] = lambda _: False,
    ) -> Liveness:
        """Read the plan off a function's graph.

        :param plain: what conditions ask for in the end.
        :param in_place: the calls of helpers, which may ask for what they are handed.
        """
        settled = set[str]()
        tests, returned = tested(graph, plain), returned_by(graph)
        handed, helped = handed_to(graph, partial(_carries, graph)), handed_to(graph, in_place)
        locks: dict[str, str] = {}
        flows = stored(graph, words)
        freed = {name for name, _ in flows}
        copies: list[tuple[str, str]] = []
        for node in graph.nodes:
            if node.expr is None:
                continue
            for target, value in writes(node.expr):
                if value is None:
                    continue
                source = assigned(value)
                if _settles(source):
                    settled.add(spell(target))
                if isinstance(source, _COPIED):
                    copies.append((spell(target), spell(source)))
                flows.append((array_of(target), source))
                kind = lock_class(source, {}, words) if isinstance(target, VARIABLES) else "other"
                if kind != "other":
                    locks[spell(target)] = kind
            for call in calls_in(node.expr):
                locks.update(_handed_back(call, words))
                freed |= freed_by(call, graph, words)
        settled = _closed(settled, [(source, {name}) for name, source in copies])
        copied = handed.union(*copies)
        tracked = {k for k, n in tests.items() if n > 1 or k in settled or k in copied}
        tracked |= helped & settled | returned & (settled | copied | _branched(graph))
        tracked = _closed(tracked, [(name, {source}) for name, source in copies])
        rewritten = frozenset(variable.spelling for variable in assignments(graph))
        masks = frozenset(_masks(graph, words))
        # What the caller gave holds until it is overwritten.
        tracked |= masks | rewritten.intersection(graph.params)
        traced = _closed(freed, [(name, uses(source)) for name, source in flows])
        live = _live(graph, tracked, masks, plain)
        return cls(
            tracked=frozenset(tracked),
            live=live or [frozenset()] * len(graph.nodes),
            locks=locks,
            traced=frozenset(traced),
            rewritten=rewritten,
            masks=masks,
            too_much=live is None,
            plain=plain,
            offsets=offsets_in(graph, _ENTRIES),
        )


def _carries(graph: Function, call: AnyCall) -> bool:
    """Whether a call is handed an entry or a lock: who is walked asks for what is beside it."""
    return any(graph.types.get(name) in _CARRIED for arg in call.args for name in uses(arg))


def _handed_back(call: AnyCall, words: Vocabulary) -> dict[str, str]:
    """The class of the lock that a call stores through one of its arguments, by that variable."""
    lock = words.locks.get(call.name or "")
    out = call.arg(lock.out) if lock is not None and lock.out is not None else None
    return {spell(Deref(out)): lock.cls} if lock is not None and out is not None else {}


def _settles(source: Expr) -> bool:
    if isinstance(source, _SETTLING):
        return True
    compared = isinstance(source, (Binary, Not))
    return compared and any(isinstance(part, (Call, IncDec, Field)) for part in walk(source))


def _addressed(call: AnyCall) -> set[str]:
    """Variables whose address is an argument of a call: it may leave them as they are."""
    pointees = (arg.operand for arg in call.args if isinstance(arg, Address))
    return {pointee.spelling for pointee in pointees if isinstance(pointee, VARIABLES)}


def _branched(graph: Function) -> set[str]:
    """What branches ask for being true, or compare with something."""
    found = set[str]()
    for node in graph.nodes:
        if node.op == BRANCH and node.expr is not None:
            known = normalize_condition(node.expr)
            found |= ordered(node.expr) | ({known.subject} if known is not None else set())
    return found


def ordered(expr: Expr) -> set[str]:
    """Variables that a condition compares with something."""
    match strip_casts(expr):
        case Not(inner):
            return ordered(inner)
        case Binary("==" | "!=" | "<" | "<=" | ">" | ">=", left, right):
            sides = map(strip_casts, (left, right))
            return {side.spelling for side in sides if isinstance(side, VARIABLES)}
    return set()


def _closed(start: set[str], leads: Iterable[tuple[str, Iterable[str]]]) -> set[str]:
    """The names that ``start`` leads to: from a name in it to the names beside that."""
    beside: dict[str, list[Iterable[str]]] = {}
    for name, others in leads:
        beside.setdefault(name, []).append(others)
    found = set(start)
    todo = list(start)
    while todo:
        for others in beside.pop(todo.pop(), ()):
            new = [other for other in others if other not in found]
            found.update(new)
            todo += new
    return found


def _masks(graph: Function, words: Vocabulary) -> set[str]:
    """Variables and members of own structures that are given allocation masks more than once."""
    given: Counter[str] = Counter()
    flags: set[str] = set()
    known = words.gfp_blocking | words.gfp_nonblocking
    for node in graph.nodes:
        for target, value in writes(node.expr) if node.expr is not None else ():
            name = spell(target)
            if isinstance(target, Field):
                kind = graph.types.get(root_of(target), "")
                if not kind.startswith("struct ") or "*" in kind:
                    continue
                if value is not None and not known.isdisjoint(uses(value)):
                    flags.add(name)
            elif isinstance(target, Name) and graph.types.get(name) == words.gfp_type:
                flags.add(name)
            else:
                continue
            given[name] += 1
    return {name for name in flags if given[name] > 1 or name in graph.params}


def _live(
    graph: Function, tracked: set[str], masks: frozenset[str], plain: Mapping[Expr, Expr]
) -> list[frozenset[str]] | None:
    """Which tracked conditions matter at each node: classic liveness, to a fixed point.

    Without it, paths that differ only in what nobody asks again would multiply.  None when that
    are more than MAX_REMEMBERED.  A set of conditions is a number while it is worked out: one bit
    for each.
    """
    order = sorted(tracked)
    bits = {name: 1 << place for place, name in enumerate(order)}
    naming: dict[str, int] = {}
    for name in order:
        for word in {name, *words_in(name)}:
            naming[word] = naming.get(word, 0) | bits[name]
    tested: list[int] = []
    kept: list[int] = []
    before: list[list[int]] = [[] for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        tested.append(sum(bits[name] for name in _asked(node, tracked, masks, plain)))
        gone = 0
        for target, _ in writes(node.expr) if node.expr is not None else ():
            gone |= naming.get(spell(target), 0)
        kept.append(~gone)
        for succ in node.succ:
            before[succ].append(index)
    live = [0] * len(graph.nodes)
    todo = list(range(len(graph.nodes)))
    waiting = [True] * len(graph.nodes)
    left = MAX_ROUNDS * len(graph.nodes)
    while todo and left:
        left -= 1
        index = todo.pop()
        waiting[index] = False
        after = 0
        for succ in graph.nodes[index].succ:
            after |= live[succ]
        now = (after & kept[index]) | tested[index]
        if now != live[index]:
            live[index] = now
            for other in before[index]:
                if not waiting[other]:
                    waiting[other] = True
                    todo.append(other)
    if todo or sum(mask.bit_count() for mask in live) > MAX_REMEMBERED:
        return None
    made: dict[int, frozenset[str]] = {}
    for mask in live:
        if mask not in made:
            made[mask] = frozenset(name for name in order if mask & bits[name])
    return [made[mask] for mask in live]


def _asked(
    node: Node, tracked: set[str], masks: frozenset[str], plain: Mapping[Expr, Expr]
) -> set[str]:
    """Tracked conditions that a node asks for: a test, a copy, an argument, what is returned."""
    if node.expr is None:
        return set()
    asked = set()
    if node.op == BRANCH:
        known = normalize_condition(plain.get(node.expr, node.expr))
        asked |= {known.subject} if known is not None else set()
    if node.op in (BRANCH, SWITCH, RETURN):
        asked |= uses(node.expr)
    for target, value in writes(node.expr):
        if value is None and (spell(target) in masks or _sets_bits(node.expr, target)):
            asked.add(spell(target))  # `mask |= __GFP_NOWARN`
        source = assigned(value) if value is not None else None
        if isinstance(source, _COPIED):
            asked.add(spell(source))
    for call in calls_in(node.expr):
        asked |= variables_of(call) | _addressed(call)
        if masks:
            asked |= _masks_of(call, masks)
    return asked & tracked


def _sets_bits(expr: Expr, target: Expr) -> bool:
    """Whether an expression sets or clears bits of a variable: what it was goes on to matter."""
    return any(
        isinstance(part, Assign) and part.op in ("|=", "&=") and strip_casts(part.target) == target
        for part in walk(expr)
    )


def _masks_of(call: AnyCall, masks: frozenset[str]) -> set[str]:
    """Masks that a call is given, by themselves or in their structure."""
    asked: set[str] = set()
    for arg in call.args:
        parts = uses(arg)
        asked |= {name for name in masks if name in parts or name.partition("->")[0] in parts}
    return asked


def lock_class(expr: Expr, known: Mapping[str, str], words: Vocabulary) -> str:
    """The class of the lock that an expression names."""
    expr = strip_casts(expr)
    if isinstance(expr, Address):
        expr = expr.operand
    if isinstance(expr, Call) and expr.name is not None:
        lock = words.locks.get(expr.name)
        return lock.cls if lock is not None and lock.returns == "lock" and lock.cls else "other"
    spelling = spell(expr)
    if spelling in known:
        return known[spelling]
    match expr:
        case Deref(pointer):
            return lock_class(pointer, known, words)
        case Field(base, name):
            candidates = words.lock_fields.get(name, ())
            base = strip_casts(base)
            owner = spell(base.operand if isinstance(base, Address) else base)
            for candidate in candidates:
                if candidate.object and candidate.object == owner:
                    return candidate.cls
            for candidate in candidates:
                if not candidate.object:
                    return candidate.cls
    return "other"
