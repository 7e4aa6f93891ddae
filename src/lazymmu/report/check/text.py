# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as a compiler prints them: one line each, then the path and the facts as notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.check.phrases import harms, headline, place, terms
from lazymmu.report.common import messages
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import Finding

__all__ = ["render"]


def render(outcomes: Sequence[CheckOutcome], *, asked: Collection[str] = ()) -> str:
    """All findings of all trees, each line beginning ``file:line:column:``.

    asked: rules named by the user; a finding that only informs is shown only if its rule is one.
    Files are relative to the tree; with several trees, the tree as the user named it goes before.
    """
    lines: list[str] = []
    for outcome in outcomes:
        top = outcome.result.tree.path.rstrip("/") + "/" if len(outcomes) > 1 else ""
        for finding in outcome.result.findings:
            if finding.severity is not Severity.INFORMATION or finding.rule in asked:
                lines += _finding(finding, top)
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Finding, top: str) -> Iterator[str]:
    here = messages.at(f"{top}{finding.file}", finding.line, finding.column)
    yield messages.headline(
        here, messages.LEVELS[finding.severity], headline(finding), finding.rule
    )
    for step in finding.path:
        yield messages.note(messages.at(f"{top}{step.file}", step.line, step.column), place(step))
    for harm in harms(finding):
        yield messages.note(here, harm)
    yield messages.note(here, "; ".join(terms(finding)))
