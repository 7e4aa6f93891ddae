# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as a page: the calls with their code, who is hurt, and the counterexample beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.implied import implied_words
from lazymmu.report.check import coverage, json, summary
from lazymmu.report.check.call_tree import frames
from lazymmu.report.check.phrases import sorted_by_severity
from lazymmu.report.common import messages
from lazymmu.report.page import page
from lazymmu.report.verify import html as machines
from lazymmu.report.verify import json as verdicts
from lazymmu.report.verify.told_steps import Told, told_scenarios, told_way
from lazymmu.verbs.shown import Shown
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lazymmu.litmus.run import Run
    from lazymmu.report.check.call_tree import CalledFunction
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import Finding, Step
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["ToldFinding", "render", "told_finding"]

_FRAME: Final = 40_000
"""Characters of a page beside findings: style, script, heads."""


@dataclass(frozen=True, slots=True)
class _Hurt:
    """Who is hurt in one way, or loses time."""

    verb: str
    arches: tuple[str, ...]
    text: str
    scenario: str


@dataclass(frozen=True, slots=True)
class ToldFinding:
    """A finding as the template takes it."""

    number: int | str
    finding: Finding
    word: str
    says: str
    implied: str
    frames: tuple[CalledFunction, ...]
    aside: tuple[Step, ...]
    hurt: tuple[_Hurt, ...]
    patch: str


def render(outcomes: Sequence[CheckOutcome], *, asked: Collection[str] = ()) -> str:
    """One page of all findings of all trees; it carries what ``--format json`` prints.

    :param asked: rules named by the user, whose information is shown.
    """
    made = _Page(outcomes, asked)
    trees = [made.tree(outcome) for outcome in outcomes]
    names = ", ".join(outcome.result.tree.path for outcome in outcomes)
    return page.render(
        "check.html",
        title=f"{names}: lazymmu check",
        verb="check",
        scripts=("player.js", "bring.js") if made.runs else (),
        styles=(*(("player.css",) if made.runs else ()), "code.css", "check.css"),
        data={**made.carried, **made.carried_runs()},
        trees=trees,
    )


class _Page:
    """What has been put on the page so far, and how much room is left."""

    def __init__(self, outcomes: Sequence[CheckOutcome], asked: Collection[str]) -> None:
        self._asked = asked
        self._number = 0
        self.runs: dict[tuple[str, str, str], tuple[int, tuple[Run, Verdict]]] = {}
        whole = json.object_of(outcomes)
        self.carried = {"check": whole} if len(page.carried(whole)) < page.LARGE // 3 else {}
        self._room = page.LARGE - _FRAME - sum(map(len, map(page.carried, self.carried.values())))

    def carried_runs(self) -> dict[str, dict[str, object]]:
        """The JSON of the counterexamples, for `verify --replay`."""
        from lazymmu.litmus.judge import judge

        if not self.runs:
            return {}
        done = [run for _, run in self.runs.values()]
        judged = [judge(run.scenario, verdict) for run, verdict in done]
        return {"verify": verdicts.object_of_runs(done, judged)}

    def tree(self, outcome: CheckOutcome) -> dict[str, object]:
        """What the template has of one tree."""
        findings = [
            one
            for one in sorted_by_severity(outcome.result.findings)
            if one.severity is not Severity.INFORMATION or one.rule in self._asked
        ]
        rows = [self._row(outcome, finding) for finding in findings]
        return {
            "tree": outcome.result.tree,
            "rows": rows,
            "aside": outcome.not_counted,
            "sentences": summary.sentences(outcome, asked=self._asked, listed=True),
            "lost": list(coverage.lost(outcome)),
            "carried": bool(self.carried),
            "left_out": sum(not row["shown"] for row in rows),
        }

    def _row(self, outcome: CheckOutcome, finding: Finding) -> dict[str, object]:
        self._number += 1
        told = _told(self._number, outcome, finding)
        made = page.part("finding.html", "finding", told)
        if len(made) > self._room:
            return {"told": told, "shown": None, "way": None}
        self._room -= len(made)
        return {"told": told, "shown": made, "way": self._way(outcome, finding)}

    def _way(self, outcome: CheckOutcome, finding: Finding) -> dict[str, object] | None:
        """The counterexample of a finding's first harm: itself, or where it is shown already."""
        beside = outcome.shown or Shown()
        harm = next((harm for harm in finding.harms if harm.scenario), None)
        if harm is None or (harm.scenario, harm.arch) not in beside.runs:
            return None
        run, verdict = beside.runs[harm.scenario, harm.arch]
        key = (harm.scenario, run.arch, run.release)
        if key in self.runs:
            return {"number": self.runs[key][0], "scenario": harm.scenario, "markup": None}
        number = len(self.runs) + 1
        told = told_scenarios([run]).get(verdict.scenario, Told(""))
        # Of all that can be broken the way to the harm that is named, else the gravest.
        first = verdict.violations[0]
        table = told_way(first, told.initial)
        made = machines.player(number, [verdict], table, told, level=3, folded=True)
        needs = 2 * len(made)  # with its JSON
        if needs > self._room:
            return None
        self._room -= needs
        kept = replace(verdict, violations=verdict.violations[:1])
        self.runs[key] = (number, (run, kept))
        return {"number": number, "scenario": harm.scenario, "markup": made}


def _told(number: int, outcome: CheckOutcome, finding: Finding) -> ToldFinding:
    return told_finding(
        number,
        finding,
        outcome.shown.sources if outcome.shown is not None else {},
        patch=outcome.change.patch_of(finding) if outcome.change is not None else "",
    )


def told_finding(
    number: int | str, finding: Finding, sources: Mapping[str, str], *, patch: str = ""
) -> ToldFinding:
    """A finding as ``finding.html`` takes it, for this page and those of other verbs.

    :param number: what it is called on the page.
    :param sources: the text of each file that its path goes through.
    :param patch: which patch of several brought it.
    """
    rule = RULES.get(finding.rule)
    return ToldFinding(
        number=number,
        finding=finding,
        word=messages.severity(finding),
        says="" if rule is None else rule.sentence,
        implied=implied_words(finding.rule) if finding.implied else "",
        frames=frames(finding, sources),
        aside=tuple(step for step in finding.path if not step.with_path),
        hurt=tuple(_hurt(finding)),
        patch=patch,
    )


def _hurt(finding: Finding) -> Iterator[_Hurt]:
    for verb, harms in (("hurts", finding.harms), ("costs", finding.costs)):
        same: dict[tuple[str, str], list[str]] = {}
        for harm in harms:
            same.setdefault((harm.text, harm.scenario), []).append(harm.arch)
        for (text, scenario), arches in same.items():
            yield _Hurt(verb, tuple(arches), text, scenario)
