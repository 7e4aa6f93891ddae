# SPDX-License-Identifier: GPL-2.0-or-later
"""A search that is ended early ends cleanly, and says what ended it."""

from __future__ import annotations

from typing import Any

import pytest

from lazymmu.explore import ModelError, SearchProgress, StateField, bfs, search
from lazymmu.explore.packing import MAX_BITS_SPARE, Values, tight

from .models import Batch, Peterson, Philosophers


def test_a_bound_that_cuts_nothing_off_is_not_a_reason(engine):
    """With as many switches as the model ever needs, the search is complete."""
    whole = search(Philosophers(3), engine=engine)
    enough = search(Philosophers(3), engine=engine, bound=whole.depth)
    assert (enough.complete, enough.states) == (True, whole.states)


def test_a_bound_keeps_what_costs_more_away(engine):
    """Without a switch one philosopher eats alone; nothing that costs is counted or shown."""
    result = search(Philosophers(3), engine=engine, bound=0)
    assert (result.complete, result.reason) == (False, "bound")
    assert set(result.discoveries) == {"eats"}
    assert result.taken == (3, 0, 0)


def test_more_bound_shows_more(engine):
    """Each bound sees at least what the smaller one saw, and the last one all."""
    counts = [search(Philosophers(4), engine=engine, bound=bound).states for bound in range(9)]
    assert counts == sorted(counts)
    assert counts[-1] == search(Philosophers(4), engine=engine).states


def test_too_many_states(engine):
    """The search ends with the level that passes the limit, having stored what it says."""
    result = search(Philosophers(6), engine=engine, max_states=100)
    assert (result.complete, result.reason) == (False, "max_states")
    assert 100 < result.states < 768
    exact = search(Philosophers(6), engine=engine, max_states=768)
    assert exact.complete


def test_too_much_memory(engine):
    """The search ends before its tables are larger than they may be."""
    result = search(Philosophers(8), engine=engine, max_bytes=150_000)
    assert (result.complete, result.reason) == (False, "max_bytes")
    assert result.states > 1


def test_no_time_at_all(engine):
    """The first look at the clock ends a search that has no time; one state was seen."""
    result = search(Philosophers(6), engine=engine, deadline=0.0)
    assert (result.complete, result.reason, result.states) == (False, "deadline", 1)


def test_an_interrupt_leaves_what_was_found(engine):
    """Ctrl-C in the middle gives the paths that were found up to there."""

    def progress(now: SearchProgress) -> None:
        if now.steps == 4:
            raise KeyboardInterrupt

    result = search(Philosophers(5), engine=engine, progress=progress)
    assert (result.complete, result.reason) == (False, "interrupt")
    assert result.depth == 4
    assert len(result.discoveries["eats"].steps) == 2


def test_an_interrupt_inside_the_model_is_one_too(engine):
    """Ctrl-C mostly hits the model's own code."""

    class Slow(Philosophers):
        def step(self, state: Any, me: int) -> int | None:
            if state[0] == 2:
                raise KeyboardInterrupt
            return super().step(state, me)

    result = search(Slow(3), engine=engine)
    assert (result.complete, result.reason) == (False, "interrupt")
    assert result.states > 1


def test_progress_goes_up(engine):
    """Progress tells levels in order of cost and steps, and states that only get more."""
    told: list[SearchProgress] = []
    search(Philosophers(4), engine=engine, progress=told.append)
    assert [one.states for one in told] == sorted(one.states for one in told)
    levels = [(one.cost, one.steps) for one in told]
    assert levels == sorted(levels)
    assert levels[0] == (0, 0)


def test_the_search_stops_at_what_it_looks_for(engine):
    """It ends with the level that shows the label, and all that this level shows is there."""
    whole = search(Batch(2, 2), engine=engine)
    left = search(Batch(2, 2), engine=engine, stop=1 << Batch.labels.index("left over"))
    assert (left.complete, left.reason) == (False, "stop")
    assert left.discoveries["left over"] == whole.discoveries["left over"]
    assert left.states < whole.states


def test_what_is_not_shown_stops_nothing(engine):
    """A search for something that never happens sees everything."""
    assert search(Peterson(), engine=engine, stop=1).complete


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"initial": (0, 0)}, "the initial state has 2 values for 1 fields"),
        ({"initial": (7,)}, "field n holds 7, and its values are 0 to 3"),
        ({"fields": (StateField("n", 0),)}, "field n has no values"),
        ({"labels": ("x",) * 61}, "a model has at most 60 labels, not 61"),
        ({"costly": 4}, "the mask of costly labels has a bit for which there is no label"),
    ],
)
def test_a_model_that_cannot_be_searched_is_refused(engine, wrong, said):
    """One sentence says what is wrong with it."""

    class Wrong:
        fields = (StateField("n", 4),)
        initial: tuple[Any, ...] = (0,)
        actions = ("a",)
        labels: tuple[str, ...] = ("x",)
        costly = 0

        def step(self, state: Any, action: int) -> int | None:
            return None

        def final(self, state: Any) -> int:
            return 0

    model = Wrong()
    for name, value in wrong.items():
        setattr(model, name, value)
    with pytest.raises(ModelError, match=f"^{said}$"):
        search(model, engine=engine)


def test_an_unknown_engine_is_refused():
    """The sentence lists those that there are."""
    with pytest.raises(ValueError, match="no engine is called steam; there are auto, python"):
        search(Peterson(), engine="steam")  # type: ignore[arg-type]


def test_an_open_field_reserves_no_more_than_four_times_what_it_has_met():
    """A node of a trie has a child for each value that fits, which was 65536 of them."""
    values = [Values(StateField("open")), Values(StateField("bit", 2))]
    for value in range(5):
        values[0].number(value)
    assert tight(values).width == (3 + MAX_BITS_SPARE, 1)


def test_what_the_system_counts_is_counted_where_much_is_allowed(monkeypatch):
    """The model's own memory is no table of the search's, and grows with it."""
    allowed = 1 << 30
    monkeypatch.setattr(bfs, "resident_bytes", lambda: 10 * allowed)
    result = search(Philosophers(6), engine="numpy", max_bytes=allowed)
    assert (result.complete, result.reason) == (False, "max_bytes")
    assert search(Philosophers(6), engine="numpy").complete
