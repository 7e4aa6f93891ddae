# SPDX-License-Identifier: GPL-2.0-or-later
"""What one function does by itself, and whom it calls: the part of a summary that is its own.

It rests on the function, on the constants that it is called with, and on whom its calls mean; not
on what those come to, nor on who asked. So it is computed once, and put together with others as
often as need be (summaries.py).

Limits: a sleep below a lock or a pin that the callee itself takes is left out, because such a
chain would be a bug of its own everywhere and in practice cannot happen; a callee that is
given a mask which forbids sleeping is believed; kernel-doc that says a function may be called
from atomic context is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

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
from lazymmu.witness.source.interproc.call_chains import CallChain
from lazymmu.witness.source.interproc.call_targets import Binding, CallResolver, callee, named
from lazymmu.witness.source.interproc.call_words import says
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.context_needs import needs_of
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.interproc.sleep_roots import AtomicContext, SleepRoots
from lazymmu.witness.source.interproc.table_lookup import TableLookup

__all__ = ["CallBelow", "DirectCalls", "OwnPart"]

_NONE: frozenset[str] = frozenset()

MAX_STEPS = 50_000
"""Steps through one function with one set of constants; beyond it the function counts as not
understood."""


@dataclass(frozen=True, slots=True)
class CallBelow:
    """A call to a function that is looked at itself.

    :param binding: the parameters of `definition` that are known at the call.
    :param may_sleep: whether what sleeps below it is to be told.
    :param tests: branches that are assumed to be taken to come to the call: none, or some.
    :param needs: what the context must be to come to it (context_needs.py).
    """

    definition: Definition
    binding: Binding
    step: Step
    may_sleep: bool
    ambiguous: bool
    tests: int
    needs: frozenset[str] = frozenset()


OwnPart: TypeAlias = tuple[CallChain | CallBelow, ...]
"""What a function reaches by itself, and the calls that may reach more, as they are come to."""

_Found: TypeAlias = dict[CallChain | CallBelow, None]


class DirectCalls(CallResolver):
    """Looks at one function at a time, and at whom it calls."""

    def __init__(
        self,
        program: Program,
        facts: ConstantEvaluator,
        vocabulary: Vocabulary,
        tables: TableLookup,
        api: ModeApi,
    ) -> None:
        """Start with nothing known; `api` says which calls are the mode's."""
        super().__init__(program, facts, tables)
        self.words = vocabulary
        self.api = api
        self.sleeping = SleepRoots(program, facts, vocabulary)
        self.bounded: dict[tuple[str, int, str], str] = {}
        """Functions that were too much, with the bound that they met."""

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
        pointers: dict[str, Value] = {}
        self.settle(graph, pointers)
        for _, call in graph.calls():
            mode = self.api.of_call(call, callee(call, graph, pointers), graph.file)
            held = self.held(call, graph, pointers) if mode is None else ()
            if mode is None and held:
                mode = self.api.of(held[0].name, held[0].file)
            if mode is not None:
                yield call, mode

    def own_part(self, definition: Definition, binding: Binding) -> OwnPart:
        """What a function reaches by itself when it is called with some constants."""
        graph = self.program.function(definition)
        shape = self.shape(graph)
        whole = dict(binding)
        self.settle(graph, whole)
        atomic_only = self.sleeping.believed_not_to(definition)
        asleep_ok = not atomic_only and whole.get(shape.gfp or "") != NONBLOCKING
        kept = {k: v for k, v in whole.items() if k not in shape.reassigned}
        needs = needs_of(graph, kept, self.facts, _successors)
        found: _Found = {}
        seen: set[tuple[int, AtomicContext, frozenset[str]]] = set()
        todo = [(0, AtomicContext(), frozenset[str]())]
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
                    at_call = _At(graph, index, env, atomic, asleep_ok, needs.get(index, _NONE))
                    atomic = self._call(call, at_call, found)
                overwritten = shape.rewritten[index] & whole.keys()
                if overwritten:
                    lost = lost | overwritten
                    env = {k: v for k, v in whole.items() if k not in lost}
            ways: Iterable[int] = node.succ
            if len(node.succ) > 1 and node.expr is not None:
                ways = _successors(node, self.facts.within(graph, env))
            todo += [(succ, atomic, lost) for succ in ways]
        return tuple(found)

    def _call(self, call: AnyCall, at: _At, found: _Found) -> AtomicContext:
        """Note what one call reaches; the atomic context after it."""
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
            return at.atomic
        said = says(call, name or call.name or "", at.graph)
        step = Step(at.graph.file, call.line, call.column, at.graph.name, said)
        if mode is not None or name is None:
            if mode is not None and mode.action != "active":
                what, layer = name or said, (mode.layer,)
                chain = CallChain(mode.action, what, (step,), at.needs, at.guessed, layer)
                found[chain] = None
                # Where the mode is paused no section stands in the way of sleeping.
                return at.atomic.deeper({"pause": 1, "resume": -1}.get(mode.action, 0))
            return at.atomic
        after = self.sleeping.after(name, at.atomic)
        if name in words.locks or name in words.pins:
            return after
        if name in words.any_context or name in words.context_questions:
            return at.atomic
        if (tlb := words.tlb.get(name)) is not None:
            detail = (tlb.scope, tlb.space, tlb.how, "batch" if tlb.batch else "")
            found[CallChain("tlb", name, (step,), at.needs, at.guessed, detail)] = None
            return at.atomic
        if not self._asleep(call, at, found):
            self._called(call, step, at, found)
        return at.atomic

    def _asleep(self, call: AnyCall, at: _At, found: _Found) -> bool:
        """Note a call that is a root of sleeping, and tell whether it is one, asleep or not."""
        root = self.sleeping.root(call, at.graph, at.env)
        if root and at.may_sleep:
            said = says(call, callee(call, at.graph, at.env) or call.name or "", at.graph)
            step = Step(at.graph.file, call.line, call.column, at.graph.name, said)
            mask = self.sleeping.assumed(call, at.graph, at.env)
            guessed = at.guessed or mask.guessed
            tests = self._tests(at) + mask.tests
            found[CallChain("sleep", root, (step,), at.needs, guessed, (), tests)] = None
        return root is not None

    def _called(self, call: AnyCall, step: Step, at: _At, found: _Found) -> None:
        """Note a call to a function that has to be looked at itself."""
        target = self.target(call, at.graph, at.env, at.near)
        if target is None:
            return
        binding = self.bind(target.definition, call, at.graph, at.env)
        guessed = target.ambiguous or at.guessed
        tests = self._tests(at)
        below = CallBelow(target.definition, binding, step, at.may_sleep, guessed, tests, at.needs)
        found[below] = None

    def _tests(self, at: _At) -> int:
        """How many branches are assumed to be taken to come to a place: none, or some."""
        return 0 if self.shape(at.graph).always(at.graph, at.index) else 1


@dataclass(slots=True)
class _At:
    """A place in a function, and what holds there."""

    graph: Function
    index: int
    env: Mapping[str, Value]
    atomic: AtomicContext
    asleep_ok: bool
    needs: frozenset[str] = frozenset()
    near: str = ""
    """The file that means the name of the call so, where that is not the function's own."""
    guessed: bool = False

    @property
    def may_sleep(self) -> bool:
        """Whether what sleeps here is to be told: the context is not atomic, or said to be fine."""
        return self.asleep_ok and not self.atomic.holds


def _successors(node: Node, evaluator: Evaluator) -> Iterable[int]:
    if node.op == BRANCH and node.expr is not None:
        known = truth(evaluator.value(node.expr))
        if known is not None:
            return (node.succ[0 if known else 1],)
    elif node.op == SWITCH and node.expr is not None:
        return switched(node, evaluator)
    return node.succ
