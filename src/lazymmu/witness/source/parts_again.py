# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts that were computed again to see whether an analysis holds (held_parts.py).

Where it does not, and begins anew, they are what it comes to itself where what they took for
granted has come true: what the calls in them come to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.witness.source.path.path_state import WalkOutcome

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.nodes import Function
    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.analysis import Analysis
    from lazymmu.witness.source.interproc.call_targets import Binding
    from lazymmu.witness.source.path.settled_before import WalkerState

__all__ = ["PartsAgain"]


class PartsAgain:
    """The parts of an analysis of the tree as it is now."""

    def __init__(self, live: Analysis) -> None:
        """Take an analysis, of which some parts may have been computed."""
        self._live = live

    def root(
        self, graph: Function, binding: Binding, state: WalkerState
    ) -> tuple[WalkOutcome, list[tuple[Any, ...]]] | None:
        """What walking a root came to, with what was read and came about; None: it was not walked.

        Where a bound was met it matters who was walked before.
        """
        live = self._live
        if live.walker.bounded or live.summaries.bounded or live.call_transfer.unread:
            return None
        item = ("root", graph.place, binding, None, state)
        value, _ = live.program.reads.units.get(item, (None, 0))
        read = self.read_by(item)
        return None if read is None or not isinstance(value, WalkOutcome) else (value, read)

    def read_by(self, item: Item) -> list[tuple[Any, ...]] | None:
        """What a part has read, and what came about; None where it was not computed."""
        reads = self._live.program.reads
        if item not in reads.units:
            return None
        _, bits = reads.units[item]
        return [self._told(reads.items[n]) for n in reads.numbers(bits)]

    def _told(self, item: Item) -> tuple[Any, ...]:
        """An item with what has to be known where it comes about again."""
        match item:
            case ("small", str(name), str(file)):
                target = self._live.program.resolve(name, file)
                if target is None:
                    return ("small", name, file, "", "")
                return ("small", name, file, target.definition.file, target.definition.name)
            case ("asked", file, _, name, binding):
                return ("asked", file, name, binding)
        return item
