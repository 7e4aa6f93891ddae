# SPDX-License-Identifier: GPL-2.0-or-later
"""Two recordings side by side: what is otherwise in the second one, and how much.

Recordings are of different lengths: what happens is compared as a rate or a share, and counts stand
beside it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lazymmu.json_text import dump
from lazymmu.report.common import document
from lazymmu.report.common.table import plain
from lazymmu.report.common.words import clean
from lazymmu.report.trace.stats import duration, percent, summaries
from lazymmu.witness.trace.stats_group import StatsGroup, ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.values import TraceResult

__all__ = [
    "FORMAT",
    "SITE_HEADS",
    "ComparedRow",
    "object_of",
    "render",
    "render_json",
    "rows",
    "sentences",
    "site_rows",
]

FORMAT: Final = 1
"""Version of the JSON's layout."""

SITE_HEADS: Final = ("call site", "sections A", "B", "p50 A", "B", "saved A", "B")
"""What is told of each call site."""

_ROWS: Final = 12
_POINTS: Final = 10.0
"""Shares that differ by so many percent points are told first."""

_TIMES: Final = 2.0
"""Other numbers that differ so many times are."""

_RARE: Final = 1.0
"""What happens less often in a second may have been missed by the other recording."""

_LENGTHS: Final = ("", "span")
"""Units of what depends on how long was recorded."""

_TIMED: Final = ("ns", "span", "/s")
"""Units that are of a time."""

