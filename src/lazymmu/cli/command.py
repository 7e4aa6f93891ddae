# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the arguments, run one verb, and turn whatever happens into an exit code."""

from __future__ import annotations

import argparse
import sys
import traceback
from typing import TYPE_CHECKING, Any

from lazymmu.cli import (
    cache,
    check,
    completion,
    console,
    cost,
    demo,
    explain,
    history,
    kbuild,
    lab,
    litmus,
    mcp,
    port,
    probes,
    record,
    replay,
    review,
    sections,
    trace,
    verify,
)
from lazymmu.cli.console import emit, say
from lazymmu.cli.overview import OVERVIEW
from lazymmu.cli.parser import Parser
from lazymmu.interrupt import Terminated
from lazymmu.problem import Problem
from lazymmu.terminal import clean, clean_lines, message_of
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

VERBS: tuple[ModuleType, ...] = (
    check,
    review,
    history,
    sections,
    verify,
    litmus,
    cost,
    trace,
    probes,
    record,
    lab,
    explain,
    port,
    replay,
    demo,
    mcp,
    cache,
    completion,
)
"""Each verb is a module with NAME, SUMMARY, `add_arguments(parser)` and `run(args)`.

They import what is heavy inside `run`, so that `lazymmu --help` and completion stay instant.
"""

_VERBOSE = "tell_all"
"""Where the general -v is kept, since verbs have one of their own."""

_EXIT_STATUS = """\
exit status:
  0    checked, and nothing found
  1    findings, violations or a counterexample
  2    wrong arguments or input, or lazymmu failed
  3    inconclusive, or nothing to check
  130  interrupted
"""


class _Version(argparse.Action):
    """Print the version when asked, so that nobody else pays for looking it up.

    With ``-v`` before or after it, all that a report of a bug should say.
    """

    def __init__(self, option_strings: list[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **kwargs)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object
    ) -> None:
        import lazymmu

        if getattr(namespace, _VERBOSE, False):
            from lazymmu.cli import about

            emit(about.text(), prose=True)
        else:
            emit(f"lazymmu {lazymmu.__version__}\n")
        parser.exit()


def build_parser() -> Parser:
    """The whole command line; the man page and the completion scripts are made from it too."""
    parser = Parser(
        prog="lazymmu",
        description="Hold Linux kernel source to the contract of the lazy MMU mode.",
        epilog=_EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        dest=_VERBOSE,
        help="with --version: engine, libraries, programs, cache and what is known of kernels, too",
    )
    parser.add_argument(
        "--debug", action="store_true", help="show a traceback when lazymmu itself fails"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
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


def _verbose_first(argv: Sequence[str] | None) -> Sequence[str] | None:
    """The arguments with ``-v`` before a ``--version`` that it follows, as one usually says it."""
    given = sys.argv[1:] if argv is None else list(argv)
    if given[:1] == ["--version"] and given[1:2] in (["-v"], ["--verbose"]):
        return [given[1], given[0], *given[2:]]
    return argv


def _command_behind(words: list[str]) -> tuple[list[str], list[str]]:
    """The arguments, and the command behind ``--`` of a verb that runs one.

    argparse takes a list of positional arguments only where they stand together.
    """
    verb = next((word for word in words if not word.startswith("-")), None)
    runs = {one.NAME for one in VERBS if getattr(one, "TAKES_COMMAND", False)}
    if verb not in runs or "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    debug = False
    console.begin()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        if kbuild.is_call(words):
            return kbuild.check_file(words, main)
        try:
            given, behind = _command_behind(words)
            args = build_parser().parse_args(_verbose_first(given))
            if behind:
                args.command = behind
        except SystemExit as stop:  # argparse has said what is wrong, or printed what was asked for
            code = stop.code if isinstance(stop.code, int) else int(ExitCode.FAILED)
        else:
            debug = args.debug
            if args.verb is None:
                console.tell(OVERVIEW)
                return ExitCode.FAILED
            code = int(args.run(args))
    except BaseException as error:  # noqa: BLE001 - the last resort: a sentence, and no traceback
        return _ended_by(_meant(error), debug=debug)
    # Nobody may take an answer that did not arrive for a clean one.
    return code if code or console.delivered() else ExitCode.FAILED


def _meant(error: BaseException) -> BaseException:
    """What ended a command: Python 3.11 wraps what comes up while a class is made.

    That is a RuntimeError then ("Error calling __set_name__"), also of an interrupt.
    """
    cause = error.__cause__
    interrupt = isinstance(cause, (KeyboardInterrupt, Terminated))
    return cause if cause is not None and interrupt and isinstance(error, RuntimeError) else error


def _ended_by(error: BaseException, *, debug: bool) -> int:
    """Say why a command ends, and return its exit code; called where that is being handled."""
    match error:
        case Problem():
            if debug and error.__cause__ is not None:
                console.tell(clean_lines(traceback.format_exc()))
            say(message_of(error))
        case KeyboardInterrupt():
            say("interrupted")
            return ExitCode.INTERRUPTED
        case Terminated():
            return error.code
        case MemoryError():
            say("out of memory")
        case _:
            if debug:
                console.tell(clean_lines(traceback.format_exc()))
            say(
                f"internal error, {type(error).__name__}: {clean(message_of(error), 500)}; "
                "please report it with the output of --debug (lazymmu --debug VERB ...)"
            )
    return ExitCode.FAILED
