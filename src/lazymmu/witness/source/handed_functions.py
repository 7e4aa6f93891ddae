# SPDX-License-Identifier: GPL-2.0-or-later
"""Users of the mode that run in their section what their callers hand them, and who does so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import FunctionValue
from lazymmu.kernelc.ir.expr import Name
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.interproc.call_targets import function_value

_HANDS: Final = 3
"""Functions that only hand on what they are given which are looked through."""


@dataclass(frozen=True, slots=True)
class HandedFunctions:
    """Who runs what it is handed, or hands it on, and who hands a function to those."""

    takers: tuple[Definition, ...]
    givers: tuple[Definition, ...]


def handed(
    program: Program,
    users: Iterable[Definition],
    callers: Callable[[str, bool, str], list[Definition]],
    known: Collection[str],
) -> HandedFunctions:
    """Find the functions among some users of the mode that call a parameter, and who gives it.

    :param known: functions that call back by the vocabulary: they are looked for by that.
    """
    takers: dict[tuple[str, int], Definition] = {}
    givers: dict[tuple[str, int], Definition] = {}
    for taker in users:
        if not calls_a_parameter(program, taker):
            continue
        through: dict[tuple[str, int], Definition] = {}
        found: dict[tuple[str, int], Definition] = {}
        work = [(taker, 0)]
        while work:
            definition, hands = work.pop()
            through[definition.file, definition.line] = definition
            for user in callers(definition.name, definition.static, definition.file):
                given = "" if user.name in known else what_is_given(program, user, definition.name)
                if given == "function":
                    found[user.file, user.line] = user
                elif given == "own" and hands < _HANDS:
                    work.append((user, hands + 1))
        if found:
            takers |= through
            givers |= found
    return HandedFunctions(tuple(takers.values()), tuple(givers.values()))


def calls_a_parameter(program: Program, definition: Definition) -> bool:
    """Whether a function calls what it is handed."""

    def told() -> bool:
        graph = program.function(definition)
        return any(call.name in graph.params for _, call in graph.calls())

    place = (definition.file, definition.line, definition.name)
    return program.reads.unit(("calls-parameter", *place), told)


def what_is_given(program: Program, user: Definition, name: str) -> str:
    """What a definition hands to `name`: a function, what it was given itself, or nothing."""
    item = ("given", user.file, user.line, user.name, name)
    return program.reads.unit(item, lambda: _given(program.function(user), user, name, program))


def _given(graph: Function, user: Definition, name: str, program: Program) -> str:
    given = ""
    for _, call in graph.calls() if user.name != name else ():
        for arg in call.args if call.name == name else ():
            if isinstance(function_value(arg, graph, {}, program), FunctionValue):
                return "function"
            if isinstance(arg, Name) and arg.spelling in graph.params:
                given = "own"
    return given
