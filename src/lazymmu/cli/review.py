# SPDX-License-Identifier: GPL-2.0-or-later
"""Review a series of patches: what each brings, mends and moves.

SERIES is a mailbox, a mail or a diff. It is laid on the tree in memory, patch
by patch; nothing is applied or checked out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import options, outputs
from lazymmu.cli.console import progress, say
from lazymmu.report.common import formats

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.exit_code import ExitCode

NAME = "review"
SUMMARY = "review a series of patches"
FORMATS = formats.VERBS[NAME]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu review`."""
    parser.add_argument(
        "series",
        metavar="SERIES",
        nargs="?",
        default="-",
        help="a mailbox, a mail or a diff (- for standard input)",
    )
    parser.add_argument(
        "--tree", metavar="DIR", default=".", help="the source tree that it is for (default: .)"
    )
    parser.add_argument(
        "--onto", metavar="REV", help="lay it on this revision of the tree's repository"
    )
    parser.add_argument(
        "--stable",
        metavar="TREE",
        action="append",
        default=[],
        help="another tree, or a revision of the repository, that fixes may go to; may be repeated",
    )
    options.add_reading(parser)
    outputs.add_outputs(parser, FORMATS)


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, print the answer, and say how it ended."""
    import lazymmu
    from lazymmu.report.review.formats import of_review

    wanted = outputs.outputs(args, FORMATS)
    request = lazymmu.ReviewRequest(
        series=options.given(args.series, "<stdin>"),
        trees=[args.tree],
        onto=args.onto,
        stable=args.stable,
        arches=options.listed(args.arch),
        dialect=args.dialect,
        jobs=args.jobs,
        cache_dir=options.cache_dir(args),
        shown=any(output.format == "html" for output in wanted),
    )
    with progress(quiet=args.quiet) as show:
        answer = lazymmu.review(request, progress=show)
    outputs.deliver(wanted, of_review(answer))
    for sentence in answer.losses:
        say(sentence)
    return answer.exit_code()
