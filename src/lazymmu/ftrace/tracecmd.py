# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace.dat as text, by the program that reads it: trace-cmd, which may fail in any way.

What it printed before it failed is text of the trace like any other; that it failed is raised where
that text ends, so that nobody takes the part for the whole.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from lazymmu.ftrace.record import TraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MAX_SILENCE_SECONDS", "TraceCmdError", "reported"]

MAX_SILENCE_SECONDS: Final = 30.0
"""Seconds without a word after which trace-cmd is taken for hanging; it prints as it reads."""

_MAX_UNAME_SECONDS: Final = 10.0
"""Seconds for the kernel's name, which stands at the beginning of the file."""


class TraceCmdError(Exception):
    """A trace was not read to its end; the text says why, without a full stop."""


@contextlib.contextmanager
def reported(path: str, told: Callable[[bytes], object]) -> Iterator[BinaryIO]:
    """What `trace-cmd report -l -N -O parent` prints of the trace.dat at `path`.

    :param told: gets the lines of `--uname` before.
    :raises TraceError: trace-cmd is not installed, or fails before it has printed anything; where
        it fails later, reading ends with EndedError.
    """
    program = shutil.which("trace-cmd")
    if program is None:
        raise TraceError(
            f"{path} is a trace.dat, and trace-cmd is not installed; where it is, "
            f"`trace-cmd report -l -N -O parent {Path(path).name}` prints it as text"
        )
    where = str(Path(path).absolute())
    for line in _uname([program, "report", "--uname", "-i", where]).splitlines()[:4]:
        told(line)
    # Without plugins (-N) sched_switch keeps the + that tells a preempted task from one that called
    # schedule(); functions keep their callers.
    command = [program, "report", "-l", "-N", "-O", "parent", "-i", where]
    with tempfile.TemporaryFile() as words, _started(command, words) as process:
        output = _Output(process, words)
        try:
            first = output.read(1)
        except TraceCmdError as error:
            raise TraceError(f"trace-cmd cannot read {path}: {error}") from None
        output.head = first or b""
        yield cast("BinaryIO", io.BufferedReader(output, 1 << 16))


class _Output(io.RawIOBase):
    """What a process prints; it must say something now and then, and end well."""

    def __init__(self, process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
        self._process = process
        self._words = words
        self._source = cast("IO[bytes]", process.stdout).fileno()
        self.head = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        if self.head:
            part, self.head = self.head[: len(view)], self.head[len(view) :]
        else:
            poll = select.poll()
            poll.register(self._source, select.POLLIN)
            if not poll.poll(MAX_SILENCE_SECONDS * 1000):
                raise TraceCmdError(f"it said nothing for {MAX_SILENCE_SECONDS:.0f} s")
            part = os.read(self._source, len(view))
            if not part:
                self._check()
        view[: len(part)] = part
        return len(part)

    def _check(self) -> None:
        """Raise EndedError unless the process has ended with 0."""
        try:
            status = self._process.wait(MAX_SILENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise TraceCmdError("it closed its output and did not end") from None
        if status < 0:
            raise TraceCmdError(f"it was killed by signal {-status}")
        if status:
            self._words.seek(0)
            lines = [line.strip() for line in self._words.read(1 << 16).splitlines()]
            said = next((line.decode("utf-8", "replace") for line in lines if line), "")
            raise TraceCmdError(said or f"it ended with status {status} and gave no reason")


@contextlib.contextmanager
def _started(command: list[str], words: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process, which is gone afterwards with all that it started.

    It has a session of its own: Ctrl-C is for us, and we end it.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=words,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            # Also when it has ended: what it started may go on, and would be nobody's.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _uname(command: list[str]) -> bytes:
    """What a command prints within `_UNAME` seconds; nothing if it takes longer or fails."""
    with tempfile.TemporaryFile() as words, _started(command, words) as process:
        output = cast("IO[bytes]", process.stdout)
        poll = select.poll()
        poll.register(output, select.POLLIN)
        return os.read(output.fileno(), 1 << 12) if poll.poll(_MAX_UNAME_SECONDS * 1000) else b""
