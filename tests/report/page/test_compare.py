# SPDX-License-Identifier: GPL-2.0-or-later
"""Comparisons in a browser: trees by release, and two recordings side by side."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from lazymmu.cli import main

EXAMPLES = Path(__file__).parents[3] / "examples"
XEN = EXAMPLES / "trace" / "xen-6.12.107.trace.gz"
TREES = ("check", EXAMPLES / "linux-old", EXAMPLES / "linux-new", "--arch", "x86")
EVIL = "</script><script>throw 'ran'</script><img src=http://evil.example/>"


def made(folder, *arguments):
    """The page of some command, and what it prints as JSON."""
    files = [folder / name for name in ("compared.html", "compared.json")]
    wanted = [f"--format=html={files[0]}", f"--format=json={files[1]}"]
    main([*map(str, arguments), "--compare", "-q", *wanted])
    return files[0], json.loads(files[1].read_text())


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Two trees, compared."""
    folder = tmp_path_factory.mktemp("trees")
    return made(folder, *TREES, "--cache-dir", folder / "cache")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A recording and its first half, compared."""
    folder = tmp_path_factory.mktemp("recordings")
    lines = gzip.decompress(XEN.read_bytes()).splitlines(keepends=True)
    half = folder / "half.trace"
    half.write_bytes(b"".join(lines[: len(lines) // 2]))
    return made(folder, "trace", XEN, half)


def table(browser, at=0):
    """The cells of a table's rows."""
    return browser.run(
        "return [...document.querySelectorAll('table')[arguments[0]].tBodies[0].rows]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))",
        at,
    )


def test_each_problem_is_a_row_with_a_cell_for_each_tree(browser, trees):
    """As many as JSON has, with rule, file and function, and a reason where there is none."""
    page, said = trees
    browser.open(page)
    rows = table(browser)
    assert [(file, rule) for file, _, rule, *_ in rows] == [
        (one["file"], one["rule"]) for one in said["rows"]
    ]
    assert all(cell for row in rows for cell in row)
    heads = [one.text for one in browser.all("thead th")]
    assert len(heads) == 3 + 2


def test_properties_and_call_sites_of_two_recordings_stand_beside_each_other(browser, recordings):
    """What differs most is said before, and every property of the JSON has its row."""
    page, said = recordings
    browser.open(page)
    assert [row[0] for row in table(browser)] == [one["what"] for one in said["compared"]]
    assert len(table(browser, 1)) > 1
    text = browser.one("main").text
    assert all(sentence in text for sentence in said["told"])


@pytest.mark.parametrize("which", ["trees", "recordings"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_comparisons_are_readable_and_named_throughout(browser, request, which, scheme, width):
    """Contrast, names, headings; and only the tables scroll sideways."""
    browser.look(scheme, width=width)
    browser.open(request.getfixturevalue(which)[0])
    assert browser.pale() == []
    assert browser.unnamed() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_a_wide_table_is_scrolled_by_keys(browser, trees):
    """It takes the focus, and the arrow keys move it."""
    browser.look(width=420)
    browser.open(trees[0])
    region = browser.one(".scroll")
    browser.run("arguments[0].focus()", region)
    for _ in range(5):
        browser.press(Keys.ARROW_RIGHT)
    moved = (
        "const e = arguments[0]; const done = arguments[1];"
        "setTimeout(() => done(e.scrollLeft), 400)"
    )
    assert browser.driver.execute_async_script(moved, region) > 0


@pytest.mark.parametrize("which", ["trees", "recordings"])
def test_on_paper_comparisons_are_all_there(browser, request, which):
    """Nothing is cut off at the side of a table, and no row is missing."""
    browser.look(media="print")
    browser.open(request.getfixturevalue(which)[0])
    assert table(browser)
    assert browser.run("return getComputedStyle(document.querySelector('.scroll')).overflowX") == (
        "visible"
    )


@pytest.mark.parametrize("which", ["trees", "recordings"])
def test_the_page_carries_what_json_prints(browser, request, which):
    """For a program that is handed the page alone."""
    page, said = request.getfixturevalue(which)
    browser.open(page)
    carried = browser.run("return document.querySelector('script[type=\"application/json\"]').text")
    assert json.loads(carried) == said


def test_hostile_names_of_trees_and_recordings_stay_text(browser, tmp_path):
    """Folders of trees and the name of a recording that are markup run nothing."""
    evil = EVIL.replace("/", "_")
    trees = [tmp_path / name / evil for name in ("one", "two")]
    for tree in trees:
        shutil.copytree(EXAMPLES / "linux-old", tree)
    page, _ = made(tmp_path, "check", *trees, "--arch", "x86", "--cache-dir", tmp_path / "cache")
    browser.open(page)
    assert browser.all("main script, main img") == []
    assert evil in browser.one("main").text
    trace = tmp_path / f"{evil}.gz"
    trace.write_bytes(XEN.read_bytes())
    page, _ = made(tmp_path, "trace", trace, XEN)
    browser.open(page)
    assert browser.all("main script, main img") == []
    assert evil in browser.one("main").text
