# SPDX-License-Identifier: GPL-2.0-or-later
"""Words that a spliced line cuts in two."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.preprocess.line_splicing import plain_lines, whole_words


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (b"lazy_\\\nmmu();", b"lazy_mmu\\\n();"),
        (b"la\\\nzy_\\\nmmu;", b"lazy_mmu\\\n\\\n;"),
        (b"la\\\n\\\nzy;", b"lazy\\\n\\\n;"),
        (b"la\\\r\nzy;", b"lazy\\\r\n;"),
    ],
)
def test_a_cut_word_is_whole_again(text: bytes, whole: bytes) -> None:
    """The backslash and the newline go behind it, so that the line is still continued."""
    assert whole_words(text) == whole


@pytest.mark.parametrize("text", [b"a \\\n b", b"#define f(x) \\\n\tg(x)", b"a\nb", b"\\\n", b""])
def test_what_cuts_no_word_stays(text: bytes) -> None:
    """A macro's continued lines are left alone."""
    assert whole_words(text) == text


@given(st.text(alphabet="ab_ ;(\\\n\r", max_size=60).map(str.encode))
def test_splicing_it_properly_gives_the_same_text(text: bytes) -> None:
    """Nothing but the place of a splice changes: not the length, not the lines, not the code."""
    whole = whole_words(text)
    assert len(whole) == len(text)
    assert whole.count(b"\n") == text.count(b"\n")
    spliced = re.compile(rb"\\\r?\n")
    assert spliced.sub(b"", whole) == spliced.sub(b"", text)
    assert re.search(rb"\w\\\r?\n\w", whole) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (b"a;\r\nb;\r\n", b"a; \nb; \n"),
        (b"#define f(x) \\\r\n\tg(x)\r\n", b"#define f(x)  \\\n\tg(x) \n"),
        (b"a\rb\n", b"a\rb\n"),
        (b"", b""),
    ],
)
def test_a_line_may_end_with_a_carriage_return(text: bytes, plain: bytes) -> None:
    """As it does in a patch that came by mail; continued lines stay continued."""
    assert plain_lines(text) == plain
    assert len(plain) == len(text)
