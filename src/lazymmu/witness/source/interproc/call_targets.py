# SPDX-License-Identifier: GPL-2.0-or-later
"""Who a call calls, and which of its arguments are known there."""

from __future__ import annotations

from collections.abc import Mapping

from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import NONZERO, FunctionValue, Value
from lazymmu.kernelc.ir.expr import Address, AnyCall, Call, Expr, Name
from lazymmu.kernelc.ir.nodes import Function, spell
from lazymmu.kernelc.program import Program, Target
from lazymmu.witness.source.function.shape import FunctionFacts
from lazymmu.witness.source.interproc.constants import ConstantEvaluator

Binding = tuple[tuple[str, Value], ...]
"""Parameters whose value the caller knows, sorted by name."""


class CallResolver:
    """Resolves the calls of one program; what it cannot resolve is kept in ``unresolved``."""

    def __init__(self, program: Program, facts: ConstantEvaluator) -> None:
        self.program = program
        self.facts = facts
        self.unresolved: dict[str, tuple[str, int, str]] = {}
        self._shapes: dict[tuple[str, int], FunctionFacts] = {}

    def target(self, call: AnyCall, graph: Function, env: Mapping[str, Value]) -> Target | None:
        """Who a call in ``graph`` calls: by name, or through a parameter bound to a function."""
        name = callee(call, graph, env)
        if name is None:
            spelling = call.name or (spell(call.callee) if isinstance(call, Call) else "")
            self.unresolved.setdefault(f"(*{spelling})()", (graph.file, call.line, graph.name))
            return None
        bound = env.get(call.name or "") if call.name in graph.types else None
        near = bound.file if isinstance(bound, FunctionValue) else graph.file
        found = self.program.resolve(name, near)
        if found is None:
            self.unresolved.setdefault(name, (graph.file, call.line, graph.name))
        return found

    def bind(
        self, definition: Definition, call: AnyCall, caller: Function, env: Mapping[str, Value]
    ) -> Binding:
        """The callee's parameters whose value is known and matters to what it does."""
        graph = self.program.function(definition)
        evaluator = self.facts.evaluator(env, caller.file)
        relevant = self.shape(graph).deciding
        out = []
        for param, arg in zip(graph.params, call.args, strict=False):
            if param in relevant:
                value = function_value(arg, caller, env, self.program) or evaluator.value(arg)
                if value is not None:
                    out.append((param, value))
        return tuple(sorted(out, key=lambda item: item[0]))

    def shape(self, graph: Function) -> FunctionFacts:
        """What of a function is looked up again and again."""
        key = (graph.file, graph.line)
        if key not in self._shapes:
            self._shapes[key] = FunctionFacts.of(graph)
        return self._shapes[key]


def callee(call: AnyCall, graph: Function, env: Mapping[str, Value]) -> str | None:
    """The name that a call calls, through a bound parameter if need be; None for a pointer."""
    name = call.name
    if name in graph.types:
        bound = env.get(name or "")
        return bound.name if isinstance(bound, FunctionValue) else None
    return name


def function_value(
    arg: Expr, caller: Function, env: Mapping[str, Value], program: Program
) -> Value:
    """The function that an argument names, if it names one; else NONZERO for a local's address."""
    if isinstance(arg, Address):
        arg = arg.operand
        if isinstance(arg, Name) and arg.spelling in caller.types:
            return NONZERO
    if not isinstance(arg, Name):
        return None
    name = arg.spelling
    if name in env or name in caller.types or not name.islower():
        return None
    target = program.resolve(name, caller.file)
    if target is None or target.definition.kind != "function":
        return None
    return FunctionValue(name, target.definition.file)
