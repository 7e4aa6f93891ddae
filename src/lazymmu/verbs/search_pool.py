# SPDX-License-Identifier: GPL-2.0-or-later
"""Many searches at once, and their end: by themselves, by Ctrl-C, or by an error of a port.

Each search runs in one process; when they take longer than a moment, several processes make several
searches. The results come in the order of the runs, whoever was ready first.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

from lazymmu import interrupt
from lazymmu.problem import Problem
from lazymmu.processes import KilledError, Pool, may_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.synchronize import Event

    from lazymmu.explore import SearchProgress
    from lazymmu.litmus.run import Run, RunLimits
    from lazymmu.witness.machine.verdict import Verdict

    Done = list[tuple[Run, Verdict]]
    Show = Callable[[str, int, int], None]

__all__ = ["verdicts"]

ALONE: Final = 0.2
"""Seconds of searching that are cheaper than starting other processes is: most runs are small."""

INTERRUPT: Final = "interrupt"
"""The reason that explore gives for a search that Ctrl-C ended."""

_HOW: Final = "pip install numba, or the extra `fast` of lazymmu"

GRACE: Final = 2.0
"""Seconds that searches have to say what they have covered after Ctrl-C."""


def verdicts(
    runs: Sequence[Run],
    wanted: RunLimits,
    jobs: int | None = None,
    port: str | None = None,
    progress: Show | None = None,
) -> tuple[list[tuple[Run, Verdict]], bool]:
    """Make the runs; what they came to, in order, and whether the user broke off.

    After Ctrl-C the searches at work end with what they have covered, and no other begins.

    :param wanted: how far each search goes.
    :param jobs: searches at a time, None for one per processor.
    :param port: the file of an implementation of the user's own.
    :raises Problem: with its file and line, for whatever its code raises.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(runs))
    many = jobs > 1 and may_fork()
    show = progress or (lambda *_: None)
    done: Done = []
    with interrupt.noticed() as pressed:
        search = _Search(wanted, port, pressed)
        interrupted = False
        # A port that ends its process must not end this one, with whatever code it likes.
        if port is None or not may_fork():
            until = time.monotonic() + ALONE if many else None
            interrupted = _alone(runs, search, show, done, until)
        if not interrupted and len(done) < len(runs):
            interrupted = _together(runs, search, show, done, jobs)
    return done, interrupted


class _Late(Exception):
    """A search alone takes longer than it takes to start others."""


class _Search:
    """How each run is made; pressed: whether the user has pressed Ctrl-C."""

    def __init__(self, wanted: RunLimits, port: str | None, pressed: Callable[[], bool]) -> None:
        self.wanted = wanted
        self.port = port
        self.pressed = pressed

    def __call__(self, run: Run, look: Callable[[SearchProgress], None]) -> Verdict:
        from lazymmu.lift.problem import Unliftable
        from lazymmu.litmus import run as running
        from lazymmu.litmus.port import ARCH, blame
        from lazymmu.witness.machine.verdict import SearchOutcome, Verdict

        port = self.port if run.arch == ARCH else None
        try:
            verdict = running.verify(run, self.wanted, look)
        except _Late:
            raise
        except Unliftable as problem:
            # What this run comes to is not understood; others come by it or not.
            return Verdict(
                run.scenario.name,
                run.arch,
                run.release,
                run.feature,
                SearchOutcome.INCONCLUSIVE,
                reason=str(problem),
            )
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and self.pressed():
                raise
            if port is not None:
                raise Problem(blame(error, port)) from error
            if isinstance(error, ImportError):
                why = f"--engine {self.wanted.engine} needs a package ({error}): {_HOW}"
                raise Problem(why) from None
            raise
        if verdict.reason == INTERRUPT and port is not None and not self.pressed():
            raise Problem(f"{port}: KeyboardInterrupt, raised by its own code in a search")
        return verdict


def _alone(
    runs: Sequence[Run], search: _Search, show: Show, done: Done, until: float | None
) -> bool:
    """Make the runs here, one after the other, until it is late; whether the user broke off."""

    def look(_progress: SearchProgress) -> None:
        if until is not None and time.monotonic() > until:
            raise _Late

    try:
        for number, run in enumerate(runs):
            show(run.scenario.name, number, len(runs))
            verdict = search(run, look)
            done.append((run, verdict))
            if verdict.reason == INTERRUPT:
                return True
    except _Late:
        return False
    except KeyboardInterrupt:
        return True
    return False


def _together(runs: Sequence[Run], search: _Search, show: Show, done: Done, jobs: int) -> bool:
    """Make the runs that are left in `jobs` processes; whether the user broke off."""
    import multiprocessing

    stop = multiprocessing.get_context("fork").Event()
    left = runs[len(done) :]

    def searched(run: Run) -> Verdict:
        return _searched(run, search, stop)

    interrupted = False
    pool = Pool(jobs, searched)
    try:
        begun = len(done)
        show(left[0].scenario.name, begun, len(runs))
        for count, index in enumerate(pool.run(left), begun + 1):
            show(left[index].scenario.name, count, len(runs))
    except KeyboardInterrupt:
        interrupted = True
        stop.set()
        with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C waits not
            pool.drain(GRACE)
    except KilledError:
        raise Problem(
            "a process that searched was ended from outside, or by a port: "
            "out of memory? (--jobs 1, --max-memory)"
        ) from None
    finally:
        pool.end()
    done += [(left[index], pool.done[index]) for index in sorted(pool.done)]
    return interrupted


def _searched(run: Run, search: _Search, stop: Event) -> Verdict:
    """In another process: leave Ctrl-C to the first one, which says so by `stop`."""
    search.pressed = stop.is_set

    def look(_progress: SearchProgress) -> None:
        if stop.is_set():
            raise KeyboardInterrupt

    try:
        return search(run, look)
    except Problem as problem:
        told = str(problem)
    # Raised out here, without what caused it: that stays, whoever taught exceptions to send their
    # causes (tblib, which dask.distributed brings, does). A port's own may not survive it.
    raise Problem(told)
