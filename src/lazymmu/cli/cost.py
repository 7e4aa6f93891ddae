# SPDX-License-Identifier: GPL-2.0-or-later
"""Count what an operation costs: hypercalls, barriers, invalidations, preemption off.

With the sections that the kernel has, without any, and with one around the
whole range; for one entry, for a few, and for several page tables. Counts are
made on machines, and are no times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.cli import options, outputs
from lazymmu.cli.console import progress, say
from lazymmu.problem import Problem
from lazymmu.report.common import formats

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.exit_code import ExitCode

NAME = "cost"
SUMMARY = "count what sections save, and what they cost"
FORMATS = formats.VERBS[NAME]
SCOPES: Final = ("table", "range")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu cost`."""
    parser.add_argument(
        "operation",
        metavar="OPERATION",
        nargs="?",
        help="a kernel function that changes entries (see --list)",
    )
    group = parser.add_argument_group("counting")
    group.add_argument(
        "--list", action="store_true", help="list the operations that can be counted"
    )
    group.add_argument(
        "--arch",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="machines",
        help="only these architectures (default: x86, powerpc, sparc, arm64)",
    )
    group.add_argument(
        "--release",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="releases",
        help="these releases of the kernel, or releases with these features (default: the newest)",
    )
    group.add_argument(
        "--entries",
        metavar="N[,N]",
        action="append",
        default=[],
        help="how many entries are changed (default: 1,8,32,512)",
    )
    group.add_argument(
        "--space",
        choices=("user", "kernel"),
        help="user or kernel mappings (default: as it is for)",
    )
    group.add_argument(
        "--scope",
        choices=SCOPES,
        action="append",
        default=[],
        dest="scopes",
        help="only sections of one page table at most, as kernels have them, or one around the "
        "whole range (default: both), beside none",
    )
    outputs.add_outputs(parser, FORMATS)


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, print the counts, and say how it ended."""
    import lazymmu
    from lazymmu.cli.console import emit
    from lazymmu.report.cost.formats import of_answer
    from lazymmu.verbs import cost
    from lazymmu.verbs.exit_code import ExitCode

    wanted = outputs.outputs(args, FORMATS)
    if args.list:
        emit("".join(f"{name}\n" for name in cost.operations()))
        return ExitCode.CLEAN
    if args.operation is None:
        raise Problem("name an operation to count, or --list for those that there are")
    request = lazymmu.CostRequest(
        operation=args.operation,
        arches=options.listed(args.machines),
        releases=options.listed(args.releases),
        entries=_numbers(args.entries) or cost.ENTRIES,
        space=args.space,
        scopes=tuple(args.scopes) or SCOPES,
    )
    with progress(quiet=args.quiet) as show:
        answer = lazymmu.cost(request, progress=show)
    for arch, release, why in answer.refused:
        say(f"{arch} {release}: {why}")
    if answer.rows:
        outputs.deliver(wanted, of_answer(answer))
    return answer.exit_code()


def _numbers(given: list[str]) -> list[int]:
    """The numbers that --entries has; raises Problem."""
    found = []
    for text in options.listed(given):
        if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) < 1:
            raise Problem(f"--entries: {text[:40]!a} is no number of entries")
        found.append(int(text))
    return list(dict.fromkeys(found))
