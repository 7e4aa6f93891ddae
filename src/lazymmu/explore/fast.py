# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a fast engine: packs the states, packs them anew where that did not do, tells the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazymmu.explore.bfs import BreadthFirst
from lazymmu.explore.engine import Engine
from lazymmu.explore.limits import LimitReachedError
from lazymmu.explore.model import ModelError, PathStep, SearchPath, SearchResult, label_names
from lazymmu.explore.packing import bits, plan, tight
from lazymmu.explore.trie import StepTable
from lazymmu.explore.trie_walk import OutgrownError

if TYPE_CHECKING:
    from lazymmu.explore.limits import SearchLimits
    from lazymmu.explore.model import Model
    from lazymmu.explore.packing import Packing

__all__ = ["explore"]

_MAX_STATES_OF_TRIAL = 4000
"""After so many states the values are largely known, and it is worth to pack tightly."""


def _loose(table: StepTable) -> Packing:
    """A packing for the beginning, when nothing is known of the open fields."""
    return plan(
        [
            max(4, bits(len(values)) + 1) if values.open else bits(len(values))
            for values in table.values
        ]
    )


class _TrialSearch(BreadthFirst):
    """The first search: it ends when it has seen enough to pack better."""

    def _begin(self, level: tuple[int, int]) -> None:
        if (
            self.store.count > _MAX_STATES_OF_TRIAL
            and tight(self.table.values).words < self.flat.packing.words
        ):
            raise OutgrownError
        super()._begin(level)


def _search(table: StepTable, limits: SearchLimits, engine: Engine) -> tuple[BreadthFirst, str]:
    """Search under one packing after the other, until one does; why it ended, and where."""
    if table.calls:
        sweep = BreadthFirst(table, tight(table.values), limits, engine)
    else:
        sweep = _TrialSearch(table, _loose(table), limits, engine)
    while True:
        outgrown = False
        try:
            sweep.run()
        except OutgrownError:
            outgrown = True
        except LimitReachedError as ended:
            return sweep, str(ended)
        except KeyboardInterrupt:
            return sweep, "interrupt"
        if not outgrown:
            return sweep, ""
        loose = sweep.store.count <= _MAX_STATES_OF_TRIAL and isinstance(sweep, _TrialSearch)
        del sweep  # before its successor needs as much
        if loose:
            sweep = _TrialSearch(table, _loose(table), limits, engine)
        else:
            sweep = BreadthFirst(table, tight(table.values), limits, engine)


def _path(model: Model, sweep: BreadthFirst, label: int) -> SearchPath:
    """The path to the first showing of a label, by running the model along it."""
    (cost, _), number, action = sweep.first[label]
    state, steps, shown = list(model.initial), [], 0
    for one in sweep.store.actions_to(number) + ([action] if action >= 0 else []):
        labels = model.step(state, one)
        if labels is None:
            raise ModelError(
                f"action {model.actions[one]} could be taken at first, and cannot be taken now:"
                " it depends on something outside the state"
            )
        shown = labels
        steps.append(PathStep(model.actions[one], label_names(model, labels)))
    final: tuple[str, ...] = ()
    if action < 0:
        shown = model.final(state)
        final = label_names(model, shown)
    if not shown >> label & 1:
        raise ModelError(
            f"label {model.labels[label]} was shown at first, and the same path does not show it"
            " now: the model depends on something outside the state"
        )
    return SearchPath(tuple(steps), cost, final)


def explore(
    model: Model, limits: SearchLimits, engine: str = "numpy", table: StepTable | None = None
) -> SearchResult:
    """Search a model with an engine that `Engine` knows.

    `table` is what is known of the model already; the search adds to it.
    """
    chosen = Engine(engine)
    table = table or StepTable(model)
    sweep, reason = _search(table, limits, chosen)
    taken = np.zeros(table.final + 1, np.int64)
    np.add.at(taken, sweep.flat.action[: sweep.hits.size], sweep.hits)
    return SearchResult(
        complete=not reason,
        reason=reason,
        states=sweep.store.count,
        transitions=sweep.transitions,
        depth=sweep.depth,
        discoveries={
            model.labels[label]: _path(model, sweep, label) for label in sorted(sweep.first)
        },
        taken=tuple(taken[:-1].tolist()),
        engine=chosen.name,
        seconds=limits.seconds(),
        calls=table.calls,
    )
