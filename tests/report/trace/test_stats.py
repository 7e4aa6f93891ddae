# SPDX-License-Identifier: GPL-2.0-or-later
"""Summaries of traces: tables, JSON and pictures of the same numbers."""

from __future__ import annotations

import importlib.util
import json
import re
import xml.etree.ElementTree as ET

import pytest

from lazymmu.report.trace import plot, stats
from lazymmu.witness.trace.section_stats import SectionStats
from lazymmu.witness.trace.stats_group import StatsGroup


def group(sections: int = 3) -> StatsGroup:
    """Sections of 1 to 3 us, in each as many entries, one flush each."""
    made = StatsGroup(sections=sections, queued=6, calls=3)
    for at in range(1, sections + 1):
        made.lengths.add(at * 1000)
        made.entries.add(at)
        made.flushes["end of the section"] += 1
    made.switches["preempted"] = 1
    made.interrupts["hard"] = 2
    return made


def told(site: str = "copy_page_range", task: str = "cp-7") -> SectionStats:
    """A tally of one site and one task."""
    made = SectionStats()
    made.counted = True
    made.started, made.stopped = 0, 1_000_000
    made.everything.take(group())
    made.sites[site] = group()
    made.tasks[task] = group()
    return made


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [(0, "0 ns"), (999, "999 ns"), (1000, "1 us"), (11_240, "11.2 us"), (849_900, "850 us")],
)
def test_times_are_said_in_the_unit_that_fits(nanoseconds, words):
    """Times are said in the unit that fits, with three digits and no exponent."""
    assert stats.duration(nanoseconds) == words


def test_the_text_says_what_somebody_who_tunes_asks():
    """How long, over how many entries, what was gained, and where."""
    text = stats.render([("a.trace", told())])
    assert "a.trace: 3 sections, 6 us in all in 1 ms of trace (0.6 %)" in text
    assert "a.trace: 1 section (33 %) put off none or one: the mode gained nothing there" in text
    assert "a.trace: 6 operations put off went in 3 calls: 3 saved (50 %)" in text
    assert "a.trace: switched out inside: 1 preempted" in text
    (row,) = [line for line in text.splitlines() if line.startswith("copy_page_range")]
    words = row.split()
    assert words[:2] == ["copy_page_range", "3"]
    assert words[-2:] == ["6", "3"]
    assert any(line.startswith("cp-7") for line in text.splitlines())


def test_numbers_that_are_reckoned_are_said_to_be():
    """Where the trace has no event for each entry, numbers come from the bytes of hypercalls."""
    saved = "a.trace: 6 operations put off went in 3 calls: 3 saved (50 %)"
    made = told()
    assert f"{saved}\n" in stats.render([("a.trace", made)])
    made.counted = False
    text = stats.render([("a.trace", made)])
    assert f"{saved}, reckoned from bytes\n" in text
    assert "entries put off per section" not in text


def test_what_the_trace_does_not_count_is_said():
    """That entries are not counted is said, unless each call is counted, or each entry."""
    words = "how many entries each section puts off is not in the trace"
    made = told()
    assert words not in stats.render([("a.trace", made)])
    made.counted = False
    assert words in stats.render([("a.trace", made)])
    made.batches.add(4)
    text = stats.render([("a.trace", made)])
    assert words not in text
    assert "a.trace: operations per call p50 4 p90 4 p99 4 max 4\n" in text


def test_names_from_a_trace_cannot_reach_the_terminal():
    """A task may call itself what it likes."""
    text = stats.render([("a.trace", told(task="\x1b[2Jevil-7"))])
    assert "\x1b" not in text
    assert "\\x1b[2Jevil-7" in text


def test_what_is_not_there_is_said():
    """A trace without any section is no table of zeros."""
    text = stats.render([("a.trace", SectionStats())])
    assert text == "a.trace: no section, no batch and no reading of the counters shows in it\n"


def test_the_json_has_the_same_numbers():
    """For each trace, with its sites and tasks."""
    whole = json.loads(stats.render_json([("a.trace", told()), ("b.trace", SectionStats())]))
    assert whole["format"] == stats.FORMAT
    first, second = whole["traces"]
    assert first["everything"]["sections"] == 3
    assert first["everything"]["length"]["greatest"] == 3000
    assert first["everything"]["saved"] == 3
    assert [site["site"] for site in first["sites"]] == ["copy_page_range"]
    assert second["everything"]["sections"] == 0


def test_a_spread_is_told_by_its_quantiles():
    """Each has the name of its share, beside the count, the sum and both ends."""
    (one,) = json.loads(stats.render_json([("a.trace", told())]))["traces"]
    assert one["everything"]["length"] == {
        "count": 3,
        "total": 6000,
        "least": 1000,
        "p50": pytest.approx(2000, rel=0.1),
        "p90": pytest.approx(3000, rel=0.1),
        "p99": pytest.approx(3000, rel=0.1),
        "greatest": 3000,
    }
    assert one["sites"][0]["entries"]["total"] == 6


needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)


@needs_matplotlib
def test_a_picture_has_the_words_of_the_table(tmp_path):
    """An SVG keeps its text as text; a name with a dollar sign is no formula."""
    file = tmp_path / "plot.svg"
    plot.draw("a.trace", told(site="f$oo_$bar"), str(file))
    words = " ".join(ET.fromstring(file.read_text()).itertext())
    assert "end of the section" in words
    assert "f$oo_$bar" in words


@needs_matplotlib
def test_a_bar_for_each_doubling_of_lengths_is_named(tmp_path):
    """The bars go from less than a microsecond up to the longest section's length."""
    file = tmp_path / "plot.svg"
    plot.draw("a.trace", told(), str(file))
    words = [text.strip() for text in ET.fromstring(file.read_text()).itertext()]
    lengths = [text for text in words if text.endswith("us") and not text.startswith("p")]
    assert lengths[:3] == ["< 1 us", "1 us", "2 us"]
    assert "4 us" not in words


@needs_matplotlib
def test_the_call_site_with_most_time_is_on_top(tmp_path):
    """The picture has the call sites in the order of the table."""
    made = told(site="short_site")
    made.sites["long_site"] = group(9)
    file = tmp_path / "plot.svg"
    plot.draw("a.trace", made, str(file))
    heights = {
        site: re.findall(rf' y="([0-9.]+)"[^>]*>{site}<', file.read_text())
        for site in ("short_site", "long_site")
    }
    (short,), (long,) = heights.values()
    assert float(long) < float(short)


@needs_matplotlib
def test_the_same_tally_makes_the_same_picture(tmp_path):
    """No date and nothing random, so that pictures can be compared."""
    for name in ("one.svg", "two.svg"):
        plot.draw("a.trace", told(), str(tmp_path / name))
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    plot.draw("a.trace", told(), str(tmp_path / "one.png"))
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


@needs_matplotlib
def test_batches_without_sections_are_drawn_too(tmp_path):
    """Batches without sections, as powerpc shows them, are drawn too."""
    made = SectionStats()
    made.counted = True
    batches = StatsGroup(queued=192, calls=1)
    batches.entries.add(192)
    batches.flushes["full, or another mm"] = 1
    made.everything.take(batches)
    made.sites["unmap_page_range"] = batches
    file = tmp_path / "plot.svg"
    plot.draw("a.trace", made, str(file))
    words = file.read_text()
    assert "192 in 1<" in words
    assert "entries put off per batch" in words
    assert "length of sections" not in words  # what is not shown takes no room


@needs_matplotlib
def test_readings_are_drawn_where_nothing_else_shows(tmp_path):
    """A kernel of which only counters show has a picture, too, and its name is in the title."""
    made = SectionStats()
    made.readings, made.paused = 9, 4
    made.seen_in["preempted"] = 3
    file = tmp_path / "plot.svg"
    plot.draw("a.trace", made, str(file), ("arm64 (guessed from f)", "v7.0 on (guessed)"))
    words = [text.strip() for text in ET.fromstring(file.read_text()).itertext()]
    assert "arm64, v7.0 on" in words
    assert {"paused", "in a section, preempted", "neither"} <= {*words}
    assert [text for text in words if text in ("4", "3", "2")] == ["4", "3", "2"]


@needs_matplotlib
def test_what_cannot_be_drawn_is_one_sentence(tmp_path):
    """Another kind of file, nothing in it, no place to put it."""
    with pytest.raises(plot.PlotError, match=r"a plot is a file named \*.svg or \*.png"):
        plot.draw("a.trace", told(), str(tmp_path / "plot.pdf"))
    with pytest.raises(plot.PlotError, match="no section, no batch and no reading"):
        plot.draw("a.trace", SectionStats(), str(tmp_path / "plot.svg"))
    broken = told()
    broken.everything.lengths.bins = {"not a number": 1}  # type: ignore[dict-item]
    with pytest.raises(plot.PlotError, match="cannot be drawn"):
        plot.draw("a.trace", broken, str(tmp_path / "plot.svg"))
    with pytest.raises(plot.PlotError, match="cannot write"):
        plot.draw("a.trace", told(), str(tmp_path / "missing" / "plot.svg"))


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch):
    """Without matplotlib, which is an extra, it is said how to get it."""
    monkeypatch.setattr(plot, "find_spec", lambda _name: None)
    with pytest.raises(plot.PlotError, match="pip install matplotlib, or the extra `plot`"):
        plot.check("plot.svg")
