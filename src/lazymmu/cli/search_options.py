# SPDX-License-Identifier: GPL-2.0-or-later
"""What the verbs that search machines share: their options, and an implementation of one's own."""

from __future__ import annotations

import argparse
import contextlib
import io
from typing import TYPE_CHECKING, Any

from lazymmu.cli import options
from lazymmu.cli.console import tell
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.cli.outputs import Output
    from lazymmu.verbs.exit_code import ExitCode
    from lazymmu.verbs.verify import VerifyAnswer

__all__ = [
    "ENGINES",
    "add_search",
    "add_selecting",
    "aside",
    "by_expectation",
    "expectation_code",
    "searching",
    "shown",
    "summary",
]

ENGINES = ("auto", "python", "numpy", "numba")
"""As `explore.ENGINES` has them, which is heavier to import than a parser."""


def add_selecting(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """On which implementations; returns the group, for what a verb adds to it."""
    group = parser.add_argument_group("which runs")
    group.add_argument(
        "--arch",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="machines",
        help="only these architectures (see --list)",
    )
    group.add_argument(
        "--release",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        dest="releases",
        help="only these releases of the kernel, or releases with these features, such as "
        "6.12.8 or xen-nesting-count",
    )
    group.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="each release, and large scenarios, too; by default the first release of each "
        "feature, where the scenario expects something of it",
    )
    return group


def add_search(parser: argparse.ArgumentParser) -> None:
    """How far to search, and with what."""
    group = parser.add_argument_group("searching")
    group.add_argument(
        "--bound", metavar="K", type=_count, help="at most K involuntary preemptions in one run"
    )
    group.add_argument(
        "--max-states", metavar="N", type=options.positive, help="end a search after N states"
    )
    group.add_argument(
        "--max-memory",
        metavar="MIB",
        type=options.positive,
        help="end a search whose tables need more than MIB mebibytes",
    )
    group.add_argument(
        "--seconds", metavar="S", type=options.positive, help="end a search after S seconds"
    )
    group.add_argument(
        "--engine", choices=ENGINES, default="auto", help="search engine (default: auto)"
    )
    group.add_argument(
        "--jobs",
        metavar="N",
        type=options.positive,
        help="searches at a time (default: one per processor)",
    )


def searching(args: argparse.Namespace) -> dict[str, Any]:
    """What the options above say of searches, as fields of a `verbs.verify.VerifyRequest`."""
    return {
        "arches": options.listed(args.machines),
        "releases": options.listed(args.releases),
        "everything": args.everything,
        "bound": args.bound,
        "max_states": args.max_states,
        "max_bytes": args.max_memory and args.max_memory << 20,
        "seconds": args.seconds,
        "engine": args.engine,
        "jobs": args.jobs,
    }


def shown(path: str) -> str:
    """A file's name in a message."""
    return "<stdin>" if path == "-" else path


def summary(answer: VerifyAnswer, seconds: float, *, expected: bool) -> str:
    """What all runs came to, whether it was expected first; seconds: what they took."""
    from lazymmu.report.verify import json

    said = json.summary(answer.verdicts, seconds)
    for name, taken, features in answer.likened:
        said += f"; {name} is taken as {taken}"
        said += f" ({', '.join(features)})" if features else ""
    return f"{json.met(answer.judged)}; {said}" if expected else said


def by_expectation(wanted: Sequence[Output]) -> bool:
    """Whether one of the outputs has lines that say of each run whether it is as expected."""
    return any(output.format in {"ktap", "junit"} for output in wanted)


def expectation_code(answer: VerifyAnswer) -> ExitCode:
    """How a command ends that prints KTAP or JUnit: as its lines say.

    1 with a `not ok`, 3 if all was skipped or the user broke off, so that lines are missing.
    """
    from lazymmu.report.common.tool_report import CaseState
    from lazymmu.report.verify import tools
    from lazymmu.verbs.exit_code import ExitCode

    whole = tools.states(answer.judged)
    if whole[CaseState.FAILED] or whole[CaseState.OPEN]:
        return ExitCode.FOUND
    some = whole[CaseState.PASSED]
    return ExitCode.INCONCLUSIVE if answer.interrupted or not some else ExitCode.CLEAN


@contextlib.contextmanager
def aside(port: str | None) -> Iterator[None]:
    """What a port prints goes to standard error, cleaned: results alone are standard output's."""
    if port is None:
        yield
        return
    with _Aside() as stream, contextlib.redirect_stdout(stream):
        yield


class _Aside(io.TextIOBase):
    """Lines on standard error that cannot be taken for ours."""

    def __init__(self) -> None:
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            tell(f"port: {clean(line)}\n")
        return len(text)

    def flush(self) -> None:
        """End a line that was begun, and so keep it apart from what another part prints."""
        if not self.closed and self._rest:
            self.write("\n")

    def close(self) -> None:
        self.flush()
        super().close()


def _count(text: str) -> int:
    number = int(text)  # argparse reports the ValueError
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number
