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

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lazymmu.contract.vocabulary import ModeCall, Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import (
    NONBLOCKING,
    Evaluator,
    FunctionValue,
    Value,
    truth,
)
from lazymmu.kernelc.ir.expr import Address, AnyCall, Expr, Name
from lazymmu.kernelc.ir.nodes import BRANCH, SWITCH, Function, Node, strip_casts
from lazymmu.kernelc.ir.switches import switched
from lazymmu.kernelc.program import Program
from lazymmu.witness.finding import Step
from lazymmu.witness.source.interproc.call_chains import (
    NOTHING,
    CallChain,
    Summary,
    kept_chains,
    note_chain,
)
from lazymmu.witness.source.interproc.call_targets import Binding, CallResolver, callee, named
from lazymmu.witness.source.interproc.call_words import says
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.interproc.recursion import Recursion, in_atomic_context
from lazymmu.witness.source.interproc.sleep_roots import SleepRoots
from lazymmu.witness.source.interproc.table_lookup import TableLookup

MAX_DEPTH = 12
"""Calls below a section that are followed.

A longer chain passes so many conditions of its callees that it would be of low confidence
(causes.MAX_TESTS); what is cut off is counted.  A function that names the mode is looked at even
there, so that nothing that is cut off begins or ends a section by itself.
"""

MAX_BINDINGS = 500
"""Sets of constants with which one function is looked at; beyond it, it is looked at without any.
The most in real trees are 154, in 6.12.8."""

MAX_ANALYSES = 30_000
"""Functions, each with one set of constants, that are looked at for one architecture; those after
that are unknown.  In 6.12.8 they are 4,948."""

MAX_STEPS = 50_000
"""Steps through one function with one set of constants; beyond it the function counts as not
understood."""


