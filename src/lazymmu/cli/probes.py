# SPDX-License-Identifier: GPL-2.0-or-later
"""Print a shell script that records what `lazymmu trace` needs.

The script is for one architecture and release, says in comments what it can
show and what not, and undoes what it sets. With an image of a kernel from
v7.0 on (--vmlinux, --running) the events at the instructions that begin and
end sections are printed instead, as lines for dynamic_events. This command
itself touches nothing: it only prints.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from lazymmu.cli import options
from lazymmu.cli.console import emit, say
from lazymmu.problem import Problem
from lazymmu.verbs import names
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse

NAME = "probes"
SUMMARY = "print a script that records a trace"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu probes`."""
    parser.add_argument(
        "--arch",
        metavar="NAME",
        action="append",
        default=[],
        help=f"the kernel's architecture: {', '.join(options.ARCHES)} (default: this machine's)",
    )
    parser.add_argument(
        "--release",
        metavar="RELEASE",
        help="the kernel's release, as uname -r names it (default: this machine's)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--tracefs",
        dest="form",
        action="store_const",
        const="tracefs",
        default="tracefs",
        help="a script that needs nothing but tracefs (default)",
    )
    form.add_argument(
        "--trace-cmd",
        dest="form",
        action="store_const",
        const="trace-cmd",
        help="a script that runs trace-cmd",
    )
    group = parser.add_argument_group("events at instructions, of kernels from v7.0 on")
    image = group.add_mutually_exclusive_group()
    image.add_argument(
        "--vmlinux",
        metavar="FILE",
        help="print an event for each instruction of this image that touches a task's counters "
        "(needs its symbols and BTF)",
    )
    image.add_argument(
        "--running", action="store_true", help="the same for the kernel that runs (needs root)"
    )
    group.add_argument(
        "--module",
        metavar="FILE",
        action="append",
        default=[],
        dest="modules",
        help="and for each of this module (.ko, packed or not)",
    )
    group.add_argument(
        "--bpftrace",
        action="store_true",
        help="print a script for bpftrace that prints the same lines (needs an image)",
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write to FILE (default: -, standard output)"
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Print the script, or the events."""
    if args.vmlinux is not None or args.running:
        return _events(args)
    if args.bpftrace:
        raise Problem("--bpftrace needs an image: --vmlinux FILE or --running")
    if args.modules:
        raise Problem("--module needs the kernel it belongs to: --vmlinux FILE or --running")
    from lazymmu.ftrace import probes

    here = platform.uname()
    named = names.arches(options.listed(args.arch)) or ()
    if len(named) > 1 or "all" in args.arch:
        raise Problem("a script is for one architecture")
    arch = named[0] if named else probes.architecture(here.machine)
    if not arch:
        raise Problem(
            f"this machine is {here.machine}, which has no lazy MMU mode; "
            f"--arch names another: {', '.join(options.ARCHES)}"
        )
    release = args.release or here.release
    try:
        asked = probes.plan(arch, release)
    except ValueError as error:
        raise Problem(str(error)) from None
    emit(probes.script(asked, probes.Form(args.form)), args.output)
    if not named or not args.release:
        taken = [f"architecture {arch}"] * (not named) + [f"release {release}"] * (not args.release)
        say(
            f"{' and '.join(taken)} taken from this machine; --arch ({', '.join(options.ARCHES)}) "
            "and --release name another kernel"
        )
    if not asked.tells:
        say(f"nothing shows the mode on {asked.label} with Linux {release}")
        return ExitCode.INCONCLUSIVE
    return ExitCode.CLEAN


def _events(args: argparse.Namespace) -> ExitCode:
    """Print events at the instructions of an image."""
    from lazymmu.report.probes import bpftrace, events
    from lazymmu.verbs.probes import ProbesRequest, find_probes

    if args.arch or args.release or args.form != "tracefs":
        raise Problem("an image says its architecture and release itself, and has one form")
    here = platform.uname()
    asked = ProbesRequest(
        vmlinux=args.vmlinux,
        modules=tuple(args.modules),
        machine=here.machine,
        release=here.release,
    )
    try:
        answer = find_probes(asked)
    except Problem as problem:
        if args.running:
            raise Problem(
                f"{problem}; `lazymmu probes` without --running prints how to record by functions"
            ) from None
        raise
    emit((bpftrace if args.bpftrace else events).render(answer), args.output)
    for sentence in events.said(answer):
        say(sentence)
    return ExitCode.CLEAN if answer.number else ExitCode.INCONCLUSIVE
