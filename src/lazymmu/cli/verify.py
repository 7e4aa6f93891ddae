# SPDX-License-Identifier: GPL-2.0-or-later
"""Search what machines can do, and print how the contract can be broken on them.

Without arguments: every shipped scenario on the implementations that it is
most about, as a table. With --scenario, also the shortest
counterexample of each run that is violated.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lazymmu.cli import options, outputs, search_options, tree_options
from lazymmu.cli.console import progress, say
from lazymmu.problem import Problem, needs_package
from lazymmu.report.common import formats
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lazymmu.cli.outputs import Output
    from lazymmu.verbs.verify import VerifyAnswer, VerifyRequest

NAME = "verify"
SUMMARY = "search executable machines for ways to break the contract"
FORMATS = formats.VERBS[NAME]
PORT = "port"
"""As `litmus.port.ARCH` has it, which is heavier to import than a parser."""
_NOTHING = "no scenario expects anything of such an implementation; --all runs all of them"
PREEMPT = ("none", "voluntary", "full", "lazy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu verify`."""
    which = search_options.add_selecting(parser)
    which.add_argument(
        "--scenario",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="scenarios",
        help="only these scenarios; also prints the counterexamples",
    )
    which.add_argument(
        "--rule",
        metavar="NAME",
        dest="watched",
        help="only scenarios about this rule, or those named, and watch no other",
    )
    which.add_argument(
        "--list", action="store_true", help="list scenarios and implementations, and run nothing"
    )
    which.add_argument(
        "--replay",
        metavar="FILE",
        help="take the counterexamples of a JSON result again, without a search "
        "(- for standard input)",
    )
    which.add_argument(
        "--port",
        metavar="FILE",
        help="run this Python file, and all scenarios on the implementation in it "
        "(as --arch port; docs: porting)",
    )
    tree_options.add_tree(which)
    tree_options.add_change(which)
    _add_machine(parser.add_argument_group("another machine than the scenario's"))
    search_options.add_search(parser)
    output = outputs.add_outputs(parser, FORMATS)
    output.add_argument(
        "--step",
        action="store_true",
        help="step through the counterexamples in the terminal, instead of printing them (needs "
        "textual: the extra `step`)",
    )
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if there are counterexamples"
    )


