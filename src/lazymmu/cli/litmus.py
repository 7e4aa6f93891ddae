# SPDX-License-Identifier: GPL-2.0-or-later
"""Run litmus files on machines, and hold the verdicts to what the files expect.

A file without `expect` runs on every implementation, and is expected to hold.
So does, with --tree, one that expects nothing of that tree's implementation.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lazymmu.cli import options, outputs, search_options, tree_options
from lazymmu.cli.console import emit, progress, say, width
from lazymmu.problem import Problem
from lazymmu.report.common import formats
from lazymmu.terminal import clean
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lazymmu.cli.outputs import Output
    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.run import Run
    from lazymmu.verbs.verify import VerifyAnswer
    from lazymmu.witness.machine.verdict import Verdict

NAME = "litmus"
SUMMARY = "run litmus files on machines"
FORMATS = formats.VERBS[NAME]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `lazymmu litmus`."""
    parser.add_argument(
        "litmus", metavar="FILE", nargs="*", help="litmus file (- for standard input)"
    )
    which = search_options.add_selecting(parser)
    which.add_argument(
        "--list",
        action="store_true",
        help="list the implementations, the operations with what they take, and the events, and "
        "run nothing",
    )
    which.add_argument(
        "--port",
        metavar="FILE",
        help="run this Python file, and the scenarios on the implementation in it, on the generic "
        "code of each --release (default: the newest)",
    )
    tree_options.add_tree(which)
    search_options.add_search(parser)
    output = outputs.add_outputs(parser, FORMATS)
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if something differs"
    )
    output.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="print every counterexample, not only unexpected ones",
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, and say what differs from what the files expect."""
    import lazymmu

    if args.list:
        _list(args)
        return ExitCode.CLEAN
    if not args.litmus:
        raise Problem("which litmus file? (--list names the implementations)")
    wanted = outputs.outputs(args, FORMATS)
    request = lazymmu.VerifyRequest(
        **search_options.searching(args),
        port=args.port,
        **tree_options.tree(args),
        files=[options.given(file, search_options.shown(file)) for file in args.litmus],
    )
    begun = time.monotonic()
    with search_options.aside(args.port), progress(quiet=args.quiet) as show:
        answer = lazymmu.verify(request, progress=show)
    tree_options.tell(answer)
    for scenario in answer.idle:
        say(f"{scenario.file}: expects nothing of such an implementation; --all runs it on all")
    if answer.interrupted:
        say(f"interrupted: {len(answer.done)} of {answer.wanted} runs made")
    if not answer.wanted:
        return ExitCode.INCONCLUSIVE
    _print(answer, wanted, args)
    if not args.quiet:
        say(search_options.summary(answer, time.monotonic() - begun, expected=True))
    expected = search_options.by_expectation(wanted)
    code = search_options.expectation_code(answer) if expected else answer.exit_code()
    return ExitCode.CLEAN if code is ExitCode.FOUND and args.exit_zero else code


def _list(args: argparse.Namespace) -> None:
    """Print what --arch and --release take."""
    from lazymmu.litmus.reference import event_lines, operation_lines
    from lazymmu.litmus.run import implementations
    from lazymmu.report.verify import catalogue

    columns = width(args.output)
    parts = [catalogue.features(list(implementations()), columns)]
    parts += ["\n".join(lines) + "\n" for lines in (operation_lines(), event_lines())]
    emit("\n".join(parts), args.output, prose=True)


def _print(answer: VerifyAnswer, wanted: Sequence[Output], args: argparse.Namespace) -> None:
    from lazymmu.report.verify import counterexample, lifting, matrix
    from lazymmu.report.verify.formats import of_runs

    def text(columns: int | None) -> str:
        parts = [matrix.render(answer.verdicts, columns)]
        parts += filter(None, ["".join(_differences(answer.done, answer.judged))])
        told = [
            one
            for one, it in zip(answer.done, answer.judged, strict=True)
            if args.verbose or it.met is False
        ]
        parts += counterexample.of_runs(told, columns)
        return "\n".join([*parts, *lifting.render(answer.lifted, columns)])

    outputs.deliver(wanted, of_runs(answer.done, answer.judged, text, answer.lifted, verb=NAME))


def _differences(done: Sequence[tuple[Run, Verdict]], found: Sequence[Judgement]) -> Iterator[str]:
    """What is not as expected, each with the line of the file that expects it."""
    for (one, verdict), judgement in zip(done, found, strict=True):
        expected = judgement.expected
        line, column = (expected.line, expected.column) if expected else (1, 1)
        on = " ".join(filter(None, (verdict.arch, verdict.feature, verdict.release)))
        level = "error" if judgement.met is False else "warning"
        for sentence in judgement.sentences:
            where = f"{one.scenario.file}:{line}:{column}"
            yield clean(f"{where}: {level}: {on}: {sentence}") + "\n"
