# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at many trees: kept as they come, counted once, broken off and gone on with."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from lazymmu.verbs.past.looks import LookStore, look
from lazymmu.verbs.past.workers import NoWorkersError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.verbs.past.looks import Looked, PastLook
    from lazymmu.verbs.past.workers import Workers
    from lazymmu.witness.source.check import Progress

__all__ = ["Looking"]


class Looking:
    """What was looked at so far, and who looks.

    :ivar made: how many looks were made; recalled: how many were kept from before.
    :ivar interrupted: whether the user broke off, or the workers are gone, which `trouble` says;
        nothing more is looked at then.
    """

    def __init__(self, workers: Workers, cache_dir: str, progress: Progress | None) -> None:
        """Have looks made by `workers`, and keep them in the store of a folder."""
        self._workers = workers
        self._cache_dir = cache_dir
        self._store = LookStore(cache_dir)
        self._progress = progress
        self._known: dict[PastLook, Looked] = {}
        self.made = self.recalled = 0
        self.interrupted = False
        self.trouble = ""

    def at(self, looks: Sequence[PastLook], names: Sequence[str]) -> dict[PastLook, Looked]:
        """Look at trees; those that were looked at before are not again.

        :param names: what to call each while it is looked at.
        :returns: those that were looked at; less than all after an interrupt.
        """
        called = dict(zip(looks, names, strict=True))
        todo = []
        for one in called:
            if one in self._known:
                continue
            kept = self._store.get(one)
            if kept is None:
                todo.append(one)
            else:
                self._known[one] = kept
                self.recalled += 1
        if todo and not self.interrupted:
            self._look(todo, called)
        return {one: self._known[one] for one in called if one in self._known}

    def end(self) -> None:
        """End the run of the store."""
        self._store.commit()

    def _look(self, todo: Sequence[PastLook], called: dict[PastLook, str]) -> None:
        began = time.monotonic()
        function = functools.partial(look, cache_dir=self._cache_dir)
        done = 0
        self._tell(called[todo[0]], 0, len(todo), began)
        try:
            for place, result in self._workers.run(function, todo):
                one = todo[place]
                if one in self._known:
                    continue
                self._store.put(one, result)
                self._known[one] = result
                self.made += 1
                done += 1
                self._tell(called[one], done, len(todo), began)
        except KeyboardInterrupt:
            self.interrupted = True
        except NoWorkersError as problem:
            self.interrupted, self.trouble = True, str(problem)

    def _tell(self, name: str, done: int, total: int, began: float) -> None:
        if self._progress is None:
            return
        left = ""
        if done:
            seconds = (time.monotonic() - began) / done * (total - done)
            left = f", {_spoken(seconds)} left"
        self._progress(f"{name}{left}", done, total)


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
