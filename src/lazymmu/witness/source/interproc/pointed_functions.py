# SPDX-License-Identifier: GPL-2.0-or-later
"""Which functions a call through a pointer may call: by tables, and what variables are given.

    walk_ops.account(mm);               /* a table of the file, by its name */
    ops->account(mm);                   /* a pointer that is given a known table */
    kinds[i].account(mm);               /* an element of an array of tables */
    steps[i](mm);                       /* an element of an array of functions */
    static_call(note)(mm);              /* what DEFINE_STATIC_CALL() and updates of it say */

Where a pointer is not known, the tables of its type, or those that have such a member at all, are
all that it can point to: who is called is then a guess, and so is whatever follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lazymmu.kernelc.ir.abstract_value import AddressOf, FunctionValue, Value
from lazymmu.kernelc.ir.expr import (
    Address,
    Call,
    Conditional,
    Deref,
    Expr,
    Field,
    Index,
    Name,
    Number,
    Other,
    Variable,
)
from lazymmu.kernelc.ir.nodes import RETURN, Function, strip_casts, writes
from lazymmu.kernelc.parse.ops_tables import Initialiser
from lazymmu.kernelc.program import Program, assignments
from lazymmu.witness.source.interproc.mode_api import STATIC_CALLS
from lazymmu.witness.source.interproc.table_lookup import TableLookup

__all__ = ["FEW", "PointedFunctions", "PossibleCallee", "arms"]

FEW: Final = 4
"""So many functions may be meant by one call; beyond it the call is not resolved."""

_STATIC_KEYS: Final = frozenset(
    {"DEFINE_STATIC_CALL", "DEFINE_STATIC_CALL_RET0", "static_call_update", "__static_call_update"}
)
"""Who says what a call by a key calls (include/linux/static_call.h)."""

_NOTHING: Final = frozenset({"__static_call_return0", "NULL"})
"""What a key is given that is to call nothing (include/linux/static_call.h)."""

_STRUCT: Final = re.compile(r"struct (\w+) \*+")


@dataclass(frozen=True, slots=True)
class PossibleCallee:
    """A function that a call may call: its name, the file that means it so, and how sure that is.

    :param sure: nothing else can be meant.
    :param among: nothing else but it and the others that are named with it.
    """

    name: str
    file: str
    sure: bool = True
    among: bool = False


@dataclass(frozen=True, slots=True)
class _Path:
    """An expression as a variable and the path of a member below it."""

    root: str
    members: tuple[str, ...]


class PointedFunctions:
    """Finds the functions that expressions of one program may point to."""

    def __init__(self, program: Program, tables: TableLookup) -> None:
        """Find functions of ``program``, by way of ``tables``."""
        self._program = program
        self._tables = tables
        self._assigned: dict[tuple[str, int, str], dict[Variable, list[Expr | None]]] = {}

    def constant(self, name: str, file: str) -> str:
        """The function that a file's own constant pointer of that name points to, "" for none."""
        held = self._tables.constant(name, file)
        return held if held.isidentifier() else ""

    def functions(
        self, expr: Expr, graph: Function, env: Mapping[str, Value]
    ) -> tuple[PossibleCallee, ...]:
        """The functions that an expression in ``graph`` may point to; none when nobody can tell."""
        found = dict.fromkeys(self._functions(strip_casts(expr), graph, env))
        if len({callee.name for callee in found}) > FEW:
            return ()
        if len(found) > 1:
            every = all(callee.sure for callee in found)
            found = dict.fromkeys(
                PossibleCallee(c.name, c.file, sure=False, among=every) for c in found
            )
        return tuple(found)

    def _functions(
        self, expr: Expr, graph: Function, env: Mapping[str, Value]
    ) -> Iterator[PossibleCallee]:
        if isinstance(expr, Name):
            yield from self._variable(expr, graph, env)
            return
        if isinstance(expr, Call):
            yield from self._static_call(expr, graph)
            return
        path = _path(expr)
        if path is None:
            return
        if not path.members:
            yield from self._element(path.root, graph)
            return
        bound = env.get("->".join((path.root, *path.members)))
        if isinstance(bound, FunctionValue):
            yield PossibleCallee(bound.name, bound.file)
            return
        for cut in range(len(path.members) - 1, 0, -1):
            bound = env.get("->".join((path.root, *path.members[:cut])))
            if isinstance(bound, AddressOf):
                inside = ".".join(path.members[cut:])
                items = self._tables.member(bound.variable, inside, bound.file or graph.file)
                yield from self._held(items, guessed=False)
                return
        member = ".".join(path.members)
        known = list(self._known_tables(path.root, graph, env))
        if known:
            for table, file in known:
                yield from self._held(self._tables.member(table, member, file), guessed=False)
            return
        kind = _STRUCT.fullmatch(graph.types.get(path.root, ""))
        struct = kind[1] if kind is not None and len(path.members) == 1 else ""
        if path.root in graph.types:
            items = self._tables.anywhere(struct, path.members[-1])
            yield from self._held(items, guessed=True)

    def _variable(
        self, name: Name, graph: Function, env: Mapping[str, Value]
    ) -> Iterator[PossibleCallee]:
        """What a variable that points to a function may be given in its own function."""
        bound = env.get(name.spelling)
        if isinstance(bound, FunctionValue):
            yield PossibleCallee(bound.name, bound.file)
        elif name.spelling in graph.types and name.spelling not in graph.params:
            values = [v for v in arms(self._values(name, graph)) if not isinstance(v, Number)]
            if None in values:
                return
            named = [list(self._named(v, graph, env)) for v in values if v is not None]
            for callee in (one for some in named for one in some):
                yield callee if all(named) else replace(callee, sure=False)

    def _named(
        self, value: Expr, graph: Function, env: Mapping[str, Value]
    ) -> Iterator[PossibleCallee]:
        """The functions that a value of such a variable is; none where nobody can tell."""
        inner = value.operand if isinstance(value, Address) else value
        if isinstance(inner, Name) and inner.spelling not in graph.types:
            yield from self._function(inner.spelling, graph.file)
        elif isinstance(inner, Field | Index):
            yield from self._functions(inner, graph, env)
        elif isinstance(inner, Call):
            yield from self._returned(inner, graph)

    def _returned(self, call: Call, graph: Function) -> Iterator[PossibleCallee]:
        """What a function that a call calls returns, where it names each by itself."""
        target = self._program.resolve(call.name, graph.file) if call.name else None
        if target is None or target.definition.kind != "function":
            return
        inner = self._program.function(target.definition)
        returned = [node.expr for node in inner.nodes if node.op == RETURN]
        for value in arms(returned):
            value = value.operand if isinstance(value, Address) else value
            if isinstance(value, Name) and value.spelling not in inner.types:
                yield from self._function(value.spelling, inner.file)

    def _static_call(self, key: Call, graph: Function) -> Iterator[PossibleCallee]:
        """What a static call may call: what its key is defined with, or is given anywhere.

        Which of several it is at the time is not asked; a key that somebody gives a variable may
        call anything.
        """
        if key.name not in STATIC_CALLS or len(key.args) != 1:
            return
        name = strip_casts(key.args[0])
        if not isinstance(name, Name):
            return
        items = self._tables.items(name.spelling, graph.file, _STATIC_KEYS)
        if len({item.function for item, _ in items}) <= FEW:
            for item, file in items:
                if item.function not in _NOTHING:
                    yield from self._function(item.function, file)

    def _element(self, array: str, graph: Function) -> Iterator[PossibleCallee]:
        """What an element of an array may be: of the file's, or of the function's own.

        Which element is called is not asked: an array that somebody indexes has several.
        """
        if array in graph.params:
            return
        names: Iterable[str]
        if array in graph.types:
            names = [
                inner.spelling
                for value in arms(self._elements(array, graph))
                for inner in (value.operand if isinstance(value, Address) else value,)
                if isinstance(inner, Name) and inner.spelling not in graph.types
            ]
        else:
            names = self._tables.array(array, graph.file)
        if len(set(names)) <= FEW:
            for name in names:
                yield from self._function(name, graph.file, sure=False)

    def _elements(self, array: str, graph: Function) -> Iterator[Expr | None]:
        """What elements of an array of a function are given: all at once, or one."""
        for value in self._values(Name(array), graph):
            yield from value.parts if isinstance(value, Other) else ()
        for node in graph.nodes:
            for target, value in writes(node.expr) if node.expr is not None else ():
                if isinstance(target, Index) and strip_casts(target.base) == Name(array):
                    yield value

    def _known_tables(
        self, root: str, graph: Function, env: Mapping[str, Value]
    ) -> Iterator[tuple[str, str]]:
        """The tables that a variable is or points to: (name, file that means it so)."""
        bound = env.get(root)
        if isinstance(bound, AddressOf):
            yield bound.variable, bound.file or graph.file
        elif root not in graph.types:
            yield root, graph.file
        elif root not in graph.params:
            tables: list[tuple[str, str]] = []
            for value in arms(self._values(Name(root), graph)):
                inner = value.operand if isinstance(value, Address) else None
                if isinstance(inner, Index):
                    inner = inner.base
                if not isinstance(inner, Name) or inner.spelling in graph.types:
                    return
                tables.append((inner.spelling, graph.file))
            yield from tables

    def _values(self, name: Name, graph: Function) -> list[Expr | None]:
        key = (graph.file, graph.line, graph.name)
        if key not in self._assigned:
            self._assigned[key] = assignments(graph)
        return self._assigned[key].get(name, [])

    def _held(self, items: Iterable[Initialiser], *, guessed: bool) -> Iterator[PossibleCallee]:
        items = list(items)
        if len({item.function for item in items}) > FEW:
            return
        for item in items:
            sure = not guessed and item.constant
            yield from self._function(item.function, item.file, sure=sure)

    def _function(self, name: str, file: str, sure: bool = True) -> Iterator[PossibleCallee]:
        if self._program.resolve(name, file) is not None:
            yield PossibleCallee(name, file, sure)


def _path(expr: Expr) -> _Path | None:
    """An expression as a path; None for one that begins with anything but a variable."""
    members: list[str] = []
    while True:
        expr = strip_casts(expr)
        match expr:
            case Field(base, name):
                members.append(name)
                expr = base
            case Index(inner) | Deref(inner) | Address(inner):
                expr = inner
            case Name(root):
                return _Path(root, tuple(reversed(members)))
            case _:
                return None


def arms(values: Iterable[Expr | None]) -> Iterator[Expr | None]:
    """The values, those of both arms for one that depends on a condition."""
    for value in values:
        inner = strip_casts(value) if value is not None else None
        if isinstance(inner, Conditional):
            yield from arms((inner.yes, inner.no))
        else:
            yield inner
