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
from lazymmu.report.common import formats

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.exit_code import ExitCode

NAME = "history"
SUMMARY = "which release has which problem, since when, until when"
FORMATS = formats.VERBS[NAME]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu history`."""
    options.add_trees(parser)
    options.add_reading(parser)
    parser.add_argument(
        "--min-confidence",
        choices=("low", "medium", "high"),
        help="how sure a finding must be to be a problem (default: medium)",
    )
    outputs.add_outputs(parser, FORMATS)


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, and print the matrix."""
    import lazymmu
    from lazymmu.report.history.formats import of_history
    from lazymmu.witness.finding import Confidence

    args.path, args.kernel = [], None
    wanted = outputs.outputs(args, FORMATS)
    request = lazymmu.HistoryRequest(
        **options.reading(args),
        min_confidence=Confidence(args.min_confidence or Confidence.MEDIUM),
    )
    with progress(quiet=args.quiet) as show:
        answer = lazymmu.history(request, progress=show)
    outputs.deliver(wanted, of_history(answer))
    for sentence in answer.missing:
        say(sentence)
    if answer.interrupted:
        say(f"interrupted: {len(answer.points)} of {len(request.trees)} trees were looked at")
    return answer.exit_code()
