# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a function does not depend on its arguments: looked up once, asked for often."""

from __future__ import annotations

from dataclasses import dataclass

from lazymmu.kernelc.ir.expr import (
    VARIABLES,
    Address,
    AnyCall,
    Binary,
    Call,
    Conditional,
    Deref,
    Expr,
    Field,
    Name,
)
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    RETURN,
    SWITCH,
    Function,
    Node,
    calls_in,
    strip_casts,
    uses,
    walk,
    writes,
)
from lazymmu.kernelc.program import assignments
from lazymmu.witness.source.function.local_members import LocalMembers

_NONE: frozenset[str] = frozenset()


@dataclass(slots=True)
class FunctionFacts:
    """What of a function does not depend on its arguments."""

    calls: list[tuple[AnyCall, ...]]
    rewritten: list[frozenset[str]]
    single: dict[str, Expr]
    deciding: frozenset[str]
    gfp: str | None
    members: LocalMembers
    reassigned: frozenset[str]
    """Parameters that are given another value."""
    _always: frozenset[int] | None = None
    _unseen: dict[str, list[Node]] | None = None
    """By parameter, the returns that are come to without looking behind it."""

    def always(self, graph: Function, index: int) -> bool:
        """Whether every path through the function passes a node."""
        if self._always is None:
            self._always = _unavoidable(graph)
        return index in self._always

    def looked_behind(self, graph: Function, end: Node, parameter: str) -> bool:
        """Whether every path to a return looks behind a pointer: it is not NULL there."""
        if parameter in self.reassigned or not graph.types.get(parameter, "").endswith("*"):
            return False
        if self._unseen is None:
            self._unseen = {}
        if parameter not in self._unseen:
            self._unseen[parameter] = _without(graph, Name(parameter))
        return not any(node is end for node in self._unseen[parameter])

    @classmethod
    def of(cls, graph: Function) -> FunctionFacts:
        """Read the shape off a function's graph."""
        written = assignments(graph)
        params = set(graph.params)
        single: dict[str, Expr] = {}
        for variable, values in written.items():
            value = values[0] if len(values) == 1 else None
            if value is None or not isinstance(variable, Name) or variable.spelling in params:
                continue
            stable = all(
                len(written.get(node, ())) <= 1
                for node in walk(value)
                if isinstance(node, VARIABLES)
            )
            # A call's outcome is only known where it depends on nothing, as that of a mask may.
            is_mask = graph.types.get(variable.spelling) == "gfp_t"
            if stable and (is_mask or not isinstance(value, Call)):
                single[variable.spelling] = value
        calls: list[tuple[AnyCall, ...]] = []
        # Parameters are assigned to by few functions: the others need not be looked through again.
        params_written = params & {variable.spelling for variable in written}
        rewritten = [
            frozenset(
                target.spelling
                for target, _ in writes(node.expr)
                if isinstance(target, Name) and target.spelling in params_written
            )
            if params_written and node.expr is not None
            else _NONE
            for node in graph.nodes
        ]
        deciding: set[str] = set()
        for node in graph.nodes:
            inside = calls_in(node.expr) if node.expr is not None else ()
            calls.append(inside)
            if node.expr is not None and node.op in (BRANCH, SWITCH, RETURN):
                deciding |= uses(node.expr)
            for call in inside:
                if call.name is not None:
                    deciding.add(call.name)
                elif not isinstance(call.callee, str):
                    deciding |= uses(call.callee)
                for arg in call.args:
                    deciding |= uses(arg)
        for value in single.values():
            deciding |= uses(value)
        gfp = next((p for p in graph.params if graph.types.get(p) == "gfp_t"), None)
        members = LocalMembers.of(graph)
        for given in members.values.values():
            for each in given:
                deciding |= uses(each)
        return cls(
            calls, rewritten, single, frozenset(deciding), gfp, members, frozenset(params_written)
        )


def _unavoidable(graph: Function) -> frozenset[int]:
    """Nodes that every path from the beginning to a return passes; all when nothing returns.

    Along one path from the beginning to a return, whatever is reached without passing a node of
    it shows how far that node can be got around.
    """
    path = _one_way(graph)
    if not path:
        return frozenset(range(len(graph.nodes)))
    place = {node: number for number, node in enumerate(path)}
    furthest = 0
    """How far along the path one gets without the nodes of it that are not yet looked at."""
    found = set()
    seen = [False] * len(graph.nodes)
    ended = False
    for number, node in enumerate(path):
        if not ended and furthest <= number:
            found.add(node)
        todo = [node]
        while todo:
            for succ in graph.nodes[todo.pop()].succ:
                at = place.get(succ)
                if at is not None:
                    furthest = max(furthest, at)
                elif not seen[succ]:
                    seen[succ] = True
                    # Another return than the path's own: nothing after this is unavoidable.
                    ended = ended or graph.nodes[succ].op == RETURN
                    todo.append(succ)
    return frozenset(found)


def _one_way(graph: Function) -> list[int]:
    """Some path from the beginning to a return, without circles; empty when there is none."""
    came: dict[int, int] = {0: -1}
    todo = [0]
    while todo:
        at = todo.pop()
        if graph.nodes[at].op == RETURN:
            path = [at]
            while came[path[-1]] >= 0:
                path.append(came[path[-1]])
            return path[::-1]
        for succ in graph.nodes[at].succ:
            if succ not in came:
                came[succ] = at
                todo.append(succ)
    return []


def _without(graph: Function, pointer: Name) -> list[Node]:
    """The returns that are come to on paths which do not look behind a pointer."""
    found: list[Node] = []
    todo, seen = [0], {0}
    while todo:
        node = graph.nodes[todo.pop()]
        if node.expr is not None and pointer in _behind(node.expr):
            continue
        if node.op == RETURN:
            found.append(node)
        todo += [succ for succ in node.succ if succ not in seen]
        seen.update(node.succ)
    return found


def _behind(expr: Expr) -> set[Expr]:
    """The pointers that an expression looks behind, whatever it comes to."""
    parts = walk(expr, _evaluated)
    return {strip_casts(part.operands[0]) for part in parts if isinstance(part, Field | Deref)}


def _evaluated(expr: Expr) -> tuple[Expr, ...]:
    """The parts of an expression that are looked at each time: of an address, and of arms, none."""
    match expr:
        case Address():
            return ()
        case Binary("&&" | "||", left):
            return (left,)
        case Conditional(test):
            return (test,)
    return expr.operands
