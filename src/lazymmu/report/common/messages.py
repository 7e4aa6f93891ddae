# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines as compilers print them, which editors follow: ``file:line:column: level: text [rule]``."""

from __future__ import annotations

from typing import Final

from lazymmu.report.common.words import clean
from lazymmu.witness.finding import Severity

__all__ = ["LEVELS", "at", "headline", "note"]

LEVELS: Final = {
    Severity.HURTS: "error",
    Severity.BREAKS_TEXT: "warning",
    Severity.INFORMATION: "info",
}
"""What a compiler would call each severity; editors know these words."""


def at(file: str, line: int, column: int) -> str:
    """A place, as such a line begins."""
    return clean(f"{file}:{line}:{column}:")


def headline(place: str, level: str, text: str, rule: str) -> str:
    """The line of a finding; place: as of `at`; level: of `LEVELS`; text: clean already."""
    return f"{place} {level}: {text} [{rule}]"


def note(place: str, text: str) -> str:
    """A line that adds to a finding; place and text: as for `headline`."""
    return f"{place} note: {text}"
