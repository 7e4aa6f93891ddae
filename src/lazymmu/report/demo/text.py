# SPDX-License-Identifier: GPL-2.0-or-later
"""One mistake and what three witnesses say of it, on one screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Witness
from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common import messages
from lazymmu.report.common.words import clean, count
from lazymmu.report.trace import text as trace_text
from lazymmu.report.verify import told_steps
from lazymmu.report.verify.json import released
from lazymmu.witness.finding import Severity
from lazymmu.witness.machine.verdict import PSEUDO, SearchOutcome, TraceStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.demo import DemoAnswer

__all__ = ["MAX_LINES", "WIDTH", "render"]

WIDTH: Final = 100
"""Columns at most, and those of a file."""
MIN_CELL: Final = 30
"""Columns below which the second cell of a row stands on a line of its own."""
MAX_LINES: Final = 40
"""Lines at most from 60 columns on, with the one that says how long it took."""


def render(answer: DemoAnswer, *, version: str, columns: int | None = None) -> str:
    """The whole screen.

    :param columns: those of the terminal, of which `WIDTH` are used; None for a file or a pipe.
    """
    wide = min(columns or WIDTH, WIDTH)
    lines = [
        *_folded(
            f"lazymmu {version}. Linux's lazy MMU mode puts off page-table work until a section "
            "ends. Used wrongly, it loses data or crashes: three looks at one mistake, all on "
            "this machine.",
            wide,
        ),
        "",
        *_source(answer, wide),
        "",
        *_machine(answer, wide),
        "",
        *_recording(answer, wide),
        "",
        *_next(answer, wide),
    ]
    return "".join(f"{line}\n" for line in lines)


def _source(answer: DemoAnswer, wide: int) -> Iterator[str]:
    finding, (outcome,) = answer.finding, answer.checked.outcomes
    tree = outcome.result.tree.path
    yield from _headed("1. The source: a mistake", f"lazymmu check {tree}", wide)
    told = f"{messages.severity(finding)}: {headline(finding)} [{finding.rule}]"
    yield from _folded(told, wide, "   ")
    places = [f"{step.file}:{step.line}" for step in finding.path]
    names = [f"{step.function}()" for step in finding.path]
    far, long = max(map(len, places)), max(map(len, names))
    # Which function it is, the calls say as well; what is done there is on no other line.
    after = 5 + far + 2 + long + 2
    named = after + max(map(len, answer.code)) <= wide
    for at, name, code in zip(places, names, answer.code, strict=True):
        yield from _row(
            f"     {at:{far}}  " + (f"{name:{long}}" if named else ""), code, wide, after
        )
    for sentence in harms(finding, shown=False):
        yield from _folded(sentence, wide, "   ")
    verdicts = outcome.verdicts
    hurt = sum(one.severity is Severity.HURTS for one in verdicts)
    yield from _folded(
        f"One of {count(len(verdicts), 'finding')}: {hurt} hurt, {len(verdicts) - hurt} break "
        "the text only.",
        wide,
        "   ",
    )


def _machine(answer: DemoAnswer, wide: int) -> Iterator[str]:
    verdict = answer.verdict
    command = f"lazymmu verify --scenario {verdict.scenario}"
    yield from _headed("2. The machine: can it really happen?", command, wide)
    # The harm itself, where a way leads as far as that.
    harm = [one for one in verdict.violations if _no_source_shows(one.rule)]
    broken = [*harm, verdict.violations[0]][0]
    steps = told_steps.shown_steps(broken)
    yield from _folded(
        f"Yes, in {count(len(steps), 'step')} on {verdict.arch}, {released(verdict)} "
        f"({count(verdict.states, 'state')} seen).",
        wide,
        "   ",
    )
    rows = []
    # What entries hold at first is no change.
    before = TraceStep(-1, "", (), "", stored=steps[0].stored, effective=steps[0].effective)
    for number, step in enumerate(steps, 1):
        calls = " > ".join(f"{name}()" for name in told_steps.innermost(step))
        changed = ", ".join(told_steps.changes(before, step))
        rows.append((f"     {number} {step.task}  {calls or step.what}", changed))
        before = step
    fitting = [left for left, right in rows if len(left) + 2 + len(right) <= wide]
    far = max(map(len, fitting), default=0) + 2
    for left, right in rows:
        yield from _row(left, right, wide, far)
    if harm:
        yield from _folded(steps[-1].note or told_steps.happened(steps[-1]), wide, "       ")
    verdicts = answer.verified.verdicts
    wrong = sum(one.met is not True for one in answer.verified.judged)
    broke = sum(one.verdict is SearchOutcome.VIOLATED for one in verdicts)
    runs = count(len(verdicts), "run")
    yield from _folded(
        (f"All {runs} are as expected: " if not wrong else f"{wrong} of {runs} not as expected; ")
        + f"{broke} break a rule, since the scenario shows a mistake or the release had the bug.",
        wide,
        "   ",
    )


def _no_source_shows(rule: str) -> bool:
    return rule in PSEUDO or Witness.SOURCE not in RULES[rule].witnesses


def _recording(answer: DemoAnswer, wide: int) -> Iterator[str]:
    watched, seen = answer.watched, answer.seen
    yield from _headed("3. A running kernel: did it happen?", f"lazymmu trace {watched.name}", wide)
    # Where it was guessed from is told by the verb itself.
    kernel = ", ".join(told.partition(" (")[0] for told in watched.kernel)
    yield from _folded(kernel, wide, "   ")
    violations = f"{count(len(watched.violations), 'violation')} in {watched.seen.lines} lines"
    told = f"{trace_text.task(seen)} at {seen.location.stamp} s {seen.message}"
    yield from _folded(f"Yes: {told}, one of {violations}.", wide, "   ")
    spots = (*seen.began, seen.location)
    far = max(len(str(spot.line)) for spot in spots)
    for spot in spots:
        yield from _row(f"     {spot.line:>{far}}", f"{spot.stamp}: {spot.text}", wide)


def _next(answer: DemoAnswer, wide: int) -> Iterator[str]:
    rows = {
        "lazymmu check ~/src/linux": "your tree: some 20 s",
        f"lazymmu explain {answer.finding.rule}": "why, and who is hurt",
        "lazymmu verify; lazymmu --help": "all that there is",
    }
    far = max(map(len, rows)) + 2
    for at, (command, told) in enumerate(rows.items()):
        yield from _row(f"{'' if at else 'Next:':6} {command}", told, wide, 7 + far)


def _headed(title: str, command: str, wide: int) -> Iterator[str]:
    """A title, and the command that shows the whole: flush right, or below it."""
    room = wide - len(title) - 2
    if len(command) <= room:
        yield clean(f"{title}  {command:>{room}}")
    else:
        yield from (title, clean(f"   {command}"))


def _row(left: str, right: str, wide: int, far: int = 0) -> list[str]:
    """Two cells, the second at column `far` where it fits there, else behind the first.

    It folds within its column, or below the first where that is narrow.
    """
    left, right = clean(left).rstrip(), clean(right)
    far = far if max(far, len(left)) + len(right) <= wide else 0
    left = f"{left:{max(far, len(left) + 2)}}"
    if len(left) + len(right) <= wide:
        return [f"{left}{right}"]
    room = wide - len(left)
    if room < MIN_CELL:
        return [left.rstrip(), *_folded(right, wide, "          ")]
    first, *more = _folded(right, room)
    return [f"{left}{first}", *(f"{'':{len(left)}}{line}" for line in more)]


def _folded(text: str, wide: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        clean(text),
        wide,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
