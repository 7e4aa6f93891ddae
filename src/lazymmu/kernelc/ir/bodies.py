# SPDX-License-Identifier: GPL-2.0-or-later
"""A function's body in the place of a call: its nodes, with the caller's names for its arguments.

What a parameter is given stands for the parameter, and what a variable is given once for that
variable, so that a lock is named in the body as the caller names it.
"""

from __future__ import annotations

from lazymmu.kernelc.ir.bounds import MAX_NODES, Unread
from lazymmu.kernelc.ir.expr import Address, Assign, Deref, Expr, Field, Index, Name, Temporary
from lazymmu.kernelc.ir.nodes import (
    EVAL,
    NOP,
    RETURN,
    Function,
    Node,
    has_effect,
    strip_casts,
    walk,
    writes,
)
from lazymmu.kernelc.ir.rewriting import Place, rewritten

__all__ = ["Bodies"]

_MEMORY = (Deref, Field, Index)


class Bodies:
    """Puts the bodies of functions into one graph."""

    def __init__(self, graph: Function) -> None:
        """Change `graph`."""
        self.graph = graph
        self._made = 0
        self._temporaries = max(
            (
                part.number
                for node in graph.nodes
                if node.expr is not None
                for part in walk(node.expr)
                if isinstance(part, Temporary)
            ),
            default=0,
        )

    def insert(
        self, index: int, callee: Function, given: tuple[Expr, ...], into: str, place: Place
    ) -> range:
        """Put a body in the place of a node, and return its nodes.

        :param given: the arguments.
        :param into: the variable that gets what it returns, "" for none.
        :raises Unread: the graph has too many nodes.
        """
        nodes = self.graph.nodes
        if len(nodes) + len(callee.nodes) > MAX_NODES:
            raise Unread(f"more than {MAX_NODES} steps")
        parts, first = self._names(callee, given, into)
        after = nodes[index].succ
        nodes[index].op, nodes[index].expr = NOP, None
        begin = len(nodes)
        for offset, expr in enumerate(first):
            nodes.append(Node(EVAL, expr, *place, [begin + offset + 1]))
        base = len(nodes)
        for node in callee.nodes:
            made = Node(node.op, None, *place, [base + s for s in node.succ], node.cases)
            if node.expr is not None:
                made.expr = rewritten(node.expr, parts, self._temporaries, place)
            if node.op == RETURN:
                made.op, made.succ = EVAL, list(after)
                if into and made.expr is not None:
                    made.expr = Assign("=", Name(into), made.expr)
            if made.op == EVAL and not _does(made.expr):
                made.op, made.expr = NOP, None
            nodes.append(made)
        nodes[index].succ = [begin]
        self._temporaries += 1 + sum(isinstance(part, Temporary) for part in _parts(callee))
        self.graph.spliced[callee.file, callee.line, callee.name] = None
        return range(begin, len(nodes))

    def _names(
        self, callee: Function, given: tuple[Expr, ...], into: str
    ) -> tuple[dict[Expr, Expr], list[Expr]]:
        """What stands for each variable of a body, and what is assigned before it."""
        self._made += 1
        written = _written(callee)
        parts: dict[Expr, Expr] = {}
        first: list[Expr] = []
        for name in {*callee.types, *written}:
            fresh = f"{name}${self._made}"
            parts[Name(name)] = Name(fresh)
            if name in callee.types:
                self.graph.types[fresh] = callee.types[name]
        for param, arg in zip(callee.params, given, strict=False):
            if param in written or has_effect(arg):
                first.append(Assign("=", parts.get(Name(param), Name(param)), arg))
            else:
                parts[Name(param)] = arg
        if into:
            for name in _returned(callee, written):
                parts[Name(name)] = Name(into)
        _settle(callee, written, parts, into)
        return parts, first


def _does(expr: Expr | None) -> bool:
    """Whether evaluating an expression does anything: a variable may have come to be itself."""
    match expr:
        case None:
            return False
        case Assign("=", target, value) if target == strip_casts(value):
            return False
    return has_effect(expr)


def _parts(callee: Function) -> list[Expr]:
    return [p for node in callee.nodes if node.expr is not None for p in walk(node.expr)]


def _written(callee: Function) -> dict[str, list[Expr | None]]:
    """What each variable is given; None for a change in place."""
    found: dict[str, list[Expr | None]] = {}
    for node in callee.nodes:
        for target, value in writes(node.expr) if node.expr is not None else ():
            if isinstance(target, Name):
                found.setdefault(target.spelling, []).append(value)
    return found


def _returned(callee: Function, written: dict[str, list[Expr | None]]) -> list[str]:
    """The local variable that is returned whatever happens, and what it is a plain copy of."""
    values = {node.expr for node in callee.nodes if node.op == RETURN}
    names: list[str] = []
    while len(values) == 1:
        (value,) = values
        if not isinstance(value, Name) or value.spelling in (*callee.params, *names):
            break
        if value.spelling not in callee.types:
            break
        names.append(value.spelling)
        values = set(written.get(value.spelling, []))
    return names


def _settle(
    callee: Function, written: dict[str, list[Expr | None]], parts: dict[Expr, Expr], into: str
) -> None:
    """Let what a variable is given once stand for the variable, where that cannot have changed."""
    stores = any(
        isinstance(target, _MEMORY)
        for node in callee.nodes
        if node.expr is not None
        for target, _ in writes(node.expr)
    )
    for name, values in written.items():
        value = values[0] if len(values) == 1 else None
        if value is None or name in callee.params or parts.get(Name(name)) == Name(into):
            continue
        read = walk(value, lambda e: () if isinstance(e, Address) else e.operands)
        memory = any(isinstance(part, _MEMORY) for part in read)
        names = {part.spelling for part in read if isinstance(part, Name)}
        steady = not any(len(written.get(other, ())) > 1 for other in names | {name})
        plain = not has_effect(value) and not any(isinstance(p, Temporary) for p in read)
        if plain and steady and not (memory and stores) and name not in names:
            parts[Name(name)] = rewritten(value, parts)
