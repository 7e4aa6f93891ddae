# SPDX-License-Identifier: GPL-2.0-or-later
"""What verdicts look like, for the verbs that have some: values of `report` made from runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.cli.outcome import ExitCode
    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.run import Run
    from lazymmu.report.verify.ktap import Case
    from lazymmu.witness.machine.verdict import Verdict

    Done = Sequence[tuple[Run, Verdict]]

__all__ = ["as_json", "case", "counterexamples", "judgements", "ktap_code", "met", "traces"]


def judgements(done: Done) -> list[Judgement]:
    """Each verdict beside what its scenario expects."""
    from lazymmu.litmus.judge import judge

    return [judge(run.scenario, verdict) for run, verdict in done]


def counterexamples(done: Done) -> list[str]:
    """The first counterexample of each run that has one; equal ones are one text."""
    from lazymmu.contract.rules import RULES
    from lazymmu.report.verify import counterexample

    scenarios = {
        run.scenario.name: counterexample.Told(
            run.scenario.sentence,
            tuple((entry.name, str(entry.value)) for entry in run.scenario.entries),
        )
        for run, _ in done
    }
    return counterexample.render([verdict for _, verdict in done], scenarios, RULES)


def traces(done: Done) -> tuple[list[str], list[str]]:
    """Of each run that is violated the first violation that a trace tells, as text of tracefs.

    Second, one sentence without a full stop for each run of which no trace tells anything.
    """
    from lazymmu.crosscheck.trace_writer import render_trace
    from lazymmu.litmus.to_config import to_query
    from lazymmu.report.verify import ftrace

    texts, sentences = [], []
    for run, verdict in done:
        refused = []
        for broken in verdict.violations:
            asked = to_query(run.scenario, verdict.arch, verdict.release)
            told = render_trace(verdict.scenario, asked, broken)
            if told.not_visible is None:
                texts.append(ftrace.render(verdict, broken, told))
                break
            refused.append(ftrace.refused(verdict, broken, told.not_visible))
        else:
            sentences += refused
    return texts, sentences


def case(judged: Judgement) -> Case:
    """A judged verdict as KTAP has it: ok is what is as the scenario expects it."""
    from lazymmu.report.verify.json import said
    from lazymmu.report.verify.ktap import Case
    from lazymmu.witness.machine.verdict import SearchOutcome

    verdict = judged.verdict
    skipped = verdict.verdict is SearchOutcome.NOT_APPLICABLE and judged.met is True
    return Case(
        suite=verdict.scenario,
        name=" ".join(filter(None, (verdict.arch, verdict.feature, verdict.release))),
        ok=judged.met is True,
        directive="SKIP" if skipped else "TIMEOUT" if judged.met is None else "",
        told=(said(verdict), *judged.sentences),
    )


def ktap_code(judged: Sequence[Judgement], *, interrupted: bool) -> ExitCode:
    """How a command ends that prints KTAP: as its lines say.

    1 with a `not ok`, 3 if all was skipped or the user broke off, so that lines are missing.
    """
    from lazymmu.cli.outcome import ExitCode
    from lazymmu.report.verify import ktap

    whole = ktap.totals([case(one) for one in judged])
    if whole.failed:
        return ExitCode.FOUND
    return ExitCode.INCONCLUSIVE if interrupted or not whole.passed else ExitCode.CLEAN


def met(found: Sequence[Judgement]) -> str:
    """What the comparison with expectations came to, in a phrase."""
    differ = sum(one.met is False for one in found)
    if differ:
        return f"{differ} not as expected"
    unsure = sum(one.met is None for one in found)
    return f"{unsure} open" if unsure else "all as expected"


def as_json(done: Done, judged: Sequence[Judgement]) -> str:
    """All runs as one object, with what came of expectations, and with the scenarios' texts."""
    from lazymmu.litmus.write import render
    from lazymmu.report.verify import json as verify_json

    words = {True: "met", False: "differs", None: "open"}
    return verify_json.render(
        [verdict for _, verdict in done],
        {run.scenario.name: render(run.scenario) for run, _ in done},
        [words[one.met] for one in judged],
    )
