# SPDX-License-Identifier: GPL-2.0-or-later
"""One mistake and what three witnesses say of it, on one screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Witness
from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common.words import clean, count
from lazymmu.report.trace import text as trace_text
from lazymmu.report.verify import told_steps
from lazymmu.report.verify.json import place
from lazymmu.witness.finding import Severity
from lazymmu.witness.machine.verdict import PSEUDO, SearchOutcome, TraceStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.demo import DemoAnswer

__all__ = ["MAX_LINES", "WIDTH", "render"]

WIDTH: Final = 100
"""Columns at most."""
MAX_LINES: Final = 40
"""Lines at most: what two thirds of a screen hold."""


def render(answer: DemoAnswer, *, version: str) -> str:
    """The whole screen."""
    lines = [
        f"lazymmu {version}: three looks at one mistake. It stays on this machine.",
        *_folded(
            "Linux may put off page-table work until a section of code ends: the lazy MMU mode. "
            "How it may be used was never written down well; who gets it wrong loses data or "
            "crashes, on some architectures."
        ),
        "",
        *_source(answer),
        "",
        *_machine(answer),
        "",
        *_recording(answer),
        "",
        *_next(answer),
    ]
    return "".join(f"{line}\n" for line in lines)


def _source(answer: DemoAnswer) -> Iterator[str]:
    finding, (outcome,) = answer.finding, answer.checked.outcomes
    tree = outcome.result.tree.path
    yield _headed("1. The source: a small tree with mistakes", f"lazymmu check {tree}")
    yield f"   error: {headline(finding)} [{finding.rule}]"
    places = [f"{step.file}:{step.line}" for step in finding.path]
    names = [f"{step.function}()" for step in finding.path]
    wide, long = max(map(len, places)), max(map(len, names))
    for at, name, code in zip(places, names, answer.code, strict=True):
        yield clean(f"     {at:{wide}}  {name:{long}}  {code}")[:WIDTH]
    for sentence in harms(finding):
        yield from _folded(sentence, "   ")
    verdicts = outcome.verdicts
    hurt = sum(one.severity is Severity.HURTS for one in verdicts)
    sections = count(outcome.result.coverage.sections, "section")
    yield (
        f"   One of {count(len(verdicts), 'finding')} in {sections}: {hurt} hurt an architecture, "
        f"{len(verdicts) - hurt} break the text only."
    )


def _machine(answer: DemoAnswer) -> Iterator[str]:
    verdict = answer.verdict
    yield _headed(
        "2. The machine: can it really happen?", f"lazymmu verify --scenario {verdict.scenario}"
    )
    # The harm itself, where a way leads as far as that.
    harm = [one for one in verdict.violations if _no_source_shows(one.rule)]
    broken = [*harm, verdict.violations[0]][0]
    steps = told_steps.shown_steps(broken)
    yield (
        f"   Yes, in {count(len(steps), 'step')} on {place(verdict)}; "
        f"{count(verdict.states, 'state')} searched."
    )
    rows = []
    # What entries hold at first is no change.
    before = TraceStep(-1, "", (), "", stored=steps[0].stored, effective=steps[0].effective)
    for number, step in enumerate(steps, 1):
        calls = " > ".join(f"{name}()" for name in told_steps.innermost(step))
        changed = ", ".join(told_steps.changes(before, step))
        rows.append((f"     {number} {step.task}  {calls or step.what}", changed))
        before = step
    wide = max(len(left) for left, _ in rows) + 2
    for left, right in rows:
        first, *more = textwrap.wrap(clean(right), max(WIDTH - wide, 20)) or [""]
        yield clean(f"{left:{wide}}{first}".rstrip())
        yield from (f"{'':{wide}}{line}" for line in more)
    if harm:
        yield clean(f"       {steps[-1].note or told_steps.happened(steps[-1])}")[:WIDTH]
    verdicts = answer.verified.verdicts
    wrong = sum(one.met is not True for one in answer.verified.judged)
    broke = sum(one.verdict is SearchOutcome.VIOLATED for one in verdicts)
    yield from _folded(
        f"All scenarios: {count(len(verdicts), 'run')}, "
        + ("all as expected" if not wrong else f"{wrong} not as expected")
        + f". {broke} break a rule, because a scenario shows a mistake, or a bug that the release "
        "had: expected is what the kernel's history says.",
        "   ",
    )


def _no_source_shows(rule: str) -> bool:
    return rule in PSEUDO or Witness.SOURCE not in RULES[rule].witnesses


def _recording(answer: DemoAnswer) -> Iterator[str]:
    watched, seen = answer.watched, answer.seen
    yield _headed("3. A running kernel: did it happen?", f"lazymmu trace {watched.name}")
    yield from _folded(", ".join(watched.kernel), "   ")
    yield clean(f"   Yes: {trace_text.task(seen)} at {seen.location.stamp} s {seen.message}.")
    for spot in (*seen.began, seen.location):
        yield clean(f"     {spot.line:>6}  {spot.stamp}: {spot.text}")[:WIDTH]
    yield f"   One of {count(len(watched.violations), 'violation')} in {watched.seen.lines} lines."


def _next(answer: DemoAnswer) -> Iterator[str]:
    yield "Next:"
    yield "   lazymmu check ~/src/linux           your tree: some 15 s, the second time 1 s"
    yield f"   lazymmu explain {answer.finding.rule:20}why that is a rule, and for whom"
    yield "   lazymmu verify; lazymmu --help      all that machines show; all that there is"


def _headed(title: str, command: str) -> str:
    """A title, and flush right the command that shows the whole."""
    room = WIDTH - len(title) - 2
    return clean(f"{title}  {command:>{room}}" if len(command) <= room else f"{title}  {command}")


def _folded(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        clean(text), WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
