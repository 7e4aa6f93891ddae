# SPDX-License-Identifier: GPL-2.0-or-later
"""What an architecture's switch_to() does to the mode, where that has no hook of its own.

powerpc up to v6.19 takes the mode along in __switch_to(), between registers and debuggers that have
nothing to do with it.  So the function is sliced: what remains are the statements that touch the
mode's variables or come to its functions, what these depend on, and the conditions that decide
about them.  A word says which call changes the stack: what stands before it is done as the task
that goes, the rest as the one that comes, and not by a new task.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.ir.expr import Field
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    NOP,
    RETURN,
    Function,
    Node,
    calls_in,
    uses,
    walk,
    writes,
)
from lazymmu.lift.code import Code, compiled
from lazymmu.lift.problem import Unliftable

if TYPE_CHECKING:
    from lazymmu.kernelc.definition import Definition
    from lazymmu.kernelc.ir.expr import Expr
    from lazymmu.lift.closure import Closure
    from lazymmu.lift.link import Linker

__all__ = ["SwitchHalves", "halves", "switch_callers", "switch_definition"]

SWITCH_TO: Final = "switch_to"
"""Of every architecture (include/asm-generic/switch_to.h; kernel/sched/core.c calls it)."""

_CALLER: Final = "kernel/sched/core.c"


@dataclass(frozen=True, slots=True)
class SwitchHalves:
    """What is left of a switch_to(): by the task that goes, and by one that comes back."""

    before: Code
    after: Code


def switch_definition(linker: Linker) -> Definition | None:
    """Return the function below switch_to(), None where it is no macro of one call."""
    found = linker.program.resolve(SWITCH_TO, _CALLER)
    if found is None:
        return None
    called = [call.name for _, call in linker.program.function(found.definition).calls()]
    if len(called) != 1 or called[0] is None:
        return None
    target = linker.program.resolve(called[0], _CALLER)
    return None if target is None else target.definition


def switch_callers(linker: Linker) -> tuple[Definition | None, Definition | None]:
    """Return who calls the hooks of a context switch: the scheduler, and the architecture.

    x86's switch_to() is assembly, which goes to __switch_to() (arch/x86/entry/entry_64.S).
    """
    begins = linker.program.resolve("context_switch", _CALLER)
    ends = switch_definition(linker)
    if ends is None:
        found = linker.program.resolve("__switch_to", "")
        ends = None if found is None else found.definition
    return None if begins is None else begins.definition, ends


def halves(linker: Linker, definition: Definition, mode: Closure) -> SwitchHalves:
    """Slice a switch_to().

    :raises Unliftable: for one whose change of the stack is not known.
    """
    graph = linker.program.function(definition)
    if graph.broken:
        raise Unliftable(f"{graph.name}(): {graph.broken}", graph.file, definition.line)
    cuts = [at for at, node in enumerate(graph.nodes) if _does(linker, node, "switch-stack")]
    if len(cuts) != 1:
        what = f"{graph.name}() changes the stack at {len(cuts) or 'no'} known places"
        raise Unliftable(what, graph.file, definition.line)
    slice_ = _Slice(linker, graph, mode)
    kept = slice_.kept()
    for name in slice_.left_out(kept | set(cuts)):
        linker.abstracted.setdefault(name, f"of {graph.name}(), and nothing of the mode's")
    nodes = slice_.remaining(kept)
    (cut,) = cuts
    after = [Node(NOP, None, nodes[cut].line, 0, list(graph.nodes[cut].succ)), *nodes[1:]]
    # The first node is where a function begins: its own place is taken over by a copy.
    after.append(nodes[0])
    last = len(after) - 1
    for node in after:
        node.succ = [last if place == 0 else place for place in node.succ]
    before = [replace(node, succ=list(node.succ)) for node in nodes]
    before[cut] = Node(RETURN, None, nodes[cut].line, 0)
    return SwitchHalves(
        compiled(_part(graph, definition, before)), compiled(_part(graph, definition, after))
    )


def _part(graph: Function, definition: Definition, nodes: list[Node]) -> Function:
    return replace(graph, nodes=nodes, line=definition.line)


def _does(linker: Linker, node: Node, what: str) -> bool:
    if node.expr is None:
        return False
    words = (linker.words.get(call.name or "") for call in calls_in(node.expr))
    return any(word is not None and word.does == what for word in words)


class _Slice:
    """Which nodes of a function have to do with the mode."""

    def __init__(self, linker: Linker, graph: Function, mode: Closure) -> None:
        self.linker = linker
        self.graph = graph
        self.variables = {str(path[0]) for space, path in mode.variables.names if space == "cpu"}
        self.functions = {code.name for code in mode.codes}
        self.ways = _postdominators(graph)

    def kept(self) -> set[int]:
        """Return the nodes to keep: a fixed point over what each of them needs."""
        kept: set[int] = set()
        while True:
            more = {at for at in range(len(self.graph.nodes)) if self._needed(at, kept)} | kept
            if more == kept:
                return kept
            kept = more

    def _needed(self, at: int, kept: set[int]) -> bool:
        node = self.graph.nodes[at]
        if node.expr is None or node.op == NOP or (node.op == RETURN and not calls_in(node.expr)):
            return False
        return (
            self._touches(node.expr)
            or self._feeds(node.expr, kept)
            or (
                (node.op == BRANCH or len(node.succ) > 1)
                and any(self._decides(at, other) for other in kept)
            )
        )

    def _touches(self, expr: Expr) -> bool:
        """Whether it is about the mode.

        It names a variable of the mode, or one of this function that holds its address, or calls a
        function of the mode.
        """
        called = {call.name for call in calls_in(expr)}
        return bool(uses(expr) & (self.variables | self._pointers())) or bool(
            called & self.functions - self.linker.words.keys()
        )

    def _pointers(self) -> set[str]:
        """Variables of this function that are given something of a variable of the mode."""
        found: set[str] = set()
        for node in self.graph.nodes:
            for target, value in writes(node.expr) if node.expr is not None else ():
                if value is not None and uses(value) & self.variables and not _member(target):
                    found |= uses(target)
        return found

    def _feeds(self, expr: Expr, kept: set[int]) -> bool:
        """Whether it gives a value to what a node that is kept reads: a variable or a member."""
        wanted: set[str] = set()
        members: set[str] = set()
        for at in kept:
            read = self.graph.nodes[at].expr
            if read is not None:
                wanted |= uses(read)
                members |= {part.name for part in walk(read) if isinstance(part, Field)}
        for target, _ in writes(expr):
            if _member(target) in members or (not _member(target) and uses(target) & wanted):
                return True
        return False

    def _decides(self, branch: int, other: int) -> bool:
        """Whether a branch decides if another node is come to."""
        return (
            branch != other
            and other not in self.ways[branch]
            and any(
                other == way or other in self.ways[way] for way in self.graph.nodes[branch].succ
            )
        )

    def left_out(self, kept: set[int]) -> list[str]:
        """Return the calls of nodes that are not kept."""
        names = {
            call.name
            for at, node in enumerate(self.graph.nodes)
            if at not in kept and node.expr is not None
            for call in calls_in(node.expr)
        }
        return sorted(name for name in names if name)

    def remaining(self, kept: set[int]) -> list[Node]:
        """Return the function's nodes, of which those that are not kept do nothing."""
        nodes = []
        for at, node in enumerate(self.graph.nodes):
            if at in kept or node.op == RETURN:
                expr = node.expr if at in kept else None
                nodes.append(replace(node, expr=expr, succ=list(node.succ)))
                continue
            nodes.append(Node(NOP, None, node.line, node.column, self._on(at)))
        return nodes

    def _on(self, at: int) -> list[int]:
        """Return where a node goes on that decides nothing: where all its ways meet."""
        succ = self.graph.nodes[at].succ
        if len(succ) < 2:
            return list(succ)
        ways = self.ways[at]
        for way in ways:
            if len(self.ways[way]) == len(ways) - 1:
                return [way]
        where = self.graph
        raise Unliftable(f"{where.name}() does not end", where.file, self.graph.nodes[at].line)


def _member(target: Expr) -> str:
    return target.name if isinstance(target, Field) else ""


def _postdominators(graph: Function) -> list[set[int]]:
    """Return for each node those that every way on to an end comes by, itself left out."""
    nodes = graph.nodes
    every = set(range(len(nodes)))
    found = [every if node.succ else set[int]() for node in nodes]
    changed = True
    while changed:
        changed = False
        for at in range(len(nodes) - 1, -1, -1):
            succ = nodes[at].succ
            if succ:
                now = set.intersection(*(found[way] | {way} for way in succ)) - {at}
                if now != found[at]:
                    found[at] = now
                    changed = True
    return found
