# SPDX-License-Identifier: GPL-2.0-or-later
"""The engines agree: with the plain one, on models that nobody thought of."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.explore import SearchResult, replay, search, small
from lazymmu.explore import engine as engines
from lazymmu.explore import fast as fast_engine

from .models import Batch, Philosophers, Random

ENGINES = ["numpy"] + ["numba"] * (find_spec("numba") is not None)

MODELS = st.builds(
    Random,
    seed=st.integers(0, 1 << 32),
    fields=st.integers(1, 6),
    actions=st.integers(0, 8),
    padding=st.sampled_from([0, 0, 2, 9, 16]),
)

LIMITS = st.fixed_dictionaries(
    {"max_states": st.sampled_from([20, 600])},
    optional={"bound": st.integers(0, 3), "stop": st.integers(1, 15)},
)


def seen(result: SearchResult) -> dict[str, Any]:
    """Everything of a result that must not depend on the engine."""
    names = ("complete", "reason", "states", "transitions", "depth", "taken")
    return {name: getattr(result, name) for name in names} | {"shown": dict(result.discoveries)}


@settings(max_examples=150)
@given(MODELS, LIMITS)
def test_random_models(model, limits):
    """Counts, reasons, and the first paths to everything shown are the same, step for step."""
    expected = seen(search(model, engine="python", **limits))
    for engine in ENGINES:
        assert seen(search(model, engine=engine, **limits)) == expected


@settings(max_examples=40)
@given(MODELS)
def test_whatever_is_shown_can_be_replayed(model):
    """Each path is one of the model's."""
    for path in search(model, max_states=600).discoveries.values():
        assert len(list(replay(model, path))) == len(path.steps) + 1


@pytest.mark.parametrize("model", [Philosophers(5), Philosophers(5, values=False), Batch(2, 3)])
def test_models_written_by_hand(fast, model):
    """The same on models with some depth, with open fields and without."""
    assert seen(search(model, engine=fast)) == seen(search(model, engine="python"))


@settings(max_examples=40)
@given(model=MODELS, after=st.sampled_from([1, 10, 100]))
def test_packing_anew_changes_nothing(model, after):
    """When the fields are packed tightly makes no difference to what is found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_engine, "_MAX_STATES_OF_TRIAL", after)
        found = seen(search(model, engine="numpy", max_states=600))
    assert found == seen(search(model, engine="python", max_states=600))


@settings(max_examples=100)
@given(model=MODELS, limits=LIMITS, most=st.sampled_from([0, 5, 50, 1000]))
def test_the_small_search_is_the_large_one(model, limits, most):
    """However far the search without arrays goes before it gives up, the result is the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "MAX_STATES", most)
        result = search(model, engine="auto", **limits)
    assert seen(result) == seen(search(model, engine="python", **limits))
    assert result.engine == "tabulated" or result.states > most


@pytest.mark.skipif("numba" not in ENGINES, reason="numba is not installed")
@settings(max_examples=40)
@given(model=MODELS, after=st.sampled_from([1, 10, 100]))
def test_the_handover_changes_nothing(model, after):
    """A search that numpy begins and numba ends is one search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "MIN_STATES_COMPILED", after)
        patch.setattr(small, "MAX_STATES", 0)
        result = search(model, engine="auto", max_states=600)
    assert seen(result) == seen(search(model, engine="python", max_states=600))
    assert result.engine == ("numba" if result.states > after else "numpy") or result.depth == 0


@pytest.mark.parametrize("pairs", [1, 7, 64])
def test_small_pieces_change_nothing(pairs, monkeypatch):
    """How many states are worked on at once makes no difference."""
    from dataclasses import replace

    model = Philosophers(5)
    monkeypatch.setattr(engines, "NUMPY", replace(engines.NUMPY, pairs=pairs))
    assert seen(search(model, engine="numpy")) == seen(search(model, engine="python"))
