# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call that is not walked in its caller's place may write of what its caller knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.kernelc.ir.expr import VARIABLES, Address, AnyCall, Expr
from lazymmu.kernelc.ir.nodes import calls_in, spell, strip_casts, uses
from lazymmu.witness.source.function.counters import member_of, move
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.handed_conditions import is_about
from lazymmu.witness.source.function.local_members import handed_on
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.function.pointer_copies import structure
from lazymmu.witness.source.function.state import State
from lazymmu.witness.source.interproc.call_targets import CallResolver

__all__ = ["ChangedByCalls"]


class ChangedByCalls:
    """Tells what calls write, over one program."""

    def __init__(
        self, resolver: CallResolver, words: Vocabulary, in_place: Callable[[AnyCall], bool]
    ) -> None:
        """Look into who is called; `in_place` tells which calls are walked in their caller's."""
        self._resolver = resolver
        self._words = words
        self._in_place = in_place

    def forgotten(self, frame: Frame, expr: Expr, state: State) -> State:
        """The state without what was known of members and variables that a call writes."""
        if not state.counters:
            return state
        calls = [call for call in calls_in(expr) if not self._in_place(call)]
        if not calls:
            return state
        env = frame.env(state.facts)
        known = [call for call in calls if self._resolver.target(call, frame.graph, env)]
        kept = tuple(
            counter
            for counter in state.counters
            if not (
                self._fills(frame, known, state, member, env)
                if (member := member_of(counter.name))
                else any(self._sets(frame, call, counter.name, env) for call in calls)
            )
        )
        return state if len(kept) == len(state.counters) else state.counting(kept)

    def writes(
        self, frame: Frame, call: AnyCall, state: State, member: str, env: Mapping[str, Value]
    ) -> bool:
        """Whether who is handed a structure by its address may write a member of it."""
        owner, _, path = member.partition("->")
        return any(
            structure(state.copies, handed_on(arg)) == owner
            and self._resolver.writes_member(call, position, path, frame.graph, env)
            for position, arg in enumerate(call.args)
        )

    def _fills(
        self,
        frame: Frame,
        calls: list[AnyCall],
        state: State,
        member: str,
        env: Mapping[str, Value],
    ) -> bool:
        return any(
            self.writes(frame, call, state, member, env)
            or self._writes_behind(frame, call, member, env)
            for call in calls
        )

    def _writes_behind(
        self, frame: Frame, call: AnyCall, member: str, env: Mapping[str, Value]
    ) -> bool:
        """Whether a call that is handed a member's pointer may write what stands behind it."""
        return any(
            self._resolver.writes_member(call, position, member[len(given) + 2 :], frame.graph, env)
            for position, arg in enumerate(call.args)
            if member.startswith(f"{(given := spell(strip_casts(arg)))}->")
        )

    def _sets(self, frame: Frame, call: AnyCall, name: EntryName, env: Mapping[str, Value]) -> bool:
        """Whether a call that is handed a variable's address may write it.

        Who only asks does not, and what is counted is known.
        """
        harmless = call.name in self._words.asks or move(call, self._words) is not None
        if not name.here or harmless:
            return False
        for position, arg in enumerate(call.args):
            plain = strip_casts(arg)
            inner = strip_casts(plain.operand) if isinstance(plain, Address) else None
            if not isinstance(inner, VARIABLES):
                continue
            own = name.spelling == inner.spelling or is_about(name.spelling, inner.spelling)
            if own and self._writes_behind_parameter(frame, call, position, env):
                return True
        return False

    def _writes_behind_parameter(
        self, frame: Frame, call: AnyCall, position: int, env: Mapping[str, Value]
    ) -> bool:
        """Whether who is called writes what a parameter points to, or hands that on."""
        target = self._resolver.target(call, frame.graph, env)
        if target is None:
            return True
        inner = self._resolver.program.function(target.definition)
        if inner.broken or position >= len(inner.params):
            return True
        param = inner.params[position]
        shape = self._resolver.shape(inner)
        handed = any(param in uses(arg) for calls in shape.calls for c in calls for arg in c.args)
        return handed or f"*{param}" in shape.members.written