Pair = tuple["TraceResult", "SectionStats"]


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One property of two recordings.

    :param unit: "%" of a share, "ns" of a time, "/s" of a rate, "n" of a number, "" of a count and
        "span" of a time that say nothing of the kernel.
    :param values: None where a recording does not show it.
    :param counts: what stands beside.
    """

    what: str
    unit: str
    values: tuple[float | None, float | None]
    counts: tuple[str, str] = ("", "")

    @property
    def words(self) -> tuple[str, str]:
        """The two values as they are printed."""
        first, second = self.values
        return self._word(first, self.counts[0]), self._word(second, self.counts[1])

    @property
    def change(self) -> str:
        """How the second differs from the first; "" where it does not, or counts are compared."""
        first, second = self.values
        if first is None or second is None or first == second or self.unit in _LENGTHS:
            return ""
        if self.unit == "%":
            return f"{second - first:+.1f} points"
        if not first:
            return "new"
        return "none" if not second else f"x {second / first:.3g}"

    @property
    def striking(self) -> bool:
        """Whether the two differ so much that it is told first.

        Rates follow from the load: only what happens in one alone is told.
        """
        first, second = self.values
        if first is None or second is None or self.unit in _LENGTHS:
            return False
        low, high = sorted((first, second))
        match self.unit:
            case "%":
                return high - low >= _POINTS
            case "/s":
                return low == 0 and high >= _RARE
        return high > 0 and high >= _TIMES * low

    def _word(self, value: float | None, beside: str) -> str:
        if value is None:
            return "not shown"
        match self.unit:
            case "%":
                word = f"{value:.1f} %"
            case "ns" | "span":
                word = duration(value)
            case "/s":
                word = f"{value:.3g}/s"
            case _:
                word = f"{value:.0f}"
        return f"{word} ({beside})" if beside else word


def rows(first: Pair, second: Pair) -> list[ComparedRow]:
    """Every property that one of two recordings shows.

    Of times and rates nothing is said where a clock has no unit.
    """
    stats = first[1], second[1]
    made = [*_findings(first, second), *_sections(stats), *_queues(stats), *_counters(stats)]
    timed = not any(one.counts for one in stats)
    return [row for row in made if any(row.values) and (timed or row.unit not in _TIMED)]


def sentences(first: Pair, second: Pair) -> list[str]:
    """What differs most, in words; what is found in one alone first."""
    found = [_broken(pair[0]) for pair in (first, second)]
    said = [
        f"{rule} is broken in {clean(pair[0].name)} alone"
        for pair, mine, other in zip((first, second), found, reversed(found), strict=True)
        for rule in mine
        if rule not in other
    ]
    for row in rows(first, second):
        if row.striking:
            was, now = row.words
            said.append(f"{row.what}: {was}, then {now}")
    sites = [set(pair[1].sites) for pair in (first, second)]
    for pair, only in ((first, sites[0] - sites[1]), (second, sites[1] - sites[0])):
        if only and all(sites):
            some = ", ".join(sorted(clean(site) for site in only)[:4])
            more = f" and {len(only) - 4} more" if len(only) > 4 else ""
            said.append(f"in {clean(pair[0].name)} alone are sections of {some}{more}")
    return said


# ---- properties ----------------------------------------------------------------------------

Stats = tuple["SectionStats", "SectionStats"]


def _broken(result: TraceResult) -> Counter[str]:
    return Counter(one.rule for one in result.violations)


def _findings(first: Pair, second: Pair) -> Iterator[ComparedRow]:
    was, now = _broken(first[0]), _broken(second[0])
    for rule in sorted({*was, *now}):
        yield ComparedRow(f"broken: {rule}", "", (was[rule], now[rule]))


def _share(
    what: str,
    stats: Stats,
    value: Callable[[SectionStats], tuple[int, int]],
    *,
    beside: bool = True,
) -> ComparedRow:
    """A share of something; not shown where there is none of it."""
    pairs = [value(one) for one in stats]
    first, second = (100 * part / whole if whole else None for part, whole in pairs)
    counts = [f"{part} of {whole}" if whole and beside else "" for part, whole in pairs]
    return ComparedRow(what, "%", (first, second), (counts[0], counts[1]))


def _rate(what: str, stats: Stats, value: Callable[[SectionStats], int]) -> ComparedRow:
    """How often something is in a second of the trace."""
    first, second = (value(one) * 1e9 / one.span if one.span else None for one in stats)
    counts = tuple(str(value(one)) for one in stats)
    return ComparedRow(what, "/s", (first, second), (counts[0], counts[1]))


def _each(
    what: str, unit: str, stats: Stats, value: Callable[[SectionStats], float | None]
) -> ComparedRow:
    return ComparedRow(what, unit, (value(stats[0]), value(stats[1])))


def _sections(stats: Stats) -> Iterator[ComparedRow]:
    def length(share: float) -> Callable[[SectionStats], float | None]:
        def value(one: SectionStats) -> float | None:
            lengths = one.everything.lengths
            return lengths.quantile(share) if lengths.count else None

        return value

    yield _each("recorded", "span", stats, lambda one: one.span)
    yield _rate("sections", stats, lambda one: one.everything.sections)
    yield _share(
        "time in sections",
        stats,
        lambda one: (one.everything.lengths.total, one.span),
        beside=False,
    )
    for share in (0.5, 0.99):
        yield _each(f"length, p{share * 100:g}", "ns", stats, length(share))
    yield _each("length, max", "span", stats, length(1.0))
    yield _share(
        "sections with more inside", stats,
        lambda one: (one.everything.nested, one.everything.sections),
    )  # fmt: skip
    for kind, name in (("switches", "switched out inside"), ("interrupts", "interrupts inside")):
        for why in sorted(
            {*getattr(stats[0].everything, kind), *getattr(stats[1].everything, kind)}
        ):

            def number(one: SectionStats, kind: str = kind, why: str = why) -> int:
                counted: Counter[str] = getattr(one.everything, kind)
                return counted[why]

            yield _rate(f"{name}, {why}", stats, number)


def _operations(one: SectionStats) -> int:
    """Those put off, and those that were issued at once."""
    return one.everything.queued + one.outside["issued at once"]


def _queues(stats: Stats) -> Iterator[ComparedRow]:
    yield _share(
        "sections that put off none or one", stats,
        lambda one: (one.everything.idle, one.everything.entries.count if one.counted else 0),
    )  # fmt: skip
    yield _rate("operations", stats, _operations)
    yield _share("put off", stats, lambda one: (one.everything.queued, _operations(one)))
    yield _share(
        "saved", stats,
        lambda one: (one.everything.saved, one.everything.queued or _operations(one)),
    )  # fmt: skip
    yield _each(
        "operations per call, p50", "n", stats,
        lambda one: one.batches.quantile(0.5) if one.batches.count else None,
    )  # fmt: skip
    for why in sorted({*stats[0].everything.flushes, *stats[1].everything.flushes}):

        def flushes(one: SectionStats, why: str = why) -> tuple[int, int]:
            return one.everything.flushes[why], one.everything.flushes.total()

        yield _share(f"flushes: {clean(why)}", stats, flushes)
    for why in sorted({*stats[0].outside, *stats[1].outside}):

        def outside(one: SectionStats, why: str = why) -> int:
            return one.outside[why]

        yield _rate(f"outside sections: {clean(why)}", stats, outside)


def _counters(stats: Stats) -> Iterator[ComparedRow]:
    yield _rate("readings of the counters", stats, lambda one: one.readings)
    yield _share("readings that find it paused", stats, lambda one: (one.paused, one.readings))
    yield _share("readings in a section", stats, lambda one: (one.seen_in.total(), one.readings))
    yield _share("calls ignored for a pause", stats, lambda one: (one.ignored, one.calls))


# ---- renderings ----------------------------------------------------------------------------


def render(first: Pair, second: Pair, width: int | None = None) -> str:
    """What differs most in sentences, then everything, then the call sites of both.

    :param width: columns to fold tables to, None for as many as it takes.
    """
    from rich.table import Table

    names = [clean(pair[0].name) for pair in (first, second)]
    lines = [
        f"{name}: {clean(', '.join(pair[0].kernel))}"
        for name, pair in zip(names, (first, second), strict=True)
    ]
    told = sentences(first, second)
    lines += told or ["the two are alike in all that they show"]
    table = Table(box=None, pad_edge=False, header_style="")
    for at, head in enumerate(("", "A", "B", "change")):
        table.add_column(head, overflow="fold", justify="right" if at else "left")
    for row in rows(first, second):
        table.add_row(row.what, *row.words, row.change)
    head = f"A = {names[0]}\nB = {names[1]}\n"
    parts = ["".join(f"{line}\n" for line in lines), head + plain(table, width)]
    sites = site_rows(first[1], second[1])
    if sites:
        table = Table(box=None, pad_edge=False, header_style="")
        for at, one in enumerate(SITE_HEADS):
            table.add_column(one, overflow="fold", justify="right" if at else "left")
        for name, *cells in sites[:_ROWS]:
            table.add_row(clean(name), *cells)
        more = len(sites) - _ROWS
        parts.append(plain(table, width) + (f"and {more} more\n" if more > 0 else ""))
    return "\n".join(parts)


def site_rows(first: SectionStats, second: SectionStats) -> list[tuple[str, ...]]:
    """A row for each call site of both, as `SITE_HEADS` has them: by the first, then the second."""
    names = dict.fromkeys(name for one in (first, second) for name, _ in ranked(one.sites))
    none, timed = StatsGroup(), not (first.counts or second.counts)
    return [
        (name, *_cells(first.sites.get(name, none), second.sites.get(name, none), timed=timed))
        for name in names
    ]


def _cells(was: StatsGroup, now: StatsGroup, *, timed: bool) -> Iterator[str]:
    for group in (was, now):
        yield str(group.sections or "")
    for group in (was, now):
        yield duration(group.lengths.quantile(0.5)) if group.lengths.count and timed else ""
    for group in (was, now):
        yield percent(group.saved, group.queued) if group.queued else ""


def render_json(first: Pair, second: Pair) -> str:
    """One object: `compared` with the properties of both, `told`, and `traces`, their summaries."""
    return dump(object_of(first, second))


def object_of(first: Pair, second: Pair) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    made: dict[str, Any] = {
        "told": sentences(first, second),
        "compared": [
            {"what": row.what, "unit": row.unit, "values": list(row.values), "change": row.change}
            for row in rows(first, second)
        ],
        "traces": summaries([(pair[0].name, pair[1]) for pair in (first, second)]),
    }
    return document.whole(FORMAT, made)
