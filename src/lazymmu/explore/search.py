# SPDX-License-Identifier: GPL-2.0-or-later
"""The search itself: checks the model, chooses the engine, and runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from lazymmu.explore import reference, small
from lazymmu.explore.limits import SearchLimits
from lazymmu.explore.model import ModelError, check_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.explore.model import Model, SearchProgress, SearchResult

__all__ = ["ENGINES", "Engine", "search"]

Engine = Literal["auto", "python", "numpy", "numba"]

ENGINES: tuple[str, ...] = get_args(Engine)
"""What `search` accepts as an engine."""


class _Onward:
    """Passes on what is progress: an engine that begins anew is not heard until it is further."""

    def __init__(self, progress: Callable[[SearchProgress], None]) -> None:
        self._progress = progress
        self._best = (0, 0, 0)

    def __call__(self, now: SearchProgress) -> None:
        here = (now.cost, now.steps, now.states)
        if here >= self._best:
            self._best = here
            self._progress(now)


def search(
    model: Model,
    *,
    engine: Engine = "auto",
    bound: int | None = None,
    max_states: int | None = None,
    max_bytes: int | None = None,
    deadline: float | None = None,
    stop: int = 0,
    progress: Callable[[SearchProgress], None] | None = None,
) -> SearchResult:
    """See every state that a model can reach, in the order of cost and then of steps.

    It may raise KeyboardInterrupt, which ends the search like a Ctrl-C does.

    :param engine: "python" runs the model on every state, and needs nothing; "numpy" runs it once
        for all that look alike to it; "numba" does so with compiled code. "auto" begins with a
        plain search of the tabulated model, goes on with numpy when that turns out to be large, and
        with numba, where that is installed, when it turns out to be very large.
    :param bound: the greatest cost of a path; without it all paths are followed.
    :param max_states: ends the search at the first level after which more states than this are
        stored.
    :param max_bytes: when its tables need more memory than this.
    :param deadline: after so many seconds.
    :param stop: a mask of labels; the search ends with the level that shows one of them.
    :param progress: called at each level, and now and then in between.
    :raises ModelError: the model is at fault.
    :raises ValueError: for an unknown engine.
    :raises ImportError: the engine that was asked for is not installed, and whatever the model
        itself raises.
    """
    if engine not in ENGINES:
        raise ValueError(f"no engine is called {engine}; there are {', '.join(ENGINES)}")
    if stop >> len(model.labels):
        raise ModelError("the mask of labels to stop at has a bit for which there is no label")
    check_model(model)
    limits = SearchLimits(
        bound, max_states, max_bytes, deadline, stop, progress and _Onward(progress)
    )
    if engine == "python":
        return reference.explore(model, limits)
    table = None
    if engine == "auto":
        result, table = small.explore(model, limits)
        if result is not None:
            return result
    from lazymmu.explore import fast  # and with it numpy

    return fast.explore(model, limits, engine, table)
