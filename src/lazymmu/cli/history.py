# SPDX-License-Identifier: GPL-2.0-or-later
"""Tell which release has which problem, where it came from, and where it went.

Of each problem and each tree: there, not yet born, fixed, moved, cannot happen
(and why), hidden by another problem, or not to be told. Between which releases
it came and went, and which stable series has the fix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import options, outputs
from lazymmu.cli.console import progress, say
from lazymmu.problem import Problem
from lazymmu.report.common import formats

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.exit_code import ExitCode

NAME = "history"
SUMMARY = "which release has which problem, since when, until when"
FORMATS = formats.VERBS[NAME]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu history`."""
    parser.add_argument(
        "trees",
        metavar="TREE",
        nargs="*",
        help="top directory of a Linux source tree; with --git, a revision",
    )
    _add_commits(parser)
    options.add_reading(parser)
    parser.add_argument(
        "--min-confidence",
        choices=("low", "medium", "high"),
        help="how sure a finding must be to be a problem (default: medium)",
    )
    output = outputs.add_outputs(parser, FORMATS)
    output.add_argument(
        "--show",
        metavar="ID",
        help="tell one problem whole: H3, or the key that stays when trees are added",
    )


def _add_commits(parser: argparse.ArgumentParser) -> None:
    """Which commits, and who looks at them."""
    group = parser.add_argument_group("commits")
    group.add_argument(
        "--git",
        metavar="REPO",
        help="ask about commits of this repository: revisions that are named, or a --range, or "
        "every tag of a release",
    )
    group.add_argument("--range", metavar="A..B", help="the commits that B has and A has not")
    group.add_argument(
        "--every",
        choices=("release", "merge", "commit"),
        default="release",
        help="which commits of the range are looked at for their own sake: tags of releases "
        "(default), first parents of B, or all; of these, those that touch what a fact rests on",
    )
    group.add_argument(
        "--backport",
        metavar="ID",
        help="try what mended this problem on the revision of --to: whether it fits, what "
        "it needs, and what a check says then",
    )
    group.add_argument("--to", metavar="REV", help="see --backport")
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="have the workers of this Dask scheduler look (tcp://host:8786); local (default): "
        "processes here",
    )


def _backport(args: argparse.Namespace) -> tuple[str, str] | None:
    """Which fix is to be tried where; raises Problem for half a question."""
    if (args.backport is None) is not (args.to is None):
        raise Problem("--backport ID and --to REV go together")
    return None if args.backport is None else (args.backport, args.to)


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, and print the matrix."""
    import lazymmu
    from lazymmu.report.common.words import count
    from lazymmu.report.history.formats import of_history
    from lazymmu.verbs.past.of_commits import Every
    from lazymmu.witness.finding import Confidence

    wanted = outputs.outputs(args, FORMATS)
    request = lazymmu.HistoryRequest(
        trees=args.trees,
        repository=args.git,
        range=args.range,
        every=Every(args.every),
        scheduler=args.scheduler,
        backport=_backport(args),
        arches=options.listed(args.arch),
        dialect=args.dialect,
        jobs=args.jobs,
        cache_dir=options.cache_dir(args),
        min_confidence=Confidence(args.min_confidence or Confidence.MEDIUM),
        shown=any(output.format == "html" for output in wanted),
    )
    with progress(quiet=args.quiet) as show:
        answer = lazymmu.history(request, progress=show)
    shown = answer if args.show is None else answer.only(args.show)
    outputs.deliver(wanted, of_history(shown, whole=args.show is not None))
    for sentence in answer.missing:
        say(sentence)
    if answer.interrupted:
        done = answer.made + answer.recalled
        why = answer.trouble or "interrupted"
        say(f"{why}: {count(done, 'tree')} looked at; run it again to go on from there")
    return answer.exit_code()
