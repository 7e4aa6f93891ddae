# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as workflow commands of GitHub Actions, which become annotations of a pull request.

Escaping is that of GitHub's own toolkit (actions/toolkit, packages/core/src/command.ts): ``%``, CR
and LF everywhere, ``:`` and ``,`` in properties as well. A line that does not begin with ``::`` is
no command, so a stranger's text cannot be one: every line here is begun by this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common.tool_report import happens
from lazymmu.report.common.words import clean
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from lazymmu.report.common.tool_report import ReportEntry, ReportSuite, ToolReport

__all__ = ["render"]

_COMMANDS: Final = {
    Severity.HURTS: "error",
    Severity.BREAKS_TEXT: "warning",
    Severity.INFORMATION: "notice",
}


def render(report: ToolReport) -> str:
    """One command for each finding that was not set aside, and for each loss."""
    lines = [_entry(suite, entry) for suite, entry in report.shown]
    for suite in report.suites:
        lines += [
            f"::warning title=lazymmu did not see all of it::{_data(f'{suite.name}: {loss}')}"
            for loss in suite.losses
        ]
    return "".join(f"{line}\n" for line in lines)


def _entry(suite: ReportSuite, entry: ReportEntry) -> str:
    finding = entry.finding
    properties = {"file": suite.opens(finding.file)}
    if finding.line > 0:
        properties["line"] = str(finding.line)
    if finding.line > 0 and finding.column > 0:
        properties["col"] = str(finding.column)
    properties["title"] = f"lazymmu {finding.rule}"
    steps = [f"{suite.opens(step.file)}:{step.line}: {happens(step)}" for step in entry.steps]
    told = [entry.message, *entry.harms, "; ".join(entry.terms), *steps]
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    # %0A is a new line in the annotation, and none in the log.
    data = "%0A".join(_data(line) for line in told if line)
    return f"::{_COMMANDS[finding.severity]} {given}::{data}"


def _data(text: str) -> str:
    return clean(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
