# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call may reach, however deep: sleeping, the mode, TLB maintenance.

This is the cheap half of the source witness.  It follows calls from a section into the tree
and keeps, per function and constant arguments, one chain to each thing reached.  Branches that
constant arguments decide are pruned; nothing else on the way is path-sensitive.

Limits: a sleep below a lock or a pin that the callee itself takes is left out, because such a
chain would be a bug of its own everywhere and in practice cannot happen; a callee that is
given a mask which forbids sleeping is believed; kernel-doc that says a function may be called
from atomic context is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

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
    names_in,
    text,
)
from lazymmu.kernelc.program import Program, Target, assignments
from lazymmu.kernelc.values import NONZERO, Value, integer, truth
from lazymmu.kernelc.view import Definition

from .facts import Facts
from .finding import Step

Binding = tuple[tuple[str, Value], ...]

MAX_DEPTH = 12
"""Calls below a section that are followed.

A longer chain passes so many conditions of its callees that it would be of low confidence
(causes.MAX_TESTS); what is cut off is counted.
"""

KEEP = 3
"""Chains kept of one kind, each to another place of the tree."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How something is reached: the steps from a call down to it, and what that needs."""

    kind: str
    what: str
    steps: tuple[Step, ...]
    conditions: frozenset[str] = frozenset()
    ambiguous: bool = False
    detail: tuple[str, ...] = ()
    tests: int = 0
    """Calls on the way that a callee makes under a condition which nothing here decides."""

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """The better of two chains has the smaller rank."""
        return (self.ambiguous, self.tests, len(self.conditions), len(self.steps))


@dataclass(frozen=True, slots=True)
class Effects:
    """What calling a function may do, by kind: sleep, enable, disable, pause, resume, tlb."""

    chains: Mapping[str, tuple[Chain, ...]]
    cut_at: int = 0
    """The depth at which these were computed if something deeper was left out, else 0."""

    def best(self, kind: str) -> Chain | None:
        """The best chain of a kind."""
        found = self.chains.get(kind)
        return found[0] if found else None


NOTHING = Effects({})


