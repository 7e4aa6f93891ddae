# SPDX-License-Identifier: GPL-2.0-or-later
"""The model is run once for all states that look alike to it, and must not notice."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from lazymmu.explore import ModelError, StateField, search

from .conftest import FAST
from .models import Batch, Philosophers


@pytest.fixture(params=["auto", *FAST])
def fast(request: pytest.FixtureRequest) -> str:
    """Any engine that tabulates."""
    return str(request.param)


class Made:
    """A model of two fields, one closed and one open, with one action that the test says."""

    labels = ("shown",)
    costly = 0
    fields = (StateField("n", 8), StateField("word"))
    initial: tuple[Any, ...] = (0, "a")
    actions = ("act",)

    def __init__(self, step: Any) -> None:
        self._step = step

    def step(self, state: Any, action: int) -> int | None:
        return self._step(state)

    def final(self, state: Any) -> int:
        return 0


def test_the_model_is_run_seldom(fast):
    """Thousands of steps need tens of runs, because most of them look the same to the model."""
    result = search(Philosophers(7), engine=fast)
    assert result.transitions > 9000
    assert result.calls < 250


def test_a_step_reads_what_it_wrote(engine):
    """A step may use a field as a variable; only what it leaves there counts."""

    def step(state):
        if state[0] == 7:
            return None
        state[0] += 1
        state[0] += 1
        state[0] -= 1
        state[1] = "b" * state[0]
        return int(state[1] == "bbb")

    result = search(Made(step), engine=engine)
    assert result.states == 8
    assert len(result.discoveries["shown"].steps) == 3


def test_what_a_step_wrote_before_it_gave_up_is_forgotten(engine):
    """A step that cannot be taken changes nothing."""

    def step(state):
        state[0] = 5

    assert search(Made(step), engine=engine).states == 1


def test_fields_are_counted_from_the_end_too(engine):
    """A view is used like a list."""

    def step(state):
        assert len(state) == 2
        if state[-2] == 3:
            return None
        state[-2] += 1
        state[-1] = list(state)[1] + "x"
        return 0

    assert search(Made(step), engine=engine).states == 4


def test_a_field_that_is_not_there(fast):
    """A view ends where the fields end."""
    with pytest.raises(IndexError):
        search(Made(lambda state: state[2]), engine=fast)


def test_an_error_in_the_model_is_the_models(engine):
    """What the model raises comes out as it is, with the place in the model."""

    def step(state):
        return 1 // state[0]

    with pytest.raises(ZeroDivisionError) as caught:
        search(Made(step), engine=engine)
    assert "return 1 // state[0]" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", [8, -1, "three", None, 1.5])
def test_a_value_that_the_field_does_not_have(engine, value):
    """The field is named, and its values."""

    def step(state):
        state[0] = value
        return 0

    with pytest.raises(ModelError, match=r"^field n holds .*, and its values are 0 to 7$"):
        search(Made(step), engine=engine)


def test_a_value_that_cannot_be_hashed(fast):
    """States are kept in sets, so that a list is none of their values."""

    def step(state):
        state[1] = []
        return 0

    with pytest.raises(ModelError, match=r"^field word holds \[\], which cannot be hashed$"):
        search(Made(step), engine=fast)


def test_a_label_that_does_not_exist(fast):
    """A mask with a bit too many is a mistake of the model."""
    with pytest.raises(ModelError, match="not all of that has a label"):
        search(Made(lambda state: 2), engine=fast)


def test_a_model_with_a_memory_is_found_out(fast):
    """A step that depends on how often it ran is not a function of the state."""
    count = 0

    def step(state):
        nonlocal count
        count += 1
        state[0] = (state[0] + 1 + (count > 4)) % 8
        return 0

    with pytest.raises(ModelError, match="depends on something outside the state"):
        search(Made(step), engine=fast)


def test_a_model_that_looks_past_its_view_is_found_out(fast):
    """So is one that reads a field behind the view's back."""

    class Sly(Batch):
        peeked: Any = None

        def step(self, s: Any, action: int) -> int | None:
            labels = super().step(s, action)
            if action == 0 and labels == 0:
                fetch = getattr(s, "_fetch", None)
                return 8 if fetch is not None and fetch(len(self.fields) - 1) else 0
            return labels

    with pytest.raises(ModelError, match="depends on something outside the state"):
        search(Sly(3, 2), engine=fast)


def test_an_open_field_may_meet_many_values(engine):
    """More values than anybody made room for do not get lost."""

    class Long(Made):
        fields = (StateField("n", 2), StateField("count"), StateField("wide", 1 << 30))
        initial = (0, 0, 0)

    def step(state):
        if state[1] == 700:
            return None
        state[1] += 1
        state[2] = state[1] * 1_000_003
        return int(state[1] == 700)

    result = search(Long(step), engine=engine)
    assert (result.states, result.depth) == (701, 700)
    assert len(result.discoveries["shown"].steps) == 700
