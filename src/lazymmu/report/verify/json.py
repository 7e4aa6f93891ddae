# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts in words and for programs: phrases that all formats share, one JSON object, and back.

`verify.schema.json` beside this file describes the object.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lazymmu.contract import eventlist
from lazymmu.json_text import dump
from lazymmu.litmus import write
from lazymmu.report.common import document
from lazymmu.report.common.words import count
from lazymmu.verbs.stored import FORMAT
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.run import Run
    from lazymmu.verbs.lifting import LiftedTree
    from lazymmu.witness.machine.verdict import Counterexample, TraceStep, Verdict

__all__ = [
    "BOUNDS",
    "met",
    "object_of_runs",
    "of_runs",
    "place",
    "released",
    "render",
    "said",
    "shortest",
    "summary",
]

BOUNDS = {
    "bound": "bound on preemptions",
    "max_states": "bound on states",
    "max_bytes": "bound on memory",
    "deadline": "bound on time",
    "interrupt": "interrupted",
}
"""What ended a search, in words."""


def place(verdict: Verdict) -> str:
    """On what: `x86 (xen-nesting-count, Linux 6.12.8)`."""
    known = [verdict.feature, released(verdict)]
    return f"{verdict.arch} ({', '.join(filter(None, known))})"


def released(verdict: Verdict) -> str:
    """Of which release: `Linux 6.12.8`; what has no number stands as it is."""
    return f"Linux {verdict.release}" if verdict.release[:1].isdigit() else verdict.release


def shortest(broken: Counterexample) -> str:
    """How far a counterexample is: `1 preemption, 3 steps`."""
    return f"{count(broken.preemptions, 'preemption')}, {count(broken.steps, 'step')}"


def said(verdict: Verdict) -> str:
    """A verdict in one phrase, as the cell of a table says it."""
    match verdict.verdict:
        case SearchOutcome.HOLDS:
            return f"holds ({count(verdict.states, 'state')})"
        case SearchOutcome.VIOLATED:
            first = verdict.violations[0]
            others = dict.fromkeys(one.rule for one in verdict.violations if one.rule != first.rule)
            more = f"; also {', '.join(others)}" if others else ""
            return f"violated: {first.rule} ({shortest(first)}){more}"
        case SearchOutcome.INCONCLUSIVE:
            why = BOUNDS.get(verdict.reason, verdict.reason)
            return f"inconclusive: {why} ({count(verdict.states, 'state')} seen)"
        case SearchOutcome.NEVER_OCCURS:
            return f"never occurs: {'; '.join(verdict.never)}"
        case SearchOutcome.NOT_APPLICABLE:
            return f"n/a: {verdict.reason}" if verdict.reason else "n/a"


def summary(verdicts: Sequence[Verdict], seconds: float | None = None) -> str:
    """What all came to, in one sentence without a full stop; seconds: what it took, if told."""
    numbers = Counter(verdict.verdict for verdict in verdicts)
    words = {
        SearchOutcome.HOLDS: "hold",
        SearchOutcome.VIOLATED: "violated",
        SearchOutcome.INCONCLUSIVE: "inconclusive",
        SearchOutcome.NEVER_OCCURS: "never occur",
        SearchOutcome.NOT_APPLICABLE: "not applicable",
    }
    parts = [f"{numbers[answer]} {word}" for answer, word in words.items() if numbers[answer]]
    states = sum(verdict.states for verdict in verdicts)
    took = "" if seconds is None else f" in {seconds:.1f} s"
    searched = f", {count(states, 'state')}{took}" if states else ""
    return f"{count(len(verdicts), 'run')}: {', '.join(parts) or 'nothing to do'}{searched}"


def of_runs(
    done: Sequence[tuple[Run, Verdict]],
    judged: Sequence[Judgement],
    lifted: Sequence[LiftedTree] = (),
) -> str:
    """All runs as one object, with what came of expectations, and with the scenarios' texts."""
    return dump(object_of_runs(done, judged, lifted))


def object_of_runs(
    done: Sequence[tuple[Run, Verdict]],
    judged: Sequence[Judgement],
    lifted: Sequence[LiftedTree] = (),
) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    words = {True: "met", False: "differs", None: "open"}
    return _whole(
        [verdict for _, verdict in done],
        {run.scenario.name: write.render(run.scenario) for run, _ in done},
        [words[one.met] for one in judged],
        [asdict(one) for one in lifted],
    )


def met(judged: Sequence[Judgement]) -> str:
    """What the comparison with expectations came to, in a phrase."""
    differ = sum(one.met is False for one in judged)
    if differ:
        return f"{differ} not as expected"
    unsure = sum(one.met is None for one in judged)
    return f"{unsure} open" if unsure else "all as expected"


def render(
    verdicts: Sequence[Verdict], scenarios: Mapping[str, str], expected: Sequence[str]
) -> str:
    """One object: `results` in the order given, and the text of each scenario as it was run.

    :param expected: for each verdict whether it is what the scenario expects: `met`, `differs` or
        `open`.
    """
    return dump(_whole(verdicts, scenarios, expected))


def _whole(
    verdicts: Sequence[Verdict],
    scenarios: Mapping[str, str],
    expected: Sequence[str],
    lifted: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """lifted: what was lifted from a tree."""
    body = {
        "results": [
            {**_result(verdict), "expected": word}
            for verdict, word in zip(verdicts, expected, strict=True)
        ],
        "scenarios": dict(sorted(scenarios.items())),
        **({"lifted": list(lifted)} if lifted else {}),
    }
    return document.whole(FORMAT, body)


def _result(verdict: Verdict) -> dict[str, Any]:
    first, *others = verdict.violations or (None,)
    return {
        "scenario": verdict.scenario,
        "arch": verdict.arch,
        "release": verdict.release,
        "feature": verdict.feature,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "never": list(verdict.never),
        "states": verdict.states,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
        "seconds": round(verdict.seconds, 3),
        "engine": verdict.engine,
        **_broken(first),
        "also": [_broken(broken) for broken in others],
    }


def _broken(broken: Counterexample | None) -> dict[str, Any]:
    names = ("harm", "preemptions", "steps")
    own = {name: None if broken is None else getattr(broken, name) for name in names}
    trace = [] if broken is None else [_step(step) for step in broken.trace]
    return {**document.facts(broken), **own, "trace": trace}


def _step(step: TraceStep) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(step).items() if name != "events"}
    for name in ("stored", "effective"):
        fields[name] = dict(fields[name])
    fields["state"] = {change.name: change.value for change in step.state}
    fields["calls"] = [{"stack": stack, "citation": source} for stack, source in step.calls]
    return {**fields, "events": eventlist.render(step.events).splitlines() if step.events else []}
