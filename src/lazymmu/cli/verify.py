# SPDX-License-Identifier: GPL-2.0-or-later
"""Search what machines can do, and print how the contract can be broken on them.

Without arguments: every shipped scenario on the implementations that it is
most about, as a table. With --scenario, also the shortest
counterexample of each run that is violated.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lazymmu.cli import judged, options, pool, search_options
from lazymmu.cli.console import emit, read_input, say, width
from lazymmu.cli.outcome import ExitCode
from lazymmu.problem import Problem

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lazymmu.litmus.run import Run
    from lazymmu.litmus.scenario import Scenario
    from lazymmu.report.verify.json import Stored
    from lazymmu.witness.machine.verdict import Verdict

NAME = "verify"
SUMMARY = "search executable machines for ways to break the contract"
FORMATS = ("text", "json", "ktap", "ftrace")
PORT = "port"
"""As `litmus.port.ARCH` has it, which is heavier to import than a parser."""
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
    machine = parser.add_argument_group("another machine than the scenario's")
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
    search_options.add_search(parser)
    output = options.add_output(parser, FORMATS)
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if there are counterexamples"
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Choose the runs, make them, print what they came to."""
    with search_options.ported(args.port):
        return _run(args)


def _run(args: argparse.Namespace) -> ExitCode:
    if args.replay is not None:
        return _replayed(args)
    scenarios = _scenarios(args)
    arches, releases = search_options.selected(args)
    if args.port is not None and arches is None:
        arches = {PORT}
    if args.list:
        _list(scenarios, args)
        return ExitCode.CLEAN
    from lazymmu.litmus.run import runs

    # No scenario expects anything of an implementation that came just now.
    everything = args.everything or args.port is not None
    # Without a choice the table is short: `also` is for who asks for something.
    also = bool(args.scenarios or args.watched or arches or releases)
    chosen = runs(scenarios, arches=arches, releases=releases, everything=everything, also=also)
    if not chosen:
        say("no scenario expects anything of such an implementation; --all runs all of them")
        return ExitCode.INCONCLUSIVE
    begun = time.monotonic()
    done, interrupted = pool.verdicts(chosen, args, args.port)
    _print(done, args)
    verdicts = [verdict for _, verdict in done]
    if not args.quiet:
        from lazymmu.report.verify.json import summary

        said = summary(verdicts, time.monotonic() - begun)
        ktap = args.format == "ktap"
        say(f"{said}; {judged.met(judged.judgements(done))}" if ktap else said)
    return _code(done, args, interrupted=interrupted)


def _scenarios(args: argparse.Namespace) -> list[Scenario]:
    """The scenarios that were asked for, on the machines that were asked for; raises Problem."""
    from lazymmu.contract.rules import RULES
    from lazymmu.contract.rules.rule import Witness
    from lazymmu.litmus import shipped
    from lazymmu.litmus.run import named
    from lazymmu.litmus.vary import vary

    names = [name.strip() for value in args.scenarios for name in value.split(",")]
    options.check_names("scenario", names, shipped.names())
    found = [named(name) for name in shipped.names() if not names or name in names]
    if args.watched is not None:
        shown = [name for name, rule in RULES.items() if Witness.MACHINE in rule.witnesses]
        options.check_names("rule that machines show", [args.watched], shown)
        if not names:
            found = [scenario for scenario in found if _about(scenario, args.watched)]
    if not names and not args.everything and not args.list:
        found = [scenario for scenario in found if scenario.machine.size == "small"]
    return [
        vary(
            scenario,
            cpus=args.cpus,
            tasks=args.tasks,
            preempt=args.preempt,
            rt=True if args.rt else None,
            rule=args.watched,
        )
        for scenario in found
    ]


def _about(scenario: Scenario, rule: str) -> bool:
    expected = (breach.rule for expect in scenario.expect for breach in expect.broken)
    return rule in (*scenario.rules, *scenario.watch, *expected)


