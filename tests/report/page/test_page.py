# SPDX-License-Identifier: GPL-2.0-or-later
"""What all pages have in common: nothing in them acts, and nothing leaves."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from lazymmu.report.page.code import coloured_lines
from lazymmu.report.page.page import render
from lazymmu.report.verify.told_steps import Told
from lazymmu.terminal import clean

HOSTILE = (
    "</script><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
)


def page(**given):
    """A page with one counterexample's values, as far as a test gives other ones."""
    values = {"scenarios": {}, "summary": "1 run", "blocks": [], "ways": [], "left_out": 0}
    values["lifted"] = []
    return render("verify.html", title="t", verb="verify", **{**values, **given})


def test_a_page_forbids_itself_everything_but_its_own_style_and_script():
    """By hashes, so that no text that got into it could run or load anything."""
    text = page(scripts=("player.js",), styles=("player.css",))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src &#39;none&#39;")
    for kind, element in (("script-src", "script"), ("style-src", "style")):
        (inside,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in unescape(policy)
    assert "unsafe" not in policy


def test_what_is_put_in_is_text_and_no_markup():
    """In an element, in an attribute, in the title, and in the JSON."""
    text = page(
        summary=HOSTILE, scenarios={HOSTILE: Told(HOSTILE)}, data={"verify": {"name": HOSTILE}}
    )
    assert "<img" not in text
    assert text.count("<script") == 1
    assert "\\u003c/script\\u003e" in text


def test_a_name_that_a_template_asks_for_and_nobody_gave_is_an_error():
    """Not an empty place that nobody notices."""
    with pytest.raises(UndefinedError, match="is undefined"):
        render("verify.html", title="t", verb="verify", scenarios={}, summary="", ways=[])


def test_a_text_that_acts_is_spelt_out():
    """As on a terminal: what turns letters round, and what no one sees."""
    text = page(summary="a\u202eb\x1b[31m\udc80")
    assert "a\\u202eb\\x1b[31m\\udc80" in text
    assert text.encode()


@pytest.mark.parametrize("name", ["base.css", "player.css", "player.js"])
def test_no_asset_can_end_the_element_that_it_stands_in(name):
    """They are put in as they are."""
    text = (files("lazymmu.report.page") / "assets" / name).read_text()
    assert "</" not in text
    assert "<!--" not in text
    assert "http" not in text


@given(st.text(alphabet=st.sampled_from("ab/*\"\\\n\t'<>&#{};()\u202e\x1b\u00e9"), max_size=60))
def test_coloured_code_has_all_lines_and_all_letters(text):
    """Whatever the lexer makes of it, and none of them acts."""
    lines = coloured_lines(text)
    assert len(lines) == text.count("\n") + 1
    plain = [re.sub(r"<[^>]*>", "", line) for line in lines]
    expected = [clean(line) for line in text.expandtabs(8).split("\n")]
    assert [unescape(line) for line in plain] == expected
