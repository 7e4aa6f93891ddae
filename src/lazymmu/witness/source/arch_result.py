# SPDX-License-Identifier: GPL-2.0-or-later
"""What one architecture came to, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from lazymmu.witness.finding import Lost, SectionRow
from lazymmu.witness.source.findings import Report
from lazymmu.witness.source.mode_places import Verdicts
from lazymmu.witness.source.other_names import Found

__all__ = ["ArchResult"]


@dataclass(frozen=True, slots=True)
class ArchResult:
    """What one architecture came to, as plain values that can cross to another process.

    :param unbuilt: files of a module out of tree that are not built, and why.
    :param unlisted: files that name a function that calls back, and that no Makefile was seen to
        name, whatever the configuration.
    """

    arch: str
    directory: str
    """Below arch/."""
    reports: tuple[Report, ...]
    rows: tuple[SectionRow, ...]
    sections: tuple[tuple[str, int], ...]
    words: frozenset[str]
    enter: frozenset[str]
    parsed: int
    unparsed: tuple[Lost, ...]
    unresolved: tuple[Lost, ...]
    verdicts: Verdicts
    included: Found
    blind: tuple[Lost, ...]
    unbuilt: tuple[tuple[str, str], ...] = ()
    unlisted: tuple[tuple[str, str], ...] = ()