def _add_machine(machine: argparse._ArgumentGroup) -> None:
    machine.add_argument("--cpus", metavar="N", type=int, choices=(1, 2, 3), help="1, 2 or 3 CPUs")
    machine.add_argument(
        "--tasks",
        metavar="N",
        type=options.positive,
        help="the scenario's first N tasks, and copies of its last if it has fewer",
    )
    kind = machine.add_mutually_exclusive_group()
    kind.add_argument("--rt", action="store_true", help="with PREEMPT_RT")
    kind.add_argument("--preempt", choices=PREEMPT, help="with this preemption model")
    machine.add_argument(
        "--with",
        metavar="FEATURE=VALUE",
        action="append",
        default=[],
        dest="what_if",
        help="with this feature otherwise, as kasan=paused or hooks=6.1; may be repeated, and "
        "then each subset is a machine of its own (docs: review)",
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, print the answer, and say how it ended."""
    import lazymmu

    wanted = _outputs(args)
    if args.step:
        _look_to_step(args)
    request = lazymmu.VerifyRequest(
        **search_options.searching(args),
        scenarios=options.listed(args.scenarios),
        rule=args.watched,
        replay=options.maybe_given(args.replay, "<stdin>"),
        port=args.port,
        cpus=args.cpus,
        tasks=args.tasks,
        preempt=args.preempt,
        rt=True if args.rt else None,
        what_if=args.what_if,
        traces=any(output.format == "ftrace" for output in wanted),
        **tree_options.tree(args),
        **tree_options.change(args),
    )
    if args.list and args.replay is None:
        _list(request, wanted, args)
        return ExitCode.CLEAN
    begun = time.monotonic()
    with search_options.aside(args.port), progress(quiet=args.quiet) as show:
        answer = lazymmu.verify(request, progress=show)
    if answer.interrupted:
        say(f"interrupted: {len(answer.done)} of {answer.wanted} runs made")
    tree_options.tell(answer, args.diff)
    if args.tree is not None and not answer.wanted:
        return ExitCode.INCONCLUSIVE
    if args.replay is None and not answer.wanted:
        from lazymmu.verbs.verify_named import missing

        for sentence in missing(request) or (_NOTHING,):
            say(sentence)
        return ExitCode.INCONCLUSIVE
    if args.step:
        _step(answer)
    else:
        _print(answer, wanted, args)
    if args.replay is not None and not answer.done:
        say(f"{search_options.shown(args.replay)}: there is no such counterexample in it")
    elif args.replay is None and not args.quiet:
        took = time.monotonic() - begun
        say(search_options.summary(answer, took, expected=_expected(answer)))
    return _code(answer, wanted, args)


def _outputs(args: argparse.Namespace) -> tuple[Output, ...]:
    """Where the answer goes; raises Problem before anything is searched."""
    for given in args.formats if args.list and args.replay is None else ():
        name = given.partition("=")[0]
        if name in FORMATS and name not in formats.SUMMARIES:
            raise Problem(f"--list has no format {name}; it has {', '.join(formats.SUMMARIES)}")
    made = args.what_if or any(one is not None for one in (args.tree, args.port, args.replay))
    if made and any(given.partition("=")[0] == "promela" for given in args.formats):
        raise Problem("--format promela is of a machine as it is in a release")
    return outputs.outputs(args, FORMATS)


def _look_to_step(args: argparse.Namespace) -> None:
    """Raise Problem, before anything is searched, where nothing can be stepped through."""
    if args.formats or args.output or args.html or args.list:
        raise Problem(
            "--step shows counterexamples in the terminal: it takes no format and no file"
        )
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise Problem(
            "--step needs a terminal; --format html makes a page that can be stepped through"
        )
    if find_spec("textual") is None:
        raise Problem(needs_package("--step", "textual", "step"))


def _step(answer: VerifyAnswer) -> None:
    from lazymmu.cli.stepper import Stepper, ways_of

    ways = [way for way in ways_of(answer.done) if way.steps]
    if ways:
        Stepper(ways).run()
    else:
        say("there is no counterexample to step through")


def _print(answer: VerifyAnswer, wanted: Sequence[Output], args: argparse.Namespace) -> None:
    from lazymmu.report.verify import counterexample, ftrace, herd7, lifting, matrix
    from lazymmu.report.verify.formats import of_runs
    from lazymmu.verbs.herd import herd_tests
    from lazymmu.verbs.promela import model_of

    def text(columns: int | None) -> str:
        whole = args.everything and len({one.scenario for one in answer.verdicts}) == 1
        table = matrix.grid(answer.verdicts) if whole else matrix.render(answer.verdicts, columns)
        parts = [] if args.replay is not None else [table]
        if args.scenarios or args.replay is not None or answer.request.differs:
            parts += counterexample.of_runs(answer.done, columns)
        parts += lifting.render(answer.lifted, columns)
        return "\n".join(parts)

    others = of_runs(answer.done, answer.judged, text, answer.lifted)
    untold: list[str] = []

    def render(name: str, columns: int | None) -> str:
        if name == "promela":
            return model_of(answer.done)
        if name not in ("ftrace", "herd7"):
            return others(name, columns)
        traced = name == "ftrace"
        tests = [] if traced else herd_tests(answer.done)
        texts, sentences = ftrace.of_runs(answer.traces) if traced else herd7.of_runs(tests)
        untold.extend(sentences)
        return "\n".join(texts)

    outputs.deliver(wanted, render)
    for sentence in dict.fromkeys(untold):
        say(sentence)


def _expected(answer: VerifyAnswer) -> bool:
    """Whether the scenarios say what is to come of these runs: of their own machines and rules."""
    asked = answer.request
    changed = (
        asked.rule,
        asked.cpus,
        asked.tasks,
        asked.preempt,
        asked.rt,
        asked.bound,
        asked.port,
    )
    if asked.tree is not None or asked.what_if:
        return False
    told = all(
        one.expected is not None or not run.scenario.expect or verdict.verdict == "not-applicable"
        for (run, verdict), one in zip(answer.done, answer.judged, strict=True)
    )
    return told and asked.replay is None and all(one is None for one in changed)


def _code(answer: VerifyAnswer, wanted: Sequence[Output], args: argparse.Namespace) -> ExitCode:
    expected = search_options.by_expectation(wanted) and bool(answer.done)
    code = search_options.expectation_code(answer) if expected else answer.exit_code()
    return ExitCode.CLEAN if code is ExitCode.FOUND and args.exit_zero else code


def _list(request: VerifyRequest, wanted: Sequence[Output], args: argparse.Namespace) -> None:
    from lazymmu.report.verify import catalogue
    from lazymmu.verbs import verify

    with search_options.aside(args.port):
        scenarios, implementations = verify.catalogue(request)
    rows = [catalogue.row(scenario) for scenario in scenarios]

    def render(name: str, columns: int | None) -> str:
        if name == "json":
            return catalogue.render_json(rows, implementations)
        return catalogue.render(rows, implementations, columns)

    outputs.deliver(wanted, render)
