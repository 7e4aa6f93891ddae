# SPDX-License-Identifier: GPL-2.0-or-later
"""Hold what a running kernel recorded to the contract.

FILE is text of tracefs (`cat /sys/kernel/tracing/trace`) or of
`trace-cmd report -l -N -O parent`, packed with gzip, xz or zstd or not, or a
trace.dat where trace-cmd is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.cli import options
from lazymmu.cli.console import emit, progress, say, width
from lazymmu.cli.outcome import ExitCode
from lazymmu.problem import Problem
from lazymmu.terminal import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.values import TraceResult

NAME = "trace"
SUMMARY = "hold the trace of a running kernel to the contract"
FORMATS = ("text", "json", "sarif")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu trace`."""
    parser.add_argument(
        "traces", metavar="FILE", nargs="+", help="trace (- for standard input), packed or not"
    )
    group = parser.add_argument_group("kernel")
    group.add_argument(
        "--arch",
        choices=options.ARCHES,
        help="architecture of that kernel (default: taken or guessed from the trace)",
    )
    group.add_argument(
        "--release", metavar="R", help="release of that kernel, as 6.12.107 (default: the same)"
    )
    group = parser.add_argument_group("judging")
    group.add_argument(
        "--rule",
        metavar="NAME",
        action="append",
        default=[],
        dest="rules",
        help="judge only by this rule, and show in full what is allowed too",
    )
    group.add_argument("--task", metavar="PID", type=int, help="show only findings of this task")
    group.add_argument("--cpu", metavar="N", type=int, help="show only findings on this CPU")
    group = parser.add_argument_group("summary")
    group.add_argument(
        "--summary",
        action="store_true",
        help="instead of findings, what sections were like: how long, over how many entries, what "
        "interrupted and flushed them, and what they saved, by call site and task",
    )
    group.add_argument(
        "--plot",
        metavar="FILE",
        help="draw that into FILE, an .svg or .png (needs matplotlib: the extra `plot`)",
    )
    group = options.add_output(parser, FORMATS)
    group.add_argument(
        "--exit-zero", action="store_true", help="end with status 0 also when a rule is broken"
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Watch each trace, print what was found, and say what could not be told."""
    from lazymmu.ftrace.profile import version
    from lazymmu.witness.trace.check import trace_rules

    options.check_names("rule of traces", args.rules, trace_rules())
    if args.release is not None and version(args.release) is None:
        raise Problem(f"{args.release!r} is no release of Linux, as 6.12.107 is")
    if args.traces.count("-") > 1:
        raise Problem("standard input can be read once")
    tallies = _tallies(args)
    with progress(quiet=args.quiet) as show:
        watched = [
            _watch(name, args, show, tally)
            for name, tally in zip(args.traces, tallies, strict=True)
        ]
    if args.plot is not None:
        _plot(watched[0].name, tallies[0], args.plot)
    if args.summary:
        _summarise(watched, tallies, args)
    else:
        _emit(watched, args)
    if not args.quiet:
        _say(watched)
    else:
        # What makes a clean answer an open one is said to those, too, who want no summary.
        for one in watched:
            if one.ended:
                say(f"{clean(one.name)}: not read to its end: {one.ended}")
    return _code(watched, exit_zero=args.exit_zero)


def _tallies(args: argparse.Namespace) -> list[SectionStats | None]:
    """A tally for each trace, None where none is asked for; raises Problem for what cannot be."""
    if not args.summary and args.plot is None:
        return [None] * len(args.traces)
    from lazymmu.report.trace import plot
    from lazymmu.witness.trace.section_stats import SectionStats

    if args.summary and args.format == "sarif":
        raise Problem("a summary is text or JSON")
    if args.plot is not None:
        if len(args.traces) > 1:
            raise Problem("a plot is of one trace")
        try:
            plot.check(args.plot)
        except plot.PlotError as error:
            raise Problem(str(error)) from None
    return [SectionStats() for _ in args.traces]


def _plot(name: str, tally: SectionStats | None, path: str) -> None:
    from lazymmu.report.trace import plot

    try:
        if tally is not None:
            plot.draw(name, tally, path)
    except plot.PlotError as error:
        raise Problem(str(error)) from None


def _summarise(
    watched: list[TraceResult], tallies: list[SectionStats | None], args: argparse.Namespace
) -> None:
    from lazymmu.report.trace import stats as report

    pairs = [
        (one.name, tally) for one, tally in zip(watched, tallies, strict=True) if tally is not None
    ]
    if args.format == "json":
        emit(report.render_json(pairs), args.output)
    else:
        emit(report.render(pairs, width(args.output)), args.output)


def _watch(
    name: str,
    args: argparse.Namespace,
    show: Callable[[str, int, int], None] | None,
    tally: SectionStats | None = None,
) -> TraceResult:
    from lazymmu.ftrace.record import TraceError
    from lazymmu.witness.trace.check import check_trace

    called = "<stdin>" if name == "-" else name
    if name == "-" and sys.stdin is None:
        raise Problem("cannot read standard input: it is closed")
    stream = sys.stdin.buffer if name == "-" else None
    try:
        total = Path(name).stat().st_size >> 20 if stream is None else 0
    except (OSError, ValueError):
        total = 0  # reading it says why

    def advance(done: int) -> None:
        if show is not None:
            show(f"reading {called} (MiB)", done >> 20, total)

    try:
        found = check_trace(
            called,
            stream,
            arch=args.arch or "",
            release=args.release or "",
            rules=args.rules,
            progress=advance if show is not None else None,
            observer=tally,
        )
    except TraceError as error:
        raise Problem(str(error)) from None
    return found.only(pid=args.task, cpu=args.cpu)


def _emit(watched: list[TraceResult], args: argparse.Namespace) -> None:
    from lazymmu.report.trace import text

    if args.format == "text":
        emit(text.render(watched, asked=args.rules), args.output, colour=True)
        return
    if args.format == "json":
        from lazymmu.report.trace import json

        emit(json.render(watched), args.output)
        return
    import lazymmu
    from lazymmu.contract.rules import RULES
    from lazymmu.report.trace import sarif

    emit(sarif.render(watched, version=lazymmu.__version__, rules=RULES), args.output)


def _say(watched: list[TraceResult]) -> None:
    from lazymmu.report.trace import text

    for one in watched:
        say(text.title(one))
        say(text.seen(one))
        if one.hidden:
            say(clean(f"{one.name}: not visible on this kernel: {one.hidden}"))
        for doubt in one.caveats:
            where = f"{one.name}:{doubt.line}" if doubt.line else one.name
            times = f" ({doubt.times} times)" if doubt.times > 1 else ""
            say(clean(f"{where}: cannot tell: {doubt.reason}{times}"))


def _code(watched: list[TraceResult], *, exit_zero: bool) -> ExitCode:
    if any(one.violations for one in watched):
        return ExitCode.CLEAN if exit_zero else ExitCode.FOUND
    if all(one.conclusive for one in watched):
        return ExitCode.CLEAN
    return ExitCode.INCONCLUSIVE
