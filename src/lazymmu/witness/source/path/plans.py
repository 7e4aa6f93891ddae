# SPDX-License-Identifier: GPL-2.0-or-later
"""What of each function has to be remembered along a path, looked up once."""

from __future__ import annotations

from lazymmu.kernelc.ir.nodes import Function
from lazymmu.witness.source.effects.call_effects import CallTransfer
from lazymmu.witness.source.function.liveness import Liveness

__all__ = ["Plans"]


class Plans:
    """The plans of one walker, until one of the functions' callees turns out to be a helper."""

    def __init__(self, call_transfer: CallTransfer) -> None:
        self._call_transfer = call_transfer
        self._known: dict[tuple[str, int, str], tuple[Liveness, int]] = {}
        """Beside each plan, what it was read from."""
        self._callers: dict[str, set[tuple[str, int, str]]] = {}
        self._calling: dict[str, set[tuple[str, int, str]]] = {}

    def of(self, graph: Function) -> Liveness:
        """What of a function's variables and conditions has to be remembered, and where."""
        place, reads = graph.place, self._call_transfer.program.reads
        known = self._known.get(place)
        if known is None:
            for _, call in graph.calls():
                name = call.name or ""
                self._callers.setdefault(name, set()).add(place)
                # What a variable holds, or a macro's argument, may be anybody.
                self._calling.setdefault("" if name in graph.types else name, set()).add(place)
            outer = reads.begin()
            plain = self._call_transfer.plain(graph)
            plan = Liveness.of(
                graph, self._call_transfer.words, plain, in_place=self._call_transfer.in_place
            )
            known = self._known[place] = plan, reads.end(outer)
        reads.bits |= known[1]
        return known[0]

    def calling(self, name: str) -> set[tuple[str, int, str]]:
        """Who was looked at and calls a function of that name, or may do so by a pointer."""
        return self._calling.get(name, set()) | self._calling.get("", set())

    def forget_callers(self, name: str) -> None:
        """Who calls a function of that name now changes the mode there, or does so no more."""
        for place in self._callers.pop(name, ()):
            self._known.pop(place, None)
