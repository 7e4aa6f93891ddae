# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as Markdown (GitHub's, which GitLab and others read): for comments and job summaries.

What a stranger wrote stands in code spans, where nothing is markup, nobody is mentioned (``@name``)
and nothing is linked (``#1``, ``www.``); the little that is prose is escaped, and those marks are
parted from what follows them by an empty comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common import messages
from lazymmu.report.common.markup import cell, code, in_html, prose
from lazymmu.report.common.tool_report import CaseState, happens
from lazymmu.report.common.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.report.common.tool_report import ReportEntry, ReportSuite, ToolReport

__all__ = ["render", "render_rows"]

_WORDS: Final = {
    CaseState.PASSED: "as it should be",
    CaseState.FAILED: "**not as it should be**",
    CaseState.SKIPPED: "skipped",
    CaseState.OPEN: "**open**",
    CaseState.LOST: "**open**",
}


def render(report: ToolReport) -> str:
    """A heading for each suite, a table of what was found, and the path of each finding."""
    lines = [line for suite in report.suites for line in _suite(report.verb, suite)]
    return "".join(f"{line}\n" for line in lines)


def render_rows(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """Any table; its cells are a stranger's."""
    lines = [_row(map(prose, heads)), _row(["---"] * len(heads))]
    lines += (
        _row([cell(value) if isinstance(value, str) else value for value in row]) for row in rows
    )
    return "".join(f"{line}\n" for line in lines)


def _suite(verb: str, suite: ReportSuite) -> Iterator[str]:
    about = f" ({code(suite.about)})" if suite.about else ""
    yield f"### lazymmu {verb}: {code(suite.name)}{about}"
    yield ""
    shown = [entry for entry in suite.entries if not entry.aside]
    if shown or any(case.entries for case in suite.cases) or verb in {"check", "trace"}:
        yield from _findings(suite, shown)
    else:
        yield from _cases(suite)
    for loss in suite.losses:
        yield f"Not seen: {code(loss)}"
        yield ""


def _cases(suite: ReportSuite) -> Iterator[str]:
    yield _row(["run", "", "result"])
    yield _row(["---"] * 3)
    for case in suite.cases:
        told = "<br>".join(cell(line) for line in case.told)
        yield _row([cell(case.name), _WORDS[case.state], told])
    yield ""


def _findings(suite: ReportSuite, shown: Sequence[ReportEntry]) -> Iterator[str]:
    hurting = sum(entry.fails for entry in shown)
    yield f"{count(len(shown), 'finding')}, {hurting} of which count." if shown else "No findings."
    yield ""
    if shown:
        yield _row(["", "where", "what", "rule"])
        yield _row(["---"] * 4)
    for entry in shown:
        finding = entry.finding
        where = f"{suite.opens(finding.file)}:{finding.line}"
        told = (where, entry.message, finding.rule)
        yield _row([messages.severity(finding), *map(cell, told)])
    if shown:
        yield ""
    for entry in shown:
        yield from _details(suite, entry)
    aside = [entry for entry in suite.entries if entry.aside]
    for entry in aside:
        place = f"{entry.finding.file}:{entry.finding.line}"
        yield f"- not counted: {code(place)} {code(entry.finding.rule)}, {code(entry.set_aside)}"
    if aside:
        yield ""


def _details(suite: ReportSuite, entry: ReportEntry) -> Iterator[str]:
    summary = f"{entry.finding.rule}: {entry.name}"
    yield f"<details><summary>{in_html(summary)}</summary>"
    yield ""
    for number, step in enumerate(entry.steps, 1):
        place = f"{suite.opens(step.file)}:{step.line}"
        yield f"{number}. {code(place)} {code(happens(step))}"
    if entry.steps:
        yield ""
    for harm in (*entry.harms, "; ".join(entry.terms)):
        if harm:
            yield f"- {prose(harm)}"
    yield ""
    yield "</details>"
    yield ""


def _row(cells: Iterable[str | int]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
