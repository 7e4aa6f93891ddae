# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings in a browser: the calls with the file's own lines, and the counterexample beside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lazymmu.cli import main

EXAMPLES = Path(__file__).parents[3] / "examples"
TREE = EXAMPLES / "linux-new"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """All findings of the example tree."""
    file = tmp_path_factory.mktemp("page") / "check.html"
    main(
        ["check", str(TREE), "--no-cache", "-q", "--html", str(file), "--format", "json=/dev/null"]
    )
    return file


def test_every_finding_has_its_calls_from_where_it_begins_to_where_it_breaks(browser, page):
    """None is told without code, and the last thing that is marked is what is wrong."""
    browser.open(page)
    articles = browser.run("""
        return [...document.querySelectorAll(".found")].map((found) => ({
          breaks: found.querySelectorAll("tr.breaks").length,
          marks: [...found.querySelectorAll("tr.begins, tr.step, tr.breaks")]
            .map((row) => row.className),
          facts: [...found.querySelectorAll(".facts dt")].map((term) => term.textContent.trim()),
        }));
    """)
    assert len(articles) == len(browser.all(".index tbody tr")) > 30
    for one in articles:
        assert one["breaks"] >= 1
        assert one["marks"][0] in {"begins", "breaks"}
        assert any(fact.startswith(("hurts", "costs")) for fact in one["facts"])


def test_the_lines_are_those_of_the_file(browser, page):
    """Each line of code on the page stands in the tree under the number that is beside it."""
    browser.open(page)
    shown = browser.run("""
        return [...document.querySelectorAll(".frame")].flatMap((frame) => {
          const file = frame.querySelector("cite").textContent.split(":")[0];
          return [...frame.querySelectorAll(".code tr:not(.gap)")].map((row) => [
            file,
            Number(row.querySelector("th").textContent),
            row.querySelector("code").textContent,
          ]);
        });
    """)
    assert len(shown) > 200
    for file, number, code in shown:
        assert code == (TREE / file).read_text().splitlines()[number - 1].expandtabs(8)


def test_a_finding_whose_harm_a_scenario_shows_has_the_counterexample_beside_it(browser, page):
    """Itself, or a link that brings it from where it stands."""
    browser.open(page)
    for found in browser.all(".found"):
        scenarios = found.find_elements("css selector", ".facts dd .quiet code")
        if any(word.text for word in scenarios):
            assert found.find_elements("css selector", ".beside .way, .beside [data-bring]")
    link = browser.one("[data-bring]")
    number = link.get_attribute("data-bring")
    article = browser.run("return arguments[0].closest('.found').id", link)
    link.click()
    assert (
        browser.run(f"return document.getElementById('{number}').closest('.found').id") == article
    )
    browser.run(f"document.querySelector('#{number} [data-go=on]').click()")
    assert browser.one(f"#{number} output").text.startswith("1 /")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1600, 420])
def test_findings_are_readable_and_named_throughout(browser, page, scheme, width):
    """Contrast, names, levels of headings; and only code and tables scroll sideways."""
    browser.look(scheme, width=width)
    browser.open(page)
    assert browser.pale() == []
    assert browser.unnamed() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_a_link_of_the_index_leads_to_its_finding(browser, page):
    """By keyboard as well: it is a link like any other."""
    browser.open(page)
    browser.all(".index th a")[4].click()
    assert browser.driver.current_url.endswith("#finding-5")
    assert browser.run("return document.querySelector(':target').id") == "finding-5"


def test_hostile_names_of_a_tree_stay_text(browser, tmp_path, capsys):
    """A file, a comment in it and the tree itself are called what would be markup."""
    tree, out = tmp_path / HOSTILE, tmp_path / "page.html"
    shutil.copytree(TREE, tree)
    bad = f"{HOSTILE}.c"
    text = (tree / "mm/wrong_free.c").read_text()
    (tree / "mm" / bad).write_text(text.replace("/* expect", f"/* </td></script>{HOSTILE} expect"))
    (tree / "mm/wrong_free.c").write_text(f'#include "{bad}"\n')
    assert main(["check", str(tree), "--no-cache", "-q", "--format", f"html={out}"]) == 1
    capsys.readouterr()
    browser.open(out)
    assert HOSTILE in browser.one("h1").text
    assert any(bad in cite.text for cite in browser.all("cite"))
    assert any(f"</td></script>{HOSTILE}" in code.text for code in browser.all(".breaks code"))
    assert browser.all("img, main script") == []


def test_the_page_carries_both_results(page, capsys):
    """What `check --format json` prints, and the counterexamples for `verify --replay`."""
    text = page.read_text()
    assert 'id="lazymmu-check">{"format":1,' in text
    assert len(text) < 1_000_000
    assert main(["verify", "--replay", str(page), "--format", "csv"]) == 1
    assert "section-open-at-user-return" in capsys.readouterr().out
