# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as JUnit XML, which CI servers show as tests.

A suite is a tree, a trace or a scenario; a test a finding, or a rule that nothing breaks, or a run.
Names have no line numbers, so that a server knows a test again when lines have moved. A failure is
what makes the command end with 1; a loss is an error; what was set aside is skipped, with the
reason.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from lazymmu.report.common import messages
from lazymmu.report.common.tool_report import CaseState, happens
from lazymmu.report.common.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.report.common.tool_report import ReportCase, ReportEntry, ReportSuite, ToolReport

__all__ = ["render"]


def render(report: ToolReport) -> str:
    """The whole document; printable, and so without a character that XML forbids."""
    suites = [list(_suite(suite)) for suite in report.suites]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    counts = _attributes(_counts([test for tests in suites for test in tests]))
    lines.append(f"<testsuites name={_quoted(f'lazymmu {report.verb}')}{counts}>")
    for suite, tests in zip(report.suites, suites, strict=True):
        head = f"name={_quoted(suite.name)}{_attributes(_counts(tests))}"
        lines.append(f"  <testsuite {head}>")
        if suite.about:
            about = f"<property name={_quoted('about')} value={_quoted(suite.about)}/>"
            lines.append(f"    <properties>{about}</properties>")
        lines += (f"    {line}" for _, test in tests for line in test)
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "".join(f"{line}\n" for line in lines)


def _suite(suite: ReportSuite) -> Iterator[tuple[CaseState, list[str]]]:
    """Each test with what came of it."""
    names: Counter[str] = Counter()
    for case in suite.cases:
        for entry in case.entries:
            yield _of_finding(suite, entry, names)
        if case.told or not case.entries:
            yield case.state, _of_case(suite, case)


def _of_finding(
    suite: ReportSuite, entry: ReportEntry, names: Counter[str]
) -> tuple[CaseState, list[str]]:
    finding = entry.finding
    name = entry.name
    names[f"{finding.rule} {name}"] += 1
    if (again := names[f"{finding.rule} {name}"]) > 1:
        name = f"{name} ({again})"
    head = f"<testcase classname={_quoted(finding.rule)} name={_quoted(name)}"
    head += f" file={_quoted(suite.opens(finding.file))}"
    head += f' line="{finding.line}">' if finding.line > 0 else ">"
    text = escape("\n".join(_body(suite, entry)))
    if entry.aside:
        return CaseState.SKIPPED, [head, f"  <skipped message={_quoted(entry.set_aside)}/>", _END]
    if not entry.fails:
        return CaseState.PASSED, [head, f"  <system-out>{text}</system-out>", _END]
    kind = f"type={_quoted(finding.severity)}"
    message = f"message={_quoted(entry.message)}"
    return CaseState.FAILED, [head, f"  <failure {kind} {message}>{text}</failure>", _END]


_END = "</testcase>"


def _of_case(suite: ReportSuite, case: ReportCase) -> list[str]:
    head = f"<testcase classname={_quoted(suite.name)} name={_quoted(case.name)}>"
    told = escape("\n".join(map(clean, case.told)))
    message = _quoted(case.told[0] if case.told else case.state)
    match case.state:
        case CaseState.PASSED if not told:
            return [head.removesuffix(">") + "/>"]
        case CaseState.PASSED:
            inner = f"<system-out>{told}</system-out>"
        case CaseState.SKIPPED:
            inner = f"<skipped message={message}/>"
        case CaseState.OPEN | CaseState.LOST:
            inner = f'<error type="{case.state}" message={message}>{told}</error>'
        case CaseState.FAILED:
            inner = f'<failure type="failed" message={message}>{told}</failure>'
    return [head, f"  {inner}", _END]


def _body(suite: ReportSuite, entry: ReportEntry) -> Iterator[str]:
    finding = entry.finding
    yield f"{messages.at(suite.opens(finding.file), finding.line, finding.column)} " + clean(
        f"{entry.message} [{finding.rule}]"
    )
    for step in entry.steps:
        said = clean(happens(step))
        yield f"  {messages.at(suite.opens(step.file), step.line, step.column)} {said}"
    yield from map(clean, (*entry.harms, "; ".join(entry.terms)))


def _counts(tests: list[tuple[CaseState, list[str]]]) -> dict[str, int]:
    found = Counter(state for state, _ in tests)
    return {
        "tests": len(tests),
        "failures": found[CaseState.FAILED],
        "errors": found[CaseState.OPEN] + found[CaseState.LOST],
        "skipped": found[CaseState.SKIPPED],
    }


def _attributes(counts: dict[str, int]) -> str:
    return "".join(f' {name}="{number}"' for name, number in counts.items())


def _quoted(text: str) -> str:
    return quoteattr(clean(text))
