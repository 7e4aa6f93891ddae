# SPDX-License-Identifier: GPL-2.0-or-later
"""What the sections of a trace were like, as tables for who wants to tune, and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lazymmu.report.common import document
from lazymmu.report.common.table import plain
from lazymmu.report.common.words import clean, count
from lazymmu.witness.trace.stats_group import ranked

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence

    from lazymmu.verbs.cost_recordings import RecordingCost
    from lazymmu.witness.trace.histogram import Histogram
    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.stats_group import StatsGroup

__all__ = [
    "CLOCK",
    "FORMAT",
    "duration",
    "group_table",
    "percent",
    "render",
    "render_json",
    "sentences",
    "summaries",
    "worded",
]

FORMAT = 1
"""Version of the JSON's layout."""

CLOCK: Final = "times are counts of the trace's clock, which has no unit (x86-tsc, counter)"
"""What is said where times of a trace cannot be told in seconds."""

_ROWS = 12
_SHARES = (0.5, 0.9, 0.99)


def duration(nanoseconds: float) -> str:
    """A time of three digits with its unit: 11.2 us."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            value = nanoseconds / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"


def worded(tally: SectionStats | RecordingCost) -> Callable[[float], str]:
    """How times of these sections are said: with a unit, where their clock has one."""
    return _as_counts if tally.counts else duration


def _as_counts(thousandths: float) -> str:
    """A time of a clock that counts something else than seconds."""
    return f"{thousandths / 1000:.0f}"


def render(tallies: Sequence[tuple[str, SectionStats]], width: int | None = None) -> str:
    """Everything about each trace, name first.

    :param width: columns to fold tables to, None for as many as it takes.
    """
    return "\n".join(_one(name, tally, width) for name, tally in tallies)


def _one(name: str, tally: SectionStats, width: int | None) -> str:
    parts = ["".join(f"{clean(name)}: {line}\n" for line in sentences(tally))]
    if tally.everything.sections or tally.everything.flushes:
        parts.append(_groups("call site", tally, tally.sites, width))
        parts.append(_groups("task", tally, tally.tasks, width))
    return "\n".join(part for part in parts if part)


# ---- sentences -----------------------------------------------------------------------------


def sentences(tally: SectionStats) -> Iterator[str]:
    """What all sections together were like."""
    whole, time = tally.everything, worded(tally)
    if tally.counts:
        yield CLOCK
    if whole.sections:
        nested = f", {whole.nested} more inside them" if whole.nested else ""
        share = 100 * whole.lengths.total / tally.span if tally.span else 0
        yield (
            f"{count(whole.sections, 'section')}{nested}, {time(whole.lengths.total)} in all "
            f"in {time(tally.span)} of trace ({share:.1f} %)"
        )
        yield f"length {_spread(whole.lengths, time)}"
        if whole.off_cpu:
            yield f"of that, {time(whole.off_cpu)} with the task switched out"
    elif not (whole.flushes or tally.readings):
        yield "no section, no batch and no reading of the counters shows in it"
    if tally.counted and whole.entries.count:
        unit = "section" if whole.sections else "batch"
        yield f"entries put off per {unit} {_spread(whole.entries, str)}"
        if whole.sections:
            yield (
                f"{count(whole.idle, 'section')} ({percent(whole.idle, whole.sections)}) put off "
                "none or one: the mode gained nothing there"
            )
    yield from _undone(tally)
    if tally.cut or tally.open:
        yield (
            f"not counted: {count(tally.cut, 'section')} cut by the trace's ends or by missing "
            f"records, {tally.open} still open at the end"
        )


def _undone(tally: SectionStats) -> Iterator[str]:
    whole = tally.everything
    for title, counted in (
        ("switched out inside", whole.switches),
        ("interrupts inside", whole.interrupts),
        ("flushes", whole.flushes),
        ("outside sections", tally.outside),
    ):
        if counted:
            yield f"{title}: {_listed(counted)}"
    yield from _counters(tally)
    if whole.queued:
        yield (
            f"{whole.queued} operations put off went in {count(whole.calls, 'call')}: "
            f"{whole.saved} saved ({percent(whole.saved, whole.queued)})"
            + ("" if tally.counted else ", reckoned from bytes")
        )
    if tally.batches.count:
        yield f"operations per call {_spread(tally.batches, str)}"
    elif whole.sections and not tally.counted:
        yield "how many entries each section puts off is not in the trace"


def _counters(tally: SectionStats) -> Iterator[str]:
    if tally.readings:
        inside = sum(tally.seen_in.values())
        said = [f"{tally.paused} of tasks that are paused"] if tally.paused else []
        said += [f"{inside} in a section" + (f" ({_listed(tally.seen_in)})" if inside else "")]
        yield f"{count(tally.readings, 'reading')} of the counters, {', '.join(said)}"
    if tally.ignored:
        share = percent(tally.ignored, tally.calls)
        yield (
            f"{tally.ignored} of {count(tally.calls, 'call')} that begin a section ({share}) were "
            "ignored, because the task was paused"
        )
    elif tally.paused:
        yield "in a paused task no section begins: how many calls were ignored is not in the trace"


def _spread(spread: Histogram, word: Any) -> str:
    quantiles = " ".join(f"p{share * 100:g} {word(spread.quantile(share))}" for share in _SHARES)
    return f"{quantiles} max {word(spread.greatest)}"


def percent(part: int, whole: int) -> str:
    """A share in words: 67 %."""
    return f"{100 * part / whole:.0f} %" if whole else "0 %"


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{number} {clean(what)}" for what, number in counted.most_common())


# ---- tables --------------------------------------------------------------------------------


def _groups(
    title: str, tally: SectionStats, groups: dict[str, StatsGroup], width: int | None
) -> str:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="")
    heads, rows, more = group_table(title, tally, groups)
    table.add_column(heads[0], overflow="fold")
    for head in heads[1:]:
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*row)
    rest = f"and {more} more\n" if more > 0 else ""
    return plain(table, width) + rest


def group_table(
    title: str, tally: SectionStats, groups: dict[str, StatsGroup]
) -> tuple[list[str], list[list[str]], int]:
    """Heads and rows of the groups with the most time in sections, and how many more there are."""
    timed, counted = bool(tally.everything.sections), tally.counted
    heads = ["sections"]
    heads += ["p50", "p99", "max", "in all"] if timed else []
    heads += ["entries p50", "max", "0 or 1"] if counted else []
    heads += ["switched out", "interrupts"] if timed else []
    heads += ["flushes", "full"]
    heads += ["put off", "saved"] if counted or tally.everything.queued else []
    order = list(ranked(groups))
    rows = [[clean(name), *_cells(tally, group, timed=timed)] for name, group in order[:_ROWS]]
    return [title, *(heads if timed else heads[1:])], rows, len(order) - len(rows)


def _cells(tally: SectionStats, group: StatsGroup, *, timed: bool) -> Iterator[str]:
    if timed:
        yield str(group.sections)
        lengths, time = group.lengths, worded(tally)
        for value in (lengths.quantile(0.5), lengths.quantile(0.99), lengths.greatest):
            yield time(value)
        yield time(lengths.total)
    if tally.counted:
        yield str(group.entries.quantile(0.5))
        yield str(group.entries.greatest)
        yield percent(group.idle, group.entries.count)
    if timed:
        yield str(sum(group.switches.values()) or "")
        yield str(sum(group.interrupts.values()) or "")
    yield str(sum(group.flushes.values()) or "")
    yield str(sum(n for why, n in group.flushes.items() if why.startswith("full")) or "")
    if tally.counted or tally.everything.queued:
        yield str(group.queued or "")
        yield str(group.saved or "")


# ---- programs ------------------------------------------------------------------------------


def render_json(tallies: Sequence[tuple[str, SectionStats]]) -> str:
    """One object, with the list `traces`; times in nanoseconds (`summary.schema.json`)."""
    return document.render(FORMAT, {"traces": summaries(tallies)})


def summaries(tallies: Sequence[tuple[str, SectionStats]]) -> list[dict[str, Any]]:
    """The same, an object for each trace."""
    return [
        {
            "name": name,
            "counts": tally.counts,
            "span": tally.span,
            "cut": tally.cut,
            "open": tally.open,
            "entries_counted": tally.counted,
            "everything": _group(tally.everything),
            "operations_per_call": _numbers(tally.batches),
            "outside": dict(tally.outside),
            "counters": {
                "readings": tally.readings,
                "in_section": dict(tally.seen_in),
                "paused": tally.paused,
            },
            "api_calls": {"seen": tally.calls, "ignored": tally.ignored},
            "sites": [{"site": site, **_group(g)} for site, g in ranked(tally.sites)],
            "tasks": [{"task": task, **_group(g)} for task, g in ranked(tally.tasks)],
        }
        for name, tally in tallies
    ]


def _group(group: StatsGroup) -> dict[str, Any]:
    return {
        "sections": group.sections,
        "nested": group.nested,
        "length": _numbers(group.lengths),
        "off_cpu": group.off_cpu,
        "entries": _numbers(group.entries),
        "none_or_one": group.idle,
        "switches": dict(group.switches),
        "interrupts": dict(group.interrupts),
        "flushes": dict(group.flushes),
        "put_off": group.queued,
        "calls": group.calls,
        "saved": group.saved,
    }


def _numbers(spread: Histogram) -> dict[str, Any]:
    return {
        "count": spread.count,
        "total": spread.total,
        "least": spread.least,
        **{f"p{share * 100:g}": spread.quantile(share) for share in _SHARES},
        "greatest": spread.greatest,
    }
