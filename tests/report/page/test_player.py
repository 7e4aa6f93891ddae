# SPDX-License-Identifier: GPL-2.0-or-later
"""Counterexamples in a browser: slider, keys, address, and what a screen reader is told."""

from __future__ import annotations

import json

import pytest
from selenium.webdriver.common.keys import Keys

from lazymmu.cli import main
from lazymmu.litmus import shipped

ONE = ("verify", "--scenario", "pagemap-scan-unlocks-first", "--arch", "x86", "-q")
SEVERAL = ("verify", "--scenario", "unlock-with-write-pending,hash-stuck-active", "-q")


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A page with one counterexample, of eleven steps."""
    file = tmp_path_factory.mktemp("page") / "one.html"
    main([*ONE, "--format", f"html={file}"])
    return file


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """A page with more than one."""
    file = tmp_path_factory.mktemp("page") / "several.html"
    main([*SEVERAL, "--format", f"html={file}"])
    return file


def step(browser):
    """Where the first player says it is: by its number, its slider, its card and its table."""
    told = browser.run("""
        const way = document.querySelector(".way");
        const cards = [...way.querySelectorAll(".card")].filter((card) => !card.hidden);
        return [
          way.querySelector("output").textContent.split(" ")[0],
          way.querySelector("input").value,
          ...cards.map((card) => card.dataset.step),
          way.querySelector(".lanes [aria-current]").dataset.step,
          way.querySelector(".steps [aria-current] th").textContent,
        ];
    """)
    assert len(set(told)) == 1, told
    return int(told[0])


def test_arrow_keys_step_and_stop_at_both_ends(browser, one):
    """Nobody has to find the slider first."""
    browser.open(one)
    assert step(browser) == 0
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert step(browser) == 3
    browser.press(Keys.ARROW_LEFT)
    assert step(browser) == 2
    browser.press(Keys.END)
    assert step(browser) == 11
    browser.press(Keys.ARROW_RIGHT)
    assert step(browser) == 11
    browser.press(Keys.HOME, Keys.ARROW_LEFT)
    assert step(browser) == 0


def test_the_slider_follows_the_mouse_and_keys_of_its_own(browser, one):
    """A step at the far right is reached by dragging, the one before it by a key."""
    browser.open(one)
    slider = browser.one(".way input")
    browser.drag(slider, slider.size["width"])
    assert step(browser) == 11
    browser.press(Keys.ARROW_LEFT)
    assert step(browser) == 10


def test_buttons_and_heads_of_columns_go_to_their_steps(browser, one):
    """Whoever points gets there as well; at an end the button says that it leads nowhere."""
    browser.open(one)
    assert not browser.one("[data-go=back]").is_enabled()
    browser.one("[data-go=on]").click()
    browser.one("[data-go=on]").click()
    browser.one("[data-go=back]").click()
    assert step(browser) == 1
    browser.one(".lanes thead [data-step='7']").click()
    assert step(browser) == 7
    browser.one("[data-go=last]").click()
    assert step(browser) == 11
    assert not browser.one("[data-go=on]").is_enabled()


def test_the_address_names_the_step_and_leads_back_to_it(browser, one):
    """A mail can say which step it means, as `#step=3` behind the page's name."""
    browser.open(one, "#step=3")
    assert step(browser) == 3
    browser.press(Keys.ARROW_RIGHT)
    assert browser.driver.current_url.endswith("#step=4")
    browser.run("location.hash = '#step=9'")
    assert step(browser) == 9


@pytest.mark.parametrize(
    "fragment", ["#step=x", "#step=-1", "#step=", "#way=9&step=2", "#%", "#a=b"]
)
def test_an_address_that_names_no_step_is_not_followed(browser, one, fragment):
    """It is a stranger's, like all input; the page begins at its beginning."""
    browser.open(one, fragment)
    assert step(browser) == 0


def test_a_step_beyond_the_end_is_the_last(browser, one):
    """As of a way that has become shorter since the address was written."""
    browser.open(one, "#step=999")
    assert step(browser) == 11


