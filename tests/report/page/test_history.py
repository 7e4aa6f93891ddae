# SPDX-License-Identifier: GPL-2.0-or-later
"""Histories in a browser: the matrix, and from each cell to both sides of the code."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from lazymmu.cli import main

EXAMPLES = Path(__file__).parents[3] / "examples"
HOSTILE = "<img src=x onerror=alert(1)></script>"

LEAKS = """
void fill(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	arch_enter_lazy_mmu_mode();
	set_pte_at(mm, addr, pte, value);
	pte_unmap_unlock(pte, ptl);
	arch_leave_lazy_mmu_mode();
}
"""
MENDED = LEAKS.replace(
    "\tpte_unmap_unlock(pte, ptl);\n\tarch_leave_lazy_mmu_mode();",
    "\tarch_leave_lazy_mmu_mode();\n\tpte_unmap_unlock(pte, ptl);",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that the tests of this file share."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def page(tmp_path_factory, store):
    """Two releases, of which the later has one function mended and another one gone."""
    folder = tmp_path_factory.mktemp("page")
    for place, version, text in ((folder / "a", 12, LEAKS), (folder / "b", 13, MENDED)):
        shutil.copytree(EXAMPLES / "linux-old", place)
        makefile = (place / "Makefile").read_text()
        (place / "Makefile").write_text(makefile.replace("LEVEL = 12", f"LEVEL = {version}"))
        with open(place / "mm" / "wrong_order.c", "a") as file:
            file.write(text)
    (folder / "b" / "mm" / "wrong_free.c").write_text("int nothing;\n")
    made(folder, store, folder / "a", folder / "b")
    return folder / "history.html"


def made(folder, store, *arguments):
    """The page of a history, and the code of the command."""
    words = [*map(str, arguments), "--arch", "x86", "-q", "--cache-dir", str(store)]
    return main(["history", *words, "--format", f"html={folder / 'history.html'}"])


def row_of(browser, function):
    """The row of a problem in a function."""
    return next(
        row
        for row in browser.all(".matrix tbody tr")
        if f" {function}()" in row.find_element("css selector", "th").text
    )


def test_each_cell_says_what_its_release_has_and_leads_to_both_sides(browser, page):
    """By a link, which a keyboard reaches; the target has two sides and is there."""
    browser.open(page)
    cells = browser.all(".matrix tbody td.fate")
    links = browser.all(".matrix tbody td.fate a")
    assert len(cells) == len(links) > 20
    assert {one.text for one in links} <= {"there", "fixed", "not yet", "hidden", "moved"}
    gone = browser.run("""
        return [...document.querySelectorAll(".matrix td.fate a")].filter((link) => {
          const place = document.getElementById(link.getAttribute("href").slice(1));
          return !place || !place.querySelector(".sides thead th + th");
        }).length;
    """)
    assert gone == 0


def test_what_a_release_has_mended_stands_beside_what_it_was(browser, page):
    """What is the same is in one row; what was wrong is marked, and so is what came."""
    browser.open(page)
    row = row_of(browser, "fill")
    assert [one.text for one in row.find_elements("css selector", "td.fate")] == ["there", "fixed"]
    row.find_elements("css selector", "td.fate a")[1].click()
    heads = browser.run("return document.querySelector(':target thead').textContent")
    assert "6.12.0-example: fill()" in heads
    assert "6.13.0-example: fill()" in heads
    rows = browser.run("""
        return [...document.querySelectorAll(":target .sides tbody tr")].map((row) =>
          [...row.querySelectorAll("td")].map((cell) => [cell.className, cell.textContent.trim()]));
    """)
    assert any(cell == ["came", "arch_leave_lazy_mmu_mode();"] for row in rows for cell in row)
    assert any(cell[0] == "breaks" for row in rows for cell in row)
    assert browser.run("return document.querySelector(':target h3').textContent") == (
        "6.12.0-example: there, 6.13.0-example: fixed"
    )


def test_a_function_that_a_release_has_no_more_is_said_to_be_missing(browser, page):
    """Its file may be there, and is named."""
    browser.open(page)
    heads = [one.text for one in browser.all(".sides thead")]
    assert any("6.13.0-example: there is no" in one for one in heads)


def test_the_page_carries_the_answer_as_json(browser, page):
    """What --format json prints, for a program that is handed the page."""
    browser.open(page)
    names = browser.run("""
        return JSON.parse(document.querySelector("script[type='application/json']").textContent)
          .releases.map((one) => one.name);
    """)
    assert names == ["6.12.0-example", "6.13.0-example"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_a_history_is_readable_and_named_throughout(browser, page, scheme, width):
    """Contrast, names, headings; and only code and tables scroll sideways."""
    browser.look(scheme, width=width)
    browser.open(page)
    assert browser.pale() == []
    assert browser.unnamed() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_hostile_names_of_commits_and_tags_stay_text(browser, tmp_path, store):
    """A repository is a stranger's: what its commits say is shown, and does nothing."""
    tree = tmp_path / "tree"
    shutil.copytree(EXAMPLES / "linux-old", tree)
    environment = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin"}

    def git(*words):
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", "-C", tree, *who, *words], check=True, env=environment)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    with open(tree / "mm" / "wrong_order.c", "a") as file:
        file.write(LEAKS)
    git("commit", "-q", "-a", "-m", HOSTILE)
    made(tmp_path, store, "--git", tree, "--range", "HEAD~1..HEAD", "--every", "commit")
    browser.open(tmp_path / "history.html")
    assert any(HOSTILE in one.text for one in browser.all("section .on"))
    assert browser.all("img, script:not([type])") == []


def test_of_a_tree_that_is_none_the_page_says_why(tmp_path, store):
    """Its column says nothing, and leads to the problem as a whole."""
    (tmp_path / "none").mkdir()
    assert made(tmp_path, store, EXAMPLES / "linux-old", tmp_path / "none") == 1
    text = (tmp_path / "history.html").read_text()
    assert "not a kernel source tree" in text
    assert 'class="fate inconclusive"><a href="#H1">inconclusive</a>' in text
    start = text.index('type="application/json"')
    carried = text[text.index(">", start) + 1 : text.index("</script>", start)]
    assert any(one["trouble"] for one in json.loads(carried)["releases"])
