# SPDX-License-Identifier: GPL-2.0-or-later
"""How conditions and counters can come out on one path, and what writes leave in a mask."""

from __future__ import annotations

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import (
    NONZERO,
    ZERO,
    AtLeast,
    Evaluator,
    Int,
    Value,
    shifted,
    truth,
)
from lazymmu.kernelc.ir.expr import AnyCall, Assign, Binary, Expr, Name
from lazymmu.kernelc.ir.nodes import Function, Node, calls_in, strip_casts, walk
from lazymmu.witness.finding import Step
from lazymmu.witness.source.function.counter_tests import CounterTest
from lazymmu.witness.source.function.counters import apart, known, learnt, move
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.function.shape import FunctionFacts
from lazymmu.witness.source.path.path_state import Path
from lazymmu.witness.source.path.path_trace import ONE_OF, SUPPOSES, PathTrace

__all__ = [
    "above_zero",
    "by_one_of",
    "changed_to",
    "decided_by",
    "known_pointer",
    "not_for_zero",
    "returned_counts",
]


def not_for_zero(expr: Expr, variable: str, evaluator: Evaluator, holds: bool) -> bool:
    """Whether a condition does not come out so where a variable is 0: `ret < 0` does not hold."""

    def lookup(name: str) -> Value:
        return ZERO if name == variable else evaluator.lookup(name)

    return truth(Evaluator(lookup, evaluator.call).value(expr)) is (not holds)


def above_zero(value: Value) -> bool:
    """Whether a value is known to be above zero."""
    return isinstance(value, AtLeast) and value.number > 0


def decided_by(frame: Frame, node: Node, path: Path, test: CounterTest) -> list[Path]:
    """The ways in which a counter may decide."""
    counters = path.state.counters
    unknown = EntryName(test.counter) not in dict(counters)
    ways = []
    for value in apart(known(counters, test.counter), test.value):
        trail = path.trail
        if unknown and frame.begun.get(test.counter) is truth(value):
            graph = frame.graph
            step = Step(graph.file, node.line, node.column, graph.name, "")
            trail = PathTrace(trail, step, SUPPOSES)
        state = path.state.counting(learnt(counters, test.counter, value))
        ways.append(Path(state, trail, path.results))
    return ways


def by_one_of(paths: list[Path], graph: Function, call: AnyCall) -> list[Path]:
    """The paths behind a call of one of several functions: a guess, unless all did the same."""
    tasks = [path.state.product.task for path in paths]
    if len({(task.depth, task.paused) for task in tasks}) < 2:
        return paths
    step = Step(graph.file, call.line, call.column, graph.name, "")
    return [Path(p.state, PathTrace(p.trail, step, ONE_OF), p.results) for p in paths]


def changed_to(expr: Expr, target: Expr, evaluator: Evaluator) -> Value:
    """What `mask |= __GFP_NOWARN` leaves in a mask."""
    for node in walk(expr):
        if isinstance(node, Assign) and strip_casts(node.target) == target and node.op != "=":
            return evaluator.value(Binary(node.op.removesuffix("="), target, node.value))
    return None


def known_pointer(expr: Expr, graph: Function, node: Node, shape: FunctionFacts) -> Value:
    """What is known of a pointer that is returned: moved from another, `pte + 1`, it is not NULL.

    Nor is a parameter that the function has looked behind.
    """
    match expr:
        case Name(name) if name in graph.params:
            return NONZERO if shape.looked_behind(graph, node, name) else None
        case Binary("+" | "-", Name(pointer), other):
            between = isinstance(other, Name) and graph.types.get(other.spelling, "").endswith("*")
            moved = graph.types.get(pointer, "").endswith("*") and not between
            return NONZERO if moved else None
    return None


def returned_counts(path: Path, expr: Expr, words: Vocabulary) -> Path:
    """The path with what calls return that move a counter."""
    for call in calls_in(expr):
        made = move(call, words)
        if made is None:
            continue
        before = known(path.state.counters, made.counter)
        after = shifted(before, made.by)
        value: Value = {"before": before, "after": after}.get(made.gives)
        if made.gives == "zero":
            zero = truth(after)
            value = Int(int(not zero)) if zero is not None else None
        path = path.returned(call, value, None)
    return path
