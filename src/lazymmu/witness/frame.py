# SPDX-License-Identifier: GPL-2.0-or-later
"""One function while it is walked: what its names mean, and how they cross a call.

Entries and locks are named by their spelling in the function that is walked.  Entering a
callee renames them to the callee's spelling; what the callee cannot name gets the prefix ``^``
and keeps it until the call returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from lazymmu.contract.events import UNKNOWN_ENTRY, Level
from lazymmu.contract.monitor import Product
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir import (
    BRANCH,
    RETURN,
    SWITCH,
    Expr,
    Function,
    Node,
    calls_in,
    changed,
    strip,
    text,
)
from lazymmu.kernelc.program import assignments
from lazymmu.kernelc.values import Value, canonical, mentions

_LEVELS: tuple[Level, ...] = ("pte", "pmd", "pud", "p4d", "pgd")

ENTRY_LEVELS: Mapping[str, Level] = {f"{level}_t *": level for level in _LEVELS}
"""C types that point to a page-table entry."""

_LOCK_TYPES = frozenset({"spinlock_t *", "spinlock_t * *", "raw_spinlock_t *"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a function is worth remembering along a path.

    tracked: spellings of conditions that are tested more than once, or whose operand is given
    a constant or a call's outcome somewhere; live: per node, those of them that some path from
    there still tests; locks: class of each variable that holds a lock;
    traced: variables whose value may come to be freed, so that its origin matters;
    rewritten: variables that are assigned.
    """

    tracked: frozenset[str]
    live: list[frozenset[str]]
    locks: Mapping[str, str]
    traced: frozenset[str]
    rewritten: frozenset[str]

    @classmethod
    def of(cls, graph: Function, words: Vocabulary) -> Plan:
        """Read the plan off a function's graph."""
        tests: Counter[str] = Counter()
        settled: set[str] = set()
        locks: dict[str, str] = {}
        freed: set[str] = set()
        flows: list[tuple[str, Expr]] = []
        for node in graph.nodes:
            if node.expr is None:
                continue
            if node.op == BRANCH:
                known = canonical(node.expr)
                if known is not None:
                    tests[known[0]] += 1
                    tests.update(_compared(node.expr) - {known[0]})
            for target, value in changed(node.expr):
                if value is None:
                    continue
                source = _last_value(value)
                if source[0] in ("num", "call"):
                    settled.add(text(target))
                kind = lock_class(source, {}, words)
                if target[0] == "id":
                    flows.append((target[1], source))
                    if kind != "other":
                        locks[target[1]] = kind
            for call in calls_in(node.expr):
                lock = words.locks.get(call[1]) if isinstance(call[1], str) else None
                if lock is not None and lock.out is not None and lock.out < len(call[2]):
                    out = call[2][lock.out]
                    name = text(out[1]) if out[0] == "addr" else "*" + text(out)
                    locks[name] = lock.cls
                free = words.frees.get(call[1]) if isinstance(call[1], str) else None
                if free is not None and -len(call[2]) <= free.arg < len(call[2]):
                    freed |= mentions(call[2][free.arg])
        copies = [(name, source[1]) for name, source in flows if source[0] == "id"]
        settled = _closed(settled, [(source, {name}) for name, source in copies])
        tracked = {k for k, n in tests.items() if n > 1 or k in settled}
        tracked = _closed(tracked, [(name, {source}) for name, source in copies])
        traced = _closed(freed, [(name, mentions(source)) for name, source in flows])
        return cls(
            tracked=frozenset(tracked),
            live=_live(graph, tracked),
            locks=locks,
            traced=frozenset(traced),
            rewritten=frozenset(assignments(graph)),
        )


def _compared(expr: Expr) -> set[str]:
    """Variables that a condition compares with something else for being equal."""
    if expr[0] == "bin" and expr[1] in ("==", "!="):
        return {text(strip(side)) for side in expr[2:] if strip(side)[0] == "id"}
    return set()


def _last_value(value: Expr) -> Expr:
    """What ``a = b = c`` assigns to ``a``: c."""
    value = strip(value)
    while value[0] == "assign":
        value = strip(value[3])
    return value


def _closed(start: set[str], leads: Iterable[tuple[str, Iterable[str]]]) -> set[str]:
    """The names that ``start`` leads to: from a name in it to the names beside that."""
    found = set(start)
    moving = True
    while moving:
        before = len(found)
        for name, others in leads:
            if name in found:
                found.update(others)
        moving = len(found) != before
    return found


