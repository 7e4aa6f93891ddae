# SPDX-License-Identifier: GPL-2.0-or-later
"""A flow graph while it is built: where its next node goes, and what is open there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from lazymmu.kernelc.ir.bounds import MAX_GUARDS, MAX_NODES, Unread
from lazymmu.kernelc.ir.expr import (
    Assign,
    Call,
    Deref,
    Expr,
    Field,
    Guard,
    Index,
    Temporary,
)
from lazymmu.kernelc.ir.expression_lowering import Lowering
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    EVAL,
    NOP,
    RETURN,
    UNPARSED,
    Function,
    Node,
    has_effect,
    walk,
)

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.syntax import TsNode

Places: TypeAlias = Callable[[int], tuple[int, int]]
"""Line and column, from 1, that an offset of a text stands for."""

Held: TypeAlias = Guard | Call
"""What happens where a scope is left: a guard is dropped, or a cleanup function called."""

_CHANGING = (Deref, Field, Index)
"""Values that what a scope holds may change, or the rules ask for when they were read."""


class FlowGraph(Lowering):
    """The nodes of one function; the state is what is open at the current place.

    What a statement becomes is for the class below this one to say.
    """

    def __init__(
        self, name: str, file: str, line: int, column: int, places: Places | None = None
    ) -> None:
        self.out = Function(name, file, line, (), {}, "", [])
        self.nodes = self.out.nodes
        self.first_line = line
        self.first_column = column
        self.row_shift = self.shift = 0
        self.places = places
        self.at = -1
        self.entered: set[int] = set()
        self.temps = 0
        # Where `break` and `continue` lead, and how many guards are held there.
        self.breaks: list[tuple[int, int]] = []
        self.continues: list[tuple[int, int]] = []
        self.labels: dict[str, tuple[int, int]] = {}
        self.gotos: list[tuple[int, str, list[Held]]] = []
        self.guards: list[Held] = []
        self.depth = self.met = 0
        self.holding: dict[int, bool] = {}

    def place(self, ts: TsNode) -> tuple[int, int]:
        """Return line and column of a syntax node, from 1."""
        if self.places is not None:
            return self.places(max(ts.start_byte - self.shift, 0))
        row, col = ts.start_point
        row -= self.row_shift
        return self.first_line + max(row, 0), col + 1 + (self.first_column if row <= 0 else 0)

    def end_of(self, ts: TsNode) -> tuple[int, int]:
        """Return line and column at which a syntax node ends."""
        if self.places is not None:
            return self.places(max(ts.end_byte - 1 - self.shift, 0))
        row, col = ts.end_point
        return self.first_line + max(row - self.row_shift, 0), max(col, 1)

    def node(self, op: int, expr: Expr | None, ts: TsNode | None) -> int:
        """Append a node after the current place and go there; -1 when nothing gets here."""
        line, col = self.place(ts) if ts is not None else (self.first_line, 1)
        index = len(self.nodes)
        if index >= MAX_NODES:
            raise Unread(f"more than {MAX_NODES} steps")
        self.nodes.append(Node(op, expr, line, col))
        if self.at >= 0:
            self.edge(self.at, index)
        self.at = index
        return index

    def edge(self, source: int, target: int) -> None:
        """Lead from one node to another."""
        self.nodes[source].succ.append(target)
        self.entered.add(target)

    def detached(self, ts: TsNode | None) -> int:
        """A NOP that nothing leads to yet: a join or a label."""
        before, self.at = self.at, -1
        index = self.node(NOP, None, ts)
        self.at = before
        return index

    def jump(self, target: int) -> None:
        """Continue at a place, and be nowhere."""
        if self.at >= 0:
            self.edge(self.at, target)
        self.at = -1

    def effect(self, expr: Expr, ts: TsNode) -> None:
        """Append a node that evaluates an expression."""
        if self.at >= 0 or not self.nodes:
            self.node(EVAL, expr, ts)

    def temp(self) -> Temporary:
        """Return a variable that the source does not have."""
        self.temps += 1
        return Temporary(self.temps)

    def test(self, value: Expr, yes: int, no: int, ts: TsNode) -> None:
        """Continue at place `yes` or at place `no`, by a condition that is lowered already."""
        index = self.node(BRANCH, value, ts)
        self.edge(index, yes)
        self.edge(index, no)
        self.at = -1

    def condition(self, ts: TsNode | None, where: TsNode) -> tuple[int, int]:
        """Lower a condition; the two places where it is true and where it is false."""
        if self.at < 0:
            return -1, -1
        yes, no = self.detached(where), self.detached(where)
        if ts is None:
            self.jump(yes)
        else:
            self.branch(ts, yes, no)
        self.at = -1
        return yes, no

    def hold(self, guard: Held) -> None:
        """Hold a guard until the block at hand is left."""
        if len(self.guards) >= MAX_GUARDS:
            raise Unread(f"more than {MAX_GUARDS} guards held at once")
        self.guards.append(guard)

    def held(self) -> int:
        """How much is held by the scopes that are open."""
        return len(self.guards)

    def close(self, depth: int, ts: TsNode) -> None:
        """Leave a scope: drop the guards above `depth`, at its end."""
        if self.at >= 0:
            self.unguard(self.guards, depth, ts, self.end_of(ts))
        del self.guards[depth:]

    def unguard(
        self,
        guards: list[Held],
        depth: int,
        ts: TsNode | None,
        where: tuple[int, int] | None = None,
    ) -> None:
        """Drop the guards of the scopes that are left, where they are left."""
        for held in reversed(guards[depth:]):
            line, column = where or (self.place(ts) if ts is not None else (held.line, held.column))
            left = held._replace(line=line, column=column)
            if isinstance(left, Guard):
                left = left._replace(dropped=True)
            index = self.node(EVAL, left, ts)
            self.nodes[index].line, self.nodes[index].column = line, column
            self.out.scoped.append(index)

    def goes_to(self, label: str, ts: TsNode) -> None:
        """Leave for a label, which may stand further down."""
        if self.at >= 0:
            self.gotos.append((self.node(NOP, None, ts), label, list(self.guards)))
        self.at = -1

    def returns(self, value: Expr | None, ts: TsNode) -> None:
        """Return a value, once the guards are dropped that are held."""
        if self.at < 0:
            return
        if (
            self.guards
            and value is not None
            and (has_effect(value) or any(isinstance(part, _CHANGING) for part in walk(value)))
        ):
            kept = self.temp()
            self.node(EVAL, Assign("=", kept, value), ts)
            value = kept
        self.unguard(self.guards, 0, ts)
        self.node(RETURN, value, ts)
        self.at = -1

    def end(self, ts: TsNode) -> None:
        """Return at the end of a body."""
        if self.at >= 0:
            self.node(RETURN, None, ts)
            self.nodes[-1].line, self.nodes[-1].column = self.end_of(ts)

    def line_of(self, index: int) -> tuple[int, int]:
        """Return line and column of a node."""
        return self.nodes[index].line, self.nodes[index].column

    def finish(self) -> Function:
        """Connect the gotos, then let edges skip the nodes at which nothing happens."""
        self._link_gotos()
        final: dict[int, int] = {}
        for node in self.nodes:
            for place, target in enumerate(node.succ):
                seen = {target}
                while target not in final:
                    through = self.nodes[target]
                    if through.op != NOP or len(through.succ) != 1 or through.succ[0] in seen:
                        break
                    target = through.succ[0]
                    seen.add(target)
                node.succ[place] = final.get(target, target)
                for passed in seen - {target}:
                    final[passed] = target
        return self.out

    def _link_gotos(self) -> None:
        for index, label, guards in self.gotos:
            target = self.labels.get(label)
            if target is None and self.out.macro:
                # A label of whoever uses the macro.
                self.nodes.append(Node(RETURN, None, *self.line_of(index)))
                self.edge(index, len(self.nodes) - 1)
                continue
            if target is None:
                self.out.broken = self.out.broken or UNPARSED
                continue
            self.at = index
            self.unguard(guards, target[1], None)
            self.jump(target[0])