class CalleeSummaries(CallResolver):
    """Effects of functions of one program, computed on demand and remembered."""

    def __init__(
        self,
        program: Program,
        facts: ConstantEvaluator,
        vocabulary: Vocabulary,
        tables: TableLookup,
        api: ModeApi,
        names_mode: Callable[[Definition], bool] = lambda _: False,
    ) -> None:
        """Start with nothing known.

        :param api: which calls are the mode's.
        :param names_mode: whether a definition's text names the mode.
        """
        super().__init__(program, facts, tables)
        self.words = vocabulary
        self.api = api
        self.names_mode = names_mode
        self.sleeping = SleepRoots(program, facts, vocabulary)
        self._known: dict[tuple[str, int, str, Binding], Summary] = {}
        self._recursion: Recursion[tuple[str, int, str, Binding]] = Recursion()
        self.cut_off: set[tuple[str, int]] = set()
        """Definitions that were not looked at because they lie too deep."""
        self._cut = False
        self._bindings: dict[tuple[str, int], int] = {}
        self.analyses = 0
        self.bounded: dict[tuple[str, int, str], str] = {}
        """Functions that were too much, with the bound that they met."""

    # -- asked by the walker --------------------------------------------------------------

    def of_call(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value], near: str = ""
    ) -> Summary:
        """Effects of a call in ``graph`` to something that is not in the vocabulary."""
        target = self.target(call, graph, env, near)
        if target is None:
            return NOTHING
        return self.of(target.definition, self.bind(target.definition, call, graph, env), 0)

    def function(self, arg: Expr, caller: Function, env: Mapping[str, Value]) -> Value:
        """The function that an expression names; one of the mode's API need not be defined."""
        found = super().function(arg, caller, env)
        name = self.handed_mode(arg, caller, env) if found is None else ""
        return FunctionValue(name, caller.file) if name else found

    def handed_mode(self, arg: Expr, caller: Function, env: Mapping[str, Value]) -> str:
        """The function of the mode's API that an argument names or holds, "" for any other."""
        inner = strip_casts(arg)
        inner = inner.operand if isinstance(inner, Address) else inner
        if not isinstance(inner, Name):
            return ""
        held = env.get(inner.spelling)
        if isinstance(held, FunctionValue):
            return held.name if self.api.has(held.name, held.file) else ""
        own = inner.spelling in caller.types
        return inner.spelling if not own and self.api.has(inner.spelling, caller.file) else ""

    def mode_calls(self, graph: Function) -> Iterator[tuple[AnyCall, ModeCall]]:
        """The calls of the mode's API that a function makes itself."""
        single = self.shape(graph).single
        evaluator = self.facts.evaluator({}, graph.file)
        pointers = {n: v for n, e in single.items() if (v := evaluator.value(e)) is not None}
        for _, call in graph.calls():
            mode = self.api.of_call(call, callee(call, graph, pointers), graph.file)
            held = self.held(call, graph, pointers) if mode is None else ()
            if mode is None and held:
                mode = self.api.of(held[0].name, held[0].file)
            if mode is not None:
                yield call, mode

    # -- effects --------------------------------------------------------------------------

    def of(self, definition: Definition, binding: Binding, depth: int) -> Summary:
        """Effects of a definition called with these constants."""
        place = (definition.file, definition.line)
        if binding and self._bindings.get(place, 0) >= MAX_BINDINGS:
            where = (*place, definition.name)
            self.bounded[where] = f"called with more than {MAX_BINDINGS} sets of constants"
            binding = ()
        key = (*place, definition.name, binding)
        known = self._known.get(key)
        if known is not None and known.cut_at <= depth:
            self._cut = self._cut or known.cut_at > 0
            return known
        if (again := self._recursion.again(key)) is not None:
            return Summary({again: (CallChain(again, definition.name, ()),)})
        if depth > MAX_DEPTH and not self.names_mode(definition):
            self._cut = True
            self.cut_off.add(key[:2])
            return NOTHING
        if self.analyses >= MAX_ANALYSES:
            self.bounded["", 0, ""] = f"more than {MAX_ANALYSES} functions below sections"
            return NOTHING
        self.analyses += 1
        if known is None:
            self._bindings[place] = self._bindings.get(place, 0) + 1
        self._recursion.begin(key)
        outer, self._cut = self._cut, False
        effects = self._analyse(definition, dict(binding), depth)
        if self._cut:
            effects = replace(effects, cut_at=depth)
        self._cut = self._cut or outer
        return self._recursion.ended(key, effects, self._known)

    def _analyse(self, definition: Definition, env: dict[str, Value], depth: int) -> Summary:
        graph = self.program.function(definition)
        shape = self.shape(graph)
        self.settle(graph, env)
        found: dict[str, list[CallChain]] = {}
        atomic_only = self.sleeping.believed_not_to(definition)
        asleep_ok = not atomic_only and env.get(shape.gfp or "") != NONBLOCKING
        seen: set[tuple[int, int, frozenset[str]]] = set()
        todo: list[tuple[int, int, frozenset[str]]] = [(0, 0, frozenset())]
        whole = env
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            if len(seen) >= MAX_STEPS:
                where = (definition.file, definition.line, definition.name)
                self.bounded[where] = f"more than {MAX_STEPS} steps"
                break
            seen.add(at)
            index, atomic, lost = at
            env = {k: v for k, v in whole.items() if k not in lost} if lost else whole
            node = graph.nodes[index]
            if node.expr is not None:
                for call in shape.calls[index]:
                    at_call = _At(graph, index, env, depth, atomic, asleep_ok)
                    atomic = max(0, atomic + self._call(call, at_call, found))
                overwritten = shape.rewritten[index] & whole.keys()
                if overwritten:
                    lost = lost | overwritten
                    env = {k: v for k, v in whole.items() if k not in lost}
            ways: Iterable[int] = node.succ
            if len(node.succ) > 1 and node.expr is not None:
                ways = _successors(node, self.facts.within(graph, env))
            todo += [(succ, min(atomic, 3), lost) for succ in ways]
        conditions = frozenset(definition.presence)
        guessed = bool(graph.broken)
        kept = kept_chains(found)
        if conditions or guessed:
            kept = {
                kind: tuple(
                    replace(
                        c, conditions=c.conditions | conditions, ambiguous=c.ambiguous or guessed
                    )
                    for c in chains
                )
                for kind, chains in kept.items()
            }
        return Summary(kept)

    def _call(self, call: AnyCall, at: _At, found: dict[str, list[CallChain]]) -> int:
        """Note what one call reaches; the change of the depth of atomic context."""
        words = self.words
        name = callee(call, at.graph, at.env)
        mode = self.api.of_call(call, name, at.graph.file)
        if name is None and mode is None:
            targets = self.pointed(call, at.graph, at.env)
            for possible in targets:
                there = replace(at, near=possible.file, guessed=not possible.sure)
                self._call(named(call, possible), there, found)
            if not targets:
                self._asleep(call, replace(at, guessed=True), found)
            return 0
        said = says(call, name or call.name or "", at.graph)
        step = Step(at.graph.file, call.line, call.column, at.graph.name, said)
        if mode is not None or name is None:
            if mode is not None and mode.action != "active":
                what, layer = name or said, (mode.layer,)
                chain = CallChain(mode.action, what, (step,), detail=layer, ambiguous=at.guessed)
                note_chain(found, chain)
                # Where the mode is paused no section stands in the way of sleeping.
                return {"pause": 1, "resume": -1}.get(mode.action, 0)
            return 0
        change = self.sleeping.change(name)
        if name in words.locks or name in words.pins:
            return change
        if name in words.any_context:
            return 0
        if (tlb := words.tlb.get(name)) is not None:
            detail = (tlb.scope, tlb.space, tlb.how, "batch" if tlb.batch else "")
            note_chain(found, CallChain("tlb", name, (step,), detail=detail, ambiguous=at.guessed))
            return 0
        if self._asleep(call, at, found):
            return change
        self._below(call, step, at, found)
        return 0

    def _asleep(self, call: AnyCall, at: _At, found: dict[str, list[CallChain]]) -> bool:
        """Note a call that is a root of sleeping, and tell whether it is one, asleep or not."""
        root = self.sleeping.root(call, at.graph, at.env)
        if root and at.may_sleep:
            said = says(call, callee(call, at.graph, at.env) or call.name or "", at.graph)
            step = Step(at.graph.file, call.line, call.column, at.graph.name, said)
            mask = self.sleeping.assumed(call, at.graph, at.env)
            guessed = at.guessed or mask.guessed
            tests = self._tests(at) + mask.tests
            note_chain(found, CallChain("sleep", root, (step,), tests=tests, ambiguous=guessed))
        return root is not None

    def _below(self, call: AnyCall, step: Step, at: _At, found: dict[str, list[CallChain]]) -> None:
        """Note what the function that is called reaches, each chain with this call before it."""
        target = self.target(call, at.graph, at.env, at.near)
        if target is None:
            return
        binding = self.bind(target.definition, call, at.graph, at.env)
        effects = self.of(target.definition, binding, at.depth + 1)
        for kind, chains in effects.chains.items():
            if kind == "sleep" and not at.may_sleep:
                continue
            for chain in chains:
                longer = replace(
                    chain,
                    kind=kind if at.may_sleep else in_atomic_context(kind),
                    steps=(step, *chain.steps),
                    ambiguous=chain.ambiguous or target.ambiguous or at.guessed,
                    tests=chain.tests + self._tests(at),
                )
                note_chain(found, longer)

    def _tests(self, at: _At) -> int:
        """How many branches are assumed to be taken to come to a place: none, or some."""
        return 0 if self.shape(at.graph).always(at.graph, at.index) else 1


@dataclass(slots=True)
class _At:
    """A place in a function, and what holds there."""

    graph: Function
    index: int
    env: Mapping[str, Value]
    depth: int
    atomic: int
    asleep_ok: bool
    near: str = ""
    """The file that means the name of the call so, where that is not the function's own."""
    guessed: bool = False

    @property
    def may_sleep(self) -> bool:
        """Whether what sleeps here is to be told: the context is not atomic, or said to be fine."""
        return self.asleep_ok and self.atomic == 0


def _successors(node: Node, evaluator: Evaluator) -> Iterable[int]:
    if node.op == BRANCH and node.expr is not None:
        known = truth(evaluator.value(node.expr))
        if known is not None:
            return (node.succ[0 if known else 1],)
    elif node.op == SWITCH and node.expr is not None:
        return switched(node, evaluator)
    return node.succ