def test_what_holds_after_a_step_is_said_beside_it(browser, one):
    """After step 6 a write and a flush are queued, and memory has the old value."""
    browser.open(one, "#step=6")
    said = browser.one(".now").text
    for words in ("flushes the TLB: p, queued", "set A:ro:wp p", "flush p", "p in memory"):
        assert words in said
    assert "arch/x86/xen/mmu_pv.c" in said
    changed = browser.run(
        "return [...document.querySelectorAll('.state .changed')].map(e => e.textContent)"
    )
    assert changed == ["flush p"]


def test_the_slider_tells_a_screen_reader_what_the_step_is(browser, one):
    """A number alone says nothing to who cannot see the lanes."""
    browser.open(one, "#step=7")
    assert browser.one(".way input").get_attribute("aria-valuetext") == (
        "7 of 11: CPU0 · T0: drops L"
    )
    assert browser.one(".now").get_attribute("aria-live") == "polite"


def test_keys_move_the_counterexample_that_was_touched_last(browser, several):
    """Each on a page is stepped through for itself, and the address says which."""
    browser.open(several)
    ways = browser.all(".way")
    assert len(ways) > 1
    ways[1].find_element("css selector", "[data-go=on]").click()
    browser.press(Keys.ARROW_RIGHT)
    assert browser.driver.current_url.endswith("#way=2&step=2")
    assert browser.run("return [...document.querySelectorAll('.way input')].map(e => e.value)")[
        :2
    ] == [
        "0",
        "2",
    ]
    browser.open(several, "#way=2&step=3")
    assert browser.all(".way input")[1].get_attribute("value") == "3"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_a_page_is_readable_and_named_throughout(browser, several, scheme, width):
    """Contrast of 4.5 at least, a name for each control, and only tables scroll sideways."""
    browser.look(scheme, width=width)
    browser.open(several, "#step=2")
    assert browser.pale() == []
    assert browser.unnamed() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_on_paper_there_are_lanes_and_steps_and_no_controls(browser, several):
    """What moves is left out, and nothing that it showed is lost."""
    browser.look(media="print")
    browser.open(several)
    assert not any(one.is_displayed() for one in browser.all(".controls, .now"))
    assert all(one.is_displayed() for one in browser.all(".lanes, .steps"))
    assert browser.pale() == []


def test_without_scripts_everything_is_there_to_read(browser, one):
    """Controls that would do nothing are not shown."""
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(one)
        assert not browser.one(".controls").is_displayed()
        assert browser.one(".lanes").is_displayed()
        assert len(browser.all(".steps tbody tr")) == 12
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_page_carries_its_json_and_its_counterexamples_can_be_taken_again(one, capsys):
    """`verify --replay page.html` needs neither the search nor another file."""
    assert main(["verify", "--replay", str(one), "--format", "json"]) == 1
    again = json.loads(capsys.readouterr().out)
    assert {result["scenario"] for result in again["results"]} == {"pagemap-scan-unlocks-first"}
    assert {result["rule"] for result in again["results"]} >= {"lost-update", "finally"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<!DOCTYPE html><p>none</p>", "this page carries no result of lazymmu verify"),
        (
            '<!doctype html><script type="application/json" id="lazymmu-verify">{</script>',
            "no JSON",
        ),
        (
            '<!DOCTYPE html><script type="application/json" id="lazymmu-verify">[]</script>',
            "no output",
        ),
    ],
)
def test_a_page_that_carries_nothing_is_refused_in_one_sentence(tmp_path, capsys, text, sentence):
    """Whatever page somebody hands in, nothing of it is taken for a result."""
    file = tmp_path / "page.html"
    file.write_text(text)
    assert main(["verify", "--replay", str(file)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_hostile_sentence_of_a_litmus_file_stays_text(browser, tmp_path, capsys):
    """The file is a stranger's; what it says is shown, and does nothing."""
    bad = "</script><img src=x onerror=alert(1)><script>alert(2)</script>"
    scenario = shipped.text("unlock-with-write-pending")
    told = scenario.split('"')[1]
    file, out = tmp_path / "bad.litmus", tmp_path / "page.html"
    file.write_text(scenario.replace(told, bad))
    main(["litmus", str(file), "-q", "--html", str(out)])
    capsys.readouterr()
    browser.open(out)
    assert bad in browser.one(".lead").text
    assert browser.all("img, main script") == []
