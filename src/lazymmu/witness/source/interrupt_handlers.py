# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that run in interrupts: the task as they find it, and who says that they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from lazymmu.contract.section import TaskState
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import FunctionValue, Value
from lazymmu.kernelc.ir.expr import AnyCall
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.kernelc.program import Program
from lazymmu.witness.finding import Step
from lazymmu.witness.source.declared_handlers import DeclaredHandler
from lazymmu.witness.source.interproc.call_targets import callee, function_value
from lazymmu.witness.source.interproc.summaries import CalleeSummaries

__all__ = ["declared_one", "handing", "registered"]

_Handler: TypeAlias = tuple[Definition, TaskState, Step]


def registered(
    program: Program, summaries: CalleeSummaries, definition: Definition
) -> Iterator[_Handler]:
    """Each function that a definition registers to run in an interrupt."""
    graph = program.function(definition)
    env: dict[str, Value] = {}
    summaries.settle(graph, env)
    for _, call in graph.calls():
        handler = summaries.words.handlers.get(callee(call, graph, env) or "")
        given = call.arg(handler.fn) if handler is not None else None
        if handler is None or given is None:
            continue
        value = function_value(given, graph, env, program)
        if not isinstance(value, FunctionValue):
            continue
        target = program.resolve(value.name, value.file)
        if target is not None:
            task = TaskState(irq=(handler.kind,))
            yield target.definition, task, handing(graph, call, [value.name])


def declared_one(program: Program, one: DeclaredHandler) -> Iterator[_Handler]:
    """The function that a file declares to run in an interrupt."""
    target = program.resolve(one.function, one.file)
    if target is not None and target.definition.kind == "function":
        at = target.definition
        note = f"runs in an interrupt, as {one.macro}() says"
        yield at, TaskState(irq=(one.kind,)), Step(at.file, at.line, 1, at.name, note)


def handing(graph: Function, call: AnyCall, functions: Iterable[str]) -> Step:
    """The call that hands on some functions, as a step of a path."""
    handed = " and ".join(f"{name}()" for name in functions)
    note = f"calls {call.name}() with {handed}"
    return Step(graph.file, call.line, call.column, graph.name, note)
