# SPDX-License-Identifier: GPL-2.0-or-later
"""Run litmus files on machines, and hold the verdicts to what the files expect.

A file without `expect` runs on every implementation, and is expected to hold.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lazymmu.cli import judged, pool, search_options
from lazymmu.cli.console import emit, read_input, say
from lazymmu.cli.options import add_output
from lazymmu.cli.outcome import ExitCode
from lazymmu.problem import Problem
from lazymmu.terminal import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.run import Run
    from lazymmu.litmus.scenario import Scenario
    from lazymmu.witness.machine.verdict import Verdict

NAME = "litmus"
SUMMARY = "run litmus files on machines"
FORMATS = ("text", "json", "ktap")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `lazymmu litmus`."""
    parser.add_argument(
        "litmus", metavar="FILE", nargs="+", help="litmus file (- for standard input)"
    )
    search_options.add_selecting(parser)
    search_options.add_search(parser)
    output = add_output(parser, FORMATS)
    output.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="print every counterexample, not only those that are not expected",
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Read all files, run them, and say what differs from what they expect."""
    scenarios = _read(args.litmus)
    arches, releases = search_options.selected(args)
    from lazymmu.litmus.run import runs

    chosen = runs(scenarios, arches=arches, releases=releases, everything=args.everything)
    for scenario in scenarios:
        if not any(one.scenario is scenario for one in chosen):
            say(f"{scenario.file}: expects nothing of such an implementation; --all runs it on all")
    if not chosen:
        return ExitCode.INCONCLUSIVE
    begun = time.monotonic()
    done, interrupted = pool.verdicts(chosen, args)
    found = judged.judgements(done)
    _print(done, found, args)
    if not args.quiet:
        from lazymmu.report.verify.json import summary

        said = summary([verdict for _, verdict in done], time.monotonic() - begun)
        say(f"{said}; {judged.met(found)}")
    if args.format == "ktap":
        return judged.ktap_code(found, interrupted=interrupted)
    if any(one.met is False for one in found):
        return ExitCode.FOUND
    return (
        ExitCode.INCONCLUSIVE
        if interrupted or any(o.met is None for o in found)
        else ExitCode.CLEAN
    )


def _read(files: Sequence[str]) -> list[Scenario]:
    from lazymmu.litmus.read import LitmusError
    from lazymmu.litmus.run import load

    found: dict[str, Scenario] = {}
    for file in files:
        name = "<stdin>" if file == "-" else file
        try:
            scenario = load(read_input(file).decode(), name)
        except UnicodeDecodeError:
            raise Problem(f"{name}: not text in UTF-8") from None
        except LitmusError as error:
            raise Problem(str(error)) from None
        if scenario.name in found:
            other = found[scenario.name].file
            raise Problem(f"{name}: a scenario {scenario.name!r} is in {other}, too")
        found[scenario.name] = scenario
    return list(found.values())


def _print(
    done: Sequence[tuple[Run, Verdict]], found: Sequence[Judgement], args: argparse.Namespace
) -> None:
    from lazymmu.report.verify import ktap, matrix

    match args.format:
        case "json":
            emit(judged.as_json(done, found), args.output)
        case "ktap":
            emit(ktap.render([judged.case(one) for one in found]), args.output)
        case _:
            parts = [matrix.render([verdict for _, verdict in done])]
            parts += filter(None, ["".join(_differences(done, found))])
            told = [
                one for one, it in zip(done, found, strict=True) if args.verbose or it.met is False
            ]
            emit("\n".join([*parts, *judged.counterexamples(told)]), args.output)


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
