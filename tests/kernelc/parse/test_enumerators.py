# SPDX-License-Identifier: GPL-2.0-or-later
"""The numbers of enumerators, as far as a file says them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.enumerators import read_enumerators


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("enum a { ONE, TWO, THREE };", {"ONE": "0", "TWO": "1", "THREE": "2"}),
        ("enum { A = 5, B, C = 0x10, D = 010, E = A, };", "A5 B6 C16 D8 E5"),
        ("enum { A, B = 1 << 3, C, D = 2, E };", "A0 D2 E3"),
        ("typedef enum x { A /* one, two */, B } x_t;", "A0 B1"),
        ("enum { A,\n#ifdef X\nB,\n#endif\nC };", {}),
        ("enum a { A };\nenum b { B, A };", "B0"),
        ("enum way way(enum way a) { return b; }", {}),
        ("struct s { enum a b; } c = { D };", {}),
    ],
)
def test_enumerators_count_from_the_one_before(text: str, values: dict[str, str] | str) -> None:
    """What is no number, or hangs on the configuration, is left out, and what is twice."""
    if isinstance(values, str):
        values = {item[0]: item[1:] for item in values.split()}
    assert read_enumerators(text.encode()) == values


@given(st.text(alphabet="enum {}=,;()ABx019/*#\n", max_size=80))
def test_any_text_is_read(text: str) -> None:
    """Whatever stands there, names come with numbers, and nothing is raised."""
    assert all(value.isdigit() for value in read_enumerators(text.encode()).values())
