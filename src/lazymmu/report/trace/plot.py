# SPDX-License-Identifier: GPL-2.0-or-later
"""What the sections of a trace were like, as a picture: needs the optional extra `plot`.

Up to four panels, of what the trace shows: how long sections are, how many entries each puts off,
why queues are flushed, and where the time goes; or what readings of the counters found.  Drawn
without a display.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.problem import needs_package
from lazymmu.report.common.words import clean
from lazymmu.report.trace.stats import worded
from lazymmu.witness.trace.stats_group import ranked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.stats_group import StatsGroup

__all__ = ["SUFFIXES", "PlotError", "check", "draw"]

SUFFIXES: Final = (".svg", ".png")
"""Kinds of pictures, by the file's name."""

_BARS: Final = 10
_INK: Final = "#33577b"
_PUT_OFF: Final = "entries put off, by call site"


Panel = Callable[[Any, "SectionStats"], None]
"""Draws one panel."""


class PlotError(Exception):
    """The picture cannot be drawn; the text is one sentence without a full stop."""


def check(path: str) -> None:
    """Whether a plot could be drawn into `path`, before a long trace is read.

    :raises PlotError: without matplotlib, and for another suffix than those of `SUFFIXES`.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise PlotError(f"{path}: a plot is a file named *.svg or *.png")
    if find_spec("matplotlib") is None:
        raise PlotError(needs_package("--plot", "matplotlib", "plot"))


def draw(name: str, tally: SectionStats, path: str, kernel: tuple[str, ...] = ()) -> None:
    """Draw the tally of the trace `name` into the file at `path`, an SVG or PNG by its suffix.

    :param kernel: which it is of, in words, as `TraceResult` has them.
    :raises PlotError: as `check()` does, with nothing to draw, and when the file cannot be written.
    """
    check(path)
    rows = _panels(tally)
    if not rows:
        raise PlotError(f"{clean(name)}: there is no section, no batch and no reading to draw")
    try:
        _draw(name, tally, path, kernel, rows)
    except OSError as error:
        raise PlotError(f"cannot write {path}: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 - another's code: the findings are still to be told
        raise PlotError(f"{path} cannot be drawn: {type(error).__name__}: {error}") from None


def _draw(
    name: str, tally: SectionStats, path: str, kernel: tuple[str, ...], rows: list[list[Panel]]
) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    kind = Path(path).suffix.lower()
    # The same trace makes the same file: no dates, and no random identifiers.
    with rc_context({"svg.hashsalt": "lazymmu", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(11, 3.75 * len(rows)), layout="constrained")
        # How it is known stands in parentheses: the summary says that.
        known = ", ".join(words.partition(" (")[0] for words in kernel)
        title = _plain(f"lazy MMU sections of {Path(name).name}")
        figure.suptitle(f"{title}\n{_plain(known)}" if known else title)
        # Each row for itself: long names in one of them are no gap in another.
        parts = figure.subfigures(len(rows), 1, squeeze=False)
        for (part,), row in zip(parts, rows, strict=True):
            widths = [1.0, 1.4][: len(row)] if row[0] in _BARRED else None
            panels = part.subplots(1, len(row), squeeze=False, width_ratios=widths)[0]
            for panel, draw_one in zip(panels, row, strict=True):
                draw_one(panel, tally)
        metadata = {"Date": None} if kind == ".svg" else {"Software": None}
        figure.savefig(path, format=kind[1:], dpi=120, metadata=metadata)


def _panels(tally: SectionStats) -> list[list[Panel]]:
    """The panels for which the trace shows something, in rows."""
    whole = tally.everything
    spread: list[tuple[Panel, object]] = [
        (_lengths, whole.lengths.count),
        (_entries, tally.counted and whole.entries.count),
    ]
    barred: list[tuple[Panel, object]] = [
        (_reasons, whole.flushes),
        (_sites, tally.sites),
        (_readings, tally.readings),
    ]
    rows = [[panel for panel, shown in row if shown] for row in (spread, barred[:2], barred[2:])]
    return [row for row in rows if row]


def _lengths(panel: Any, tally: SectionStats) -> None:
    lengths, time = tally.everything.lengths, worded(tally)
    panel.set_title("length of sections")
    unit = ", in counts of the trace's clock" if tally.counts else ""
    panel.set_xlabel(f"from this length to twice of it{unit}")
    panel.set_ylabel("sections")
    _doublings(
        panel, ((middle // 1000, number) for middle, number in lengths.steps()),
        lambda at: ("0" if tally.counts else "< 1 us") if at == 0 else time(1000 << (at - 1)),
        {f"p{share * 100:g} {time(lengths.quantile(share))}": lengths.quantile(share) // 1000
         for share in (0.5, 0.99)},
    )  # fmt: skip


def _entries(panel: Any, tally: SectionStats) -> None:
    whole = tally.everything
    unit = "section" if whole.sections else "batch"
    panel.set_title(f"entries put off per {unit}")
    panel.set_xlabel(
        f"from so many to twice of it (0 and 1: the mode gained nothing; {whole.idle})"
    )
    panel.set_ylabel("sections" if whole.sections else "batches")
    entries = whole.entries
    _doublings(
        panel, entries.steps(), lambda at: "0" if at == 0 else str(1 << (at - 1)),
        {f"p{share * 100:g} {entries.quantile(share)}": entries.quantile(share)
         for share in (0.5, 0.99)},
    )  # fmt: skip


def _doublings(
    panel: Any,
    steps: Iterable[tuple[int, int]],
    name: Callable[[int], str],
    marks: Mapping[str, int],
) -> None:
    """A bar for each doubling: clocks of traces often count microseconds, which finer bars show.

    name: of the doubling with a number; marks: words, and the value that they stand at.
    """
    octaves: Counter[int] = Counter()
    for value, number in steps:
        octaves[value.bit_length()] += number
    last = max(octaves)
    panel.bar(range(last + 1), [octaves[at] for at in range(last + 1)], width=0.9, color=_INK)
    ticks = range(0, last + 1, 2 if last > 8 else 1)
    panel.set_xticks(ticks, [name(at) for at in ticks], rotation=45, ha="right")
    for words, value in marks.items():
        place = value.bit_length()
        panel.axvline(place, color="0.4", linewidth=0.8, linestyle=":")
        panel.annotate(
            words,
            (place, 1),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="top",
            ha="right",
            fontsize=8,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5},
        )


def _reasons(panel: Any, tally: SectionStats) -> None:
    panel.set_title("why queues and batches are flushed")
    rows = tally.everything.flushes.most_common(_BARS)
    _bars(panel, [(clean(what), float(number), str(number)) for what, number in rows])


def _readings(panel: Any, tally: SectionStats) -> None:
    panel.set_title("what readings of the counters found")
    found = Counter({f"in a section, {what}": n for what, n in tally.seen_in.items() if n})
    found["paused"] = max(tally.paused - found.pop("in a section, paused", 0), 0)
    found["neither"] = max(tally.readings - found.total(), 0)
    rows = [(what, float(n), str(n)) for what, n in found.most_common(_BARS) if n]
    _bars(panel, rows)


def _sites(panel: Any, tally: SectionStats) -> None:
    timed = bool(tally.everything.sections)
    what = "counts of the trace's clock" if tally.counts else "time"
    panel.set_title(f"{what} in sections, by call site" if timed else _PUT_OFF)
    rows = []
    for site, group in list(ranked(tally.sites))[:_BARS]:
        value, words = _weight(group, worded(tally) if timed else None)
        rows.append((clean(site), value, words))
    _bars(panel, rows)


def _weight(group: StatsGroup, time: Callable[[float], str] | None) -> tuple[float, str]:
    if time is not None:
        total = group.lengths.total
        return total / 1e6, f"{time(total)} in {group.sections}"
    return float(group.queued), f"{group.queued} in {group.calls}"


def _bars(panel: Any, rows: list[tuple[str, float, str]]) -> None:
    names = [_plain(name) for name, _, _ in rows]
    places = range(len(rows))
    panel.barh(places, [value for _, value, _ in rows], color=_INK)
    panel.set_yticks(places, names)
    panel.invert_yaxis()
    panel.set_xticks([])
    for place, (_, value, words) in zip(places, rows, strict=True):
        panel.annotate(f" {words}", (value, place), va="center", fontsize=8)
    # Room for the words behind the longest bar.
    longest = max((len(words) for _, _, words in rows), default=0)
    panel.margins(x=0.02)
    panel.set_xlim(
        right=max((value for _, value, _ in rows), default=1.0) * (1.05 + longest * 0.02)
    )


def _plain(text: str) -> str:
    """Text in which matplotlib finds no formula; names come from the trace."""
    return clean(text).replace("$", r"\$")


_BARRED: Final = (_reasons, _sites, _readings)
"""Panels of bars with names, of which those of call sites are the longest."""
