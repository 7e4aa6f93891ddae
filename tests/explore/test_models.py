# SPDX-License-Identifier: GPL-2.0-or-later
"""Models whose states can be counted by hand, or were counted by Spin."""

from __future__ import annotations

from typing import Any

import pytest

from lazymmu.explore import ModelError, PathStep, SearchPath, replay, search

from .models import Batch, Peterson, Philosophers


class Counter:
    """Counts up to three, and stays there."""

    fields = ()
    labels = ("three", "stays")
    costly = 0
    actions = ("up", "rest")

    def __init__(self) -> None:
        from lazymmu.explore import StateField

        self.fields = (StateField("n", 4),)
        self.initial = (0,)

    def step(self, state: Any, action: int) -> int | None:
        if action:
            return 2 if state[0] == 3 else None
        if state[0] == 3:
            return None
        state[0] += 1
        return int(state[0] == 3)

    def final(self, state: Any) -> int:
        return 0


def test_four_states_in_a_row(engine):
    """States, steps that stay where they are, and depth are what one counts on the fingers."""
    result = search(Counter(), engine=engine)
    assert (result.complete, result.reason) == (True, "")
    assert (result.states, result.transitions, result.depth) == (4, 4, 3)
    assert result.taken == (3, 1)
    assert result.discoveries["three"] == SearchPath(
        (*(PathStep("up", ()),) * 2, PathStep("up", ("three",))), 0
    )
    assert result.discoveries["stays"].steps[-1] == PathStep("rest", ("stays",))


def test_a_lock_that_works_and_one_that_does_not(engine):
    """Peterson's lock keeps two apart; without the look at the turn it does not."""
    assert "both inside" not in search(Peterson(), engine=engine).discoveries
    bad = search(Peterson(polite=False), engine=engine).discoveries["both inside"]
    assert [taken.action for taken in bad.steps] == [
        *("step 0", "step 0", "step 0", "step 1", "step 1", "step 1")
    ]


def test_less_cost_comes_before_fewer_steps(engine):
    """Philosophers starve with one switch fewer than there are, which is as cheap as it gets."""
    for number in (3, 5):
        path = search(Philosophers(number), engine=engine).discoveries["all wait"]
        assert (path.cost, len(path.steps), path.final) == (number - 1, number, ("all wait",))


@pytest.mark.parametrize(
    ("model", "states", "transitions"),
    [
        (Peterson(), 20, 34),
        (Peterson(polite=False), 32, 64),
        (Philosophers(6), 768, 2946),
        (Batch(2, 2), 816, 2158),
        (Batch(3, 2, pinned=True), 5814, 16104),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_counts_are_those_of_spin(fast, model, states, transitions):
    """These figures are Spin's, for the same models."""
    result = search(model, engine=fast)
    assert (result.states, result.transitions) == (states, transitions)


def test_the_batch_that_is_taken_too_early(fast):
    """A preempted worker who comes back elsewhere flushes the wrong batch; a pinned one cannot."""
    shown = search(Batch(3, 2), engine=fast, bound=1).discoveries
    assert (shown["stale"].cost, len(shown["stale"].steps)) == (1, 11)
    assert "stale" not in search(Batch(3, 2, pinned=True), engine=fast).discoveries


def test_a_path_can_be_replayed(engine):
    """A path leads through the model to a state that shows what the path is for."""
    model = Philosophers(3)
    path = search(model, engine=engine).discoveries["all wait"]
    states = list(replay(model, path))
    assert len(states) == len(path.steps) + 1
    assert states[0] == model.initial
    assert states[-1][:3] == (1, 1, 1)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((PathStep("jump", ()),), "step 1 is jump, which the model does not have"),
        ((PathStep("rest", ()),), "step 1, rest, cannot be taken there"),
        ((PathStep("up", ("three",)),), "step 1, up, shows other labels than the path says"),
    ],
)
def test_a_path_of_another_model_is_refused(steps, said):
    """A replay never goes on where the model does not."""
    with pytest.raises(ModelError, match=f"^{said}$"):
        list(replay(Counter(), SearchPath(steps, 0)))
