# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of verdicts: scenario by implementation and release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report import grid
from lazymmu.report.verdicts import said
from lazymmu.report.words import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.witness.verdict import Verdict

__all__ = ["WIDTH", "render"]

WIDTH = 100
"""Columns at most."""


def render(verdicts: Sequence[Verdict]) -> str:
    """A line for each run, folded where it must be; a scenario's name stands once."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="")
    for title in ("scenario", "on", "implementation", "release", "verdict"):
        # Names can be searched for only if they are whole; what is said may be folded.
        table.add_column(title, overflow="fold", no_wrap=title != "verdict")
    before = ""
    for verdict in verdicts:
        name = "" if verdict.scenario == before else verdict.scenario
        before = verdict.scenario
        cells = (name, verdict.arch, verdict.feature, verdict.release, said(verdict))
        table.add_row(*map(clean, cells))
    return grid.plain(table, WIDTH)
