# SPDX-License-Identifier: GPL-2.0-or-later
"""What the verbs that search machines share: their options, and an implementation of one's own."""

from __future__ import annotations

import argparse
import contextlib
import io
import traceback
from typing import TYPE_CHECKING

from lazymmu.cli import options
from lazymmu.cli.console import tell
from lazymmu.problem import Problem
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.litmus.run import RunLimits

__all__ = ["ENGINES", "add_search", "add_selecting", "aside", "limits", "ported", "selected"]

ENGINES = ("auto", "python", "numpy", "numba")
"""As `explore.ENGINES` has them, which is heavier to import than a parser."""


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


def limits(args: argparse.Namespace) -> RunLimits:
    """The bounds and the engine that were asked for."""
    from lazymmu.litmus.run import RunLimits

    return RunLimits(
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
    from lazymmu.litmus.port import PortError, blame
    from lazymmu.litmus.port import ported as with_it

    with contextlib.ExitStack() as stack:
        try:
            with aside():
                stack.enter_context(with_it(file))
        except PortError as error:
            raise Problem(str(error)) from error
        try:
            yield
        except (Problem, KeyboardInterrupt):
            raise
        except BaseException as error:
            if file not in _files(error):
                raise
            raise Problem(blame(error, file)) from error


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """What a port prints goes to standard error, cleaned: results alone are standard output's."""
    with _Aside() as stream, contextlib.redirect_stdout(stream):
        yield


class _Aside(io.TextIOBase):
    """Lines on standard error that cannot be taken for ours."""

    def __init__(self) -> None:
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            tell(f"port: {clean(line)}\n")
        return len(text)

    def close(self) -> None:
        if self._rest:
            self.write("\n")
        super().close()


def _files(error: BaseException) -> set[str]:
    """Which files' code was running when something was raised."""
    frames = traceback.walk_tb(error.__traceback__)
    return {frame.f_code.co_filename for frame, _ in frames}


def _listed(values: Sequence[str]) -> set[str]:
    return {name.strip() for value in values for name in value.split(",")} - {""}


def _count(text: str) -> int:
    number = int(text)  # argparse reports the ValueError
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number
