# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of pages rest on notices what it is to notice."""

from __future__ import annotations

import pytest

BAD = {
    "request": '<img src="http://127.0.0.1:9/x.png" alt="">',
    "complaint": "<script>undefined_name()</script>",
    "pale": '<p style="color:#bbb;background:#fff">too pale to be read</p>',
    "unnamed": "<input><h3>three</h3><table><tr><td>1</td></tr></table><a href='#gone'>x</a>",
}


@pytest.fixture
def opened(whole_browser, tmp_path):
    """Opens a page with something bad in it, without the checks that follow other tests."""

    def page(kind):
        whole_browser.forget()
        file = tmp_path / "bad.html"
        file.write_text(f"<!DOCTYPE html><meta charset=utf-8>{BAD[kind]}")
        whole_browser.open(file)
        return whole_browser

    yield page
    whole_browser.forget()


def test_a_request_that_leaves_is_seen(opened):
    """Also one that nobody answers is told."""
    assert "http://127.0.0.1:9/x.png" in opened("request").requests()


def test_an_error_in_a_script_is_seen(opened):
    """A page that works by chance is no page that works."""
    assert any("undefined_name" in said for said in opened("complaint").complaints())


def test_pale_text_is_seen(opened):
    """It is told by the ratio that WCAG names."""
    assert any("too pale" in said for said in opened("pale").pale())


def test_what_has_no_name_is_seen(opened):
    """A control, a table without a caption, a heading that skips a level, a link to nowhere."""
    said = "\n".join(opened("unnamed").unnamed())
    for words in ("no name: <input>", "no caption", "no heads", "a level is left out", "#gone"):
        assert words in said
