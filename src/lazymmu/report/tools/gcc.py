# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings for editors: one line each, then a note for each step, and paths that open.

The lines are those of gcc (``file:line:column: error: text [rule]``), which vim, emacs and others
know; ``contrib/`` has what tells them apart better than the editors' own patterns. Whom it hurts
stands in the same line, because a line that leads to the same place again is one more to skip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.common import messages
from lazymmu.report.common.tool_report import happens
from lazymmu.report.common.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.report.common.tool_report import ReportEntry, ReportSuite, ToolReport

__all__ = ["render"]


def render(report: ToolReport) -> str:
    """A line for each finding that was not set aside, and one for each step before its culprit."""
    lines = [line for suite, entry in report.shown for line in _entry(suite, entry)]
    return "".join(f"{line}\n" for line in lines)


def _entry(suite: ReportSuite, entry: ReportEntry) -> Iterator[str]:
    finding = entry.finding
    told = "; ".join([entry.message, *entry.harms])
    yield messages.headline(
        _at(suite, finding.file, finding.line, finding.column),
        messages.LEVELS[finding.severity],
        clean(told),
        clean(finding.rule),
    )
    # The last step is the culprit, which has its line already.
    for step in entry.steps[:-1]:
        place = _at(suite, step.file, step.line, step.column)
        yield messages.note(place, clean(happens(step)))


def _at(suite: ReportSuite, file: str, line: int, column: int) -> str:
    # Editors take neither a line 0 nor a column 0, which stand for "not known".
    return messages.at(suite.opens(file), max(line, 1), max(column, 1))
