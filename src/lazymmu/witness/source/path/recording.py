# SPDX-License-Identifier: GPL-2.0-or-later
"""Every move of a function's paths, kept: what a walk forgets once it has joined them.

Only a function whose sections do not add up is walked so, to tell what belongs to the mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from lazymmu.contract.monitor import Product
from lazymmu.contract.section import TaskState
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.function.state import State
from lazymmu.witness.source.path.path_state import RawReport, ReportKey, WalkOutcome
from lazymmu.witness.source.path.path_trace import PathTrace

At: TypeAlias = tuple[int, State]
"""A node of the function, and a state in which it is come to."""


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """From one place of a path to the next, or out of the function.

    :param before: the state of the task.
    :param after: likewise.
    :param to: None where the function returns.
    """

    start: At
    to: At | None
    before: TaskState
    after: TaskState
    first: PathTrace | None
    last: PathTrace | None

    @property
    def notes(self) -> Iterator[PathTrace]:
        """What happens on the way, in callees as well."""
        return iter(()) if self.last is None else self.last.since(self.first)


@dataclass(slots=True, kw_only=True)
class Recording(WalkOutcome):
    """What walking a function came to, with the moves, and from where each report came.

    :param moves: by where they start.
    :param seen: the places of a path at which each report was made.
    :param cut: whether there were more than a bound allows, and these are those that were come to
        first.
    """

    frame: Frame
    cut: bool = False
    moves: dict[At, list[Move]] = field(default_factory=dict)
    seen: dict[ReportKey, set[At]] = field(default_factory=dict)
    _at: At | None = None
    _trail: PathTrace | None = None

    def come_to(self, at: At, trail: PathTrace | None) -> None:
        """Go on from a place."""
        self._at, self._trail = at, trail
        self.moves[at] = []

    def move_to(self, to: At, trail: PathTrace | None) -> None:
        """Note a move within the function."""
        self._move(to, to[1].product, trail)

    def leave(self, product: Product, value: Value, name: EntryName, after: PathTrace) -> None:
        """Note a move out of the function."""
        WalkOutcome.leave(self, product, value, name, after)
        self._move(None, product, after)

    def add(self, raw: RawReport) -> None:
        """Keep also from where a report came."""
        WalkOutcome.add(self, raw)
        if self._at is not None:
            self.seen.setdefault(raw.key, set()).add(self._at)

    def _move(self, to: At | None, product: Product, trail: PathTrace | None) -> None:
        if self._at is not None:
            before = self._at[1].product.task
            move = Move(self._at, to, before, product.task, self._trail, trail)
            self.moves[self._at].append(move)
