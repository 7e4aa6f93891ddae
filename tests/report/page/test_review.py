# SPDX-License-Identifier: GPL-2.0-or-later
"""Reviews in a browser: the series, and for each id both sides of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.cli import main
from tests.report.page.series import mailbox

TREE = Path(__file__).parents[3] / "examples" / "linux-new"
HOSTILE = "<img src=x onerror=alert(1)></script>"


def made(folder, title="fill late"):
    """The page of the series."""
    (folder / "series.mbox").write_text(mailbox(TREE, title))
    page = folder / "review.html"
    main(
        [
            "review",
            str(folder / "series.mbox"),
            "--tree",
            str(TREE),
            "-q",
            "--format",
            f"html={page}",
        ]
    )
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """One patch that brings a mistake, and one that mends another the wrong way."""
    return made(tmp_path_factory.mktemp("page"))


def test_each_patch_has_its_ids_and_each_id_leads_to_its_problem(browser, page):
    """What it brings first; by a link, which a keyboard reaches."""
    browser.open(page)
    ids = [one.text for one in browser.all(".series .fate")]
    assert ids == ["N1", "N2", "F1"]
    for one in ids:
        browser.one(f".series a[href='#{one}']").click()
        assert browser.run("return document.querySelector(':target').id") == one


def test_both_sides_of_the_code_stand_beside_each_other_line_by_line(browser, page):
    """What is the same is in one row; what the patch changed is marked, and so is what is wrong."""
    browser.open(page)
    rows = browser.run("""
        return [...document.querySelectorAll("#N2 .sides tbody tr")].map((row) =>
          [...row.querySelectorAll("td")].map((cell) => [cell.className, cell.textContent.trim()]));
    """)
    same = [row for row in rows if len(row) == 2 and row[0][1] == row[1][1] and row[0][1]]
    assert len(same) > 4
    assert [["none", ""], ["came", "lazy_mmu_mode_disable();"]] in rows
    assert any(row[1][0] == "breaks" for row in rows)
    heads = browser.one("#F1 .sides thead").text
    assert "before patch 2: release_entry()" in heads
    assert "after patch 2: release_entry()" in heads


def test_a_function_that_was_not_there_before_is_said_to_be_missing(browser, page):
    """All of it is new then."""
    browser.open(page)
    assert "there is no fill_late()" in browser.one("#N1 .sides thead").text
    assert len(browser.all("#N1 .sides td.came, #N1 .sides td.breaks")) >= 12
    assert browser.one("#N1 .frame .breaks .note").text.startswith("breaks here")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_a_review_is_readable_and_named_throughout(browser, page, scheme, width):
    """Contrast, names, headings; and only code and tables scroll sideways."""
    browser.look(scheme, width=width)
    browser.open(page)
    assert browser.pale() == []
    assert browser.unnamed() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_a_hostile_subject_stays_text(browser, tmp_path):
    """A mail is a stranger's, and what it says is shown and does nothing."""
    browser.open(made(tmp_path, HOSTILE))
    assert HOSTILE in browser.one(".series th[scope=row]").text
    assert browser.all("img, script:not([type])") == []
