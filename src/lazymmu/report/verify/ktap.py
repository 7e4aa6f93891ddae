# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as the kernel's own test harnesses read them: KTAP, version 1.

The format is described in Documentation/dev-tools/ktap.rst.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean
from lazymmu.report.verify.json import said
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.litmus.judge import Judgement

__all__ = ["Case", "Totals", "case", "render", "totals"]


@dataclass(frozen=True, slots=True)
class Case:
    """One result.

    suite: the scenario; name: the implementation; ok: as it should be; directive: `SKIP` or
    `TIMEOUT`, "" for neither; told: why not, or why skipped, one line each.
    """

    suite: str
    name: str
    ok: bool
    directive: str = ""
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """How many cases are ok, are not (a timeout among them), and were skipped."""

    passed: int
    failed: int
    skipped: int


def case(judged: Judgement) -> Case:
    """A judged verdict as KTAP has it: ok is what is as the scenario expects it."""
    verdict = judged.verdict
    skipped = verdict.verdict is SearchOutcome.NOT_APPLICABLE and judged.met is True
    return Case(
        suite=verdict.scenario,
        name=" ".join(filter(None, (verdict.arch, verdict.feature, verdict.release))),
        ok=judged.met is True,
        directive="SKIP" if skipped else "TIMEOUT" if judged.met is None else "",
        told=(said(verdict), *judged.sentences),
    )


def totals(cases: Sequence[Case]) -> Totals:
    """What the lines of `render` come to; an exit code is made of it, so that both agree."""
    failed = sum(not case.ok for case in cases)
    skipped = sum(case.ok and case.directive == "SKIP" for case in cases)
    return Totals(len(cases) - failed - skipped, failed, skipped)


def render(cases: Sequence[Case]) -> str:
    """A test for each suite, with a subtest for each case; suites in order of appearance.

    Last, the totals of all cases, as KUnit prints them (lib/kunit/test.c,
    kunit_print_test_stats()).
    """
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    lines = ["KTAP version 1", f"1..{len(suites)}"]
    for number, (name, mine) in enumerate(suites.items(), 1):
        lines += ("  " + line for line in _suite(name, mine))
        skipped = all(case.directive == "SKIP" for case in mine)
        ok = all(case.ok for case in mine)
        lines.append(_result(number, name, ok=ok, directive="SKIP" if skipped else ""))
    whole = totals(cases)
    lines.append(
        f"# Totals: pass:{whole.passed} fail:{whole.failed} skip:{whole.skipped} total:{len(cases)}"
    )
    return "".join(f"{line}\n" for line in lines)


def _suite(name: str, cases: Sequence[Case]) -> Iterator[str]:
    yield "KTAP version 1"
    yield f"# Subtest: {_safe(name)}"
    yield f"1..{len(cases)}"
    for number, case in enumerate(cases, 1):
        yield from (f"# {clean(line)}" for line in case.told)
        yield _result(number, case.name, ok=case.ok, directive=case.directive)


def _result(number: int, name: str, *, ok: bool, directive: str) -> str:
    tail = f" # {directive}" if directive else ""
    return f"{'ok' if ok else 'not ok'} {number} {_safe(name)}{tail}"


def _safe(name: str) -> str:
    # What follows a hash mark would be read as a directive.
    return clean(name).replace("#", "_")
