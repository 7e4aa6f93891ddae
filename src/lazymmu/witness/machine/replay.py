# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample that was found before, taken once more on the machine, without any search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.explore import PathStep, SearchPath, label_names
from lazymmu.machine import ConfigError
from lazymmu.witness.machine.eventually import WaitingModel
from lazymmu.witness.machine.product_model import PREEMPTION, ProductModel
from lazymmu.witness.machine.verdict import (
    EVENTUALLY,
    PSEUDO,
    Counterexample,
    SearchOutcome,
    Verdict,
    pseudo_of,
)
from lazymmu.witness.machine.verify import counterexample, for_ever

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lazymmu.witness.machine.product_model import Query

__all__ = ["ReplayError", "replay"]


class ReplayError(Exception):
    """The machine cannot take the steps of an earlier counterexample; one sentence says where."""


def replay(name: str, query: Query, rule: str, harm: str, actions: Sequence[str]) -> Verdict:
    """The verdict that taking `actions` one after the other breaks `rule`.

    A way that comes back to where it was breaks "eventually" when something waits all along.

    :param name: the scenario's.
    :param harm: as it was found.
    :param actions: the machine's names of the steps.
    :raises ReplayError: a step cannot be taken, or when the rule is not broken by the last.
    """
    try:
        model = ProductModel(query)
    except ConfigError as problem:
        raise ReplayError(str(problem)) from None
    if rule == EVENTUALLY and (loop := _loop(query, actions)) is not None:
        return _verdict(name, query, model, loop)
    path = _path(model, actions)
    shown = {*(path.steps[-1].labels if path.steps else ()), *path.final}
    known = rule in model.rules or rule in PSEUDO
    same = (rule in (label, pseudo_of(label)) for label in shown)
    if not known or not any(same):
        raise ReplayError(f"the last step does not break {rule}")
    return _verdict(name, query, model, counterexample(model, rule, path, harm))


def _verdict(name: str, query: Query, model: ProductModel, broken: Counterexample) -> Verdict:
    return Verdict(
        scenario=name,
        arch=query.config.arch,
        release=model.machine.release.name,
        feature=model.machine.arch.row,
        verdict=SearchOutcome.VIOLATED,
        violations=(broken,),
        depth=len(broken.trace),
        reason="replayed",
    )


def _loop(query: Query, actions: Sequence[str]) -> Counterexample | None:
    """The counterexample of steps that end in a loop in which something waits, None for others.

    That nobody else is left out for ever is known of all ways in the loop, and not of this one.
    """
    model = WaitingModel(query)
    numbers = {name: number for number, name in enumerate(model.actions)}
    state: list[Hashable] = list(model.initial)
    states = [tuple(state)]
    for action in actions:
        if action not in numbers or model.step(state, numbers[action]) is None:
            return None
        states.append(tuple(state))
    begin = states.index(states[-1])
    around = list(zip(states[begin:], actions[begin:], strict=False))
    waits = set(model.marks(states[begin])).intersection(*(model.marks(s) for s, _ in around))
    for mark in sorted(waits, key=str):
        if any(model.goes_on(s, numbers[action], mark) for s, action in around):
            entry = mark[0] if isinstance(mark, tuple) else ""
            return for_ever(model, _path(model, actions), begin, entry)
    return None


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
