# SPDX-License-Identifier: GPL-2.0-or-later
"""Who does the work: processes of this machine, or those of a Dask cluster.

Work is a function of one item, pure, so that it may be done anywhere and again. What came of it is
handed out as it comes, and nobody but the caller keeps it: a worker that dies has lost what it was
at, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Protocol, TypeVar

from lazymmu.problem import Problem
from lazymmu.processes import KilledError, Pool, may_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["LocalWorkers", "NoWorkersError", "Workers", "workers_at"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class NoWorkersError(Problem):
    """Nobody is left who works; what had come by then is not lost."""


class Workers(Protocol):
    """Do work on items."""

    def run(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the place of each item with what came of it, each once, in any order.

        :raises NoWorkersError: nobody is left who works.
        """
        ...

    def end(self) -> None:
        """Leave no thread and no connection."""
        ...


class LocalWorkers:
    """Processes of this machine."""

    def __init__(self, jobs: int | None = None) -> None:
        """Have so many processes; None for one per processor."""
        self._jobs = jobs or os.cpu_count() or 1

    def run(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield what came of each item; see Workers."""
        left = dict(enumerate(items))
        # A child that is killed, by the kernel for its memory or from outside, costs what it was
        # at, which is begun once more; a second time it is its own fault.
        for jobs in (min(self._jobs, len(items)), 1):
            if not left:
                return
            if (jobs == 1 and self._jobs == 1) or not may_fork():
                break
            yield from self._in_pool(jobs, function, left)
        else:
            if left:
                raise NoWorkersError("processes were killed from outside, one after the other")
        for place, item in list(left.items()):
            yield place, function(item)

    def end(self) -> None:
        """Nothing is left; see Workers."""

    def _in_pool(
        self, jobs: int, function: Callable[[Item], Result], left: dict[int, Item]
    ) -> Iterator[tuple[int, Result]]:
        """Have processes do what is left, and yield what came of it, until one is killed."""
        places = list(left)
        pool: Pool[Item, Result] = Pool(jobs, function)
        told = set()
        try:
            with contextlib.suppress(KilledError):
                for index in pool.run(list(left.values())):
                    told.add(index)
                    del left[places[index]]
                    yield places[index], pool.done[index]
        finally:
            pool.end()
        for index, result in pool.done.items():
            if index not in told:
                del left[places[index]]
                yield places[index], result


def workers_at(scheduler: str | None, jobs: int | None = None) -> Workers:
    """Who works: local processes for None or ``local``, else the workers of a scheduler.

    :raises Problem: there is no such scheduler, or what it takes is not installed.
    """
    if scheduler in {None, "local"}:
        return LocalWorkers(jobs)
    from lazymmu.verbs.past.dask_workers import DaskWorkers

    return DaskWorkers(str(scheduler))
