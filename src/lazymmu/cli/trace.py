# SPDX-License-Identifier: GPL-2.0-or-later
"""Hold what a running kernel recorded to the contract.

FILE is text of tracefs (`cat /sys/kernel/tracing/trace`) or of
`trace-cmd report -l -N -O parent`, packed with gzip, xz or zstd or not, or a
trace.dat where trace-cmd is installed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lazymmu.cli import options, outputs
from lazymmu.cli.console import emit, progress, say
from lazymmu.cli.pictures import Pictures
from lazymmu.problem import Problem
from lazymmu.report.common import formats
from lazymmu.report.common.words import count
from lazymmu.terminal import clean
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lazymmu.cli.follow import FollowedTrace
    from lazymmu.cli.outputs import Output
    from lazymmu.verbs.trace import Stream, TraceAnswer
    from lazymmu.witness.trace.values import TraceResult

NAME = "trace"
SUMMARY = "hold the trace of a running kernel to the contract"
FORMATS = formats.VERBS[NAME]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu trace`."""
    parser.add_argument(
        "traces", metavar="FILE", nargs="+", help="trace (- for standard input), packed or not"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="read one FILE while it is recorded, as trace_pipe of a tracefs instance, a pipe, or "
        "-: findings as they come; Ctrl-C ends it with the summary",
    )
    group = parser.add_argument_group("kernel")
    group.add_argument(
        "--arch",
        choices=(*options.ARCHES, "x86-native"),
        help="architecture of that kernel, x86 being Xen PV (default: taken or guessed from the "
        "trace)",
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
        "--compare",
        action="store_true",
        help="instead of findings, what is otherwise in the second of two traces: how often, how "
        "long, what was saved, what is broken",
    )
    group.add_argument(
        "--plot",
        metavar="FILE",
        help="draw that into FILE, an .svg or .png (needs matplotlib: the extra `plot`)",
    )
    group.add_argument(
        "--timeline",
        metavar="FILE",
        help="write sections, flushes, context switches and interrupts into FILE as a timeline "
        "(JSON trace events) that ui.perfetto.dev and Chrome show",
    )
    group = outputs.add_outputs(parser, FORMATS)
    group.add_argument(
        "--exit-zero", action="store_true", help="end with status 0 also when a rule is broken"
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, print what was found, and say what could not be told."""
    import lazymmu

    if args.traces.count("-") > 1:
        raise Problem("standard input can be read once")
    wanted = _outputs(args)
    drawn = any(output.format == "html" for output in wanted)
    if drawn and args.timeline is not None:
        raise Problem("--timeline and a page are both drawn of what happens: ask for one")
    pictures = Pictures(args)
    followed = _followed(args, wanted)
    request = lazymmu.TraceRequest(
        traces=[_given(name) for name in args.traces],
        arch=args.arch,
        release=args.release,
        rules=args.rules,
        task=args.task,
        cpu=args.cpu,
        summary=args.summary or args.compare or pictures.wanted or drawn,
        listener=pictures.timeline,
        follower=followed,
        tracks=drawn,
    )
    with pictures, progress(quiet=args.quiet or args.follow) as show:
        try:
            answer = lazymmu.trace(request, progress=show)
        finally:
            if followed is not None:
                followed.clear()
        if answer.watched:
            pictures.finish(answer)
    _deliver(answer, wanted, followed, args)
    if not args.quiet:
        say_watched(answer.watched)
    else:
        # What makes a clean answer an open one is said to those, too, who want no summary.
        for one in answer.watched:
            if one.incomplete:
                say(f"{clean(one.name)}: {one.incomplete}")
    _say_interrupted(answer)
    pictures.complain()
    code = answer.exit_code()
    return ExitCode.CLEAN if code is ExitCode.FOUND and args.exit_zero else code


def _deliver(
    answer: TraceAnswer,
    wanted: Sequence[Output],
    followed: FollowedTrace | None,
    args: argparse.Namespace,
) -> None:
    """Print the answer in the formats that are wanted."""
    if answer.oopses:
        wanted = _oopses(answer, wanted)
        if not answer.watched:
            return
    if args.compare:
        if answer.interrupted:
            raise KeyboardInterrupt
        _compare(answer, wanted)
    elif args.summary:
        _summarise(answer, wanted)
    else:
        if followed is not None:
            followed.finish(answer)
            wanted = [output for output in wanted if not _live(output)]
        _emit(answer, wanted, args)


def _oopses(answer: TraceAnswer, wanted: Sequence[Output]) -> Sequence[Output]:
    """Print what texts are that are no traces; gives the outputs that are left for traces."""
    from lazymmu.contract.rules import RULES
    from lazymmu.report.common.sarif import log
    from lazymmu.report.oops import json, sarif, text

    left = list(wanted)
    for output in wanted:
        # With traces beside them, they stand in one document with these.
        if output.format == "json" and not answer.watched:
            emit(json.render(answer.oopses), output.file)
            left.remove(output)
        elif output.format == "sarif" and not answer.watched:
            emit(log([*sarif.runs(answer.oopses, RULES)]), output.file)
            left.remove(output)
        elif output.format == "text":
            emit("\n".join(map(text.render, answer.oopses)), output.file, prose=True)
    for one in answer.oopses:
        found = count(len(one.diagnoses), "oops, BUG or warning", "oopses, BUGs and warnings")
        say(f"{clean(one.name)}: no trace, but {found} of a kernel: {len(one.found)} of the mode")
    deaf = [output.format for output in wanted if output.format not in {"text", "json", "sarif"}]
    if deaf:
        say(f"nothing of that is in {', '.join(deaf)}: text, json and sarif have it")
    return left


def _live(output: Output) -> bool:
    """Whether an output is what is printed as it comes."""
    return output.format == "text" and output.file == outputs.STDOUT


def _followed(args: argparse.Namespace, wanted: Sequence[Output]) -> FollowedTrace | None:
    """Who shows what is followed; raises Problem where it cannot be."""
    if not args.follow:
        return None
    if len(args.traces) > 1:
        raise Problem(f"--follow takes one trace, not {len(args.traces)}")
    from lazymmu.cli.follow import FollowedTrace

    (name,) = args.traces
    name = "<stdin>" if name == "-" else name
    listed = not args.summary and any(map(_live, wanted))
    return FollowedTrace(name, listed=listed, asked=args.rules, quiet=args.quiet)


def _say_interrupted(answer: TraceAnswer) -> None:
    """Say what an answer lacks that Ctrl-C has cut short."""
    if not answer.interrupted or answer.request.follower is not None:
        return
    one = answer.watched[-1]
    left = len(answer.request.traces) - len(answer.watched)
    more = f", and {count(left, 'more trace')} not at all" if left else ""
    say(f"interrupted: {clean(one.name)} was read to its line {one.seen.lines}{more}")


def _given(name: str) -> str | Stream:
    """The trace of a name, or of standard input; raises Problem where that is closed."""
    from lazymmu.verbs.trace import Stream

    if name != "-":
        return name
    if sys.stdin is None:
        raise Problem("cannot read standard input: it is closed")
    return Stream(sys.stdin.buffer, "<stdin>")


def _outputs(args: argparse.Namespace) -> tuple[Output, ...]:
    """Where the answer goes; raises Problem, before anything is read, for what cannot be made."""
    if args.compare and len(args.traces) != 2:
        raise Problem(f"--compare takes two traces, not {len(args.traces)}")
    if args.compare and args.summary:
        raise Problem("--compare and --summary are two outputs: choose one")
    for given in args.formats if args.summary or args.compare else ():
        if given.partition("=")[0] not in formats.SUMMARIES:
            one = "comparison" if args.compare else "summary"
            raise Problem(f"a {one} is text or JSON, or a page (html)")
    return outputs.outputs(args, FORMATS)


def _summarise(answer: TraceAnswer, wanted: Sequence[Output]) -> None:
    from lazymmu.report.trace import stats

    tallies = answer.tallies

    def render(name: str, columns: int | None) -> str:
        if name == "html":
            from lazymmu.report.trace import html

            return html.render(answer.watched, tallies, answer.tracks, summary=True)
        return stats.render_json(tallies) if name == "json" else stats.render(tallies, columns)

    outputs.deliver(wanted, render)


def _compare(answer: TraceAnswer, wanted: Sequence[Output]) -> None:
    from lazymmu.report.trace import compare

    first, second = zip(answer.watched, (tally for _, tally in answer.tallies), strict=True)

    def render(name: str, columns: int | None) -> str:
        if name == "json":
            return compare.render_json(first, second)
        if name == "html":
            from lazymmu.report.trace import compare_page

            return compare_page.render(first, second)
        return compare.render(first, second, columns)

    outputs.deliver(wanted, render)


def _emit(answer: TraceAnswer, wanted: Sequence[Output], args: argparse.Namespace) -> None:
    from lazymmu.report.trace.formats import of_trace

    watched = answer.watched
    alone = of_trace(watched, asked=args.rules, tallies=answer.tallies, tracks=answer.tracks)

    def render(name: str, columns: int | None) -> str:
        if answer.oopses and name in {"json", "sarif"}:
            return _together(answer, name, args.rules)
        return alone(name, columns)

    outputs.deliver(wanted, render, coloured=("text",))
    # Text and JSON say it where they end.
    if any(output.format not in {"text", "json", "html"} for output in wanted):
        for one in watched:
            for rule, more in one.cut:
                say(f"{one.name}: {more} more of {rule} are not listed")


def _together(answer: TraceAnswer, name: str, asked: Sequence[str]) -> str:
    """Traces, and texts that are none, in one document."""
    from lazymmu.contract.rules import RULES
    from lazymmu.json_text import dump
    from lazymmu.report.common.sarif import log
    from lazymmu.report.oops import json as texts
    from lazymmu.report.oops import sarif as splats
    from lazymmu.report.trace import json, sarif

    if name == "json":
        return dump(json.object_of(answer.watched) | {"texts": texts.objects_of(answer.oopses)})
    told = sarif.runs(answer.watched, rules=RULES, asked=asked)
    return log([*told, *splats.runs(answer.oopses, RULES)])


def say_watched(watched: Sequence[TraceResult]) -> None:
    """Say of each trace what it is, what was seen, and what could not be told."""
    from lazymmu.report.trace import text

    for one in watched:
        say(text.title(one))
        say(text.seen(one))
        for sentence in text.rests_on(one):
            say(sentence)
        if one.hidden:
            say(clean(f"{one.name}: not visible on this kernel: {one.hidden}"))
        for doubt in one.caveats:
            where = f"{one.name}:{doubt.line}" if doubt.line else one.name
            times = f" ({doubt.times} times)" if doubt.times > 1 else ""
            say(clean(f"{where}: cannot tell: {doubt.reason}{times}"))
