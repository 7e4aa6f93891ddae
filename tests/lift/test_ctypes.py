# SPDX-License-Identifier: GPL-2.0-or-later
"""C types as far as lifted code needs them: members, widths, and what a variable holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.lift.arithmetic import arithmetic
from lazymmu.lift.ctypes import CType, declarations, typed


def members(body: str) -> dict[str, CType]:
    """Types of members by name."""
    return {one.name: one.type for one in declarations(body)}


def test_members_have_the_types_that_they_are_declared_with():
    """Stars, dimensions, several names behind one type, comments and #if between them."""
    found = members(
        """
        u8 enable_count;  /* nested; */
    #ifdef CONFIG_SMP
        struct mm_struct *mm, **other;
    #endif
        unsigned long vaddrs[TLB_BATCH_NR], nr;
        unsigned int on:1;
        const struct lazy_mmu_state state;
        void (*enter)(void);
        """
    )
    assert found == {
        "enable_count": CType("u8"),
        "mm": CType("struct mm_struct", 1),
        "other": CType("struct mm_struct", 2),
        "vaddrs": CType("unsigned long", 0, ("TLB_BATCH_NR",)),
        "nr": CType("unsigned long"),
        "on": CType("unsigned int", bits=1),
        "state": CType("struct lazy_mmu_state"),
        "enter": CType("function", 1),
    }


def test_what_is_inside_of_a_member_without_a_tag_is_kept():
    """Members of an anonymous structure belong to the one around it."""
    (outer,) = declarations("struct { int a; struct { int b; } c; } d;")
    assert (outer.name, [one.name for one in outer.inside]) == ("d", ["a", "c"])
    (inner,) = declarations("union { int a; long b; };")
    assert (inner.name, [one.name for one in inner.inside]) == ("", ["a", "b"])


@pytest.mark.parametrize(
    ("spelled", "value", "held"),
    [
        ("u8", -1, 255),
        ("u8", 256, 0),
        ("bool", 7, 1),
        ("int", 1 << 31, -(1 << 31)),
        ("unsigned long", -1, (1 << 64) - 1),
        ("enum xen_lazy_mode", 2, 2),
        ("struct page *", -1, -1),
    ],
)
def test_a_variable_holds_what_its_width_leaves(spelled, value, held):
    """An integer wraps, a truth value is 0 or 1, and a pointer is left alone."""
    assert typed(spelled).wrapped(value) == held


@given(st.integers(), st.sampled_from(["u8", "int", "unsigned long", "s16", "bool"]))
def test_what_is_held_is_held_again(value, spelled):
    """Storing what a variable holds changes nothing."""
    kind = typed(spelled)
    assert kind.wrapped(kind.wrapped(value)) == kind.wrapped(value)


@given(st.text(max_size=200))
def test_no_text_between_braces_breaks_the_reader(body):
    """Whatever a stranger's structure says, its members are read or left out."""
    for one in declarations(body):
        assert isinstance(one.name, str)


@given(st.integers(-100, 100), st.integers(-100, 100).filter(bool))
def test_division_is_that_of_c(a, b):
    """The quotient goes to zero, and the remainder has the sign of what is divided."""
    quotient, rest = arithmetic("/", a, b), arithmetic("%", a, b)
    assert quotient is not None
    assert rest is not None
    assert quotient * b + rest == a
    assert abs(rest) < abs(b)
    assert rest == 0 or (rest < 0) == (a < 0)


def test_what_c_leaves_open_has_no_value():
    """Division by zero, and shifts by more than there are bits."""
    assert arithmetic("/", 1, 0) is None
    assert arithmetic("<<", 1, 64) is None
    assert arithmetic("?", 1, 1) is None
