# SPDX-License-Identifier: GPL-2.0-or-later
"""What every text format says of a finding, so that they all say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean, grouped
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.witness.finding import Finding, Harm, Step

__all__ = ["harms", "headline", "place", "terms"]


def headline(finding: Finding) -> str:
    """`function(): what is wrong`."""
    who = f"{finding.function}(): " if finding.function else ""
    return clean(f"{who}{finding.message}")


def harms(finding: Finding) -> list[str]:
    """Who is hurt, one sentence for each way; or that nobody of this tree is known to be."""
    said = [*_told("hurts", finding.harms), *_told("costs", finding.costs)]
    if not finding.harms and finding.severity is Severity.BREAKS_TEXT:
        return [
            "breaks the contract's text; no architecture of this tree is known to be hurt",
            *said,
        ]
    return said


def _told(verb: str, harms: Iterable[Harm]) -> list[str]:
    """One sentence for each way and the scenario that shows it, with the architectures."""
    same = grouped(((harm.text, harm.scenario), harm.arch) for harm in harms)
    return [
        clean(f"{verb} {_listed(arches)}: {text}" + (f" (shown by {scenario})" if scenario else ""))
        for (text, scenario), arches in same.items()
    ]


def terms(finding: Finding) -> list[str]:
    """What the finding depends on, how sure it is, and what else it breaks."""
    said = [f"on {_listed(finding.arches)}"] if finding.arches else []
    if finding.conditions:
        said.append(f"needs {_listed(finding.conditions)}")
    said.append(f"confidence {finding.confidence}")
    if finding.also:
        said.append(f"also breaks {_listed(finding.also)}")
    if finding.implied:
        said.append("the tree's own text only implies this rule")
    return [clean(term) for term in said]


def place(step: Step) -> str:
    """What happens at a step of a path, as `function(): note`."""
    where = f"{step.function}(): " if step.function else ""
    return clean(f"{where}{step.note or 'here'}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
