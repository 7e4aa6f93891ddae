# SPDX-License-Identifier: GPL-2.0-or-later
"""Distributions in constant memory: as good as keeping every number, within a sixteenth."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.witness.trace.histogram import Histogram

NUMBERS = st.lists(st.integers(min_value=0, max_value=1 << 50), min_size=1, max_size=80)


def spread(numbers):
    """A spread of these numbers."""
    made = Histogram()
    for number in numbers:
        made.add(number)
    return made


@given(NUMBERS, st.floats(min_value=0.001, max_value=1))
def test_a_quantile_is_a_sixteenth_off_at_most(numbers, share):
    """Of the number that a sorted list would give."""
    exact = sorted(numbers)[max(1, math.ceil(share * len(numbers))) - 1]
    assert abs(spread(numbers).quantile(share) - exact) <= exact / 16


@given(NUMBERS)
def test_count_sum_and_bounds_are_exact(numbers):
    """Count, sum and bounds are exact, whatever the bins are."""
    made = spread(numbers)
    assert made.count == len(numbers)
    assert made.total == sum(numbers)
    assert (made.least, made.greatest) == (min(numbers), max(numbers))
    assert sum(number for _, number in made.steps()) == len(numbers)


@given(NUMBERS, NUMBERS)
def test_two_spreads_make_the_spread_of_both(one, other):
    """Traces can be counted apart and added up."""
    made = spread(one)
    made.merge(spread(other))
    assert made == spread([*one, *other])


@given(NUMBERS)
def test_memory_does_not_grow_with_the_numbers(numbers):
    """Eight bins for each power of two."""
    assert len(spread(numbers).bins) <= 16 + 8 * 50


@given(st.lists(st.integers(min_value=0, max_value=15), max_size=50), st.integers(0, 15))
def test_small_numbers_are_counted_exactly(numbers, bound):
    """How many sections put off none or one is no estimate."""
    assert spread(numbers).at_most(bound) == sum(number <= bound for number in numbers)


def test_nothing_has_quantiles_of_nothing():
    """Nothing has quantiles of nothing, and an empty histogram says 0."""
    empty = Histogram()
    assert (empty.quantile(0.5), empty.at_most(9)) == (0, 0)
    other = spread([5])
    other.merge(empty)
    assert other == spread([5])
    empty.merge(other)
    assert empty == other


def test_a_clock_that_goes_back_counts_as_no_time():
    """Local clocks of CPUs differ by a little."""
    assert spread([-5, 3]) == spread([0, 3])
