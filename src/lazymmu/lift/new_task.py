# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tree clears in a task that is new: variables of the mode that a child does not inherit.

A child's task_struct is a copy of its parent's (kernel/fork.c, dup_task_struct()). What is made
zero in it on every way to its first run, in dup_task_struct(), in copy_process() or in what that
hands the child, is zero when it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    Address,
    Assign,
    Call,
    Expr,
    Field,
    Name,
    Number,
    Other,
)
from lazymmu.kernelc.ir.nodes import strip_casts, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.kernelc.ir.nodes import Function, Node
    from lazymmu.lift.link import Linker

__all__ = ["NewTask"]

_MAKES: Final = ("alloc_task_struct_node", "dup_task_struct")
"""Who returns the child (kernel/fork.c)."""
_HANDS: Final = "copy_process"
"""Who hands it to all that prepare it: sched_fork(), copy_thread() (kernel/fork.c)."""
_CLEARS: Final = "memset"


class NewTask:
    """The new task of a tree.

    cleared: members of it that are made zero, each by its path.
    """

    def __init__(self, linker: Linker) -> None:
        """Nothing is known to be cleared yet."""
        self.cleared: set[tuple[str, ...]] = set()
        found = linker.program.resolve(_HANDS, "")
        graph = None if found is None else linker.program.function(found.definition)
        self._handed = frozenset(() if graph is None else _handed(graph))

    def clears(self, part: Expr, graph: Function, node: Node) -> bool:
        """Note what an expression makes zero in the child; whether it does, and always."""
        match part:
            case Assign("=", target, value) if _is_zero(value):
                path = self._path(target, graph)
            # A number of bytes may be less than all of it; its `sizeof` is no number here.
            case Call(name, (Address(target), Number(0), Other())) if name == _CLEARS:
                path = self._path(target, graph)
            case _:
                return False
        return self.clears_path(path, graph, node)

    def clears_path(self, path: tuple[str, ...], graph: Function, node: Node) -> bool:
        """Note a member of the child that is made zero; whether it is one, and always."""
        if not path or not _always(graph, node):
            return False
        self.cleared.add(path)
        return True

    def is_child(self, expr: Expr, graph: Function) -> bool:
        """Whether a value is the new task."""
        inner = strip_casts(expr)
        return isinstance(inner, Name) and inner.spelling in self._children(graph)

    def _children(self, graph: Function) -> set[str]:
        handed = {
            graph.params[at]
            for name, at in self._handed
            if name == graph.name and at < len(graph.params)
        }
        return handed | set(_made(graph))

    def _path(self, target: Expr, graph: Function) -> tuple[str, ...]:
        """The members that lead from the child to a target, none for what is not in it."""
        parts: list[str] = []
        place = strip_casts(target)
        while isinstance(place, Field):
            parts.insert(0, place.name)
            place = place.base
        return tuple(parts) if self.is_child(place, graph) else ()


def _made(graph: Function) -> Iterator[str]:
    """Local variables that are given the child, and nothing else."""
    given: dict[str, list[bool]] = {}
    for node in graph.nodes:
        for part in walk(node.expr) if node.expr is not None else ():
            if isinstance(part, Assign) and isinstance(part.target, VARIABLES):
                value = strip_casts(part.value)
                makes = isinstance(value, Call) and value.name in _MAKES
                given.setdefault(part.target.spelling, []).append(makes)
    for name, values in given.items():
        if all(values):
            yield name


def _handed(graph: Function) -> Iterator[tuple[str, int]]:
    """The functions that are always handed the child, each with the argument that it is."""
    children = set(_made(graph))
    for node, call in graph.calls():
        if call.name and _always(graph, node):
            for at, arg in enumerate(call.args):
                if isinstance(arg, Name) and arg.spelling in children:
                    yield call.name, at


def _always(graph: Function, node: Node) -> bool:
    """Whether what follows a node is never come to without it."""
    seen: set[int] = set()
    todo = [0]
    while todo:
        at = todo.pop()
        if at not in seen and graph.nodes[at] is not node:
            seen.add(at)
            todo += graph.nodes[at].succ
    return seen.isdisjoint(node.succ)


def _is_zero(value: Expr) -> bool:
    """Whether a value is 0, or a compound literal in which at most zeros stand."""
    match strip_casts(value):
        case Number(0):
            return True
        case Other((Other(()), Other(elements))):  # its type, and its list
            return all(isinstance(one, Number) and one.value == 0 for one in elements)
    return False
