# SPDX-License-Identifier: GPL-2.0-or-later
"""Show what is kept between runs, or let go of it.

What check and sections learn of a tree is kept in one file, which all trees and
releases share. It answers only for contents that it was computed from, and may
be deleted at any time. When a run ends, what was not used the longest goes,
until 1 GiB is left.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lazymmu.cli.console import emit

if TYPE_CHECKING:
    from lazymmu.verbs.exit_code import ExitCode

NAME = "cache"
SUMMARY = "show what is kept between runs, or let go of it"

_ACTIONS = ("show", "prune", "clear")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `lazymmu cache`."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=_ACTIONS,
        default="show",
        help="show (default): how much of what there is; prune: let go of what was not used the "
        "longest; clear: delete everything",
    )
    parser.add_argument(
        "--most",
        metavar="MIB",
        type=_size,
        help="with prune: leave so many MiB of values (default: 1024)",
    )
    parser.add_argument(
        "--cache-dir",
        metavar="DIR",
        help="folder of the cache (default: $XDG_CACHE_HOME/lazymmu)",
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write the text to FILE (default: -, standard output)"
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Do it, and show what is left."""
    from lazymmu.problem import Problem
    from lazymmu.report.store import text
    from lazymmu.verbs.store import StoreAction, StoreRequest, store

    if args.most is not None and args.action != "prune":
        raise Problem("--most is for prune")
    answer = store(
        StoreRequest(
            action=StoreAction(args.action),
            directory=args.cache_dir or None,
            most=None if args.most is None else args.most << 20,
        )
    )
    emit(text.render(answer), args.output, prose=True)
    return answer.exit_code()


def _size(text: str) -> int:
    """A number of MiB, 0 or more and less than what a file may have."""
    number = int(text)  # argparse reports the ValueError
    if not 0 <= number < 1 << 30:
        raise argparse.ArgumentTypeError(f"{number} is not between 0 and {(1 << 30) - 1}")
    return number
