# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace as a page: a timeline to zoom into, what was found, and what sections were like."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract.rules.implied import implied_words
from lazymmu.report.common import messages
from lazymmu.report.common.words import clean, count
from lazymmu.report.page import page
from lazymmu.report.trace import json, stats, text
from lazymmu.witness.trace.tracks import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.tracks import Key, TraceTrack, TraceTracks
    from lazymmu.witness.trace.values import TraceFinding, TraceResult

__all__ = ["render"]

_FRAME: Final = 60_000
"""Characters of a page beside findings and timelines: style, script, heads, tables."""
_BARS: Final = 40
"""Sections that are listed beside a timeline, for who cannot see it: the longest."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding as the template takes it."""

    number: int
    finding: TraceFinding
    word: str
    task: str
    implied: str


def render(
    watched: Sequence[TraceResult],
    tallies: Sequence[tuple[str, SectionStats]],
    tracks: Sequence[TraceTracks],
    *,
    summary: bool = False,
) -> str:
    """One page of some traces; it carries what ``--format json`` prints, if that is not too long.

    :param tallies: what the sections of each were like; tracks: what happened in each.
    :param summary: what sections were like was asked for, and comes before what was found.
    """
    whole = json.object_of(watched)
    carried = {"trace": whole} if len(page.carried(whole)) < page.LARGE // 3 else {}
    room = page.LARGE - _FRAME - sum(len(page.carried(value)) for value in carried.values())
    made = []
    drawn = []
    number = 0
    for one, (_, tally), kept in zip_longest(watched, tallies, tracks):
        told = [_told(number + at, finding) for at, finding in enumerate(one.findings, 1)]
        number += len(told)
        shown, left_out = kept.tracks(_key(each.finding) for each in told)
        timeline = {**_timeline(kept, shown, told), "counts": tally.counts}
        time = stats.worded(tally)
        room -= len(page.carried(timeline))
        articles = []
        for each in told:
            article = page.part("trace_finding.html", "finding", each)
            if len(article) < room:
                room -= len(article)
                articles.append(article)
        drawn.append(timeline)
        made.append(
            {
                "result": one,
                "sentences": [text.seen(one), *text.rests_on(one)],
                "told": told,
                "articles": articles,
                "sections": list(stats.sentences(tally)),
                "tables": _tables(tally),
                "timeline": timeline,
                "longest": _longest(kept, shown, time),
                "tracks_left_out": left_out,
                "merged": time(kept.merged) if kept.merged else "",
                "cut": one.cut,
            }
        )
    return page.render(
        "trace.html",
        title=f"{', '.join(one.name for one in watched)}: lazymmu trace",
        verb="trace",
        scripts=("timeline.js",),
        styles=("code.css", "timeline.css"),
        data={"timeline": {"kinds": KINDS, "traces": drawn}, **carried},
        traces=made,
        summary=summary,
        carried=bool(carried),
    )


def _told(number: int, finding: TraceFinding) -> _Told:
    implied = implied_words(finding.rule) if finding.implied else ""
    return _Told(number, finding, messages.severity(finding), text.task(finding), implied)


def _key(finding: TraceFinding) -> Key:
    return ("task", finding.pid) if finding.pid else ("idle", finding.location.cpu)


def _timeline(
    kept: TraceTracks, shown: Sequence[TraceTrack], told: Sequence[_Told]
) -> dict[str, Any]:
    """What the script draws: times in nanoseconds from the first, labels by number."""
    labels: dict[str, int] = {}
    rows = [
        {
            "name": clean(track.name),
            "of": track.key[0],
            "bars": [
                [
                    bar.start - kept.started,
                    bar.end - bar.start,
                    KINDS.index(bar.kind),
                    labels.setdefault(clean(bar.label), len(labels)),
                    bar.count,
                ]
                for bar in track.bars
            ],
        }
        for track in shown
    ]
    at = {track.key: number for number, track in enumerate(shown)}
    marks = [
        {
            "number": one.number,
            "at": one.finding.location.nanoseconds - kept.started,
            "track": at.get(_key(one.finding)),
            "what": clean(one.finding.message),
            "kind": one.finding.verdict.value,
        }
        for one in told
    ]
    return {"span": kept.span, "labels": list(labels), "tracks": rows, "marks": marks}


def _longest(
    kept: TraceTracks, shown: Sequence[TraceTrack], time: Callable[[float], str]
) -> list[tuple[str, str, str, str]]:
    """The longest sections as rows of a table: task, where, when, how long."""
    found = [
        (bar.end - bar.start, track.name, bar)
        for track in shown
        for bar in track.bars
        if bar.kind == "section"
    ]
    found.sort(key=lambda one: (-one[0], one[2].start))
    return [
        (
            name,
            bar.label if bar.count == 1 else f"{count(bar.count, 'section')}, told as one",
            time(bar.start - kept.started),
            time(length),
        )
        for length, name, bar in found[:_BARS]
    ]


def _tables(tally: SectionStats) -> list[tuple[str, list[str], list[list[str]], int]]:
    """What sections were like by call site and by task, where there are any."""
    if not (tally.everything.sections or tally.everything.flushes):
        return []
    return [
        (f"by {title}", *stats.group_table(title, tally, groups))
        for title, groups in (("call site", tally.sites), ("task", tally.tasks))
    ]
