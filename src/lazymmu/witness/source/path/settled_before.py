# SPDX-License-Identifier: GPL-2.0-or-later
"""What the walks so far have settled, which those to come rest on: helpers, and who is wrong."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.witness.source.effects.call_effects import CallTransfer
from lazymmu.witness.source.interproc.call_targets import Binding
from lazymmu.witness.source.path.inliner import Inliner, above
from lazymmu.witness.source.path.path_state import WalkOutcome
from lazymmu.witness.source.path.plans import Plans

__all__ = ["SettledBefore", "WalkerState"]

_Places: TypeAlias = frozenset[tuple[str, int, str]]

WalkerState: TypeAlias = tuple[_Places, _Places, frozenset[str], _Places]
"""Helpers, functions that count and what they are called, and those that are wrong themselves."""


class SettledBefore:
    """Remembers walks, and forgets those that rest on what is settled otherwise."""

    def __init__(self, call_transfer: CallTransfer, inliner: Inliner) -> None:
        """Start with nothing settled."""
        self.call_transfer = call_transfer
        self._inliner = inliner
        self._memo: dict[tuple[str, int, str, Binding, Product], tuple[WalkOutcome, int]] = {}
        """Beside each outcome, what it was read from."""
        self._plans = Plans(call_transfer)

    @property
    def state(self) -> WalkerState:
        """What earlier walks and their judges have settled."""
        calls, blamed = self.call_transfer, frozenset(self._inliner.blamed)
        counting = frozenset(calls.counting), frozenset(calls.counting_names)
        return frozenset(calls.helpers), *counting, blamed

    @state.setter
    def state(self, state: WalkerState) -> None:
        calls = self.call_transfer
        calls.helpers, calls.counting = set(state[0]), set(state[1])
        calls.helper_names = {name for _, _, name in state[0]}
        calls.counting_names = set(state[2])
        self._inliner.blamed = set(state[3])
        self._plans = Plans(calls)
        self._memo.clear()

    def blame(self, places: Collection[tuple[str, int, str]]) -> None:
        """From now on callers of these go on as if they left the mode as they found it.

        What a function does wrong is told of it, and of nobody who calls it.
        """
        self._inliner.blamed.update(places)
        stale = above(places, self._inliner.shifted)
        self._memo = {key: known for key, known in self._memo.items() if key[:3] not in stale}

    def helper(self, graph: Function) -> None:
        """From now on walk ``graph`` in the place of every call to it."""
        self.call_transfer.helpers.add(graph.place)
        self.call_transfer.helper_names.add(graph.name)
        self._forget_callers(graph)

    def knows_helper(self, graph: Function) -> bool:
        """Whether ``graph`` is walked in the place of every call to it."""
        return graph.place in self.call_transfer.helpers

    def forget_helper(self, graph: Function) -> None:
        """Undo ``helper``."""
        self.call_transfer.helpers.discard(graph.place)
        self.call_transfer.helper_names.discard(graph.name)
        self._forget_callers(graph)

    def _forget_callers(self, graph: Function) -> None:
        """Forget what was walked in which a function is called, or may be.

        Most of it is not: who leaks a section calls many that never heard of it.
        """
        reads = self.call_transfer.program.reads
        callers = {graph.place, *self._plans.calling(graph.name)}
        stale = 0
        for file, _, name in callers:
            stale |= reads.mask(("body", file, name))
        self._plans.forget_callers(graph.name)
        self._memo = {key: known for key, known in self._memo.items() if not known[1] & stale}
