# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables behave like Python's, in both engines, also when nearly everything collides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.explore.engine import Engine
from lazymmu.explore.hashing import Keys, Numbering
from lazymmu.explore.inner_loops import InnerLoops
from lazymmu.explore.packing import TOP_BIT

from .conftest import FAST

# Multiples of a large power of two have few different hashes.
KEY = st.one_of(st.integers(0, 40), st.integers(0, 40).map(lambda n: n << 57)).map(
    lambda n: n % TOP_BIT | TOP_BIT
)
BATCHES = st.lists(st.lists(KEY, max_size=60), max_size=8)


@pytest.fixture(params=FAST, scope="module")
def loops(request: pytest.FixtureRequest) -> InnerLoops:
    """The inner loops of an engine."""
    return Engine(request.param).loops(0)


def unlimited(more: int) -> None:
    """Any number of bytes is fine."""


@given(batches=BATCHES)
def test_a_set_tells_the_first_of_each(loops, batches):
    """Of equal keys the first one in order is new, once."""
    keys, known = Keys(loops, unlimited), set()
    for batch in batches:
        expected = []
        for place, key in enumerate(batch):
            if key not in known:
                known.add(key)
                expected.append(place)
        assert keys.add(np.array(batch, np.uint64)).tolist() == expected
        assert keys.count == len(known)
    probe = np.array([*range(TOP_BIT, TOP_BIT + 80)], np.uint64)
    assert keys.missing(probe).tolist() == [key not in known for key in probe.tolist()]


@given(batches=BATCHES)
def test_numbers_are_given_in_order_of_meeting(loops, batches):
    """Numbers are given in the order in which keys are met, and a key keeps its number."""
    numbering, known = Numbering(loops, unlimited), {}
    for batch in batches:
        expected = [known.setdefault(key, len(known)) for key in batch]
        assert numbering.number(np.array(batch, np.uint64)).tolist() == expected


def test_growing_keeps_everything(loops):
    """Many keys are still there, with their numbers, after the table has moved."""
    rng = np.random.default_rng(0)
    some = np.unique(rng.integers(0, TOP_BIT - 1, 30_000, np.uint64)) | np.uint64(TOP_BIT)
    rng.shuffle(some)
    numbering = Numbering(loops, unlimited)
    for start in range(0, some.size, 1000):
        numbering.number(some[start : start + 1000])
    assert numbering.number(some).tolist() == list(range(some.size))


def test_no_room_is_said_before_it_is_taken(loops):
    """The table asks before it grows, and stays as it is when the answer is no."""

    def full(more: int) -> None:
        raise MemoryError(more)

    keys = Keys(loops, full)
    before = keys.bytes
    with pytest.raises(MemoryError):
        keys.add(np.arange(10_000, dtype=np.uint64) | np.uint64(TOP_BIT))
    assert (keys.bytes, keys.count) == (before, 0)
