# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as the kernel's own test harnesses read them: KTAP, version 1.

The format is described in Documentation/dev-tools/ktap.rst.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lazymmu.report.common import messages
from lazymmu.report.common.tool_report import CaseState, happens
from lazymmu.report.common.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.report.common.tool_report import ReportCase, ReportEntry, ReportSuite, ToolReport

__all__ = ["render"]

_OK: Final = (CaseState.PASSED, CaseState.SKIPPED)
_DIRECTIVES: Final = {
    CaseState.SKIPPED: "SKIP",
    CaseState.OPEN: "TIMEOUT",
    CaseState.LOST: "ERROR",
}


def render(report: ToolReport) -> str:
    """A test for each suite, with a subtest for each case.

    Last, the totals of all cases, as KUnit prints them (lib/kunit/test.c,
    kunit_print_test_stats()).
    """
    lines = ["KTAP version 1", f"1..{len(report.suites)}"]
    whole: Counter[CaseState] = Counter()
    for number, suite in enumerate(report.suites, 1):
        lines += ("  " + line for line in _suite(suite))
        states = [case.state for case in suite.cases]
        whole.update(states)
        skipped = bool(states) and all(state is CaseState.SKIPPED for state in states)
        ok = all(state in _OK for state in states)
        lines.append(_result(number, suite.name, ok=ok, directive="SKIP" if skipped else ""))
    failed = sum(number for state, number in whole.items() if state not in _OK)
    lines.append(
        f"# Totals: pass:{whole[CaseState.PASSED]} fail:{failed} "
        f"skip:{whole[CaseState.SKIPPED]} total:{whole.total()}"
    )
    return "".join(f"{line}\n" for line in lines)


def _suite(suite: ReportSuite) -> Iterator[str]:
    yield "KTAP version 1"
    yield f"# Subtest: {_safe(suite.name)}"
    yield f"1..{len(suite.cases)}"
    for number, case in enumerate(suite.cases, 1):
        yield from (f"# {line}" for line in _told(suite, case))
        ok = case.state in _OK
        yield _result(number, case.name, ok=ok, directive=_DIRECTIVES.get(case.state, ""))


def _told(suite: ReportSuite, case: ReportCase) -> Iterator[str]:
    yield from map(_diagnostic, case.told)
    for entry in case.entries:
        yield from _entry(suite, entry)


def _entry(suite: ReportSuite, entry: ReportEntry) -> Iterator[str]:
    finding = entry.finding
    # A word of ours begins each line: one that began with a file's name could be a directive.
    level = messages.LEVELS[finding.severity] if not entry.aside else "not counted"
    place = messages.at(suite.opens(finding.file), finding.line, finding.column)
    yield f"{level}: {place} {clean(entry.message)}"
    if entry.aside:
        yield f"note: {clean(entry.set_aside)}"
        return
    yield from (f"note: {clean(harm)}" for harm in entry.harms)
    for step in entry.steps:
        place = messages.at(suite.opens(step.file), step.line, step.column)
        yield f"step: {place} {clean(happens(step))}"


def _diagnostic(text: str) -> str:
    # kunit.py and others take these words at the beginning of a comment for their own.
    line = clean(text)
    return f"note: {line}" if line.startswith(("Subtest", "Totals", "KTAP", "TAP")) else line


def _result(number: int, name: str, *, ok: bool, directive: str) -> str:
    tail = f" # {directive}" if directive else ""
    return f"{'ok' if ok else 'not ok'} {number} {_safe(name)}{tail}"


def _safe(name: str) -> str:
    # What follows a hash mark would be read as a directive.
    return clean(name).replace("#", "_")
