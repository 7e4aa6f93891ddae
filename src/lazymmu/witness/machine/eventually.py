# SPDX-License-Identifier: GPL-2.0-or-later
"""The property of liveness: what is pending takes effect, on every path on which its task goes on.

The end of all tasks is looked at by the search itself (`ProductModel.final`). Here are the paths
without an end: loops in which a change waits for ever. Each step is one of its own there, so that a
change that takes effect and the next one are not one and the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lazymmu.explore import StateField
from lazymmu.explore.cycles import search_cycles
from lazymmu.witness.machine.invariants import AsIf
from lazymmu.witness.machine.product_model import ProductModel

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from lazymmu.explore import SearchPath, StateView
    from lazymmu.witness.machine.product_model import Query

__all__ = ["MAX_STATES", "Forever", "WaitingModel", "waits_for_ever"]

MAX_STATES: Final = 20_000
"""States of a scenario whose cycles are looked at: half a minute; shipped ones have hundreds."""

_Mark: TypeAlias = tuple[str, int, int]
"""An entry, the task that changed it, and which of two changes one after the other it is."""


class WaitingModel(ProductModel):
    """A machine with monitors that remembers whose changes wait.

    In the last place of a state are the marks: of each entry with a change that waits the task that
    made the first one. A change that comes while another one takes effect is another mark.
    """

    def __init__(self, query: Query, *, cached: bool = True) -> None:
        """As of `ProductModel`, without joined steps."""
        apart = replace(query.config, merge_steps=False)
        super().__init__(replace(query, config=apart), cached=cached)
        self._place = len(self.fields)
        self.fields = (*self.fields, StateField("waiting"))
        self.initial = (*self.initial, frozenset[_Mark]())
        self._tasks = range(len(self.machine.layout.names["task"]))
        columns = self.machine.layout.bases
        self._effects = {
            entry: [
                columns["entry"]["effective"] + number,
                *(
                    first + row
                    for first in columns["tlb"].values()
                    for row, name in enumerate(self.machine.layout.names["tlb"])
                    if name.partition(".")[2] == entry
                ),
            ]
            for number, entry in enumerate(self.machine.layout.names["entry"])
        }

    def step(self, state: StateView, action: int, /) -> int | None:
        """One step, after which the marks are what waits then."""
        before = [state[at] for at in range(len(state))]
        task = self._actor(before, action)
        labels = super().step(state, action)
        if labels is None:
            return None
        old: dict[str, _Mark] = {mark[0]: mark for mark in before[self._place]}
        now = set[_Mark]()
        for entry in self.waiting(state):
            mark = old.get(entry, (entry, task, 0))
            if entry in old and any(before[at] != state[at] for at in self._effects[entry]):
                mark = (entry, task, 1 - mark[2])
            now.add(mark)
        state[self._place] = frozenset(now)
        return labels

    def waiting(self, state: StateView) -> set[str]:
        """The entries with anything pending, on any CPU and with any task."""
        machine = self.machine
        curr = machine.layout.bases["cpu"]["curr"]
        return {
            entry
            for cpu in machine.here(state, 0).cpus
            for task in self._tasks
            for entry, _ in machine.arch.pending(
                machine.here(AsIf(state, curr + cpu, task), cpu), cpu
            )
        }

    def _actor(self, state: Sequence[Any], action: int) -> int:
        """The task on whose behalf an action is: of an interrupt, the one that it came to."""
        return self.machine.here(list(state), self.machine.actions[action].cpu).task

    def marks(self, state: Sequence[Any], /) -> Collection[Hashable]:
        """What waits."""
        found: frozenset[_Mark] = state[self._place]
        return found

    def goes_on(self, state: Sequence[Any], action: int, mark: Hashable, /) -> bool:
        """Whether it is a step of the task's own program."""
        one = self.machine.actions[action]
        here = self.machine.here(list(state), one.cpu)
        mine = isinstance(mark, tuple) and here.task == mark[1]
        return mine and one.kind in ("run", "choose") and not here.this_cpu.thread

    def group(self, action: int, /) -> Hashable:
        """A CPU goes on, and a task that can be switched to is switched to; nobody has to idle."""
        one = self.machine.actions[action]
        if one.kind in ("run", "choose"):
            return ("cpu", one.cpu)
        waits = one.kind == "switch" and one.number < len(self.machine.config.tasks)
        return ("task", one.number) if waits else None


@dataclass(frozen=True, slots=True)
class Forever:
    """A run on which something waits for ever, None where there is none.

    :param complete: whether all states were seen.
    :param begin: how many steps stand before the cycle.
    :param entry: what waits.
    """

    model: WaitingModel
    complete: bool
    path: SearchPath | None
    begin: int
    entry: str


def waits_for_ever(query: Query, bound: int | None, max_states: int | None) -> Forever:
    """Look for a loop in which a change waits for ever while its task goes on."""
    model = WaitingModel(query)
    most = MAX_STATES if max_states is None else min(max_states, MAX_STATES)
    found = search_cycles(model, bound=bound, max_states=most)
    entry = found.mark[0] if isinstance(found.mark, tuple) else ""
    return Forever(model, found.complete, found.path, found.begin, entry)