class Reach:
    """Effects of functions of one program, computed on demand and remembered."""

    def __init__(self, program: Program, facts: Facts, vocabulary: Vocabulary) -> None:
        self.program = program
        self.facts = facts
        self.words = vocabulary
        self._known: dict[tuple[str, int, Binding], Effects] = {}
        self._open: set[tuple[str, int, Binding]] = set()
        self._shape: dict[tuple[str, int], _Shape] = {}
        self.unresolved: dict[str, tuple[str, int, str]] = {}
        self.cut_off: set[tuple[str, int]] = set()
        """Definitions that were not looked at because they lie too deep."""
        self._cut = False
        self._never_sleeps: dict[tuple[str, int], bool] = {}

    # -- asked by the walker --------------------------------------------------------------

    def of_call(self, call: Expr, graph: Function, env: Mapping[str, Value]) -> Effects:
        """Effects of a call in ``graph`` to something that is not in the vocabulary."""
        target = self.target(call, graph, env)
        if target is None:
            return NOTHING
        return self.of(target.definition, self.bind(target.definition, call, graph, env), 0)

    def target(self, call: Expr, graph: Function, env: Mapping[str, Value]) -> Target | None:
        """Who a call in ``graph`` calls: by name, or through a parameter bound to a function."""
        name = callee(call, graph, env)
        if name is None:
            spelling = call[1] if isinstance(call[1], str) else text(call[1])
            self.unresolved.setdefault(f"(*{spelling})()", (graph.file, call[3], graph.name))
            return None
        bound = env.get(call[1]) if call[1] in graph.types else None
        near = str(bound[2]) if bound is not None and len(bound) > 2 else graph.file
        found = self.program.resolve(name, near)
        if found is None:
            self.unresolved.setdefault(name, (graph.file, call[3], graph.name))
        return found

    def bind(
        self, definition: Definition, call: Expr, caller: Function, env: Mapping[str, Value]
    ) -> Binding:
        """The callee's parameters whose value is known and matters to what it does."""
        graph = self.program.function(definition)
        evaluator = self.facts.evaluator(env, caller.file)
        relevant = self.shape(graph).deciding
        out = []
        for param, arg in zip(graph.params, call[2], strict=False):
            if param in relevant:
                value = function_value(arg, caller, env, self.program) or evaluator.value(arg)
                if value is not None:
                    out.append((param, value))
        return tuple(sorted(out, key=lambda item: item[0]))

    def shape(self, graph: Function) -> _Shape:
        """What of a function is looked up again and again."""
        key = (graph.file, graph.line)
        if key not in self._shape:
            self._shape[key] = _Shape.of(graph)
        return self._shape[key]

    # -- effects --------------------------------------------------------------------------

    def of(self, definition: Definition, binding: Binding, depth: int) -> Effects:
        """Effects of a definition called with these constants."""
        key = (definition.file, definition.line, binding)
        known = self._known.get(key)
        if known is not None and known.cut_at <= depth:
            self._cut = self._cut or known.cut_at > 0
            return known
        if key in self._open:
            return NOTHING
        if depth > MAX_DEPTH:
            self._cut = True
            self.cut_off.add(key[:2])
            return NOTHING
        self._open.add(key)
        outer, self._cut = self._cut, False
        effects = self._analyse(definition, dict(binding), depth)
        if self._cut:
            effects = replace(effects, cut_at=depth)
        self._cut = self._cut or outer
        self._open.discard(key)
        self._known[key] = effects
        return effects

    def _analyse(self, definition: Definition, env: dict[str, Value], depth: int) -> Effects:
        graph = self.program.function(definition)
        shape = self.shape(graph)
        evaluator = self.facts.evaluator(env, graph.file)
        for name, value in shape.single.items():
            known = evaluator.value(value)
            if known is not None:
                env[name] = known
        found: dict[str, list[Chain]] = {}
        atomic_only = self.believed_atomic(definition)
        asleep_ok = not atomic_only and env.get(shape.gfp or "") != ("gfp", "nonblocking")
        seen: set[tuple[int, int, frozenset[str]]] = set()
        todo: list[tuple[int, int, frozenset[str]]] = [(0, 0, frozenset())]
        whole = env
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            index, atomic, lost = at
            env = {k: v for k, v in whole.items() if k not in lost} if lost else whole
            node = graph.nodes[index]
            if node.expr is not None:
                for call in shape.calls[index]:
                    at_call = _At(graph, index, env, depth, atomic, asleep_ok)
                    atomic = max(0, atomic + self._call(call, at_call, found))
                overwritten = shape.writes[index] & whole.keys()
                if overwritten:
                    lost = lost | overwritten
                    env = {k: v for k, v in whole.items() if k not in lost}
            evaluator = self.facts.evaluator(env, graph.file)
            for succ in _successors(node, evaluator):
                todo.append((succ, min(atomic, 3), lost))
        conditions = frozenset(definition.conditions)
        return Effects(
            {
                kind: tuple(
                    Chain(
                        c.kind,
                        c.what,
                        c.steps,
                        c.conditions | conditions,
                        c.ambiguous,
                        c.detail,
                        c.tests,
                    )
                    for c in sorted(chains, key=lambda c: c.rank)[:KEEP]
                )
                for kind, chains in found.items()
            }
        )

    def _call(
        self,
        call: Expr,
        at: _At,
        found: dict[str, list[Chain]],
    ) -> int:
        """Note what one call reaches; the change of the depth of atomic context."""
        words, graph, env = self.words, at.graph, at.env
        name = callee(call, graph, env)
        here = Step(graph.file, call[3], call[4], graph.name, "")
        if name is None:
            self.target(call, graph, env)
            return 0
        mode = words.mode.get(name)
        if mode is not None:
            if mode.action != "active":
                _note(
                    found,
                    Chain(
                        mode.action, name, (_says(here, f"calls {name}()"),), detail=(mode.layer,)
                    ),
                )
            return 0
        change = self.atomic_change(name)
        lock = words.locks.get(name)
        if lock is not None or name in words.pins:
            return change
        if name in words.any_context:
            return 0
        tlb = words.tlb.get(name)
        if tlb is not None:
            _note(
                found,
                Chain(
                    "tlb",
                    name,
                    (_says(here, f"calls {name}()"),),
                    detail=(tlb.scope, tlb.space, tlb.how),
                ),
            )
            return 0
        may_sleep = at.asleep_ok and at.atomic == 0
        root = self.sleep_root(call, graph, env)
        if root is not None:
            if may_sleep and root:
                tests = 0 if self.shape(graph).always(graph, at.index) else 1
                step = _says(here, f"calls {name}()")
                _note(found, Chain("sleep", root, (step,), tests=tests))
            return change
        target = self.target(call, graph, env)
        if target is None:
            return 0
        binding = self.bind(target.definition, call, graph, env)
        effects = self.of(target.definition, binding, at.depth + 1)
        if not effects.chains:
            return 0
        tests = 0 if self.shape(graph).always(graph, at.index) else 1
        for kind, chains in effects.chains.items():
            if kind == "sleep" and not may_sleep:
                continue
            for chain in chains:
                step = _says(here, f"calls {name}()")
                _note(
                    found,
                    Chain(
                        chain.kind,
                        chain.what,
                        (step, *chain.steps),
                        chain.conditions,
                        chain.ambiguous or target.ambiguous,
                        chain.detail,
                        chain.tests + tests,
                    ),
                )
        return 0

    # -- vocabulary questions shared with the walker ----------------------------------------

    def atomic_change(self, name: str) -> int:
        """How a call changes the depth of atomic context of its caller."""
        pin = self.words.pins.get(name)
        if pin is not None:
            return 1 if pin.action == "pin" else -1
        lock = self.words.locks.get(name)
        if lock is not None:
            return {"take": 1, "try": 1, "drop": -1}.get(lock.action, 0)
        return 0

    def sleep_root(self, call: Expr, graph: Function, env: Mapping[str, Value]) -> str | None:
        """Why a call is a root of sleeping: a sentence; "" when it is one that cannot sleep here.

        None when the call is no root.  A mask that allows blocking, given to a parameter of
        type gfp_t or to a macro, is one (include/linux/sched/mm.h, might_alloc()).
        """
        name = callee(call, graph, env)
        root = self.words.sleeps.get(name or "")
        evaluator = self.facts.evaluator(env, graph.file)
        if root is not None:
            if root.condition_arg is not None and root.condition_arg < len(call[2]):
                decides = evaluator.value(call[2][root.condition_arg])
                if truth(decides) is False or decides == ("gfp", "nonblocking"):
                    return ""
            return root.why
        for position, arg in enumerate(call[2]):
            if not _may_be_mask(arg):
                continue
            value = evaluator.value(arg)
            if (
                value is None
                or value[0] != "gfp"
                or not self._takes_mask(call, position, graph.file)
            ):
                continue
            if value[1] == "blocking":
                return f"{name}() with {text(arg)}"
            return ""
        return None

    def _takes_mask(self, call: Expr, position: int, file: str) -> bool:
        if not isinstance(call[1], str):
            return True
        target = self.program.resolve(call[1], file)
        if target is None or target.definition.kind == "macro":
            return True
        graph = self.program.function(target.definition)
        if position >= len(graph.params):
            return True
        return graph.types.get(graph.params[position], "") == self.words.gfp_type

    def believed_atomic(self, definition: Definition) -> bool:
        """Whether the definition's own kernel-doc says that atomic context may call it."""
        key = (definition.file, definition.line)
        if key not in self._never_sleeps:
            said = definition.context.lower()
            self._never_sleeps[key] = next(
                (
                    phrase.sleeps == "no"
                    for pattern, phrase in self.words.context_phrases
                    if said and re.search(pattern, said)
                ),
                False,
            )
        return self._never_sleeps[key]


