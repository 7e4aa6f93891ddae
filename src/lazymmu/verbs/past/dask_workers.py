# SPDX-License-Identifier: GPL-2.0-or-later
"""The workers of a Dask cluster (dask.distributed), wherever its scheduler is.

The scheduler gives what a dead worker was at to another one, and a task whose result was lost it
has done again: tasks are pure. What is here takes each result once. When the scheduler itself goes
away, what has come by then is kept by whoever asked, and what has not is asked for by the next run.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lazymmu.problem import Problem, needs_package
from lazymmu.terminal import clean
from lazymmu.verbs.past.workers import NoWorkersError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["DaskWorkers"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_SECONDS: Final = 20
"""How long a scheduler may take to answer, or to come back."""

_LOOK_SECONDS: Final = 0.5
"""How often it is looked whether the scheduler is still there."""

_RETRIES: Final = 3
"""How often a task that failed by itself is begun again."""


class DaskWorkers:
    """Workers of a scheduler."""

    def __init__(self, address: str) -> None:
        """Connect to a scheduler.

        :param address: as in tcp://host:8786; or the file that a scheduler wrote its address into.
        :raises Problem: Dask is not installed, or there is no scheduler.
        """
        try:
            import distributed
        except ImportError:
            raise Problem(needs_package("--scheduler", "distributed", "cluster")) from None
        # It tells of lost connections by itself, with tracebacks.
        for name in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        where = {"scheduler_file": address} if os.path.isfile(address) else {"address": address}
        self._address = address
        # Made before it connects: one that cannot has a thread by then, which has to end.
        self._client: Any = _untyped(distributed.Client.__new__)(distributed.Client)
        try:
            self._client.__init__(**where, timeout=_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError, KeyError) as error:
            self.end()
            said = clean(str(error) or type(error).__name__, 200)
            raise Problem(f"there is no Dask scheduler at {clean(address)}: {said}") from None

    def end(self) -> None:
        """Part from the scheduler; see `workers.Workers`."""
        # One that has gone away, or never was there, cannot be told.
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=_SECONDS)
        # Of a client that could not connect close() leaves the thread.
        with contextlib.suppress(AttributeError):
            self._client._loop_runner.stop()

    def run(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield what came of each item; see `workers.Workers`."""
        # Two of the same are one task: it has the name of what it follows from.
        places: dict[str, list[int]] = {}
        futures: dict[str, Any] = {}
        try:
            for place, item in enumerate(items):
                future: Any = self._client.submit(function, item, pure=True, retries=_RETRIES)
                places.setdefault(str(future.key), []).append(place)
                futures[str(future.key)] = future
            while futures:
                for key in self._arrived(futures):
                    result = self._result(futures[key])
                    # Released, so that the cluster keeps nothing that has come.
                    del futures[key]
                    for place in places.pop(key):
                        yield place, result
        finally:
            futures.clear()

    def _arrived(self, futures: dict[str, Any]) -> list[str]:
        """The names of tasks that are done; waits for one as long as there is a scheduler."""
        import distributed

        away = time.monotonic()
        quiet = (TimeoutError, distributed.CancelledError)  # what that means is asked below
        while True:
            found = [key for key, future in futures.items() if future.status != "pending"]
            if found:
                return found
            if self._client.status == "running":
                away = time.monotonic()
            elif time.monotonic() - away > _SECONDS:
                raise self._gone()
            with self._client.as_current(), contextlib.suppress(*quiet):
                _untyped(distributed.wait)(
                    list(futures.values()), timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED"
                )

    def _result(self, future: Any) -> Any:
        """What came of a task that is done."""
        import distributed

        if future.status in ("cancelled", "lost"):
            raise self._gone()
        try:
            return future.result(timeout=_SECONDS)
        except distributed.KilledWorker:
            raise NoWorkersError(
                f"workers of {clean(self._address)} died one after the other of the same task"
            ) from None
        except (OSError, TimeoutError, distributed.CancelledError):
            raise self._gone() from None

    def _gone(self) -> NoWorkersError:
        return NoWorkersError(
            f"the Dask scheduler at {clean(self._address)} has gone away; what had come is kept"
        )


def _untyped(function: Any) -> Any:
    """A function of Dask, which has no types."""
    return function
