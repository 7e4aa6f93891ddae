# SPDX-License-Identifier: GPL-2.0-or-later
"""Bring the mode to another architecture: a template, questions, a trial, a plan.

new writes a template and a checklist; questions says what has to be decided,
and what follows; try runs every scenario on the design; plan says what in a
kernel tree has to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import options, search_options
from lazymmu.cli.console import emit, progress, say, width
from lazymmu.verbs import names
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

NAME = "port"
SUMMARY = "bring the mode to another architecture"

COLUMNS = 80
"""Where there is no terminal to ask."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the parts of `lazymmu port`."""
    parts = parser.add_subparsers(
        dest="part",
        metavar="WHAT",
        title="parts",
        required=True,
        help="new, questions, try or plan",
    )
    new = _part(parts, "new", "write NAME.py, a template to change, and NAME.md, a checklist", _new)
    new.add_argument("name", metavar="NAME", help="of the architecture, as arch/NAME has it")
    new.add_argument(
        "--folder", metavar="DIR", default="", help="where to write (default: where you are)"
    )
    _part(parts, "questions", "what has to be decided, and what follows from it", _questions)
    tried = _part(parts, "try", "run every scenario on the design; this runs FILE", _try)
    tried.add_argument(
        "port",
        metavar="FILE",
        help="a Python file with one implementation, which is run, with all that a program may do: "
        "what you wrote, or have read",
    )
    tried.add_argument(
        "--scenario",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="scenarios",
        help="only these scenarios (`lazymmu verify --list`)",
    )
    tried.add_argument(
        "--show",
        metavar="RULE",
        help="print the shortest way in which it breaks this rule of its own",
    )
    tried.add_argument("--all", action="store_true", dest="everything", help="large scenarios, too")
    search_options.add_search(tried)
    tried.add_argument("-q", "--quiet", action="store_true", help="no summary and no progress")
    plan = _part(parts, "plan", "what in a kernel tree has to change, from its own source", _plan)
    plan.add_argument("--tree", metavar="TREE", required=True, help="a Linux source tree")
    plan.add_argument("--arch", metavar="NAME", help="the directory below arch/ that gets the mode")
    plan.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    plan.add_argument("--cache-dir", metavar="DIR", help="where to keep what was learnt of a tree")
    plan.add_argument(
        "--jobs", metavar="N", type=options.positive, help="processes (default: one per processor)"
    )
    plan.add_argument("-q", "--quiet", action="store_true", help="no progress")


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    action: Callable[[argparse.Namespace], ExitCode],
) -> argparse.ArgumentParser:
    part = parts.add_parser(name, help=summary, description=summary, allow_abbrev=False)
    part.set_defaults(act=action)
    return part


def run(args: argparse.Namespace) -> ExitCode:
    """Do the one part that was asked for."""
    code: ExitCode = args.act(args)
    return code


def _columns() -> int:
    return min(width() or COLUMNS, 100)


def _new(args: argparse.Namespace) -> ExitCode:
    from lazymmu.report.port import questions
    from lazymmu.verbs import port_new

    python, markdown = port_new.new(args.name, args.folder, questions.checklist(args.name))
    emit(
        f"{python}: an implementation that works, to be changed\n{markdown}: a checklist\n"
        f"next: lazymmu port questions; lazymmu port try {python}\n"
    )
    return ExitCode.CLEAN


def _questions(_args: argparse.Namespace) -> ExitCode:
    from lazymmu.report.port import questions

    emit(questions.render(_columns()))
    return ExitCode.CLEAN


def _try(args: argparse.Namespace) -> ExitCode:
    from lazymmu.litmus.run import RunLimits
    from lazymmu.report.port import trial
    from lazymmu.verbs import port_try

    if args.show is not None:
        names.check("rule of an implementation", [args.show], port_try.OWN_RULES)
    limits = RunLimits(
        args.engine, args.bound, args.max_states, args.max_memory and args.max_memory << 20,
        args.seconds,
    )  # fmt: skip
    with search_options.aside(args.port), progress(quiet=args.quiet) as show:
        found = port_try.try_port(
            args.port,
            limits,
            scenarios=options.listed(args.scenarios),
            everything=args.everything,
            jobs=args.jobs,
            progress=show,
        )
    if args.show is not None:
        text = trial.show(found, args.show)
        emit(text)
        if not text:
            say(f"{args.port} breaks {args.show} nowhere while callers obey")
    else:
        emit(trial.render(found, args.port, _columns()))
    if found.interrupted:
        say("interrupted: not every scenario was run")
    for name in found.open:
        say(f"{name}: ended at a bound, and found nothing until then")
    return found.exit_code()


def _plan(args: argparse.Namespace) -> ExitCode:
    from lazymmu.report.check import coverage
    from lazymmu.report.port import plan
    from lazymmu.verbs import port_plan
    from lazymmu.verbs.reading import TreeRequest

    request = TreeRequest(trees=[args.tree], jobs=args.jobs, cache_dir=options.cache_dir(args))
    with progress(quiet=args.quiet) as show:
        found = port_plan.plan(request, args.arch or "", progress=show)
    emit(plan.render(found, _columns()))
    for sentence in coverage.losses(found.sections.coverage.blind):
        say(sentence)
    return ExitCode.CLEAN if found.sections.rows else ExitCode.INCONCLUSIVE
