# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of `trace`, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.tools import render as tools

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.tracks import TraceTracks
    from lazymmu.witness.trace.values import TraceResult

__all__ = ["of_trace"]


def of_trace(
    watched: Sequence[TraceResult],
    *,
    asked: Collection[str] = (),
    tallies: Sequence[tuple[str, SectionStats]] = (),
    tracks: Sequence[TraceTracks] = (),
) -> Callable[[str, int | None], str]:
    """A renderer of traces: takes the format and the terminal's columns.

    :param asked: rules named by the user, of which what is allowed is shown in full.
    :param tallies: what sections were like, and tracks: what happened, both for a page alone.
    """

    def render(name: str, _columns: int | None) -> str:
        match name:
            case "json":
                from lazymmu.report.trace import json

                return json.render(watched)
            case "html":
                from lazymmu.report.trace import html

                return html.render(watched, tallies, tracks)
            case "sarif":
                from lazymmu.contract.rules import RULES
                from lazymmu.report.trace import sarif

                return sarif.render(watched, rules=RULES, asked=asked)
            case "text":
                from lazymmu.report.trace import text

                return text.render(watched, asked=asked)
        from lazymmu.report.trace.tools import report

        return tools.render(name, report(watched, asked=asked))

    return render
