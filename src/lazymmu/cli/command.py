# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the arguments, run one verb, and turn whatever happens into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from lazymmu.cli import (
    check,
    completion,
    explain,
    litmus,
    probes,
    replay,
    sections,
    trace,
    verify,
)
from lazymmu.cli.console import emit, say
from lazymmu.cli.outcome import ExitCode, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

VERBS: tuple[ModuleType, ...] = (
    check,
    sections,
    verify,
    litmus,
    trace,
    probes,
    explain,
    replay,
    completion,
)
"""Each verb is a module with NAME, SUMMARY, `add_arguments(parser)` and `run(args)`.

They import what is heavy inside `run`, so that `lazymmu --help` and completion stay instant.
"""

_EXIT_STATUS = """\
exit status:
  0    checked, and nothing found
  1    findings, violations or a counterexample
  2    wrong arguments or input, or lazymmu failed
  3    inconclusive, or nothing to check
  130  interrupted
"""


class _Version(argparse.Action):
    """Print the version when asked, so that nobody else pays for looking it up."""

    def __init__(self, option_strings: list[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import lazymmu

        emit(f"lazymmu {lazymmu.__version__}\n")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; the man page and the completion scripts are made from it too."""
    parser = argparse.ArgumentParser(
        prog="lazymmu",
        description="Hold Linux kernel source to the contract of the lazy MMU mode.",
        epilog=_EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    parser.add_argument(
        "--debug", action="store_true", help="show a traceback when lazymmu itself fails"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    for verb in VERBS:
        sub = verbs.add_parser(
            verb.NAME,
            help=verb.SUMMARY,
            description=verb.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        verb.add_arguments(sub)
        sub.set_defaults(run=verb.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    for stream in (sys.stdout, sys.stderr):
        # A tree may hold names in any encoding; one of them must not stop a report.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong, or printed what was asked for
        return stop.code if isinstance(stop.code, int) else ExitCode.FAILED
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except Problem as problem:
        say(str(problem))
        return ExitCode.FAILED
    except KeyboardInterrupt:
        say("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`). Nothing more can be said on standard output, not even
        # by the interpreter's last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence, never a bare traceback
        if args.debug:
            traceback.print_exc()
        say(
            f"internal error, {type(error).__name__}: {error}; "
            "please report it with the output of --debug (lazymmu --debug VERB ...)"
        )
        return ExitCode.FAILED
    return code
