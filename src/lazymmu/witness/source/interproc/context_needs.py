# SPDX-License-Identifier: GPL-2.0-or-later
"""What the context must be for a function to come to a place in it.

    void vfree(const void *addr)
    {
        if (in_interrupt()) {
            vfree_atomic(addr);         /* needs "in_interrupt()" */
            return;
        }
        ...                             /* needs "!in_interrupt()" */

Whoever calls it knows the context, and so which of the two it comes to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import NONZERO, ZERO, Evaluator, Value
from lazymmu.kernelc.ir.nodes import BRANCH, SWITCH, Function, Node, calls_in
from lazymmu.kernelc.program import assignments
from lazymmu.witness.source.interproc.constants import ConstantEvaluator

__all__ = ["is_need", "needs", "needs_of"]

Ways = Callable[[Node, Evaluator], Iterable[int]]
"""Where a path may go from a node."""


def needs(question: str, *, holds: bool) -> str:
    """The need that a question is answered so."""
    return f"{'' if holds else '!'}{question}()"


def is_need(condition: str, words: Vocabulary) -> bool:
    """Whether a condition is about the context, and not about the configuration."""
    name = condition.removeprefix("!").removesuffix("()")
    return condition.endswith("()") and name in words.context_questions


def needs_of(
    graph: Function, env: Mapping[str, Value], facts: ConstantEvaluator, ways: Ways
) -> Mapping[int, frozenset[str]]:
    """The needs of the nodes that are not come to in any context, by number.

    :param env: what is known of names all the time.
    :param ways: follows the branches that an evaluator decides.
    """
    asked = _asked(graph, facts)
    if not asked:
        return {}
    whole = _reached(graph, env, facts, ways)
    found: dict[int, frozenset[str]] = {}
    for name in asked:
        for value in (NONZERO, ZERO):
            then: dict[str, Value] = {**env, f"{name}()": value}
            then |= _kept(graph, then, facts)
            for node in whole - _reached(graph, then, facts, ways):
                need = needs(name, holds=value == ZERO)
                found[node] = found.get(node, frozenset()) | {need}
    return found


def _asked(graph: Function, facts: ConstantEvaluator) -> list[str]:
    """The questions by which a function decides: there, before, or in one that only answers."""
    tested = [n.expr for n in graph.nodes if n.op in (BRANCH, SWITCH) and n.expr is not None]
    calls = {call.name for expr in tested for call in calls_in(expr) if call.name is not None}
    found = {name for called in calls for name in facts.questions(called, graph.file)}
    every = facts.vocabulary.context_questions
    found.update(call.name for _, call in graph.calls() if call.name in every)
    return sorted(found)


def _kept(graph: Function, env: Mapping[str, Value], facts: ConstantEvaluator) -> dict[str, Value]:
    """Variables that are given an answer once, and what that makes of them."""
    evaluator = facts.within(graph, env)
    found: dict[str, Value] = {}
    for variable, values in assignments(graph).items():
        given = values[0] if len(values) == 1 else None
        if given is not None and variable.spelling not in graph.params and calls_in(given):
            value = evaluator.value(given)
            if value is not None:
                found[variable.spelling] = value
    return found


def _reached(
    graph: Function, env: Mapping[str, Value], facts: ConstantEvaluator, ways: Ways
) -> set[int]:
    evaluator = facts.within(graph, env)
    found = {0}
    todo = [0]
    while todo:
        for way in ways(graph.nodes[todo.pop()], evaluator):
            if way not in found:
                found.add(way)
                todo.append(way)
    return found
