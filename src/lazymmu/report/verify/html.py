# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs as a page: the table of verdicts, and counterexamples that one can step through."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from lazymmu.report.common.words import count
from lazymmu.report.page import page
from lazymmu.report.verify import json
from lazymmu.report.verify.json import said
from lazymmu.report.verify.shown_way import shown_way
from lazymmu.report.verify.told_steps import (
    Told,
    same_ways,
    told_scenarios,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.run import Run
    from lazymmu.report.verify.told_steps import ToldWay
    from lazymmu.verbs.lifting import LiftedTree
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["player", "render"]

_FRAME: Final = 60_000
"""Characters of a page beside counterexamples: style, script, heads."""
_ROW: Final = 700
"""Of a row of the table with what the JSON has of it."""


def render(
    done: Sequence[tuple[Run, Verdict]],
    judged: Sequence[Judgement],
    lifted: Sequence[LiftedTree] = (),
    *,
    verb: str = "verify",
) -> str:
    """One page of all runs; its JSON is what ``--format json`` prints of those that it shows.

    :param judged: each run's verdict beside what its scenario expects.
    :param lifted: what was lifted from a tree for these runs.
    :param verb: which verb asked for them.
    """
    scenarios = told_scenarios(run for run, _ in done)
    verdicts = [verdict for _, verdict in done]
    shown, numbers, left_out = _fitting(done, judged, scenarios)
    kept = [pair for pair in zip(done, judged, strict=True) if id(pair[0][1]) not in left_out]
    data = json.object_of_runs([run for run, _ in kept], [one for _, one in kept], lifted)
    names = ", ".join(scenarios) if len(scenarios) < 4 else count(len(scenarios), "scenario")
    return page.render(
        "verify.html",
        title=f"{names}: lazymmu {verb}",
        verb=verb,
        scripts=("player.js",) if shown else (),
        styles=("code.css", "player.css"),
        data={"verify": data},
        blocks=[
            (scenario, [_row(one, numbers) for one in block])
            for scenario, block in itertools.groupby(judged, lambda one: one.verdict.scenario)
        ],
        ways=shown,
        left_out=len(left_out),
        scenarios=scenarios,
        summary=json.summary(verdicts),
        lifted=lifted,
    )


def _row(one: Judgement, numbers: Mapping[int, int]) -> tuple[object, ...]:
    """A verdict, what it came to, the number of its counterexample, and what was not expected."""
    verdict = one.verdict
    return verdict, said(verdict).partition(": "), numbers.get(id(verdict)), one.sentences


def _fitting(
    done: Sequence[tuple[Run, Verdict]],
    judged: Sequence[Judgement],
    scenarios: Mapping[str, Told],
) -> tuple[list[Markup], dict[int, int], set[int]]:
    """The counterexamples that a page has room for, as markup.

    Also the number of each verdict's own, by the verdict's identity; and which are left out.
    """
    of = {id(verdict): (run, one) for (run, verdict), one in zip(done, judged, strict=True)}
    shown: list[Markup] = []
    numbers: dict[int, int] = {}
    left_out: set[int] = set()
    room = page.LARGE - _FRAME - _ROW * len(done)
    for group, table in same_ways([verdict for _, verdict in done], scenarios):
        told = scenarios.get(group[0].scenario, Told(""))
        whole = len(scenarios) == 1
        made = player(len(shown) + 1, group, table, told, told_already=whole)
        pairs = [((of[id(one)][0], one), of[id(one)][1]) for one in group]
        data = json.object_of_runs([pair for pair, _ in pairs], [one for _, one in pairs])
        needs = len(made) + len(page.carried(data))
        if needs > room:
            left_out.update(map(id, group))
            continue
        room -= needs
        shown.append(made)
        numbers |= {id(one): len(shown) for one in group}
    return shown, numbers, left_out


def player(
    number: int,
    group: Sequence[Verdict],
    table: ToldWay,
    told: Told,
    *,
    told_already: bool = False,
    level: int = 2,
    folded: bool = False,
) -> Markup:
    """A counterexample that one can step through, for this page or that of another verb.

    :param number: its number on the page.
    :param group: verdicts whose first violation it is.
    :param table: its steps in words; told: its scenario.
    :param told_already: whether the page has said the scenario's sentence before.
    :param level: of its heading.
    :param folded: the table of all steps is shown on request.
    """
    way = shown_way(number, group, table, told)
    return page.part("way.html", "player", way, level=level, told=told_already, folded=folded)