def _live(graph: Function, tracked: set[str]) -> list[frozenset[str]]:
    """Which tracked conditions matter at each node: classic liveness, to a fixed point.

    Without it, paths that differ only in what nobody asks again would multiply.
    """
    order = sorted(tracked)
    tested: list[set[str]] = []
    killed: list[set[str]] = []
    for node in graph.nodes:
        uses = _asked(node, tracked)
        tested.append(uses)
        targets = {text(t) for t, _ in changed(node.expr)} if node.expr is not None else set()
        killed.append(
            {k for k in order if k not in uses and any(k == t or names_it(k, t) for t in targets)}
        )
    live: list[set[str]] = [set() for _ in graph.nodes]
    moving = True
    while moving:
        moving = False
        for index in range(len(graph.nodes) - 1, -1, -1):
            after: set[str] = set()
            for succ in graph.nodes[index].succ:
                after |= live[succ]
            now = (after - killed[index]) | tested[index]
            if now != live[index]:
                live[index] = now
                moving = True
    return [frozenset(keys) for keys in live]


def _asked(node: Node, tracked: set[str]) -> set[str]:
    """Tracked conditions that a node asks for: a test, a copy, an argument, what is returned."""
    if node.expr is None:
        return set()
    uses = set()
    if node.op == BRANCH:
        known = canonical(node.expr)
        uses |= {known[0]} if known is not None else set()
        uses |= _compared(node.expr)
    if node.op in (SWITCH, RETURN):
        uses |= mentions(node.expr)
    for _, value in changed(node.expr):
        source = _last_value(value) if value is not None else None
        if source is not None and source[0] in ("id", "field"):
            uses.add(text(source))
    for call in calls_in(node.expr):
        uses |= {text(strip(arg)) for arg in call[2] if strip(arg)[0] == "id"}
    return uses & tracked


_WORDS: dict[str, frozenset[str]] = {}


def names_it(spelling: str, name: str) -> bool:
    """Whether the spelling of a condition or an entry mentions a variable."""
    words = _WORDS.get(spelling)
    if words is None:
        cleaned = "".join(c if c.isalnum() or c in "_$" else " " for c in spelling)
        words = _WORDS[spelling] = frozenset(cleaned.split())
    return name in words


def lock_class(expr: Expr, known: Mapping[str, str], words: Vocabulary) -> str:
    """The class of the lock that an expression names."""
    expr = strip(expr)
    if expr[0] == "addr":
        expr = expr[1]
    if expr[0] == "call" and isinstance(expr[1], str):
        lock = words.locks.get(expr[1])
        return lock.cls if lock is not None and lock.returns == "lock" and lock.cls else "other"
    spelling = text(expr)
    if spelling in known:
        return known[spelling]
    if expr[0] == "deref":
        return lock_class(expr[1], known, words)
    if expr[0] == "field":
        for candidate in words.lock_fields.get(expr[2], ()):
            if candidate.object and candidate.object == text(expr[1]).removeprefix("&"):
                return candidate.cls
        for candidate in words.lock_fields.get(expr[2], ()):
            if not candidate.object:
                return candidate.cls
    return "other"


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
        expr = strip(expr)
        if expr[0] == "bin" and expr[1] in ("+", "-"):
            expr = strip(expr[2])
        if expr[0] == "step":
            expr = strip(expr[2])
        if expr[0] == "id":
            return ENTRY_LEVELS.get(self.graph.types.get(expr[1], ""))
        return None

    def carries(self, call: Expr) -> bool:
        """Whether a call hands an entry or a lock to its callee."""
        for arg in call[2]:
            inner = strip(arg)
            if self.entry_level(inner) is not None:
                return True
            if inner[0] == "addr":
                inner = strip(inner[1])
            if inner[0] == "id" and self.graph.types.get(inner[1]) in _LOCK_TYPES:
                return True
        return False


def entry_name(expr: Expr) -> str:
    """How an entry is named: by the pointer's spelling, before a step that follows."""
    expr = strip(expr)
    if expr[0] == "step":
        expr = strip(expr[2])
    return text(expr)


def enter(product: Product, call: Expr, callee: Function) -> Product:
    """The product with entries and locks under the callee's names."""
    pairs = [(param, strip(arg)) for param, arg in zip(callee.params, call[2], strict=False)]

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


def leave(product: Product, call: Expr, callee: Function, rewritten: frozenset[str]) -> Product:
    """The product with the caller's names again; what only the callee could name is unnamed."""
    args = {
        param: strip(arg)
        for param, arg in zip(callee.params, call[2], strict=False)
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
            return text(("deref", args[name[1:]]))
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


__all__ = [
    "Frame",
    "Plan",
    "enter",
    "entry_name",
    "forget",
    "leave",
    "lock_class",
    "names_it",
    "rename_lock",
]
