# SPDX-License-Identifier: GPL-2.0-or-later
"""What names and calls are worth in one profile: constants, CONFIG symbols, allocation masks.

kernelc's evaluator knows C; this module adds what the vocabulary, the profile and the tree's
macros say, so that constant arguments decide which branch of a callee is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import (
    BLOCKING,
    NONBLOCKING,
    NONZERO,
    USER_MM,
    ZERO,
    AddressOf,
    AllocationMask,
    Evaluator,
    FunctionValue,
    Int,
    Value,
    truth,
)
from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.expr import AnyCall, Assign, Expr, Name, Temporary, Unary
from lazymmu.kernelc.ir.nodes import BRANCH, EVAL, RETURN, Function, Node, spell, strip_casts
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.interproc.table_lookup import TableLookup

_SMALL = 12
"""Tests and returns of a function that is still read for what constants make of it."""

_STEPS = 200
"""Steps through such a function after which it decides nothing."""

_HOPS = 40
"""Macros that name each other, one in the text of another, until the value is not known."""

_USER_MM = ("->vm_mm", "current->mm")
"""Members that point to the mm of a user address space, never to init_mm
(include/linux/mm_types.h, struct vm_area_struct; include/linux/sched.h, struct task_struct)."""

CONFIG_TESTS = frozenset({"IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE"})
"""Macros of include/linux/kconfig.h that turn a CONFIG symbol into 0 or 1."""


class MaskEvaluator(Evaluator):
    """An evaluator that also follows allocation masks (gfp_t) through ``|`` and ``&``.

    :param absent: flags that nobody sets on the profile's machine.
    """

    def __init__(
        self,
        lookup: Callable[[str], Value],
        call: Callable[[AnyCall], Value],
        absent: Collection[str] = (),
    ) -> None:
        self.lookup = lookup  # As the base class has it: there are a hundred thousand of these.
        self.call = call
        self._absent = absent

    def _binary(self, op: str, left: Expr, right: Expr, expr: Expr) -> Value:
        if op == "&" and self._absent:
            for flag, mask in ((left, right), (right, left)):
                if isinstance(flag, Name) and flag.spelling in self._absent:
                    return NONZERO if isinstance(mask, Unary) and mask.op == "~" else ZERO
        if op in ("|", "&"):
            a = self.value(left)
            if isinstance(a, AllocationMask):
                return self._mask(op, a, right)
            b = self.value(right)
            if op == "|" and isinstance(b, AllocationMask):
                return self._mask(op, b, left)
        return super()._binary(op, left, right, expr)

    def _mask(self, op: str, mask: AllocationMask, other: Expr) -> Value:
        other = strip_casts(other)
        if op == "|":
            return BLOCKING if BLOCKING in (mask, self.value(other)) else NONBLOCKING
        match other:
            case Unary("~", without):
                return NONBLOCKING if self.value(without) == BLOCKING else mask
        if self.value(other) == BLOCKING:
            return NONZERO if mask.blocking else ZERO
        return None


class ConstantEvaluator:
    """Values of names and of calls without effects, for one program."""

    def __init__(
        self,
        program: Program,
        vocabulary: Vocabulary,
        *,
        config: Callable[[str], str],
        constants: Mapping[str, int],
        macro: Callable[[str], bytes | None],
        tables: TableLookup,
        api: ModeApi | None = None,
    ) -> None:
        self.program = program
        self.vocabulary = vocabulary
        self.config = config
        self.constants = constants
        self._macro = macro
        self._absent = frozenset(
            name for name, word in vocabulary.features.items() if config(word.config) == "n"
        )
        self.tables = tables
        self._texts: dict[str, Value] = {}
        self._api = api
        self._names: dict[str, Value] = {}
        self._small: dict[tuple[str, str], Function | None] = {}
        self._asks: dict[tuple[str, str, int], tuple[tuple[str, ...], int]] = {}
        self._hops = 0
        self._last: tuple[Function, Mapping[str, Value], MaskEvaluator] | None = None
        self._decided: dict[tuple[str, str, tuple[Value, ...], int], tuple[Value, int]] = {}

    def name(self, name: str) -> Value:
        """The value of a macro or CONFIG symbol; None for anything else."""
        if name not in self._names:
            self._names[name] = None
            if self._hops < _HOPS:
                self._hops += 1
                self._names[name] = self._name(name)
                self._hops -= 1
        return self._names[name]

    def _name(self, name: str) -> Value:
        if self._api is not None and name in self._api.anywhere:
            return FunctionValue(name, "")
        if name in self.vocabulary.gfp_blocking:
            return BLOCKING
        if name in self.vocabulary.gfp_nonblocking:
            return NONBLOCKING
        if name.startswith("CONFIG_"):
            return {"y": Int(1), "n": ZERO}.get(self.config(name.removeprefix("CONFIG_")))
        body = self._macro(name) if name.isupper() or name.startswith("__") else None
        if not body or len(body) > 400:
            return None
        graph = lower(body, name=name, file="", line=1, macro_params=())
        value = _only_return(graph)
        return self.evaluator({}, "").value(value) if value is not None else None

    def constant(self, name: str, file: str) -> Value:
        """The value of what a file declares const, and of its enumerators."""
        return self._text(self.tables.constant(name, file))

    def within(
        self,
        graph: Function,
        env: Mapping[str, Value],
        *,
        returned: Mapping[Expr, Value] = MappingProxyType({}),
    ) -> MaskEvaluator:
        """An evaluator of what stands in a function, whose variables hide the file's constants."""
        if not returned and self._last is not None:
            # One step of a function asks several times, each time with the very same.
            last_graph, last_env, last = self._last
            if last_graph is graph and last_env is env:
                return last
        local = None if graph.macro else graph.types
        made = self.evaluator(env, graph.file, returned=returned, local=local)
        if not returned:
            self._last = graph, env, made
        return made

    def evaluator(
        self,
        env: Mapping[str, Value],
        file: str,
        depth: int = 3,
        *,
        returned: Mapping[Expr, Value] = MappingProxyType({}),
        local: Collection[str] | None = None,
    ) -> MaskEvaluator:
        """An evaluator in which ``env`` comes before the tree's names.

        :param local: the names that mean something else than the file's constants; without it
            those are not asked for.
        :param returned: what calls are known to have returned, before what constants make of them.
        """

        def lookup(name: str) -> Value:
            if name in env:
                return env[name]
            if name.isidentifier():
                known = self.name(name)
                if known is None and local is not None and name not in local:
                    known = self.constant(name, file)
                return known
            if name.startswith("&"):
                table = name[1:]
                return AddressOf(table, file) if self.tables.has(table, file) else None
            if name.endswith(_USER_MM):
                return USER_MM
            root, arrow, path = name.partition("->")
            bound = env.get(root) if arrow else None
            if arrow and local is not None and root not in local and root not in env:
                bound = AddressOf(root, file) if self.tables.has(root, file) else None
            return self._member(bound, path) if isinstance(bound, AddressOf) else None

        def call(called: AnyCall) -> Value:
            known = returned.get(called) if returned else None
            return self._call(called, lookup, file, depth) if known is None else known

        return MaskEvaluator(lookup, call, self._absent)

    def _member(self, table: AddressOf, path: str) -> Value:
        """What a member of a table that is declared const holds, where that is one value."""
        held = self.tables.member(table.variable, path.replace("->", "."), table.file)
        if len(held) != 1 or not held[0].constant:
            return None
        target = self.program.resolve(held[0].function, held[0].file)
        if target is not None and target.definition.kind == "function":
            return FunctionValue(held[0].function, target.definition.file)
        return self._text(held[0].value)

    def _text(self, text: str) -> Value:
        """The value of an expression of macros and constants, given as its text."""
        if text not in self._texts:
            graph = lower(text.encode("latin-1"), name="", file="", line=1, macro_params=())
            value = _only_return(graph) if text else None
            self._texts[text] = self.evaluator({}, "").value(value) if value is not None else None
        return self._texts[text]

    def _call(self, call: AnyCall, lookup: Callable[[str], Value], file: str, depth: int) -> Value:
        name, args = call.name, call.args
        if name is None:
            return None
        if name in CONFIG_TESTS and args and isinstance(args[0], Name):
            return self.name(args[0].spelling)
        if name in self.constants:
            return Int(self.constants[name])
        if name in self._absent:
            return ZERO
        if name in self.vocabulary.context_questions:
            return lookup(f"{name}()")
        if depth == 0 or not file:
            return None
        graph = self._deciding(name, file)
        if graph is None:
            return None
        context = {f"{q}()": lookup(f"{q}()") for q in self.questions(name, file)}
        outer = MaskEvaluator(
            lookup, lambda inner: self._call(inner, lookup, file, depth - 1), self._absent
        )
        given = tuple(outer.value(arg) for arg in args)
        key = (name, file, (*given, *context.values()), depth)
        reads = self.program.reads
        known = self._decided.get(key)
        if known is None:
            before = reads.begin()
            env = {**context, **dict(zip(graph.params, given, strict=False))}
            value = self._outcome(graph, env, depth - 1)
            known = self._decided[key] = value, reads.end(before)
        else:
            reads.bits |= known[1]
        return known[0]

    def _outcome(self, graph: Function, env: dict[str, Value], depth: int) -> Value:
        """What a function returns on every way that constants leave open; None if that differs."""
        found: Value = None
        todo: list[tuple[int, dict[str, Value]]] = [(0, env)]
        steps = 0
        while todo and steps < _STEPS:
            steps += 1
            index, known = todo.pop()
            node = graph.nodes[index]
            evaluator = self.evaluator(known, graph.file, depth)
            if node.op == RETURN:
                value = evaluator.value(node.expr) if node.expr is not None else None
                known_one = truth(value) is not None or isinstance(value, AllocationMask)
                if not known_one or (found is not None and found != value):
                    return None
                found = value
                continue
            ways = node.succ
            if node.op == BRANCH and node.expr is not None:
                holds = truth(evaluator.value(node.expr))
                ways = node.succ if holds is None else [node.succ[0 if holds else 1]]
            elif node.op == EVAL and isinstance(node.expr, Assign):
                noted = evaluator.value(node.expr.value)
                known = {**known, spell(node.expr.target): noted}
            todo += [(way, known) for way in ways]
        return None if todo else found

    def _deciding(self, name: str, file: str) -> Function | None:
        """A small function that only tests and returns, such as gfpflags_allow_blocking()."""
        key = (name, file)
        reads = self.program.reads
        if key not in self._small:
            self._small[key] = None
            target = self.program.resolve(name, file)
            if target is not None and not target.ambiguous:
                outer = reads.bits
                graph = self.program.function(target.definition)
                reads.bits = outer
                said = [node for node in graph.nodes if node.expr is not None]
                if len(said) <= _SMALL and all(_decides(node) for node in said):
                    self._small[key] = graph
        reads.note(("small", name, file))
        return self._small[key]

    def questions(self, name: str, file: str, hops: int = 3) -> tuple[str, ...]:
        """The questions about the context that a call asks, itself or in who only answers."""
        if name in self.vocabulary.context_questions:
            return (name,)
        key = (name, file, hops)
        reads = self.program.reads
        known = self._asks.get(key)
        if known is None:
            outer = reads.begin()
            graph = self._deciding(name, file) if hops else None
            calls = {call.name for _, call in graph.calls() if call.name} if graph else ()
            asked = {q for c in calls for q in self.questions(c, file, hops - 1)}
            known = self._asks[key] = tuple(sorted(asked)), reads.end(outer)
        else:
            reads.bits |= known[1]
        return known[0]

    def decides(self, name: str, file: str) -> Function | None:
        """The function that a name means in a file, if it is small enough to be a value."""
        return self._deciding(name, file)


def _decides(node: Node) -> bool:
    """Whether a node only tests, returns, or notes how a condition came out."""
    return node.op in (BRANCH, RETURN) or (
        node.op == EVAL
        and isinstance(node.expr, Assign)
        and isinstance(node.expr.target, Temporary)
    )


def _only_return(graph: Function) -> Expr | None:
    nodes = [node for node in graph.nodes if node.expr is not None]
    if len(nodes) == 1 and nodes[0].op == RETURN:
        return nodes[0].expr
    return None
