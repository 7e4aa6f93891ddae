# SPDX-License-Identifier: GPL-2.0-or-later
"""Record what the running kernel does with the mode, into one file.

`lazymmu trace` reads it. Recorded is what happens while COMMAND runs, or until
Ctrl-C, in a tracing instance of its own: nobody else's tracing is touched, and
all that was set up is undone at the end, also when it is stopped. It needs root
and tracefs. The file is a tar packed with zstd: the trace, the layout of its
events, the instructions that were probed, the configuration, and how it was
recorded.
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.cli.console import emit, say
from lazymmu.problem import Problem
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.record import RecordRequest

NAME = "record"
SUMMARY = "record a trace of the running kernel"
TAKES_COMMAND = True

_OUTPUT = "lazymmu.tar.zst"
_TIMES = "lazymmu-calibration.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu record`."""
    parser.add_argument(
        "command",
        metavar="COMMAND",
        nargs="*",
        help="what runs meanwhile, behind -- (default: until Ctrl-C)",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help=f"the archive (default: {_OUTPUT}), or the times of --calibrate (default: {_TIMES})",
    )
    parser.add_argument(
        "--buffer",
        metavar="KB",
        type=int,
        default=16384,
        help="size of the buffer of each CPU (default: 16384); the oldest records are overwritten",
    )
    parser.add_argument(
        "--clock", default="global", help="clock of the trace (default: global, as all CPUs need)"
    )
    parser.add_argument(
        "--light", action="store_true", help="leave out what comes once for each entry"
    )
    parser.add_argument(
        "--vmlinux", metavar="FILE", help="image of the running kernel (default: its memory)"
    )
    parser.add_argument(
        "--module",
        metavar="FILE",
        action="append",
        default=[],
        dest="modules",
        help="also record in this module (.ko, packed or not)",
    )
    parser.add_argument(
        "--tracefs", metavar="DIR", help="where tracefs is mounted (default: found)"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--dry-run", action="store_true", help="print what would be done, and touch nothing"
    )
    only.add_argument(
        "--clean", action="store_true", help="remove what a recording left that was killed"
    )
    only.add_argument(
        "--calibrate",
        action="store_true",
        help="record nothing: measure what one hypercall, barrier and invalidation take here, for "
        "lazymmu cost --calibrate FILE",
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Record, or say what would be done."""
    from lazymmu.verbs.record import RecordRequest, plan_recording, record

    if args.buffer < 1:
        raise Problem("a buffer has at least 1 KB")
    if args.clean:
        return _clean(args)
    if args.calibrate:
        return _calibrate(args)
    here = platform.uname()
    asked = RecordRequest(
        command=tuple(args.command),
        output=_OUTPUT if args.output is None else args.output,
        machine=here.machine,
        release=here.release,
        tracefs=args.tracefs,
        buffer=args.buffer,
        clock=args.clock,
        light=args.light,
        vmlinux=args.vmlinux,
        modules=tuple(args.modules),
    )
    if args.dry_run:
        plan = plan_recording(asked)
        emit("\n".join(plan.steps()) + "\n")
        for sentence in plan.lacking:
            say(sentence)
        return ExitCode.CLEAN if plan.setup.tells(()) else ExitCode.INCONCLUSIVE
    _allowed(asked)
    plan = plan_recording(asked)
    for sentence in plan.lacking:
        say(sentence)
    answer = record(
        asked,
        plan,
        started=lambda: None if asked.command else say("recording; Ctrl-C ends it"),
        stays=say,
    )
    for one in answer.refused:
        say(f"not recorded: {one.name}: {one.reason}")
    if answer.lost:
        say(f"{answer.lost} records were lost; --buffer makes the buffers larger")
    if answer.status:
        say(f"{asked.command[0]} ended with status {answer.status}")
    if not answer.tells:
        say(f"nothing that was recorded shows the mode on this kernel, Linux {asked.release}")
    say(f"{answer.output}: {answer.lines} lines; lazymmu trace {answer.output}")
    return answer.exit_code()


def _allowed(asked: RecordRequest) -> None:
    """Refuse, before anything is touched, what cannot come to an end."""
    if os.geteuid() != 0:
        raise Problem(
            "recording needs root: tracefs is root's (--dry-run shows what would be done)"
        )
    if asked.command and shutil.which(asked.command[0]) is None:
        raise Problem(f"there is no command {asked.command[0]}")
    folder = os.path.dirname(os.path.realpath(asked.output))
    if not os.access(folder, os.W_OK):
        raise Problem(f"cannot write {asked.output}: {folder} cannot be written to")
    if os.path.isdir(asked.output):
        raise Problem(f"cannot write {asked.output}: it is a directory")


def _calibrate(args: argparse.Namespace) -> ExitCode:
    """Measure, write the times, and say what they are."""
    from lazymmu.cli.outputs import STDOUT, Output, deliver
    from lazymmu.report.cost import calibration
    from lazymmu.verbs.calibrate import calibrate

    if args.command:
        raise Problem("--calibrate runs no command")
    target = Output("json", _TIMES if args.output is None else args.output)
    here = platform.uname()
    found = calibrate(here.machine, here.release, Path("/"))
    deliver([target], lambda *_: calibration.render(found))
    for sentence in calibration.sentences(found):
        say(sentence)
    if target.file != STDOUT and found.times:
        say(f"{target.file}: lazymmu cost OPERATION --calibrate {target.file}")
    return ExitCode.CLEAN if found.times else ExitCode.INCONCLUSIVE


def _clean(args: argparse.Namespace) -> ExitCode:
    from lazymmu.verbs.record import clean_up

    if os.geteuid() != 0:
        raise Problem("this needs root: tracefs is root's")
    removed, running, failed = clean_up(args.tracefs)
    for one in removed:
        what = [str(one.instance)] if one.instance is not None else []
        what += [f"{len(one.events)} events"] if one.events else []
        say(f"left by process {one.process}: {' and '.join(what)}")
    for one in running:
        say(f"process {one.process} is recording: what it made stays")
    for sentence in failed:
        say(sentence)
    if not removed:
        say("no recording left anything")
    return ExitCode.FAILED if failed else ExitCode.CLEAN
