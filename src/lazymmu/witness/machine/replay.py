# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample that was found before, taken once more on the machine, without any search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.explore import PathStep, SearchPath, label_names
from lazymmu.machine import ConfigError
from lazymmu.witness.machine.product_model import PREEMPTION, ProductModel
from lazymmu.witness.machine.verdict import PSEUDO, SearchOutcome, Verdict, pseudo_of
from lazymmu.witness.machine.verify import counterexample

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lazymmu.witness.machine.product_model import Query

__all__ = ["ReplayError", "replay"]


class ReplayError(Exception):
    """The machine cannot take the steps of an earlier counterexample; one sentence says where."""


def replay(name: str, query: Query, rule: str, harm: str, actions: Sequence[str]) -> Verdict:
    """The verdict that taking `actions` one after the other breaks `rule`.

    :param name: the scenario's.
    :param harm: as it was found.
    :param actions: the machine's names of the steps.
    :raises ReplayError: a step cannot be taken, or when the rule is not broken by the last.
    """
    try:
        model = ProductModel(query)
    except ConfigError as problem:
        raise ReplayError(str(problem)) from None
    path = _path(model, actions)
    shown = {*(path.steps[-1].labels if path.steps else ()), *path.final}
    known = rule in model.rules or rule in PSEUDO
    same = (rule in (label, pseudo_of(label)) for label in shown)
    if not known or not any(same):
        raise ReplayError(f"the last step does not break {rule}")
    return Verdict(
        scenario=name,
        arch=query.config.arch,
        release=model.machine.release.name,
        feature=model.machine.arch.row,
        verdict=SearchOutcome.VIOLATED,
        violations=(counterexample(model, rule, path, harm),),
        depth=len(path.steps),
        reason="replayed",
    )


def _path(model: ProductModel, actions: Sequence[str]) -> SearchPath:
    numbers = {name: number for number, name in enumerate(model.actions)}
    state: list[Hashable] = list(model.initial)
    steps: list[PathStep] = []
    cost = 0
    for place, action in enumerate(actions, 1):
        if action not in numbers:
            raise ReplayError(f"step {place}, {action}, is none of this machine's")
        labels = model.step(state, numbers[action])
        if labels is None:
            raise ReplayError(f"step {place}, {action}, cannot be taken")
        steps.append(PathStep(action, label_names(model, labels)))
        cost += PREEMPTION in steps[-1].labels
    return SearchPath(tuple(steps), cost, label_names(model, _final(model, state)))


def _final(model: ProductModel, state: list[Hashable]) -> int:
    """What a state shows in which nothing can be done, 0 for another one."""
    enabled = any(
        model.step(list(state), number) is not None for number in range(len(model.actions))
    )
    return 0 if enabled else model.final(state)
