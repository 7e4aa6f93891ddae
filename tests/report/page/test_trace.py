# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces in a browser: a timeline that zooms, what was found, and what sections were like."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from lazymmu.cli import main

TRACES = Path(__file__).parents[3] / "examples" / "trace"
XEN = TRACES / "xen-6.12.107.trace.gz"
HOSTILE = "<img/src=x>"


def made(folder, *arguments):
    """The page of some command."""
    file = folder / "trace.html"
    main(["trace", *map(str, arguments), "-q", "--format", f"html={file}"])
    return file


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a recording with sections, switches, interrupts, flushes and findings."""
    return made(tmp_path_factory.mktemp("page"), XEN)


def sight(browser):
    """How many nanoseconds are in sight, as the timeline says."""
    number, unit = browser.one(".drawn .span").text.split()[:2]
    return float(number) * {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}[unit]


def test_everything_has_its_track_and_findings_their_marks(browser, page):
    """CPUs with who runs, flushes and interrupts; tasks with sections, switched out or not."""
    browser.open(page)
    kinds = browser.run("""
        return [...new Set([...document.querySelectorAll(".drawn rect[data-bar]")]
          .map((bar) => bar.classList[0]))];
    """)
    assert {"section", "away", "runs", "flush", "hard", "soft"} <= set(kinds)
    assert len(browser.all(".drawn [data-mark]")) == len(browser.all(".seen")) > 10
    names = [text.text for text in browser.all(".drawn text")]
    assert "CPU 0 runs" in names
    assert any(name.startswith("insmod-") for name in names)


def test_keys_zoom_and_move_and_lead_back_to_the_whole(browser, page):
    """Nobody needs a mouse; and what is in sight is said."""
    browser.open(page)
    whole = sight(browser)
    browser.run("document.querySelector('.drawn').focus()")
    browser.press("+", "+")
    assert sight(browser) == pytest.approx(whole / 4, rel=0.01)
    before = browser.one(".timeline output").text
    browser.press(Keys.ARROW_RIGHT)
    assert browser.one(".timeline output").text != before
    browser.press("-")
    assert sight(browser) == pytest.approx(whole / 2, rel=0.01)
    browser.press("0")
    assert sight(browser) == whole


def test_the_wheel_zooms_where_the_pointer_is_and_dragging_moves(browser, page):
    """As in any timeline; a zoom has an end on both sides."""
    browser.open(page)
    whole = sight(browser)
    room = browser.one(".drawn")
    browser.wheel(room, -400)
    assert sight(browser) < whole
    before = browser.one(".timeline output").text
    browser.drag(room, -200)
    assert browser.one(".timeline output").text != before
    for _ in range(5):
        browser.wheel(room, 900)
    for _ in range(20):
        browser.one("[data-do=out]").click()
    assert sight(browser) == whole
    for _ in range(60):
        browser.one("[data-do=in]").click()
    assert sight(browser) == 10


def test_a_finding_is_shown_where_it_is_and_each_is_reached_by_a_key(browser, page):
    """From its place below, from its mark, and one after the other."""
    browser.open(page)
    browser.one("[data-show='2']").click()
    assert browser.one(".under").text.startswith("finding 2 at")
    assert sight(browser) < 10e6
    browser.press("n")
    assert browser.one(".under").text.startswith("finding 3 at")
    browser.press("p", "p")
    assert browser.one(".under").text.startswith("finding 1 at")
    message = browser.one("#finding-1 h3").text.split(" ", 1)[1].strip()
    assert message in browser.one(".under").text


def test_what_is_drawn_is_also_told_in_tables(browser, page):
    """Who cannot see the bars has the longest sections, all findings, and the sums."""
    browser.open(page)
    assert "listed below" in browser.one(".drawn").get_attribute("aria-label")
    browser.one(".longest summary").click()
    assert len(browser.all(".longest tbody tr")) > 5
    assert len(browser.all(".groups")) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_a_trace_is_readable_and_named_throughout(browser, page, scheme, width):
    """Contrast, names, headings; and only tables and lines of the trace scroll sideways."""
    browser.look(scheme, width=width)
    browser.open(page)
    assert browser.pale() == []
    assert browser.unnamed() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_on_paper_the_timeline_stays_and_what_moves_it_goes(browser, page):
    """The table that is folded on a screen is open there."""
    browser.look(media="print")
    browser.open(page)
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert not browser.one(".controls").is_displayed()
    assert browser.one(".drawn svg").is_displayed()
    assert browser.one(".longest table").is_displayed()


def test_a_hostile_name_of_a_task_stays_text(browser, tmp_path):
    """On the timeline, in findings and in tables."""
    text = gzip.decompress(XEN.read_bytes()).decode()
    trace = tmp_path / "hostile.trace"
    trace.write_text(text.replace("insmod-", f"{HOSTILE}-").replace("=insmod ", f"={HOSTILE} "))
    browser.open(made(tmp_path, trace))
    names = browser.run(
        "return [...document.querySelectorAll('.drawn text')].map(t => t.textContent)"
    )
    assert any(name.startswith(HOSTILE) for name in names)
    assert HOSTILE in browser.one("#finding-1 .on").text
    assert browser.all("img, main script") == []


def test_several_traces_have_a_timeline_each_and_a_summary_has_its_tables_first(browser, tmp_path):
    """What was asked for comes first."""
    traces = sorted(TRACES.glob("*.gz"))
    browser.open(made(tmp_path, *traces, "--summary"))
    assert len(browser.all(".drawn svg")) == len(traces)
    heads = [one.text for one in browser.all(".trace:first-child h2")]
    assert heads.index("What sections were like") < len(heads) - 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--compare", "--format", "sarif"], "a comparison is text or JSON, or a page"),
        (["--summary", "--format", "csv"], "a summary is text or JSON, or a page"),
        (["--timeline", "t.json", "--html", "x.html"], "ask for one"),
    ],
)
def test_what_has_no_page_says_so_before_anything_is_read(capsys, tmp_path, arguments, sentence):
    """In one sentence, and nothing is written."""
    arguments = [
        str(tmp_path / one) if one.endswith((".html", ".json")) else one for one in arguments
    ]
    traces = [XEN, XEN] if "--compare" in arguments else [XEN]
    assert main(["trace", *map(str, traces), *arguments]) == 2
    assert sentence in capsys.readouterr().err
