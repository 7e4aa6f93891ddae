# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs as a page: the table of verdicts, and counterexamples that one can step through."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.contract.rules import RULES
from lazymmu.report.common.words import count
from lazymmu.report.page import page
from lazymmu.report.verify import json
from lazymmu.report.verify.json import place, said, shortest
from lazymmu.report.verify.lanes import lanes
from lazymmu.report.verify.told_steps import (
    Told,
    calls,
    cpu_name,
    happened,
    same_ways,
    shown_steps,
    told_scenarios,
)
from lazymmu.witness.machine.verdict import PSEUDO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.run import Run
    from lazymmu.report.verify.lanes import LaneGroup
    from lazymmu.report.verify.told_steps import ToldWay
    from lazymmu.verbs.lifting import LiftedTree
    from lazymmu.witness.machine.verdict import TraceStep, Verdict

__all__ = ["render"]


@dataclass(frozen=True, slots=True)
class _Step:
    """A step beside its row in the table: who, through which functions, and what it came to."""

    place: str
    calls: tuple[tuple[tuple[str, ...], str], ...]
    happened: str
    note: str


@dataclass(frozen=True, slots=True)
class _Way:
    """A counterexample as the template takes it."""

    number: int
    scenario: str
    places: tuple[str, ...]
    sentence: str
    rule: str
    says: str
    harms: tuple[str, ...]
    shortest: str
    also: tuple[str, ...]
    groups: tuple[LaneGroup, ...]
    table: ToldWay
    steps: tuple[_Step, ...]
    initial: bool


def render(
    done: Sequence[tuple[Run, Verdict]],
    judged: Sequence[Judgement],
    lifted: Sequence[LiftedTree] = (),
) -> str:
    """One page of all runs; its JSON is what ``--format json`` prints of them.

    :param judged: each run's verdict beside what its scenario expects.
    :param lifted: what was lifted from a tree for these runs.
    """
    scenarios = told_scenarios(run for run, _ in done)
    verdicts = [verdict for _, verdict in done]
    groups = same_ways(verdicts, scenarios)
    ways = [
        _way(number, group, table, scenarios.get(group[0].scenario, Told("")))
        for number, (group, table) in enumerate(groups, 1)
    ]
    at = {id(one): number for number, (group, _) in enumerate(groups, 1) for one in group}
    names = ", ".join(scenarios) if len(scenarios) < 4 else count(len(scenarios), "scenario")
    return page.render(
        "verify.html",
        title=f"{names}: lazymmu verify",
        verb="verify",
        scripts=("player.js",),
        styles=("player.css",),
        data=json.object_of_runs(done, judged, lifted),
        blocks=[
            (scenario, [(one, said(one).partition(": "), at.get(id(one))) for one in block])
            for scenario, block in itertools.groupby(verdicts, lambda one: one.scenario)
        ],
        ways=ways,
        scenarios=scenarios,
        summary=json.summary(verdicts),
    )


def _way(number: int, group: Sequence[Verdict], table: ToldWay, told: Told) -> _Way:
    broken = group[0].violations[0]
    steps = shown_steps(broken)
    says = RULES[broken.rule].sentence if broken.rule in RULES else PSEUDO.get(broken.rule, "")
    others = dict.fromkeys(broken.rule for one in group for broken in one.violations[1:])
    harms = dict.fromkeys(one.violations[0].harm for one in group)
    return _Way(
        number=number,
        scenario=group[0].scenario,
        places=tuple(map(place, group)),
        sentence=told.sentence,
        rule=broken.rule,
        says=says,
        harms=tuple(harm for harm in harms if harm and harm != says),
        shortest=shortest(broken),
        also=tuple(others),
        groups=lanes(steps, told.initial, culprit=broken.rule not in PSEUDO),
        table=table,
        steps=tuple(map(_step, steps)),
        initial=bool(told.initial),
    )


def _step(step: TraceStep) -> _Step:
    where = " · ".join(filter(None, (cpu_name(step.cpu), step.task)))
    return _Step(where, tuple(calls(step)), happened(step), step.note)
