# SPDX-License-Identifier: GPL-2.0-or-later
"""Short texts found in a long one."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.index.needles import Needles, _groups


@given(st.lists(st.text("abcdefgh_", min_size=1, max_size=12), max_size=6))
def test_grouping_needles_loses_none(needles: list[str]) -> None:
    """Every needle is in one group, whose part and whose byte it contains."""
    words = [needle.encode() for needle in needles]
    groups = _groups(words)
    numbers = sorted(number for _, _, members in groups for number, _ in members)
    assert numbers == list(range(len(words)))
    for rare, part, members in groups:
        assert len(rare) == 1
        assert rare in part
        assert all(part in needle for _, needle in members)


FEW = st.text("abz_\0", min_size=1, max_size=8).map(str.encode)


@given(st.lists(FEW, min_size=1, max_size=5), st.text("abz_\0").map(str.encode), st.binary())
def test_both_searches_find_what_is_there(needles: list[bytes], text: bytes, rest: bytes) -> None:
    """The C library's and Python's, up to the size, whatever stands behind it."""
    there = [number for number, needle in enumerate(needles) if needle in text]
    buffer = bytearray(text + rest)
    for memmem in (True, False):
        assert Needles(needles, memmem).within(buffer, len(text)) == there


def test_a_buffer_that_was_searched_may_grow() -> None:
    """Nothing holds it where it is."""
    buffer = bytearray(b"needle")
    assert Needles([b"need"]).within(buffer, 6) == [0]
    buffer += bytes(1 << 20)
    assert Needles([b"need"]).within(buffer, len(buffer)) == [0]


def test_nothing_is_read_behind_a_buffer_whatever_its_size_is_said_to_be() -> None:
    """Neither by the C library nor by Python."""
    for memmem in (True, False):
        assert Needles([b"need", b"\0"], memmem).within(bytearray(b"needle"), 1 << 40) == [0]


def test_without_the_c_library_python_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that has none, or does not show it."""

    def none(_name: object) -> None:
        raise OSError("there is none")

    monkeypatch.setattr(ctypes, "CDLL", none)
    assert Needles([b"need", b"less"]).within(bytearray(b"needle"), 6) == [0]
