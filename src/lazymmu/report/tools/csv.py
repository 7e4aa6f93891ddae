# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows for spreadsheets and databases (RFC 4180, with a newline alone at the end of a line).

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, whatever
quotes stand around it, and a formula may run a program. Such a text gets an apostrophe in front
(OWASP, "CSV Injection"); numbers of ours are none.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from lazymmu.report.common.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.report.common.tool_report import ReportEntry, ReportSuite, ToolReport

__all__ = ["COLUMNS", "defused", "render", "render_rows"]

COLUMNS: Final = (
    "tree", "about", "file", "line", "column", "function", "rule", "severity", "confidence",
    "message", "harms", "arches", "conditions", "path", "fingerprint", "fails", "set_aside",
)  # fmt: skip
"""The columns of findings."""

_LONGEST: Final = 32_000
"""Characters of a cell: what the usual spreadsheets take."""

_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula, also in full width, which some spreadsheets take for the same."""


def render(report: ToolReport) -> str:
    """A row for each finding; those that were set aside say why."""
    rows = [_row(suite, entry) for suite in report.suites for entry in suite.entries]
    return render_rows(COLUMNS, rows)


def render_rows(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """Any table; heads: in snake_case."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(defused, heads))
    for row in rows:
        writer.writerow(defused(cell) if isinstance(cell, str) else cell for cell in row)
    return text.getvalue()


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula; on one line, and harmless on a terminal."""
    safe = clean(text, _LONGEST)
    begins = safe.lstrip().startswith(_FORMULA) and len(safe.strip()) > 1
    return f"'{safe}" if begins else safe


def _row(suite: ReportSuite, entry: ReportEntry) -> tuple[str | int, ...]:
    finding = entry.finding
    return (
        suite.name,
        suite.about,
        finding.file,
        finding.line,
        finding.column,
        finding.function,
        finding.rule,
        finding.severity,
        finding.confidence,
        entry.message,
        "; ".join(entry.harms),
        " ".join(finding.arches),
        " ".join(finding.conditions),
        " -> ".join(f"{step.file}:{step.line}" for step in entry.steps),
        finding.fingerprint,
        "yes" if entry.fails and not entry.aside else "no",
        entry.set_aside,
    )
