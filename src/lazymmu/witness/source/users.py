# SPDX-License-Identifier: GPL-2.0-or-later
"""Who calls a function by its name, looked for in the whole tree, as often as a bound allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.nodes import Function, uses
from lazymmu.kernelc.ir.scopes import class_word
from lazymmu.kernelc.program import Program, assignments

__all__ = ["MAX_SEARCHES", "Callers", "Elsewhere", "Named", "Users", "calls", "held_by", "put"]

Callers = Callable[[str, bool, str], list[Definition]]
"""Definitions whose text names a function: given its name, whether it is static, its file."""

Elsewhere = Callable[[str, str], bool]
"""Whether the code of a file has a name outside of what it defines under it: given both."""

Named: TypeAlias = tuple[str, str]
"""A function by its file and name."""

MAX_SEARCHES = 100
"""Functions of one architecture whose callers are looked for, each in the whole tree.  No real tree
has one; whose callers are not looked for any more is listed."""


class Users:
    """Looks for callers, once for each function.

    :param bounded: functions whose callers were not looked for, by place, with the reason.
    """

    def __init__(
        self,
        program: Program,
        callers: Callers,
        bounded: dict[tuple[str, int, str], str],
        elsewhere: Elsewhere,
    ) -> None:
        self._elsewhere = elsewhere
        self._program = program
        self._callers = callers
        self._bounded = bounded
        self._known: dict[Named, list[Definition]] = {}

    def of(self, definition: Definition) -> list[Definition]:
        """Who calls a function; nobody when too many were looked for already."""
        name = (definition.file, definition.name)
        if name not in self._known:
            if len(self._known) >= MAX_SEARCHES:
                why = f"its callers are not looked for, after those of {MAX_SEARCHES} functions"
                self._bounded[(definition.file, definition.line, definition.name)] = why
                return []
            word = class_word(definition.name)
            named = self._callers(word, definition.static, definition.file)
            self._known[name] = [
                d
                for d in named
                if d.name != definition.name and calls(self._program, d, definition.name)
            ]
        return self._known[name]

    def unused(self, definition: Definition) -> bool:
        """Whether nothing in a file has the name of a static function of it: nobody runs it."""
        own = definition.static and definition.file.endswith(".c")
        return own and not self._elsewhere(definition.name, definition.file)


def calls(program: Program, user: Definition, name: str) -> bool:
    """Whether a definition calls a function of that name, or has its body in place of a call."""

    def told() -> bool:
        graph = program.function(user)
        called = {call.name for _, call in graph.calls()}
        return put(program, user, name) or name in called or held_by(graph, name, called)

    return program.reads.unit(("calls", user.file, user.line, user.name, name), told)


def held_by(graph: Function, name: str, called: set[str | None]) -> bool:
    """Whether a variable of a function may hold a function of that name, and is called."""
    given = assignments(graph) if called & graph.types.keys() else {}
    held = (v for variable, v in given.items() if variable.spelling in called)
    return any(name in uses(value) for values in held for value in values if value is not None)


def put(program: Program, user: Definition, name: str) -> bool:
    """Whether the body of a function of that name stands in a definition, for a scope of it."""
    return any(function == name for _, _, function in program.function(user).spliced)
