# SPDX-License-Identifier: GPL-2.0-or-later
"""The algebra of presence conditions, held against all configurations of a few symbols."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.presence import (
    ALWAYS,
    MAX_CLAUSES,
    MAX_LITERALS,
    NEVER,
    PresenceCondition,
    both,
    either,
    literals,
    negated,
    simplify,
    symbol_of,
    unevaluated,
    uses_unevaluated,
)

SYMBOLS = "ABCDE"
EVERY = [dict(zip(SYMBOLS, states, strict=True)) for states in product((False, True), repeat=5)]
"""All configurations of the symbols."""

LITERAL = st.builds("{}CONFIG_{}".format, st.sampled_from(["", "!"]), st.sampled_from(SYMBOLS))
CLAUSE = st.lists(LITERAL, min_size=1, max_size=4).map(" || ".join)
CONDITION = st.one_of(st.just(NEVER), st.lists(CLAUSE, max_size=5).map(tuple))
MANY = st.lists(
    st.builds("CONFIG_{}{}".format, st.sampled_from(SYMBOLS), st.integers(0, 999)),
    min_size=2,
    max_size=150,
    unique=True,
).map(tuple)


def holds(condition: PresenceCondition, on: dict[str, bool]) -> bool:
    """Whether a condition holds in a configuration, by its words alone."""
    return all(
        any(on[word[-1]] != word.startswith("!") for word in clause.split(" || ") if word)
        for clause in condition
    )


def where(condition: PresenceCondition) -> list[bool]:
    """In which of all configurations a condition holds."""
    return [holds(condition, on) for on in EVERY]


@given(CONDITION, CONDITION)
def test_both_holds_where_each_holds(left: PresenceCondition, right: PresenceCondition) -> None:
    """A conjunction holds in the configurations in which both of its sides hold, and no other."""
    assert where(both(left, right)) == [
        one and other for one, other in zip(where(left), where(right), strict=True)
    ]


@given(CONDITION, CONDITION)
def test_either_holds_where_one_holds(left: PresenceCondition, right: PresenceCondition) -> None:
    """A disjunction holds in the configurations in which one of its sides holds, and no other."""
    assert where(either(left, right)) == [
        one or other for one, other in zip(where(left), where(right), strict=True)
    ]


@given(CONDITION)
def test_negated_holds_where_the_condition_does_not(condition: PresenceCondition) -> None:
    """A negation holds in all other configurations, and two of them change nothing."""
    assert where(negated(condition)) == [not one for one in where(condition)]
    assert where(negated(negated(condition))) == where(condition)


@given(CONDITION)
def test_simplify_keeps_the_meaning_and_shortens(condition: PresenceCondition) -> None:
    """A simplified condition says the same, has no clause too many, and stays as it is."""
    short = simplify(condition)
    assert where(short) == where(condition)
    assert len(short) <= len(condition)
    assert simplify(short) == short
    clauses = [set(literals(clause)) for clause in short]
    assert not any(one <= other for one in clauses for other in clauses if one is not other), (
        "one clause follows from another"
    )
    assert not any(f"!{word}" in clause for clause in clauses for word in clause)


@given(CONDITION, CONDITION, CONDITION)
def test_the_order_of_joining_does_not_matter(
    one: PresenceCondition, two: PresenceCondition, three: PresenceCondition
) -> None:
    """Both operations may be carried out in any order and from either side."""
    for join in (both, either):
        assert where(join(one, two)) == where(join(two, one))
        assert where(join(join(one, two), three)) == where(join(one, join(two, three)))


@given(MANY, MANY, st.data())
def test_beyond_the_bounds_a_condition_gets_weaker(
    left: PresenceCondition, right: PresenceCondition, data: st.DataObject
) -> None:
    """The result is bounded, and holds wherever the exact one would, however many there are."""
    words = sorted({*left, *right})
    on = set(data.draw(st.lists(st.sampled_from(words), max_size=200)))

    def true(condition: PresenceCondition) -> bool:
        return all(any(word in on for word in literals(clause)) for clause in condition)

    for join, expected in ((both, all), (either, any)):
        found = join(left, right)
        assert len(found) <= MAX_CLAUSES
        if expected((true(left), true(right))):
            assert true(found)
    on = set(words)
    assert true(both(left, right))
    assert true(either(left, right))


def test_a_clause_with_too_many_literals_is_left_out() -> None:
    """It would be left out of what is shown and asked, which only makes the condition weaker."""
    condition: PresenceCondition = ("CONFIG_S0",)
    for index in range(1, MAX_LITERALS):
        condition = either(condition, (f"CONFIG_S{index}",))
    assert len(literals(condition[0])) == MAX_LITERALS
    assert either(condition, ("CONFIG_MORE",)) == ALWAYS


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("CONFIG_A",), ("CONFIG_B",), ("CONFIG_A || CONFIG_B",)),
        (("CONFIG_A",), ("!CONFIG_A",), ALWAYS),
        (("CONFIG_A",), ("CONFIG_A", "CONFIG_B"), ("CONFIG_A",)),
        (("CONFIG_A", "CONFIG_B"), ("CONFIG_A", "!CONFIG_B"), ("CONFIG_A",)),
        (("CONFIG_A",), ("CONFIG_A || CONFIG_B",), ("CONFIG_A || CONFIG_B",)),
        (
            ("CONFIG_A", "CONFIG_B"),
            ("CONFIG_C",),
            ("CONFIG_A || CONFIG_C", "CONFIG_B || CONFIG_C"),
        ),
        (
            ("CONFIG_A", "CONFIG_B"),
            ("CONFIG_A", "CONFIG_C"),
            ("CONFIG_A", "CONFIG_B || CONFIG_C"),
        ),
        (ALWAYS, ("CONFIG_A",), ALWAYS),
        (NEVER, ("CONFIG_A",), ("CONFIG_A",)),
    ],
)
def test_either_is_said_in_as_few_words_as_it_takes(
    left: PresenceCondition, right: PresenceCondition, expected: PresenceCondition
) -> None:
    """What both sides ask for stays as it is; the rest names one symbol of each."""
    assert either(left, right) == expected


def test_what_cannot_be_evaluated_is_its_own_opposite() -> None:
    """Both sides of such a test are read, each with the place of the test."""
    place = unevaluated("mm/Makefile", 3)
    assert uses_unevaluated(place)
    assert symbol_of(place) is None
    assert negated((place,)) == (place,)
    assert negated((place, "CONFIG_A")) == (f"{place} || !CONFIG_A",)


def test_a_literal_names_its_symbol() -> None:
    """The symbol has neither a prefix nor a sign."""
    assert symbol_of("CONFIG_A") == symbol_of("!CONFIG_A") == "A"