@dataclass(slots=True)
class _At:
    """A place in a function, and what holds there."""

    graph: Function
    index: int
    env: Mapping[str, Value]
    depth: int
    atomic: int
    asleep_ok: bool


@dataclass(slots=True)
class _Shape:
    """What of a function does not depend on its arguments."""

    calls: list[tuple[Expr, ...]]
    writes: list[frozenset[str]]
    single: dict[str, Expr]
    deciding: frozenset[str]
    gfp: str | None
    _always: dict[int, bool] = field(default_factory=dict)

    def always(self, graph: Function, index: int) -> bool:
        """Whether every path through the function passes a node."""
        known = self._always.get(index)
        if known is None:
            known = self._always[index] = not _avoidable(graph, index)
        return known

    @classmethod
    def of(cls, graph: Function) -> _Shape:
        written = assignments(graph)
        params = set(graph.params)
        single = {}
        for name, values in written.items():
            if len(values) == 1 and values[0] is not None and name not in params:
                value = values[0]
                stable = all(n not in written or len(written[n]) == 1 for n in names_in(value))
                if value[0] != "call" and not name.startswith("$") and stable:
                    single[name] = value
        calls: list[tuple[Expr, ...]] = []
        writes = [
            frozenset(t[1] for t, _ in changed(n.expr) if t[0] == "id" and t[1] in params)
            if n.expr is not None
            else frozenset()
            for n in graph.nodes
        ]
        deciding: set[str] = set()
        for node in graph.nodes:
            inside = tuple(calls_in(node.expr)) if node.expr is not None else ()
            calls.append(inside)
            if node.expr is not None and node.op in (BRANCH, SWITCH, RETURN):
                deciding.update(names_in(node.expr))
            for call in inside:
                if isinstance(call[1], str):
                    deciding.add(call[1])
                for arg in call[2]:
                    deciding.update(names_in(arg))
        for value in single.values():
            deciding.update(names_in(value))
        gfp = next((p for p in graph.params if graph.types.get(p) == "gfp_t"), None)
        return cls(calls, writes, single, frozenset(deciding), gfp)


