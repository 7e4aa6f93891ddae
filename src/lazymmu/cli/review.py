# SPDX-License-Identifier: GPL-2.0-or-later
"""Review a series of patches: what each brings, mends and moves.

SERIES is a mailbox, a mail, a diff, a folder of such, or a range of commits.
It is laid on the tree in memory, patch by patch; nothing is applied, checked
out or written. With b4: b4 am -o- MESSAGE-ID | lazymmu review -
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import options, outputs
from lazymmu.cli.console import emit, progress, say, width
from lazymmu.report.common import formats
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lazymmu.cli.outputs import Output
    from lazymmu.verbs.review.review import ReviewAnswer

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
        help="a mailbox, a mail, a diff, a folder of patches, or a range A..B of the tree's "
        "repository (default: -, standard input)",
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
    output = outputs.add_outputs(parser, FORMATS)
    told = output.add_mutually_exclusive_group()
    told.add_argument("--show", metavar="ID", help="tell one problem whole, by its id: N1, F2")
    told.add_argument(
        "--mail",
        metavar="N",
        type=options.positive,
        help="print a reply to patch N, as a mail; nothing is sent",
    )
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if a patch brings something"
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, print the answer, and say how it ended."""
    import lazymmu

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
    _print(answer, wanted, args)
    for sentence in answer.losses:
        say(sentence)
    for lost in answer.blind:
        place = f"{lost.file}:{lost.line}" if lost.line else lost.file
        say(f"{place}: {lost.name or lost.file} was not seen: {lost.reason}")
    code = answer.exit_code()
    return ExitCode.CLEAN if code is ExitCode.FOUND and args.exit_zero else code


def _print(answer: ReviewAnswer, wanted: Sequence[Output], args: argparse.Namespace) -> None:
    from lazymmu.report.review import mail, show
    from lazymmu.report.review.formats import of_review

    if args.show is not None:
        emit(show.show(answer, args.show, width()), args.output)
    elif args.mail is not None:
        emit(mail.reply(answer, args.mail), args.output)
    else:
        outputs.deliver(wanted, of_review(answer))
