# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample with all that is shown of it where one steps through it: pages and terminals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.contract.rules import RULES
from lazymmu.report.verify.json import place, shortest
from lazymmu.report.verify.lanes import lanes
from lazymmu.report.verify.told_steps import calls, cpu_name, happened, shown_steps
from lazymmu.witness.machine.verdict import PSEUDO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.report.verify.lanes import LaneGroup
    from lazymmu.report.verify.told_steps import Told, ToldWay
    from lazymmu.witness.machine.verdict import TraceStep, Verdict

__all__ = ["ShownStep", "ShownWay", "shown_way"]


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step beside its row in the table: who, through which functions, and what it came to."""

    place: str
    calls: tuple[tuple[tuple[str, ...], str], ...]
    happened: str
    note: str


@dataclass(frozen=True, slots=True)
class ShownWay:
    """A counterexample.

    :param number: on a page, from 1.
    :param places: the machines that go this way.
    :param says: the rule's sentence.
    :param harms: what comes of it beside that.
    :param also: other rules that are broken there.
    :param groups: its lanes.
    :param table: its steps in words.
    :param initial: whether the first row of that is before the first step.
    """

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
    steps: tuple[ShownStep, ...]
    initial: bool


def shown_way(number: int, group: Sequence[Verdict], table: ToldWay, told: Told) -> ShownWay:
    """A counterexample of some verdicts.

    :param number: its number on the page.
    :param group: verdicts whose first violation it is.
    :param table: its steps in words; told: its scenario.
    """
    broken = group[0].violations[0]
    steps = shown_steps(broken)
    says = RULES[broken.rule].sentence if broken.rule in RULES else PSEUDO.get(broken.rule, "")
    others = dict.fromkeys(broken.rule for one in group for broken in one.violations[1:])
    harms = dict.fromkeys(one.violations[0].harm for one in group)
    return ShownWay(
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


def _step(step: TraceStep) -> ShownStep:
    where = " · ".join(filter(None, (cpu_name(step.cpu), step.task)))
    return ShownStep(where, tuple(calls(step)), happened(step), step.note)
