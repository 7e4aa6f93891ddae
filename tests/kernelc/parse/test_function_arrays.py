# SPDX-License-Identifier: GPL-2.0-or-later
"""Arrays of pointers to functions are read as files have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.function_arrays import read_arrays


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("static void (*const steps[])(struct mm *) = { quick, slow };", ("quick", "slow")),
        ("void (*steps[2])(int) = {\n\tquick,\t/* first, */\n\t&slow,\n};", ("quick", "slow")),
        ("static const step_fn steps[] __ro_after_init = { [A] = quick, };", ("quick",)),
        ("static step_fn *steps[N_STEPS] = { [A] = &quick, NULL };", ("quick", "NULL")),
        ("static const step_fn steps[] = { quick, wrap(slow) };", ("quick", "")),
    ],
)
def test_the_names_of_an_array_are_read(text: str, held: tuple[str, ...]) -> None:
    """By place, with designators, addresses, comments; what is no name is told as nothing."""
    assert read_arrays(text.encode()) == {"steps": held}


@pytest.mark.parametrize(
    "text",
    [
        "\tvoid (*steps[])(int) = { quick, slow };",
        "static const int sizes[] = { 1, 2 };",
        "static const struct ops all[] = { { quick }, { slow } };",
        "static step_fn steps[2];",
        "void (*step)(int) = quick;",
    ],
)
def test_what_holds_no_names_is_no_array_of_functions(text: str) -> None:
    """A function's own, one of numbers, one of structures, one that is given nothing."""
    assert read_arrays(text.encode()) == {}


@given(st.text(alphabet="a[](){}*=,;_ \n\t/&", max_size=300))
def test_any_text_is_read(text: str) -> None:
    """No text makes the reader fail, and each element is a word or nothing."""
    for held in read_arrays(text.encode()).values():
        assert all(not name or name.isidentifier() for name in held)
