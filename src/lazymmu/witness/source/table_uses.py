# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a function calls through a table of the mode's functions where one can see it.

    batch_ops.begin();                          /* by the table's name */
    ops = &batch_ops; ops->begin();             /* by a pointer of its own */
    work.ops = &batch_ops; work.ops->begin();   /* by a member of a structure of its own */

A table that goes to anybody else (an argument, a structure that others have, what is returned) is
called where nobody looks for it. So is one that a structure has by its place alone, as in
`= { &batch_ops }`.
"""

from __future__ import annotations

from collections.abc import Collection

from lazymmu.kernelc.index.occurrences import Occurrence
from lazymmu.kernelc.ir.expr import Address, Call, Deref, Expr, Field, Index, Name
from lazymmu.kernelc.ir.nodes import RETURN, Function, calls_in, strip_casts, walk, writes
from lazymmu.witness.source.function.shape import FunctionFacts
from lazymmu.witness.source.interproc.mode_api import ModeApi, by_key
from lazymmu.witness.source.interproc.pointed_functions import arms

__all__ = ["ApiTables", "calls_by_itself"]


class ApiTables:
    """The tables that have members of the mode's API."""

    def __init__(self, api: ModeApi) -> None:
        """Take those of a tree's API."""
        self._known = {_table(name, "") for name in api.anywhere}
        self._known |= {_table(name, file) for file, name in api.within}

    def has(self, item: Occurrence, file: str) -> bool:
        """Whether a word of a file names one of them."""
        known = not {(item.word, ""), (item.word, file)}.isdisjoint(self._known)
        return known and not item.field and not item.tag


def _table(name: str, file: str) -> tuple[str, str]:
    """The table in how a member of one is called, "" for none, and the file that it is for."""
    table, _, member = name.partition("->")
    return (table if member and name != by_key(table) else "", file)


def calls_by_itself(table: str, graph: Function) -> bool:
    """Whether all that a function does with a table at file level is to call its members.

    :param table: the table's variable.
    """
    holders: set[str] = set()
    for node in graph.nodes:
        expr = node.expr
        if expr is None:
            continue
        kept = 0
        for target, value in writes(expr):
            times = sum(1 for one in arms((value,)) if one is not None and _is_table(one, table))
            if times:
                kept += times
                holders.add(_root(target))
        if _apart(expr, table) > kept:
            return False
    names = {table, *holders}
    return all(_is_own(name, graph) for name in holders) and not _goes_on(names, graph)


def _is_table(value: Expr, table: str) -> bool:
    return isinstance(value, (Name, Address)) and _base(value) == Name(table)


def _base(expr: Expr) -> Expr:
    """What an expression points to or is, without what takes addresses and follows them."""
    while isinstance(inner := strip_casts(expr), (Address, Deref)):
        expr = inner.operand
    return inner


def _root(expr: Expr) -> str:
    """The variable that an expression is, or is below of, "" for none."""
    inner = _base(expr)
    while isinstance(inner, (Field, Index)):
        inner = _base(inner.base)
    return inner.spelling if isinstance(inner, Name) else ""


def _apart(expr: Expr, name: str) -> int:
    """How often a variable stands in an expression without a member of it."""
    parts = walk(expr)
    members = sum(1 for p in parts if isinstance(p, Field) and _base(p.base) == Name(name))
    return sum(1 for p in parts if p == Name(name)) - members


def _is_own(holder: str, graph: Function) -> bool:
    """Whether a variable is the function's own, always has what it is given, and stays there."""
    if holder not in graph.types or holder in graph.params:
        return False
    facts = FunctionFacts.of(graph)
    members = facts.members.values.items()
    given = [len({*values}) == 1 for path, values in members if path.startswith(f"{holder}->")]
    if holder not in facts.single and not (given and all(given)):
        return False
    for node in graph.nodes:
        if node.expr is None:
            continue
        targets = sum(1 for target, _ in writes(node.expr) if strip_casts(target) == Name(holder))
        if _apart(node.expr, holder) > targets:
            return False
    return True


def _goes_on(names: Collection[str], graph: Function) -> bool:
    """Whether a member of one of some variables is handed to a call, or returned."""
    for node in graph.nodes:
        if node.expr is None:
            continue
        given = [arg for call in calls_in(node.expr) if isinstance(call, Call) for arg in call.args]
        if node.op == RETURN:
            given.append(node.expr)
        for one in given:
            inner = _base(one)
            if isinstance(inner, Field) and _root(inner) in names:
                return True
    return False
