# SPDX-License-Identifier: GPL-2.0-or-later
"""Violations of a list of events for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.rules.rule import RuleKind
from lazymmu.report.common import document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.contract.eventlist import EventLine
    from lazymmu.contract.monitor import Violation
    from lazymmu.contract.rules.rule import Rule

__all__ = ["FORMAT", "render"]

FORMAT = 1
"""Version of the layout."""


def render(
    name: str,
    dialect: str,
    judged: Sequence[tuple[EventLine, Violation]],
    rules: Mapping[str, Rule],
) -> str:
    """One object: the list, the dialect, and `violations` in order.

    `replay.schema.json` beside this file describes it.
    """
    violations = [
        {
            "rule": violation.rule,
            "line": line.number,
            "task": violation.event.task,
            "message": rules[violation.rule].message(violation),
            "information": rules[violation.rule].kind is RuleKind.INFORMATION,
        }
        for line, violation in judged
    ]
    body = {"events": name, "dialect": dialect, "violations": violations}
    return document.render(FORMAT, body)
