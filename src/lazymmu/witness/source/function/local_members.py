# SPDX-License-Identifier: GPL-2.0-or-later
"""Structures that a function has to itself: what their members are given, and who else may write.

    struct notes notes = { .gfp = GFP_NOWAIT };

    note(&notes, addr);

What a member is given holds in whoever is handed the structure, as long as nobody there writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    Address,
    AnyCall,
    Assign,
    Expr,
    Field,
    Name,
    Other,
    Temporary,
)
from lazymmu.kernelc.ir.nodes import Function, calls_in, spell, strip_casts, walk, writes

__all__ = ["Handed", "LocalMembers", "below", "handed_on", "root_of"]


@dataclass(frozen=True, slots=True)
class Handed:
    """A call that is handed a structure, and as which argument."""

    call: AnyCall
    position: int


@dataclass(slots=True)
class LocalMembers:
    """The members of a function's own structures, by their spelling, and what is written at all.

    :param values: what each member is ever given.
    :param takers: the calls that a structure is handed to, by its variable.
    :param aliases: pointers to a structure that are given no other.
    :param written: everything but a variable that the function writes.
    """

    values: dict[str, list[Expr]] = field(default_factory=dict)
    takers: dict[str, list[Handed]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    written: frozenset[str] = frozenset()

    @classmethod
    def of(cls, graph: Function) -> LocalMembers:
        """Read them off a function's graph."""
        written = [
            (target, value)
            for node in graph.nodes
            if node.expr is not None
            for target, value in writes(node.expr)
        ]
        found = cls(written=frozenset(spell(t) for t, _ in written if not isinstance(t, VARIABLES)))
        own = {name for name, kind in graph.types.items() if _is_structure(kind)}
        own -= set(graph.params)
        own |= {t.spelling for t, _ in written if isinstance(t, Temporary)}
        if not own or not any(root_of(t) in own for t, _ in written if isinstance(t, Field)):
            return found
        lost, changed = found._aliased(graph, own), set[str]()
        for target, value in written:
            root = root_of(target)
            if isinstance(target, Field):
                root = found.aliases.get(root, root)
            if root not in own:
                continue
            if isinstance(target, Field):
                member = f"{root}->{spell(target).partition('->')[2]}"
                if value is None:
                    changed.add(member)
                else:
                    found.values.setdefault(member, []).append(strip_casts(value))
            elif value is None:
                continue  # Its address is handed to a call.
            elif not isinstance(value, Other):
                lost.add(root)
        found._drop(lost, changed)
        return found

    def _aliased(self, graph: Function, own: set[str]) -> set[str]:
        """Note who is handed each structure; those that get away in another way are returned."""
        lost: set[str] = set()
        given: dict[str, set[str]] = {}
        for node in graph.nodes:
            for part in walk(node.expr) if node.expr is not None else ():
                match part:
                    case Assign("=", Name(pointer), value):
                        given.setdefault(pointer, set()).add(_pointee(value, own))
                    case Assign(_, _, value) if _pointee(value, own):
                        lost.add(_pointee(value, own))
        for pointer, targets in given.items():
            if len(targets) == 1 and "" not in targets:
                self.aliases[pointer] = next(iter(targets))
            else:
                lost |= targets - {""}
        for node in graph.nodes:
            for call in calls_in(node.expr) if node.expr is not None else ():
                for position, arg in enumerate(call.args):
                    root = handed_on(arg)
                    root = self.aliases.get(root, root)
                    if root in own:
                        self.takers.setdefault(root, []).append(Handed(call, position))
        return lost

    def _drop(self, roots: set[str], members: set[str]) -> None:
        for name in list(self.values):
            if name in members or name.partition("->")[0] in roots:
                del self.values[name]


def root_of(expr: Expr) -> str:
    """The variable that an expression is a member of, or is itself; "" for any other."""
    while isinstance(expr, Field):
        expr = strip_casts(expr.base)
    return expr.spelling if isinstance(expr, VARIABLES) else ""


def handed_on(arg: Expr) -> str:
    """The variable that an argument hands on: a structure, a part's address, a pointer to it."""
    arg = strip_casts(arg)
    if isinstance(arg, Address):
        return root_of(strip_casts(arg.operand))
    return arg.spelling if isinstance(arg, VARIABLES) else ""


def below(arg: Expr, path: str) -> str:
    """A member's path in what an argument hands on, "" when that does not have the member."""
    arg = strip_casts(arg)
    part = spell(arg.operand).partition("->")[2] if isinstance(arg, Address) else ""
    if not part:
        return path
    return path.removeprefix(f"{part}->") if path.startswith(f"{part}->") else ""


def _pointee(value: Expr, own: set[str]) -> str:
    """The structure whose address a value is, "" for any other value."""
    value = strip_casts(value)
    if not isinstance(value, Address):
        return ""
    inner = strip_casts(value.operand)
    return inner.spelling if isinstance(inner, VARIABLES) and inner.spelling in own else ""


def _is_structure(kind: str) -> bool:
    return kind.startswith("struct ") and "*" not in kind
