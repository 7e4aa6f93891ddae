# SPDX-License-Identifier: GPL-2.0-or-later
"""What every text format says of a finding, so that they all say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.rules.implied import implied_words
from lazymmu.report.common.words import clean, grouped
from lazymmu.witness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.witness.finding import Finding, Harm, PathEvent, Step

__all__ = ["harms", "headline", "place", "sorted_by_severity", "terms"]


def headline(finding: Finding) -> str:
    """`function(): what is wrong`."""
    who = f"{finding.function}(): " if finding.function else ""
    return clean(f"{who}{finding.message}")


def harms(finding: Finding, *, shown: bool = True) -> list[str]:
    """Who is hurt, one sentence for each way; or that nobody of this tree is known to be.

    :param shown: also name the scenarios that show it.
    """
    said = [*_told("hurts", finding.harms, shown), *_told("costs", finding.costs, shown)]
    if not finding.harms and finding.severity is Severity.BREAKS_TEXT:
        nobody = "breaks the contract's text; no architecture of this tree is known to be hurt"
        if _sleeps_with_lock(finding.events):
            nobody += " by the mode, but the task sleeps with a spinlock held"
        return [nobody, *said]
    return said


def _sleeps_with_lock(events: Sequence[PathEvent]) -> bool:
    """Whether a path ends where a task may sleep that has taken more locks than it has dropped.

    They are counted, because a helper that drops one may have another name for it.
    """
    words = [event.event for event in events]
    return words[-1:] == ["MaySleep"] and words.count("Take") > words.count("Drop")


def _told(verb: str, harms: Iterable[Harm], shown: bool) -> list[str]:
    """One sentence for each way and the scenario that shows it, with the architectures."""
    same = grouped(((harm.text, harm.scenario if shown else ""), harm.arch) for harm in harms)
    return [
        clean(f"{verb} {_listed(arches)}: {text}" + (f" (shown by {scenario})" if scenario else ""))
        for (text, scenario), arches in same.items()
    ]


def sorted_by_severity(found: Iterable[Finding]) -> list[Finding]:
    """What hurts first, and information last; else in the order that they come in."""
    order = list(Severity)
    return sorted(found, key=lambda one: order.index(one.severity))


def terms(finding: Finding, usual: Sequence[str] | None = None) -> list[str]:
    """What the finding depends on, how sure it is, and what else it breaks.

    :param usual: the architectures that were looked at, for who need not read what goes without
        saying: that it is so on all of them, and that nothing was assumed.
    """
    said = []
    if finding.arches and (usual is None or set(finding.arches) != set(usual)):
        said.append(f"on {_listed(finding.arches)}")
    if finding.conditions:
        said.append(f"needs {_listed(finding.conditions)}")
    if usual is None or finding.confidence is not Confidence.HIGH:
        said.append(f"confidence {finding.confidence}")
    if finding.also:
        said.append(f"also breaks {_listed(finding.also)}")
    if finding.implied and (why := implied_words(finding.rule)):
        said.append(why)
    return [clean(term) for term in said]


def place(step: Step) -> str:
    """What happens at a step of a path, as `function(): note`."""
    where = f"{step.function}(): " if step.function else ""
    return clean(f"{where}{step.note or 'here'}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
