# SPDX-License-Identifier: GPL-2.0-or-later
"""Violations of a list of events, a compiler's line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.rules.rule import RuleKind
from lazymmu.report.common import messages
from lazymmu.report.common.words import clean
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.contract.eventlist import EventLine
    from lazymmu.contract.monitor import Violation
    from lazymmu.contract.rules.rule import Rule

__all__ = ["render"]


def render(
    name: str, judged: Sequence[tuple[EventLine, Violation]], rules: Mapping[str, Rule]
) -> str:
    """``list:line:1: hurts: task: what is wrong [rule]``, and the place in C that an event names.

    :param name: the list's, for messages.
    :param rules: `contract.rules.RULES`.
    """
    lines = []
    for line, violation in judged:
        rule = rules[violation.rule]
        level = messages.WORDS[
            Severity.INFORMATION if rule.kind is RuleKind.INFORMATION else Severity.HURTS
        ]
        task = f"{violation.event.task}: " if violation.event.task else ""
        said = clean(f"{task}{rule.message(violation)}")
        lines.append(messages.headline(messages.at(name, line.number, 1), level, said, rule.name))
        site = violation.event.site
        if site is not None:
            where = f"{site.function}(): " if site.function else ""
            place = messages.at(site.file, site.line, site.column)
            lines.append(messages.note(place, clean(f"{where}here")))
    return "".join(f"{line}\n" for line in lines)
