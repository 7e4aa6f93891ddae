# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts in a browser: each beside its bar, and what recordings show by caller."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lazymmu.cli import main

XEN = Path(__file__).parents[3] / "examples" / "trace" / "xen-6.12.107.trace.gz"


def made(folder, *arguments):
    """The page of some command."""
    file = folder / "cost.html"
    main(["cost", *map(str, arguments), "-q", "--format", f"html={file}"])
    return file


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What one operation costs everywhere."""
    return made(tmp_path_factory.mktemp("page"), "zap_pte_range")


def test_a_bar_is_as_long_as_its_count(browser, page):
    """Within a row the greatest fills its cell, and another is in proportion to it."""
    browser.open(page)
    rows = browser.run("""
        return [...document.querySelectorAll(".counts tbody tr")].map((row) =>
          [...row.querySelectorAll("td:has(.bar)")].map((cell) =>
            [cell.textContent, Number(cell.querySelector("rect").getAttribute("width"))]));
    """)
    assert len(rows) > 8
    for cells in rows:
        counts = [
            sum(int(number) for number in re.findall(r"(\d+) (?:hyper|barr|inval)", text))
            for text, _ in cells
        ]
        for count, (_, width) in zip(counts, cells, strict=True):
            assert width == pytest.approx(100 * count / max(*counts, 1), abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_counts_are_readable_and_named_throughout(browser, page, scheme, width):
    """Contrast, names, headings; and only the table scrolls sideways."""
    browser.look(scheme, width=width)
    browser.open(page)
    assert browser.pale() == []
    assert browser.unnamed() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_recordings_are_told_by_caller_with_their_difference(browser, tmp_path):
    """Two of them, and how sure it is that they differ."""
    browser.open(made(tmp_path, XEN, XEN))
    assert len(browser.all(".recording")) == 2
    assert browser.unnamed() == []
    assert "How they differ" in [one.text for one in browser.all("h2")]


def test_a_hostile_name_of_a_recording_stays_text(browser, tmp_path):
    """Wherever the page says it: in its title, its heads and its sentences."""
    name = "<img src=x onerror=alert(1)>"
    trace = tmp_path / name
    trace.write_bytes(XEN.read_bytes())
    browser.open(made(tmp_path, trace))
    assert name in browser.one("h1").text
    assert browser.all("img") == []