def _print(done: Sequence[tuple[Run, Verdict]], args: argparse.Namespace) -> None:
    match args.format:
        case "json":
            emit(judged.as_json(done, judged.judgements(done)), args.output)
        case "ktap":
            from lazymmu.report.verify import ktap

            emit(ktap.render([judged.case(one) for one in judged.judgements(done)]), args.output)
        case "ftrace":
            texts, sentences = judged.traces(done)
            emit("\n".join(texts), args.output)
            for sentence in sentences:
                say(sentence)
        case _:
            from lazymmu.report.verify import matrix

            parts = [matrix.render([verdict for _, verdict in done])]
            if args.scenarios:
                parts += judged.counterexamples(done)
            emit("\n".join(parts), args.output)


def _code(
    done: Sequence[tuple[Run, Verdict]], args: argparse.Namespace, *, interrupted: bool
) -> ExitCode:
    from lazymmu.witness.machine.verdict import SearchOutcome

    if args.format == "ktap":
        code = judged.ktap_code(judged.judgements(done), interrupted=interrupted)
        return ExitCode.CLEAN if code is ExitCode.FOUND and args.exit_zero else code
    answers = {verdict.verdict for _, verdict in done}
    if interrupted:
        return ExitCode.INCONCLUSIVE
    if SearchOutcome.VIOLATED in answers:
        return ExitCode.CLEAN if args.exit_zero else ExitCode.FOUND
    if answers & {SearchOutcome.INCONCLUSIVE, SearchOutcome.NEVER_OCCURS} or answers == {
        SearchOutcome.NOT_APPLICABLE
    }:
        return ExitCode.INCONCLUSIVE
    return ExitCode.CLEAN


def _list(scenarios: Sequence[Scenario], args: argparse.Namespace) -> None:
    from lazymmu.litmus.run import implementations
    from lazymmu.report.verify import catalogue

    rows = [
        catalogue.Row(
            scenario.name,
            scenario.sentence,
            (*scenario.claims, *scenario.bugs, *scenario.rules),
            scenario.machine.size,
        )
        for scenario in scenarios
    ]
    if args.format == "json":
        emit(catalogue.render_json(rows, list(implementations())), args.output)
    else:
        emit(catalogue.render(rows, list(implementations()), width(args.output)), args.output)


def _replayed(args: argparse.Namespace) -> ExitCode:
    """Take every counterexample of a result once more, as far as it was asked for."""
    from lazymmu.litmus.run import Run
    from lazymmu.report.verify import json as verify_json

    name = "<stdin>" if args.replay == "-" else args.replay
    try:
        found = verify_json.read(read_input(args.replay))
    except ValueError as error:
        raise Problem(f"{name}: {error}") from None
    wanted = {one.strip() for value in args.scenarios for one in value.split(",")}
    found = [
        stored
        for stored in found
        if (not wanted or stored.scenario in wanted) and args.watched in (None, stored.rule)
    ]
    done = []
    for stored in found:
        scenario = _stored(stored, name)
        verdict = _again(stored, scenario, name)
        done.append((Run(scenario, verdict.arch, verdict.release, verdict.feature), verdict))
    if args.format == "text":
        emit("\n".join(judged.counterexamples(done)), args.output)
    else:
        _print(done, args)
    if not done:
        say(f"{name}: there is no such counterexample in it")
        return ExitCode.INCONCLUSIVE
    if args.format == "ktap":
        return _code(done, args, interrupted=False)
    return ExitCode.CLEAN if args.exit_zero else ExitCode.FOUND


def _stored(stored: Stored, name: str) -> Scenario:
    from lazymmu.litmus import shipped
    from lazymmu.litmus.read import LitmusError
    from lazymmu.litmus.run import load

    try:
        return load(stored.text or shipped.text(stored.scenario), stored.scenario)
    except KeyError:
        raise Problem(f"{name}: there is no scenario {stored.scenario!r}") from None
    except LitmusError as error:
        raise Problem(f"{name}: {error}") from None


def _again(stored: Stored, scenario: Scenario, name: str) -> Verdict:
    from lazymmu.litmus.to_config import to_query
    from lazymmu.witness.machine.replay import ReplayError, replay

    asked = to_query(scenario, stored.arch, stored.release)
    try:
        return replay(scenario.name, asked, stored.rule, stored.harm, stored.actions)
    except ReplayError as error:
        on = f"{scenario.name} on {stored.arch} {stored.release}"
        raise Problem(f"{name}: {on}: {error}") from None
