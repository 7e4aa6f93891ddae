# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as a Code Quality report of GitLab: a list of objects with its documented fields.

Those are description, check_name, fingerprint, severity, location.path and location.lines.begin
(GitLab documentation, "Code Quality", "Code Quality report format").
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from lazymmu.json_text import dump
from lazymmu.report.common.words import clean
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from lazymmu.report.common.tool_report import ReportEntry, ReportSuite, ToolReport

__all__ = ["SEVERITIES", "render"]

SEVERITIES: Final = {
    Severity.HURTS: "critical",
    Severity.BREAKS_TEXT: "minor",
    Severity.INFORMATION: "info",
}
"""What GitLab calls each severity: it has info, minor, major, critical and blocker."""


def render(report: ToolReport) -> str:
    """All findings that were not set aside; an empty list is a report, too."""
    seen: Counter[str] = Counter()
    found = []
    for suite, entry in report.shown:
        one = _entry(suite, entry, seen)
        found.append(one)
    return dump(found)


def _entry(suite: ReportSuite, entry: ReportEntry, seen: Counter[str]) -> dict[str, Any]:
    finding = entry.finding
    # A path that begins with a slash or `./` is none of the repository's: then as in the tree.
    path = suite.opens(finding.file)
    path = finding.file if path.startswith(("/", "../")) else path
    cause = f"{suite.name}\0{finding.rule}\0{finding.fingerprint or finding.file + finding.message}"
    seen[cause] += 1
    told = "; ".join([entry.message, *entry.harms])
    return {
        "description": clean(told),
        "check_name": clean(finding.rule),
        # The same mistake twice in one function has one fingerprint; GitLab wants them unique.
        "fingerprint": hashlib.sha256(
            f"{cause}\0{seen[cause]}".encode("utf-8", "surrogatepass")
        ).hexdigest(),
        "severity": SEVERITIES[finding.severity],
        "location": {"path": clean(path), "lines": {"begin": max(finding.line, 1)}},
    }
