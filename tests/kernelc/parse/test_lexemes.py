# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest pieces of C text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.lexemes import without_comments


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (b"a; /* b */ c;", b"a;         c;"),
        (b"a; // b\nc;", b"a;     \nc;"),
        (b"/* b\n * c */ d;", b"    \n        d;"),
        (b'f("/* no */", "//"); // yes', b'f("/* no */", "//");       '),
        (b"f('\"'); /* b */", b"f('\"');        "),
        (b"a / b;", b"a / b;"),
    ],
)
def test_comments_are_blanked_and_nothing_else(text: bytes, left: bytes) -> None:
    """What is in quotes is no comment, and code behind a comment stays in its column."""
    assert without_comments(text) == left


@given(st.text("/*\"'\\\na ", max_size=60).map(str.encode))
def test_blanking_comments_moves_nothing(text: bytes) -> None:
    """Each byte is as it was or a space, and every newline stays."""
    left = without_comments(text)
    assert len(left) == len(text)
    assert all(new in (old, 0x20) for old, new in zip(text, left, strict=True))
    assert left.count(b"\n") == text.count(b"\n")
