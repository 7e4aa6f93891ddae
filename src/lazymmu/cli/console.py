# SPDX-License-Identifier: GPL-2.0-or-later
"""Where words go: results to standard output or a file, everything else to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.cli.outcome import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["emit", "progress", "read_input", "say", "width"]


def say(sentence: str) -> None:
    """Tell the user something that is not a result."""
    print(f"lazymmu: {sentence}", file=sys.stderr)


def emit(text: str, output: str | None = None, *, colour: bool = False) -> None:
    """Write a result to `output`, a path, or to standard output if it is None or ``-``.

    A file is replaced as a whole or not at all, so that a killed run leaves no half report.
    colour: whether `text` has the shape of a compiler's messages, worth colouring on a terminal.
    Raises Problem if the file cannot be written.
    """
    if output is not None and output != "-":
        # Through symbolic links, so that they stay.
        _replace(Path(os.path.realpath(output)), text)
    elif colour and sys.stdout.isatty():
        _coloured(text)
    else:
        sys.stdout.write(text)


def width(output: str | None = None) -> int | None:
    """Columns to fold a table to: those of the terminal it goes to, None for a file or a pipe."""
    if output in {None, "-"} and sys.stdout.isatty():
        # Narrower than this, folded cells read worse than wrapped lines.
        import shutil

        return max(shutil.get_terminal_size().columns, 100)
    return None


def read_input(path: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``; raises Problem with the reason."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read {path}: {_reason(error)}") from None


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None] | None]:
    """A callable ``(stage, done, total)`` that draws on standard error, or None off a terminal.

    total: 0 while a stage does not know its size.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
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
            bar.update(task, description=stage, completed=done, total=total or None)
            # Whoever calls for each of thousands of files should not pay for as many drawings.
            if time.monotonic() - drawn > 0.1 or done == total:
                bar.refresh()
                drawn = time.monotonic()

        yield show


def _replace(path: Path, text: str) -> None:
    import tempfile

    try:
        # A device or pipe such as /dev/stderr cannot be replaced, only written.
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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
        raise Problem(f"cannot write {path}: {_reason(error)}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _coloured(text: str) -> None:
    from rich.console import Console
    from rich.highlighter import RegexHighlighter
    from rich.theme import Theme

    class Messages(RegexHighlighter):
        """What compilers colour: the place, the severity, the option that names the warning."""

        base_style = "say."
        highlights = [  # noqa: RUF012 - rich declares it so
            r"^(?P<place>[^\s:]+:\d+:\d+:) "
            r"((?P<error>error:)|(?P<warning>warning:)|(?P<note>note:|info:))",
            r"(?P<rule>\[[a-z-]+\])$",
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
    console = Console(theme=theme, highlighter=Messages(), markup=False, emoji=False)
    for line in text.splitlines():
        console.print(line, soft_wrap=True)


def _reason(error: Exception) -> str:
    """Why a file could not be used, without repeating its name."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
