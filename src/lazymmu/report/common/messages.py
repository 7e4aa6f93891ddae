# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines as compilers print them, which editors follow: ``file:line:column: level: text [rule]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common.words import clean
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from lazymmu.witness.finding import Finding

__all__ = ["LEVELS", "WORDS", "at", "headline", "note", "severity"]

LEVELS: Final = {
    Severity.HURTS: "error",
    Severity.BREAKS_TEXT: "warning",
    Severity.INFORMATION: "info",
}
"""What a compiler would call each severity; editors know these words."""

WORDS: Final = {
    Severity.HURTS: "hurts",
    Severity.BREAKS_TEXT: "breaks the text",
    Severity.INFORMATION: "information",
}
"""What people read: whom a finding hurts is harmed, breaking the text alone harms nobody known."""


def severity(finding: Finding) -> str:
    """How grave a finding is, in the word that every format for people uses.

    What only costs an architecture time is said to, though it is told with what breaks the text.
    """
    if finding.severity is Severity.BREAKS_TEXT and finding.costs:
        return "costs"
    return WORDS[finding.severity]


def at(file: str, line: int, column: int) -> str:
    """A place, as such a line begins."""
    return clean(f"{file}:{line}:{column}:")


def headline(place: str, level: str, text: str, rule: str) -> str:
    """The line of a finding; place: as of `at`; level: its severity; text: clean already."""
    return f"{place} {level}: {text} [{rule}]"


def note(place: str, text: str) -> str:
    """A line that adds to a finding; place and text: as for `headline`."""
    return f"{place} note: {text}"
