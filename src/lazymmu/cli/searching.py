# SPDX-License-Identifier: GPL-2.0-or-later
"""What the verbs that search machines share: their options, and many searches at once.

Each search runs in one process; when they take longer than a moment, several processes make several
searches. The results come in the order of the runs, whoever was ready first.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from typing import TYPE_CHECKING

from lazymmu.cli import options
from lazymmu.cli.console import progress, say
from lazymmu.cli.outcome import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from multiprocessing.synchronize import Event

    from lazymmu.explore import Progress
    from lazymmu.litmus.run import Limits, Run
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["ENGINES", "add_search", "add_selecting", "limits", "ported", "selected", "verdicts"]

ENGINES = ("auto", "python", "numpy", "numba")
"""As `explore.ENGINES` has them, which is heavier to import than a parser."""

ALONE = 0.2
"""Seconds of searching that are cheaper than starting other processes is: most runs are small."""

INTERRUPT = "interrupt"
"""The reason that explore gives for a search that Ctrl-C ended."""


def add_selecting(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """On which implementations; returns the group, for what a verb adds to it."""
    group = parser.add_argument_group("which runs")
    group.add_argument(
        "--arch",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="machines",
        help="only these architectures (see --list)",
    )
    group.add_argument(
        "--release",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="releases",
        help="only these releases of the kernel, or releases with these features, such as "
        "6.12.8 or xen-nesting-count",
    )
    group.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="each release, and large scenarios, too; by default the first release of each "
        "feature, where the scenario expects something of it",
    )
    return group


def add_search(parser: argparse.ArgumentParser) -> None:
    """How far to search, and with what."""
    group = parser.add_argument_group("searching")
    group.add_argument(
        "--bound", metavar="K", type=_count, help="at most K involuntary preemptions in one run"
    )
    group.add_argument(
        "--max-states", metavar="N", type=options.positive, help="end a search after N states"
    )
    group.add_argument(
        "--max-memory",
        metavar="MIB",
        type=options.positive,
        help="end a search whose tables need more than MIB mebibytes",
    )
    group.add_argument(
        "--seconds", metavar="S", type=options.positive, help="end a search after S seconds"
    )
    group.add_argument(
        "--engine", choices=ENGINES, default="auto", help="what searches (default: auto)"
    )
    group.add_argument(
        "--jobs",
        metavar="N",
        type=options.positive,
        help="searches at a time (default: one per processor)",
    )


def limits(args: argparse.Namespace) -> Limits:
    """The bounds and the engine that were asked for."""
    from lazymmu.litmus.run import Limits

    return Limits(
        engine=args.engine,
        bound=args.bound,
        max_states=args.max_states,
        max_bytes=args.max_memory and args.max_memory << 20,
        seconds=args.seconds,
    )


def selected(args: argparse.Namespace) -> tuple[set[str] | None, set[str] | None]:
    """The architectures and the releases that were asked for, None for all; raises Problem."""
    from lazymmu.litmus.run import names

    arches, releases, features = names()
    machines = _listed(args.machines) - {"all"}
    options.check_names("architecture", machines, arches)
    wanted = {_newest(name, releases) for name in _listed(args.releases)}
    options.check_names("release or feature", wanted, [*releases, *features])
    return machines or None, wanted or None


def _newest(name: str, releases: list[str]) -> str:
    """A series, such as 6.12, stands for the newest release of it."""
    series = [one for one in releases if one.startswith((f"{name}.", f"{name}-"))]
    return name if name in releases or not series else series[-1]


@contextlib.contextmanager
def ported(file: str | None) -> Iterator[None]:
    """With the implementation of a Python file, which is run, beside all others; raises Problem."""
    if file is None:
        yield
        return
    from lazymmu.litmus.ported import PortError
    from lazymmu.litmus.ported import ported as with_it

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(with_it(file))
        except PortError as error:
            raise Problem(str(error)) from None
        yield


def verdicts(
    runs: Sequence[Run], args: argparse.Namespace
) -> tuple[list[tuple[Run, Verdict]], bool]:
    """Make the runs; what they came to, in order, and whether the user broke off.

    After Ctrl-C the searches at work end with what they have covered, and no other begins.
    """
    wanted = limits(args)
    jobs = min(args.jobs or os.cpu_count() or 1, len(runs))
    many = jobs > 1 and hasattr(os, "fork")
    done: list[tuple[Run, Verdict]] = []
    with progress(quiet=args.quiet) as show:
        told = show or (lambda *_: None)
        interrupted = _alone(runs, wanted, told, done, time.monotonic() + ALONE if many else None)
        if not interrupted and len(done) < len(runs):
            interrupted = _together(runs, wanted, told, done, jobs)
    if interrupted:
        say(f"interrupted: {len(done)} of {len(runs)} runs made")
    return done, interrupted


class _Late(Exception):
    """A search alone takes longer than it takes to start others."""


def _alone(
    runs: Sequence[Run],
    wanted: Limits,
    show: Callable[[str, int, int], None],
    done: list[tuple[Run, Verdict]],
    until: float | None,
) -> bool:
    """Make the runs here, one after the other, until it is late; whether the user broke off."""

    def look(_progress: Progress) -> None:
        if until is not None and time.monotonic() > until:
            raise _Late

    for number, run in enumerate(runs):
        show(run.scenario.name, number, len(runs))
        try:
            verdict = _verify(run, wanted, look)
        except _Late:
            return False
        except KeyboardInterrupt:
            return True
        done.append((run, verdict))
        if verdict.reason == INTERRUPT:
            return True
    return False


def _together(
    runs: Sequence[Run],
    wanted: Limits,
    show: Callable[[str, int, int], None],
    done: list[tuple[Run, Verdict]],
    jobs: int,
) -> bool:
    """Make the runs that are left in `jobs` processes; whether the user broke off."""
    import multiprocessing
    from concurrent.futures import CancelledError, ProcessPoolExecutor

    # A fork has what this process has read and built; nothing here runs threads before it.
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    begun, interrupted = len(done), False
    with ProcessPoolExecutor(jobs, context, _begin, (stop,)) as pool:
        futures: list[tuple[Run, Future[Verdict]]] = [
            (run, pool.submit(_verify, run, wanted)) for run in runs[len(done) :]
        ]
        try:
            for run, future in futures:
                show(run.scenario.name, len(done), len(runs))
                done.append((run, future.result()))
        except KeyboardInterrupt:
            interrupted = True
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
        if interrupted:
            for run, future in futures[len(done) - begun :]:
                with contextlib.suppress(CancelledError):
                    done.append((run, future.result()))
    return interrupted


_stop: Event | None = None


def _begin(stop: Event) -> None:
    """In a new process: leave Ctrl-C to the first one, which says so by `stop`."""
    import signal

    global _stop  # noqa: PLW0603 - set once for this process, before any search
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _verify(run: Run, wanted: Limits, look: Callable[[Progress], None] | None = None) -> Verdict:
    from lazymmu.litmus import run as running

    try:
        return running.verify(run, wanted, look or _look)
    except ImportError as error:
        raise Problem(f"--engine {wanted.engine} needs a package: {error}") from None


def _look(_progress: Progress) -> None:
    """Called by a search now and then: end it when the user broke off."""
    if _stop is not None and _stop.is_set():
        raise KeyboardInterrupt


def _listed(values: Sequence[str]) -> set[str]:
    return {name.strip() for value in values for name in value.split(",")} - {""}


def _count(text: str) -> int:
    number = int(text)  # argparse reports the ValueError
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number
