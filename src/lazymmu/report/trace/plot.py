# SPDX-License-Identifier: GPL-2.0-or-later
"""What the sections of a trace were like, as a picture: needs the optional extra `plot`.

Four panels: how long sections are, how many entries each puts off, why queues are flushed, and
where the time goes.  Drawn without a display.
"""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.report.common.words import clean
from lazymmu.report.trace.stats import duration
from lazymmu.witness.trace.stats_group import ranked

if TYPE_CHECKING:
    from lazymmu.witness.trace.histogram import Histogram
    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.stats_group import StatsGroup

__all__ = ["SUFFIXES", "PlotError", "check", "draw"]

SUFFIXES: Final = (".svg", ".png")
"""Kinds of pictures, by the file's name."""

_BARS: Final = 10
_INK: Final = "#33577b"


class PlotError(Exception):
    """The picture cannot be drawn; the text is one sentence without a full stop."""


def check(path: str) -> None:
    """Whether a plot could be drawn into `path`, before a long trace is read.

    Raises PlotError without matplotlib, and for another suffix than those of `SUFFIXES`.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise PlotError(f"{path}: a plot is a file named *.svg or *.png")
    if find_spec("matplotlib") is None:
        raise PlotError("plots need matplotlib, which is not installed: pip install lazymmu[plot]")


def draw(name: str, tally: SectionStats, path: str) -> None:
    """Draw the tally of the trace `name` into the file at `path`, an SVG or PNG by its suffix.

    Raises PlotError as `check()` does, with nothing to draw, and when the file cannot be written.
    """
    check(path)
    if not (tally.everything.sections or tally.everything.flushes):
        raise PlotError(f"{clean(name)}: there is no section and no batch in it to draw")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    kind = Path(path).suffix.lower()
    # The same trace makes the same file: no dates, and no random identifiers.
    with rc_context({"svg.hashsalt": "lazymmu", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(11, 7.5), layout="constrained")
        figure.suptitle(_plain(f"lazy MMU sections of {Path(name).name}"))
        panels = figure.subplots(2, 2)
        _lengths(panels[0][0], tally)
        _entries(panels[0][1], tally)
        _reasons(panels[1][0], tally)
        _sites(panels[1][1], tally)
        metadata = {"Date": None} if kind == ".svg" else {"Software": None}
        try:
            figure.savefig(path, format=kind[1:], dpi=120, metadata=metadata)
        except OSError as error:
            raise PlotError(f"cannot write {path}: {error.strerror or error}") from None


def _lengths(panel: Any, tally: SectionStats) -> None:
    lengths = tally.everything.lengths
    panel.set_title("length of sections")
    if not lengths.count:
        _nothing(panel, "no function shows where sections begin and end")
        return
    # A bar for each doubling: clocks of traces often count microseconds, which finer bars show.
    octaves: Counter[int] = Counter()
    for middle, number in lengths.steps():
        octaves[(middle // 1000).bit_length()] += number
    last = max(octaves)
    panel.bar(range(last + 1), [octaves[at] for at in range(last + 1)], width=0.9, color=_INK)
    ticks = range(0, last + 1, 2 if last > 8 else 1)
    names = ["< 1 us" if at == 0 else duration(1000 << (at - 1)) for at in ticks]
    panel.set_xticks(ticks, names, rotation=45, ha="right")
    panel.set_xlabel("from this length to twice of it")
    panel.set_ylabel("sections")
    for share in (0.5, 0.99):
        at = lengths.quantile(share)
        place = (at // 1000).bit_length()
        panel.axvline(place, color="0.4", linewidth=0.8, linestyle=":")
        panel.annotate(
            f"p{share * 100:g} {duration(at)}",
            (place, 1),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="top",
            ha="right",
            fontsize=8,
        )


def _entries(panel: Any, tally: SectionStats) -> None:
    whole = tally.everything
    unit = "section" if whole.sections else "batch"
    panel.set_title(f"entries put off per {unit}")
    if not (tally.counted and whole.entries.count):
        _nothing(panel, "the trace has no event for each entry")
        return
    _bins(panel, whole.entries)
    panel.set_xscale("symlog", linthresh=16)
    panel.set_yscale("symlog", linthresh=1)
    panel.set_xlim(left=-0.6)
    panel.set_xlabel(f"entries (0 and 1: the mode gained nothing; {whole.idle})")
    panel.set_ylabel(unit if unit == "batch" else "sections")


def _bins(panel: Any, spread: Histogram) -> None:
    middles, numbers = zip(*spread.steps(), strict=True)
    # Bins are an eighth of their number wide; those below sixteen are the numbers themselves.
    widths = [0.8 if middle < 16 else middle / 9 for middle in middles]
    panel.bar([max(middle, 0) for middle in middles], numbers, width=widths, color=_INK)


def _reasons(panel: Any, tally: SectionStats) -> None:
    panel.set_title("why queues and batches are flushed")
    rows = tally.everything.flushes.most_common(_BARS)
    if not rows:
        _nothing(panel, "the trace has no event of a flush")
        return
    _bars(panel, [(clean(what), float(number), str(number)) for what, number in rows])


def _sites(panel: Any, tally: SectionStats) -> None:
    timed = bool(tally.everything.sections)
    panel.set_title("time in sections, by call site" if timed else "entries put off, by call site")
    rows = []
    for site, group in list(ranked(tally.sites))[:_BARS]:
        value, words = _weight(group, timed=timed)
        rows.append((clean(site), value, words))
    _bars(panel, rows)


def _weight(group: StatsGroup, *, timed: bool) -> tuple[float, str]:
    if timed:
        total = group.lengths.total
        return total / 1e6, f"{duration(total)} in {group.sections}"
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
    panel.margins(x=0.35)


def _nothing(panel: Any, why: str) -> None:
    panel.set_axis_off()
    panel.text(0.5, 0.5, why, ha="center", va="center", color="0.4", transform=panel.transAxes)


def _plain(text: str) -> str:
    """Text in which matplotlib finds no formula; names come from the trace."""
    return clean(text).replace("$", r"\$")
