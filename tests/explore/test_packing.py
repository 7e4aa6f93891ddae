# SPDX-License-Identifier: GPL-2.0-or-later
"""Packed states hold what was put in, whatever the widths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.explore.model import StateField
from lazymmu.explore.packing import TOP_BIT, WORD_BITS, Values, bits, plan, tight

WIDTHS = st.lists(st.integers(0, 20), max_size=40)


@given(WIDTHS, st.data())
def test_what_is_packed_comes_out(widths, data):
    """Each field has its own bits, and no word is zero."""
    numbers = tuple(data.draw(st.integers(0, (1 << width) - 1)) for width in widths)
    packing = plan(widths)
    packed = packing.pack(numbers)
    assert tuple(packing.number(packed, field) for field in range(len(widths))) == numbers
    assert all(TOP_BIT <= word < 2 * TOP_BIT for word in packed)


@given(WIDTHS)
def test_fields_do_not_overlap(widths):
    """Every bit of every word has at most one owner, and the highest has none."""
    packing = plan(widths)
    owned = [
        (word, shift + bit)
        for word, shift, width in zip(packing.word, packing.shift, packing.width, strict=True)
        for bit in range(width)
    ]
    assert len(set(owned)) == len(owned)
    assert all(bit < WORD_BITS and word < packing.words for word, bit in owned)


@given(st.integers(1, 1 << 40))
def test_bits_are_just_enough(values):
    """So many bits can tell the values apart, and one fewer cannot."""
    width = bits(values)
    assert values <= 1 << width
    assert width == 0 or values > 1 << (width - 1)


@given(st.lists(st.one_of(st.none(), st.integers(1, 5000)), max_size=30), st.data())
def test_a_tight_packing_has_room_and_no_word_too_many(sizes, data):
    """All known values fit, in as few words as without any room to spare."""
    values = [Values(StateField(f"f{place}", size)) for place, size in enumerate(sizes)]
    for one in values:
        for value in range(data.draw(st.integers(1, 40)) if one.open else 0):
            one.number(min(value, (one.field.values or 40) - 1))
    packing = tight(values)
    assert all(len(one) <= 1 << width for one, width in zip(values, packing.width, strict=True))
    assert packing.words == plan([bits(len(one)) for one in values]).words


@given(st.lists(st.one_of(st.text(max_size=2), st.integers(), st.booleans())))
def test_values_have_numbers_in_the_order_of_meeting(met):
    """Equal values have the same number, different ones have not, and numbers lead back."""
    values = Values(StateField("open"))
    numbers = [values.number(value) for value in met]
    assert [values.known[number] for number in numbers] == met
    assert len(values) == len(set(met))
    assert sorted(set(numbers)) == list(range(len(values)))
