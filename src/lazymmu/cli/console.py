# SPDX-License-Identifier: GPL-2.0-or-later
"""Where words go: results to standard output or a file, everything else to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu import inputs
from lazymmu.problem import Problem
from lazymmu.terminal import clean, clean_lines
from lazymmu.verbs import given
from lazymmu.verbs.given import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

__all__ = [
    "begin",
    "delivered",
    "emit",
    "folded",
    "progress",
    "read_input",
    "say",
    "tell",
    "width",
    "write",
]

MIN_COLUMNS = 60
"""What is folded is never narrower."""

_reader_gone = False
"""Whether standard output was closed by who reads it before all of the result was in it."""


def begin() -> None:
    """Make the standard streams ready for one command."""
    global _reader_gone  # noqa: PLW0603 - of the process, as the streams are
    _reader_gone = False
    for stream in (sys.stdout, sys.stderr):
        # A tree may hold names in any encoding; one of them must not stop a report.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def delivered() -> bool:
    """Whether every result of this command has reached its reader, as far as can be told."""
    return not _reader_gone


def say(sentence: str) -> None:
    """Tell the user something that is not a result, in one line, cleaned and shortened."""
    line = f"lazymmu: {clean(sentence)}\n"
    tell(folded(line, _columns()) if sys.stderr is not None and sys.stderr.isatty() else line)


def tell(text: str) -> None:
    """Write to standard error as it is; where nobody listens, nothing is said."""
    # Not by print(): it takes standard output when there is no standard error.
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _silence(sys.stderr)


def emit(
    text: str, output: str | None = None, *, colour: bool = False, prose: bool = False
) -> None:
    """Write a result to `output`, a path, or to standard output if it is None or ``-``.

    A reader who goes away (``| head``) is no failure: nothing is said, the command goes on, and
    `delivered` is no longer true.

    A file is replaced as a whole or not at all, so that a killed run leaves no half report. What
    acts on a terminal is spelt out (`terminal.clean_lines`); formats clean each value as well.

    :param colour: whether `text` has the shape of a compiler's messages, worth colouring on a
        terminal.
    :param prose: whether lines that are wider than the terminal fold between words; what programs
        read, a script above all, must not.
    :raises Problem: it cannot be written.
    """
    text = clean_lines(text)
    if output is not None and output != "-":
        _replace(output, text)
        return
    if prose and (columns := width()) is not None:
        text = folded(text, columns)
    write(_coloured(text) if colour and _shows_colour() else text)


def write(text: str) -> None:
    """Write to standard output as it is, at once.

    :raises Problem: as `emit` does.
    """
    global _reader_gone  # noqa: PLW0603 - see there
    if sys.stdout is None:
        raise Problem("cannot write to standard output: it is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
        _reader_gone = True
    except (OSError, ValueError) as error:
        _silence(sys.stdout)
        raise Problem(f"cannot write to standard output: {reason(error)}") from None


def width(output: str | None = None) -> int | None:
    """Columns to fold a table to: those of the terminal it goes to, None for a file or a pipe."""
    if output in {None, "-"} and sys.stdout is not None and sys.stdout.isatty():
        return _columns()
    return None


def folded(text: str, columns: int) -> str:
    """`text` with no line wider than `columns`, unless a single word is.

    What a line goes on with is indented deeper than it; a line that fits stays as it is.
    """
    if all(len(line) <= columns for line in text.splitlines()):
        return text
    return "".join(f"{part}\n" for line in text.splitlines() for part in _folded(line, columns))


def _folded(line: str, columns: int) -> list[str]:
    if len(line) <= columns:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line,
        columns,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _columns() -> int:
    """Those of the terminal; narrower than `MIN_COLUMNS`, folded cells read worse than wrapped."""
    import shutil

    return max(shutil.get_terminal_size().columns, MIN_COLUMNS)


def _shows_colour() -> bool:
    """Whether standard output is coloured: a terminal, or logs of CI that say they are one.

    FORCE_COLOR is what such servers set (force-color.org); rich itself heeds NO_COLOR.
    """
    asked = bool(os.environ.get("FORCE_COLOR"))
    return asked or (sys.stdout is not None and sys.stdout.isatty())


def read_input(path: str) -> bytes:
    """The bytes of a file or pipe, or of standard input for ``-``.

    `inputs` says what is refused: devices, pipes without a writer, more than `inputs.LIMIT` bytes.

    :raises Problem: with the reason.
    """
    if path != "-":
        return given.read(path).content
    if sys.stdin is None:
        raise Problem("cannot read standard input: it is closed")
    try:
        return inputs.read_all(sys.stdin.buffer)
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read standard input: {reason(error)}") from None


def _silence(stream: TextIO) -> None:
    """Lead a stream that cannot be written to nowhere, or the interpreter's last flush fails."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None] | None]:
    """A callable ``(stage, done, total)`` that draws on standard error, or None off a terminal.

    total: 0 while a stage does not know its size.
    """
    still = quiet or sys.stderr is None or not sys.stderr.isatty()
    # A terminal that cannot go back in a line would keep a line for nothing.
    if still or os.environ.get("TERM") in {"dumb", "unknown"}:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    with Progress(
        # A name may hold what looks like markup.
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        # No thread that draws: checks fork, and a lock held by it would be held in the child for
        # ever.
        auto_refresh=False,
    ) as bar:
        task = bar.add_task("starting", total=None)

        drawn = 0.0

        def show(stage: str, done: int, total: int) -> None:
            nonlocal drawn
            bar.update(task, description=clean(stage), completed=done, total=total or None)
            # Whoever calls for each of thousands of files should not pay for as many drawings.
            if time.monotonic() - drawn > 0.1 or done == total:
                bar.refresh()
                drawn = time.monotonic()

        yield show


def _replace(output: str, text: str) -> None:
    import tempfile

    try:
        # A device or pipe such as /dev/stderr cannot be replaced, only written.
        if os.path.exists(output) and not os.path.isfile(output):
            Path(output).write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        # Through symbolic links, so that they stay.
        path = Path(os.path.realpath(output))
        # Not after the file's own name: that may be as long as a name can be.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".lazymmu-")
        try:
            with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
            os.chmod(name, mode & 0o7777)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except (OSError, ValueError) as error:
        raise Problem(f"cannot write {clean(output)}: {reason(error)}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _coloured(text: str) -> str:
    """`text` as standard output's terminal shows it best."""
    import io

    from rich.console import Console
    from rich.highlighter import RegexHighlighter
    from rich.theme import Theme

    class Messages(RegexHighlighter):
        """What compilers colour: the place, the severity, the name of the rule."""

        base_style = "say."
        highlights = [  # noqa: RUF012 - rich declares it so
            r"^(?P<place>[^\s:]+:\d+:\d+:) "
            r"((?P<error>hurts:)|(?P<warning>costs:|breaks the text:)|"
            r"(?P<note>note:|information:))",
            r"(?P<rule>\[[a-z-]+\])$",
            r"^  (?P<error>>) (?P<place>\S+:\d+) ",
        ]

    theme = Theme(
        {
            "say.place": "bold",
            "say.error": "bold red",
            "say.warning": "bold magenta",
            "say.note": "cyan",
            "say.rule": "dim",
        }
    )
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        force_terminal=True,
        theme=theme,
        highlighter=Messages(),
        markup=False,
        emoji=False,
    )
    for line in text.splitlines():
        console.print(line, soft_wrap=True)
    return drawn.getvalue()
