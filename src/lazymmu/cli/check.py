# SPDX-License-Identifier: GPL-2.0-or-later
"""Check kernel source trees against the contract of the lazy MMU mode.

A tree is plain source: it need not be configured or built. Findings go to
standard output, one line each with the path to the culprit below it, what
hurts first; a summary goes to standard error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import config, options, outputs
from lazymmu.cli.console import emit, progress, say
from lazymmu.problem import Problem
from lazymmu.report.common import formats
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Sequence

    from lazymmu.cli.outputs import Output
    from lazymmu.verbs.check import CheckAnswer, CheckRequest
    from lazymmu.verbs.configuration import Configuration

NAME = "check"
SUMMARY = "check source trees against the contract"
FORMATS = formats.VERBS[NAME]

FAIL_ON = ("hurts", "costs", "text", "breaks-text", "information", "none")
"""As `verbs.selection.FailOn` has them, which is heavier to import than a parser."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu check`."""
    options.add_trees(parser)
    options.add_reading(parser)
    options.add_kernel(parser)
    config.add_config(parser)
    _add_selecting(parser)
    _add_output(parser)


def _add_selecting(parser: argparse.ArgumentParser) -> None:
    """Which findings are told."""
    which = parser.add_argument_group("which findings")
    options.add_path(which, "report only findings that touch")
    which.add_argument(
        "--rule",
        metavar="NAME",
        action="append",
        default=[],
        dest="rules",
        help="check only this rule (see `lazymmu explain`); also shows the information it gives",
    )
    which.add_argument(
        "--only",
        metavar="FINGERPRINT",
        action="append",
        default=[],
        help="report only this finding, by the name that text, mail and JSON give it",
    )
    which.add_argument(
        "--min-confidence",
        choices=("low", "medium", "high"),
        help="how sure a finding must be (default: medium)",
    )
    new = which.add_mutually_exclusive_group()
    new.add_argument(
        "--since",
        metavar="REV",
        help="report what is new, fixed and moved in this git tree since the merge base with "
        "REV; A..B: in commit B since its merge base with A",
    )
    new.add_argument(
        "--diff",
        metavar="FILE",
        help="report what this patch, mail or mailbox brings, fixes and moves, whether it is "
        "applied or not (- for standard input)",
    )
    which.add_argument(
        "--exact", action="store_true", help="with --since: since REV itself, not the merge base"
    )
    which.add_argument(
        "--suppress", metavar="FILE", help="leave out the findings that this TOML file names"
    )
    which.add_argument(
        "--no-allow",
        action="store_true",
        help="count also what a comment in the source allows: /* lazymmu: allow(RULE) REASON */",
    )
    which.add_argument("--baseline", metavar="FILE", help="leave out the findings in this baseline")
    which.add_argument(
        "--write-baseline", metavar="FILE", help="write the findings as a baseline, and exit with 0"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    """How they are told, and what they make of the exit code."""
    output = outputs.add_outputs(parser, FORMATS)
    output.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="in text: every other place of a mistake, what each step does, who is concerned",
    )
    output.add_argument(
        "--as-scenario",
        action="store_true",
        help="print the one finding that is left (--only) as a litmus file: the steps, locks and "
        "entries of its path, for `lazymmu litmus --tree`",
    )
    output.add_argument(
        "--compare", action="store_true", help="of several trees: a table, finding by release"
    )
    output.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        help="the least that makes the exit code 1: what hurts an architecture, what hurts or "
        "costs one, what breaks the text (text or breaks-text; default), information, or none",
    )
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if there are findings"
    )
    output.add_argument(
        "--allow-loss",
        action="store_true",
        help="exit with 0 also if something was not seen that could hide a finding",
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, print the answer, and say how it ended."""
    import lazymmu

    configured = config.configure(args)
    wanted = _outputs(args)
    if args.as_scenario and (args.formats or args.compare or args.write_baseline is not None):
        raise Problem("--as-scenario is a format of its own")
    request = _request(args, wanted, configured)
    with progress(quiet=args.quiet) as show:
        answer = lazymmu.check(request, progress=show)
    for entry in answer.stale:
        say(f"{entry.origin}: {entry} is stale: no finding matches it")
    _say_comments(answer)
    if args.as_scenario:
        if not _print_scenario(answer, args):
            return ExitCode.INCONCLUSIVE
    elif args.write_baseline:
        _write_baseline(answer, args)
    else:
        _print(answer, wanted, args)
    _say(answer, wanted, args)
    for sentence in answer.unread:
        say(sentence)
    if answer.interrupted:
        say(f"interrupted: {len(answer.outcomes)} of {len(request.trees)} trees were checked")
    if args.write_baseline:
        return ExitCode.INCONCLUSIVE if answer.missing else ExitCode.CLEAN
    code = answer.exit_code(allow_loss=args.allow_loss)
    return ExitCode.CLEAN if code is ExitCode.FOUND and args.exit_zero else code


def _request(
    args: argparse.Namespace, wanted: Sequence[Output], configured: Configuration | None
) -> CheckRequest:
    """The question that the arguments ask; raises Problem for what cannot be printed."""
    import lazymmu
    from lazymmu.verbs.selection import FailOn
    from lazymmu.witness.finding import Confidence

    beside = configured.baseline if configured is not None else None
    several = len(args.trees) > 1
    if args.compare and not several:
        raise Problem("--compare needs at least two trees")
    if args.write_baseline is not None and several:
        raise Problem("--write-baseline needs exactly one tree")
    return lazymmu.CheckRequest(
        **options.reading(args),
        rules=args.rules,
        only=args.only,
        min_confidence=Confidence(args.min_confidence or Confidence.MEDIUM),
        since=args.since,
        exact=args.exact,
        diff=options.maybe_given(args.diff),
        suppressions=options.maybe_given(args.suppress),
        allow=not args.no_allow,
        configured=configured.suppress if configured is not None else (),
        baseline=options.maybe_given(args.baseline) or beside,
        fail_on=FailOn(args.fail_on or FailOn.BREAKS_TEXT),
        provenance=any(output.format == "sarif" for output in wanted),
        shown=any(output.format == "html" for output in wanted),
    )


def _outputs(args: argparse.Namespace) -> tuple[Output, ...]:
    """Where the answer goes; raises Problem before anything is read."""
    if args.compare:
        for given in args.formats:
            name = given.partition("=")[0]
            if name in FORMATS and name not in formats.TABLES:
                there_are = ", ".join(formats.TABLES)
                raise Problem(f"--compare has no format {name}; it has {there_are}")
    return outputs.outputs(args, FORMATS, getattr(args, "default_format", ""))


def _asked(args: argparse.Namespace) -> Collection[str]:
    """The rules whose information is shown."""
    if args.fail_on != "information":
        return frozenset(args.rules)
    from lazymmu.contract.rules import RULES

    return frozenset(args.rules or RULES)


def _write_baseline(answer: CheckAnswer, args: argparse.Namespace) -> None:
    text, number = answer.new_baseline()
    emit(text, args.write_baseline)
    if not args.quiet:
        say(f"{args.write_baseline}: baseline written, {number} in it")


def _print(answer: CheckAnswer, wanted: Sequence[Output], args: argparse.Namespace) -> None:
    from lazymmu.report.check.formats import of_check, of_comparison

    asked = _asked(args)
    if args.compare:
        render = of_comparison(
            answer.outcomes, asked=asked, whole=answer.results, former=answer.lineage()
        )
    else:
        render = of_check(
            answer.outcomes, asked=asked, allow_loss=args.allow_loss, verbose=args.verbose
        )
    outputs.deliver(wanted, render, coloured=("text",))


def _print_scenario(answer: CheckAnswer, args: argparse.Namespace) -> bool:
    """Print the litmus file of the finding, or say why there is none."""
    from lazymmu.verbs.scenario import UntoldError, as_scenario

    try:
        emit(as_scenario(answer), args.output)
    except UntoldError as why:
        say(f"the finding cannot be told as a scenario: {why}")
        return False
    return True


def _say_comments(answer: CheckAnswer) -> None:
    """Tell of comments that allow something: a stranger's tree may have some, and a typo is one."""
    from lazymmu.report.check import allow

    for outcome in answer.outcomes:
        for sentence in allow.sentences(outcome):
            say(sentence)
    for sentence in allow.unused(answer.unused_comments):
        say(sentence)


def _say(answer: CheckAnswer, wanted: Sequence[Output], args: argparse.Namespace) -> None:
    """Say what the answer amounts to, and why it may be an open one: a gate must tell."""
    from lazymmu.report.check import coverage, summary

    listed = any(output.format == "json" for output in wanted) and not args.write_baseline
    asked = _asked(args)
    for outcome in () if args.quiet else answer.outcomes:
        for sentence in summary.sentences(outcome, asked=asked, listed=listed):
            say(sentence)
    for sentence in answer.missing:
        say(sentence)
    for outcome in answer.outcomes:
        for sentence in coverage.lost(outcome):
            say(sentence)
    for outcome in answer.outcomes:
        if sentence := summary.unconcerned(outcome):
            say(sentence)
