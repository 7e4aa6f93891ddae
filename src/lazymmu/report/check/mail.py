# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as plain text for a mail: within 76 columns, so that it survives two levels of reply.

A word longer than a line (a path, a call chain without spaces) stays whole: cut in two it could
neither be searched nor clicked.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lazymmu.report.check.coverage import losses
from lazymmu.report.check.phrases import harms, headline, place, sorted_by_severity, terms
from lazymmu.report.common.words import clean, count
from lazymmu.verbs.selection import CHANGES
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lazymmu.verbs.change import Change
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import Finding

__all__ = ["WIDTH", "render"]

WIDTH = 76
"""Columns; with two reply marks ("> > ") a line still fits the 80 of a terminal."""


def render(outcomes: Sequence[CheckOutcome], *, asked: Collection[str] = ()) -> str:
    """All findings of all trees; information only where its rule was `asked` for."""
    return "\n".join("".join(f"{line}\n" for line in _check(one, asked)) for one in outcomes)


def _check(outcome: CheckOutcome, asked: Collection[str]) -> Iterator[str]:
    result = outcome.result
    shown = [
        finding
        for finding in sorted_by_severity(result.findings)
        if finding.severity is not Severity.INFORMATION or finding.rule in asked
    ]
    yield from _wrapped(
        f"lazymmu check of Linux {result.tree.release} ({', '.join(result.arches)}): "
        f"{count(len(shown), 'finding') if shown else 'no findings'}",
        "",
    )
    for sentence in losses(outcome.blind):
        yield from _wrapped(sentence, "  ")
    for number, finding in enumerate(shown, 1):
        yield ""
        yield from _finding(number, finding)
        if outcome.change is not None and (patch := outcome.change.patch_of(finding)):
            yield from _wrapped(f"Brought by patch {patch}.", " " * len(f"{number}. "))
    if outcome.change is not None:
        yield ""
        yield from _change(outcome, outcome.change)


def _change(outcome: CheckOutcome, change: Change) -> Iterator[str]:
    """What a change mends and moves, a line or two each."""
    counted = f"{len(outcome.verdicts)} new, {len(change.fixed)} fixed, {len(change.moved)} moved"
    hidden = f", {len(change.unseen)} not seen any more" if change.unseen else ""
    said = f"{change.base}: {counted}, {len(change.unchanged)} unchanged{hidden}."
    yield from _wrapped(said[0].upper() + said[1:], "")
    for one in outcome.not_counted:
        if one.by in CHANGES:
            finding = one.finding
            reason = f" ({one.reason})" if one.reason else ""
            where = f"{one.by}: {finding.file}:{finding.line}: {headline(finding)}"
            yield from _wrapped(f"{where} [{finding.rule}]{reason}", "  ", "- ")


def _finding(number: int, finding: Finding) -> Iterator[str]:
    mark = f"{number}. "
    indent = " " * len(mark)
    yield from _wrapped(f"{headline(finding)} [{finding.rule}]", indent, first=mark)
    yield from _wrapped(f"{finding.file}:{finding.line}", indent)
    yield ""
    for step in finding.path:
        said = f"{step.file}:{step.line}: {place(step)}"
        yield from _wrapped(said, indent + "    ", indent + "  ")
    if finding.path:
        yield ""
    for harm in harms(finding):
        yield from _wrapped(harm[0].upper() + harm[1:] + ".", indent)
    said = "; ".join(terms(finding))
    yield from _wrapped(said[0].upper() + said[1:] + ".", indent)
    if finding.fingerprint:
        yield from _wrapped(f"Fingerprint {finding.fingerprint}.", indent)


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        clean(text),
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
