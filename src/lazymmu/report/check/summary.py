# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check amounts to, in a few sentences for standard error.

Says what was looked at, what was found, what is shown only on request, what was withheld and what
could not be seen; whoever pipes the findings away still reads this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.check import coverage
from lazymmu.report.common.words import clean, count
from lazymmu.verbs.selection import NOT_NEW
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection

    from lazymmu.verbs.selection import CheckOutcome

__all__ = ["sentences", "unconcerned"]


def sentences(
    outcome: CheckOutcome, *, asked: Collection[str] = (), listed: bool = False
) -> list[str]:
    """One to nine sentences.

    :param asked: rules named by the user, whose information is shown.
    :param listed: the format lists information and what could not be seen, so that pointing there
        would be idle.
    """
    result = outcome.result
    seen = result.coverage
    tree = f"{result.tree.path} (Linux {result.tree.release}, dialect {result.tree.dialect})"
    said = [
        f"{tree}: {_verdict(outcome)} in {count(seen.sections, 'section')}, "
        f"{count(seen.functions_parsed, 'function')} read"
        + (f" for {', '.join(result.arches)}" if result.arches else "")
    ]
    if (change := outcome.change) is not None:
        said.append(
            f"{change.base}: {len(outcome.verdicts)} new, {len(change.fixed)} fixed, "
            f"{len(change.moved)} moved, {len(change.unchanged)} unchanged"
            + (f", {len(change.unseen)} not seen any more" if change.unseen else "")
        )
    hidden = [f for f in outcome.information if f.rule not in asked]
    if hidden and not listed:
        rules = sorted({finding.rule for finding in hidden})
        them = "it" if len(hidden) == 1 else "them"
        said.append(
            f"{count(len(hidden), 'note')} for information not shown; "
            f"{' '.join(f'--rule {rule}' for rule in rules)} shows {them}"
        )
    passing = len(outcome.verdicts) - sum(f in outcome.verdicts for f in outcome.failing)
    if passing:
        said.append(f"{passing} of them leave the exit code alone, by fail-on {outcome.fail_on}")
    # What is not new was said above, by what became of it.
    withheld = [one for one in outcome.withheld if one[0] != NOT_NEW]
    if withheld:
        said.append(
            "not counted: " + ", ".join(f"{number} {reason}" for reason, number in withheld)
        )
    blind = []
    if seen.unparsed:
        blind.append(f"{count(len(seen.unparsed), 'place')} could not be read or parsed")
    if seen.unresolved:
        blind.append(f"{count(len(seen.unresolved), 'call')} could not be resolved")
    if blind:
        said.append(" and ".join(blind) + ("" if listed else "; --format json lists them"))
    if outcome.torn:
        said.append(f"unresolved merge conflict, not read: {', '.join(outcome.torn)}")
    if sentence := coverage.places(result.coverage):
        said.append(sentence)
    if result.coverage.assumed:
        said.append(
            f"{', '.join(result.coverage.assumed)}: not in the deferral table, so taken to be the "
            f"weakest implementation that dialect {result.tree.dialect} allows"
        )
    return [clean(sentence) for sentence in said]


def unconcerned(outcome: CheckOutcome) -> str:
    """Of a module that has nothing to do with the mode, that all of it was read; else nothing."""
    result, module = outcome.result, outcome.result.module
    if module is None or not result.arches or module.uses or outcome.blind:
        return ""
    return clean(
        f"{result.tree.path}: {count(module.sources, 'source file')} read: nothing uses the mode, "
        "or hands a callback to what may run it inside of a section"
    )


def _verdict(outcome: CheckOutcome) -> str:
    verdicts = outcome.verdicts
    if not verdicts:
        return "no findings" + (", but not all was seen," if outcome.blind else "")
    hurt = sum(finding.severity is Severity.HURTS for finding in verdicts)
    text = len(verdicts) - hurt
    parts = []
    if hurt:
        parts.append(f"{hurt} {'hurts' if hurt == 1 else 'hurt'} an architecture")
    if text:
        parts.append(f"{text} {'breaks' if text == 1 else 'break'} the text only")
    return f"{count(len(verdicts), 'finding')} ({', '.join(parts)})"