def _avoidable(graph: Function, index: int) -> bool:
    """Whether some path from the beginning returns without passing a node."""
    seen = {index}
    todo = [0]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        if graph.nodes[at].op == RETURN:
            return True
        todo.extend(graph.nodes[at].succ)
    return False


def callee(call: Expr, graph: Function, env: Mapping[str, Value]) -> str | None:
    """The name that a call calls, through a bound parameter if need be; None for a pointer."""
    name = call[1]
    if not isinstance(name, str):
        return None
    if name in graph.types:
        bound = env.get(name)
        return str(bound[1]) if bound is not None and bound[0] == "fn" else None
    return name


def function_value(
    arg: Expr, caller: Function, env: Mapping[str, Value], program: Program
) -> Value:
    """The function that an argument names, if it names one; else NONZERO for a local's address."""
    if arg[0] == "addr":
        arg = arg[1]
        if arg[0] == "id" and arg[1] in caller.types:
            return NONZERO
    if arg[0] != "id" or arg[1] in env or arg[1] in caller.types or not arg[1].islower():
        return None
    target = program.resolve(arg[1], caller.file)
    if target is None or target.definition.kind != "function":
        return None
    return ("fn", arg[1], target.definition.file)


def _may_be_mask(arg: Expr) -> bool:
    return any(True for _ in names_in(arg))


def _successors(node: Node, evaluator: object) -> Iterable[int]:
    if node.op == BRANCH and node.expr is not None:
        known = truth(evaluator.value(node.expr))  # type: ignore[attr-defined]
        if known is not None:
            return (node.succ[0 if known else 1],)
    elif node.op == SWITCH and node.expr is not None:
        value = integer(evaluator.value(node.expr))  # type: ignore[attr-defined]
        if value is not None:
            fits = value if value in node.cases else None
            return [s for c, s in zip(node.cases, node.succ, strict=True) if c == fits]
    return node.succ


def _says(step: Step, note: str) -> Step:
    return Step(step.file, step.line, step.column, step.function, note)


def _note(found: dict[str, list[Chain]], chain: Chain) -> None:
    chains = found.setdefault(chain.kind, [])
    end = chain.steps[-1]
    for place, other in enumerate(chains):
        last = other.steps[-1]
        if (last.file, last.line) == (end.file, end.line):
            if chain.rank < other.rank:
                chains[place] = chain
            return
    chains.append(chain)
    if len(chains) > 4 * KEEP:
        chains.sort(key=lambda c: c.rank)
        del chains[2 * KEEP :]
