# SPDX-License-Identifier: GPL-2.0-or-later
"""Several outputs of one run: ``--format NAME`` and ``--format NAME=FILE``, as often as wanted.

A bare name goes to standard output, or to the file of ``--output``. What is asked for is looked at
before anything is read, so that an hour's work does not end at a folder that is not there.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.cli.console import emit, say, width
from lazymmu.problem import Problem
from lazymmu.report.common.formats import described
from lazymmu.terminal import clean, message_of
from lazymmu.verbs import names
from lazymmu.verbs.given import reason

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["STDOUT", "Output", "add_outputs", "deliver", "outputs"]

STDOUT: Final = "-"
_PAGE: Final = "html"


@dataclass(frozen=True, slots=True)
class Output:
    """A format, and the file that it is written to; ``-`` for standard output."""

    format: str
    file: str = STDOUT


def add_outputs(
    parser: argparse.ArgumentParser, formats: tuple[str, ...]
) -> argparse._ArgumentGroup:
    """In which formats, and where to; returns the group, for what a verb adds to it."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format",
        metavar="NAME[=FILE]",
        action="append",
        default=[],
        dest="formats",
        help=f"format of the results (default: {formats[0]}), written to FILE if one is named; may "
        f"be repeated for several of one run. {described(formats)}",
    )
    group.add_argument(
        "--output",
        metavar="FILE",
        help="write the results of a --format without =FILE to FILE (default: -, standard output)",
    )
    if _PAGE in formats:
        group.add_argument(
            "--html",
            metavar="FILE",
            help="also write the results as a page to FILE: as --format html=FILE, beside others",
        )
    group.add_argument("-q", "--quiet", action="store_true", help="no summary and no progress")
    return group


def outputs(
    args: argparse.Namespace, formats: tuple[str, ...], default: str = ""
) -> tuple[Output, ...]:
    """What `add_outputs` was told, the default where it was told nothing.

    :param formats: those that the verb has, as it was called.
    :param default: instead of the first of them.
    :raises Problem: for a format that is not there, for two that go to one place, and for a file
        that cannot be written.
    """
    found = []
    for given in args.formats or [default or formats[0]]:
        name, sign, file = given.partition("=")
        names.check(f"format of {args.verb}", [name], formats)
        if sign and not file:
            raise Problem(f"--format {clean(given)} names no file")
        found.append(Output(name, file if sign else args.output or STDOUT))
    bare = [given for given in args.formats if "=" not in given]
    if args.output and args.formats and not bare:
        raise Problem("--output is for a --format without =FILE, and there is none")
    if getattr(args, "html", None) is not None:
        names.check(f"format of {args.verb}", [_PAGE], formats)
        found.append(Output(_PAGE, args.html))
    for output in found:
        _look(output.file)
    _distinct(found)
    return tuple(found)


def deliver(
    wanted: Sequence[Output],
    render: Callable[[str, int | None], str],
    *,
    coloured: Sequence[str] = (),
) -> None:
    """Render each output and write all of them.

    :param render: makes the text of a format; its second argument is the columns of the terminal
        that it goes to, None for a file or a pipe.
    :param coloured: formats that have the shape of a compiler's messages.
    :raises Problem: when one of them could not be written; the others are.
    """
    # All are made before one is written: what cannot be made leaves nothing behind.
    texts = [(output, render(output.format, width(output.file))) for output in wanted]
    failed: list[Problem] = []
    for output, text in texts:
        try:
            emit(
                text,
                output.file,
                colour=output.format in coloured,
                prose=output.format == "text",
            )
        except Problem as problem:
            failed.append(problem)
    if failed:
        for other in failed[1:]:
            say(message_of(other))
        raise failed[0]


def _distinct(found: Sequence[Output]) -> None:
    seen: dict[str, Output] = {}
    for output in found:
        place = output.file if output.file == STDOUT else os.path.realpath(output.file)
        if place in seen:
            both = f"--format {seen[place].format} and --format {output.format}"
            where = "standard output" if place == STDOUT else clean(output.file)
            raise Problem(f"{both} both go to {where}; name another file, as in NAME=FILE")
        # A device or pipe, such as /dev/stderr, takes one after the other.
        if place == STDOUT or not os.path.exists(place) or os.path.isfile(place):
            seen[place] = output


def _look(file: str) -> None:
    """Raise Problem where a file surely cannot be written."""
    if file == STDOUT:
        return
    try:
        if os.path.isdir(file):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        Path(os.path.realpath(file)).parent.stat()
    except (OSError, ValueError) as error:
        raise Problem(f"cannot write {clean(file)}: {reason(error)}") from None
