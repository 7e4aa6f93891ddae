# SPDX-License-Identifier: GPL-2.0-or-later
"""Show what lazymmu does, on what ships with it.

One mistake, as each of the three witnesses tells it: found in a small tree,
reached on a machine, recorded on a kernel that ran. It takes no argument, needs
no kernel, and writes nothing but the screen.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lazymmu.cli.console import emit, progress, say, width
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse

NAME = "demo"
SUMMARY = "one mistake, as each of the three witnesses tells it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu demo`."""
    parser.add_argument(
        "--output", metavar="FILE", help="write the screen to FILE (default: -, standard output)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace) -> ExitCode:
    """Show the screen; that it shows a mistake is what it is for."""
    import lazymmu
    from lazymmu.report.demo import text
    from lazymmu.verbs import demo

    begun = time.monotonic()
    with progress(quiet=args.quiet) as show:
        answer = demo.demo(progress=show)
    columns = width(args.output)
    emit(text.render(answer, version=lazymmu.__version__, columns=columns), args.output)
    if not args.quiet:
        say(f"it took {time.monotonic() - begun:.0f} s")
    return ExitCode.CLEAN
