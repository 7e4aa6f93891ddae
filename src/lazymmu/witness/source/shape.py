# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a function does not depend on its arguments: looked up once, asked for often."""

from __future__ import annotations

from dataclasses import dataclass, field

from lazymmu.kernelc.ir import BRANCH, RETURN, SWITCH, Expr, Function, calls_in, changed, names_in
from lazymmu.kernelc.program import assignments


@dataclass(slots=True)
class Shape:
    """What of a function does not depend on its arguments."""

    calls: list[tuple[Expr, ...]]
    writes: list[frozenset[str]]
    single: dict[str, Expr]
    deciding: frozenset[str]
    gfp: str | None
    _always: dict[int, bool] = field(default_factory=dict)

    def always(self, graph: Function, index: int) -> bool:
        """Whether every path through the function passes a node."""
        known = self._always.get(index)
        if known is None:
            known = self._always[index] = not _avoidable(graph, index)
        return known

    @classmethod
    def of(cls, graph: Function) -> Shape:
        """Read the shape off a function's graph."""
        written = assignments(graph)
        params = set(graph.params)
        single = {}
        for name, values in written.items():
            if len(values) == 1 and values[0] is not None and name not in params:
                value = values[0]
                stable = all(n not in written or len(written[n]) == 1 for n in names_in(value))
                if value[0] != "call" and not name.startswith("$") and stable:
                    single[name] = value
        calls: list[tuple[Expr, ...]] = []
        writes = [
            frozenset(t[1] for t, _ in changed(n.expr) if t[0] == "id" and t[1] in params)
            if n.expr is not None
            else frozenset()
            for n in graph.nodes
        ]
        deciding: set[str] = set()
        for node in graph.nodes:
            inside = tuple(calls_in(node.expr)) if node.expr is not None else ()
            calls.append(inside)
            if node.expr is not None and node.op in (BRANCH, SWITCH, RETURN):
                deciding.update(names_in(node.expr))
            for call in inside:
                if isinstance(call[1], str):
                    deciding.add(call[1])
                for arg in call[2]:
                    deciding.update(names_in(arg))
        for value in single.values():
            deciding.update(names_in(value))
        gfp = next((p for p in graph.params if graph.types.get(p) == "gfp_t"), None)
        return cls(calls, writes, single, frozenset(deciding), gfp)


def _avoidable(graph: Function, index: int) -> bool:
    """Whether some path from the beginning returns without passing a node."""
    seen = {index}
    todo = [0]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        if graph.nodes[at].op == RETURN:
            return True
        todo.extend(graph.nodes[at].succ)
    return False
