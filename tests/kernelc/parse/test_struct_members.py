# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of members in their order, and initialisers that go by place."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.ops_tables import read_initialisers
from lazymmu.kernelc.parse.struct_members import members, with_names

OPS = b"""
struct other { int x; };
struct scan_ops {
\t/* on; off; */
\tvoid (*on)(void);\t// first
\tint number, more[3], *last;
#ifdef CONFIG_X
\tunsigned long flags : 3;
#endif
\tstruct { int a; int b; } pair;
\tint (*const off)(struct mm_struct *mm, int (*fn)(void));
\tunion { int c; int d; };
\tint behind;
};
"""


def test_members_stand_in_their_order() -> None:
    """Pointers to functions, several of one type, bit fields, and structures within."""
    found = members(OPS, "scan_ops")
    assert found == ("on", "number", "more", "last", "flags", "pair", "off")
    assert members(OPS, "other") == ("x",)
    assert members(OPS, "scan") == ()


@pytest.mark.parametrize(
    ("table", "held"),
    [
        ("ops = { scan_on, 3 }", [("on", "scan_on")]),
        ("ops = { &scan_on, 3, { 1, two }, NULL, }", [("on", "scan_on"), ("last", "NULL")]),
        ("ops = {\n\tscan_on,\t/* a, b */\n\tseven,\n}", [("on", "scan_on"), ("number", "seven")]),
        ("ops[] = { { scan_on }, { scan_two, 1 } }", [("on", "scan_on"), ("on", "scan_two")]),
        ("ops = { .off = scan_off, scan_more }", [("off", "scan_off")]),
        ("ops = { A | B, fn(x), c + d, 0 }", []),
        ("ops = { { inner, 1 }, two }", [("number", "two")]),
    ],
)
def test_what_is_given_by_place_has_the_member_s_name(
    table: str, held: list[tuple[str, str]]
) -> None:
    """A name that stands alone is one; what is reckoned, called or within another is none."""
    text = OPS + f"static const struct scan_ops {table};\n".encode()
    items = (item for _, item in read_initialisers("a.c", text))
    found = [(i.field, i.function) for i in with_names(items, partial(members, text))]
    assert found == held


def test_places_of_a_structure_that_nobody_knows_are_left_out() -> None:
    """Nothing is said of a member whose name is not known; those with a name are."""
    text = b"static struct far x = { one, .two = three };"
    items = [item for _, item in read_initialisers("a.c", text)]
    assert [item.field for item in items] == ["#0", "two"]
    assert [i.field for i in with_names(items, lambda _: ())] == ["two"]


@given(st.text(alphabet="struct x={(*a),b};:[]\n#/*", max_size=120))
def test_any_text_has_members(text: str) -> None:
    """No text makes the reader fail."""
    found = members(text.encode(), "x")
    assert all(name.isidentifier() or name[0].isdigit() for name in found)
