# SPDX-License-Identifier: GPL-2.0-or-later
"""Count what sections of the mode save, and what they cost.

Of a kernel function, on machines: hypercalls, barriers, invalidations, and
how long preemption is off, with the sections that the kernel has, without
any, and with one around the whole range; for one entry, for a few, and for
several page tables. Of recordings: what was saved, and by whom.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from lazymmu.cli import options, outputs
from lazymmu.cli.console import progress, say
from lazymmu.problem import Problem
from lazymmu.report.common import formats

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lazymmu.verbs.exit_code import ExitCode

NAME = "cost"
SUMMARY = "count what sections save, and what they cost"
FORMATS = formats.VERBS[NAME]
SCOPES: Final = ("table", "range")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu cost`."""
    parser.add_argument(
        "what",
        metavar="OPERATION|TRACE",
        nargs="*",
        help="a kernel function that changes entries (see --list), or recordings: two are compared",
    )
    _add_counting(parser)
    _add_machines(parser)
    outputs.add_outputs(parser, FORMATS)


def _add_counting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to count")
    group.add_argument(
        "--list", action="store_true", help="list the operations that can be counted"
    )
    group.add_argument(
        "--scenario",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="scenarios",
        help="the programs of these scenarios, one task after another",
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
    group.add_argument(
        "--as",
        metavar="OPERATION",
        dest="taken",
        help="of recordings: what sections did (default: as their callers are called)",
    )
    group.add_argument(
        "--calibrate",
        metavar="FILE",
        help="times as well, by what each takes on one machine (docs: cost)",
    )


def _add_machines(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("on which machines")
    group.add_argument(
        "--arch",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="machines",
        help="only these architectures (default: x86, powerpc, sparc, arm64; of recordings: none)",
    )
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--release",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="releases",
        help="these releases of the kernel, or releases with these features (default: the newest)",
    )
    which.add_argument(
        "--tree",
        metavar="TREE",
        help="top directory of a Linux source tree: count on its own C, as far as it can be lifted "
        "(docs: lift)",
    )
    group.add_argument(
        "--against",
        metavar="RELEASE",
        help="beside each count, what the kernel's sections cost in this release",
    )
    options.add_cache(group)


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
    operation, traces = _what(args.what)
    if args.taken is not None and not traces:
        raise Problem("--as is for recordings")
    request = lazymmu.CostRequest(
        operation=operation or (args.taken or ""),
        scenarios=options.listed(args.scenarios),
        traces=traces,
        arches=options.listed(args.machines),
        releases=options.listed(args.releases),
        tree=args.tree,
        entries=_numbers(args.entries) or cost.ENTRIES,
        space=args.space,
        scopes=tuple(args.scopes) or SCOPES,
        against=args.against,
        calibration=options.maybe_given(args.calibrate, "<stdin>"),
        cache_dir=None if args.tree is None else options.cache_dir(args),
    )
    with progress(quiet=args.quiet) as show:
        answer = lazymmu.cost(request, progress=show)
    for arch, release, why in answer.refused:
        say(f"{arch} {release}: {why}")
    if answer.rows or answer.recordings:
        outputs.deliver(wanted, of_answer(answer))
    return answer.exit_code()


def _what(words: Sequence[str]) -> tuple[str, list[str]]:
    """The operation, or the recordings, that the words are; raises Problem.

    A word that no file is called, and no path, is the name of a function.
    """
    if len(words) == 1 and words[0].isidentifier() and not os.path.exists(words[0]):
        return words[0], []
    for word in words:
        if word == "-":
            raise Problem("a recording is read from a file here, not from standard input")
    return "", list(words)


def _numbers(given: list[str]) -> list[int]:
    """The numbers that --entries has; raises Problem."""
    found = []
    for text in options.listed(given):
        if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) < 1:
            raise Problem(f"--entries: {text[:40]!a} is no number of entries")
        found.append(int(text))
    return list(dict.fromkeys(found))
