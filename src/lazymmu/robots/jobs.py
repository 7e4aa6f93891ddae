# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions at work: each a process, awaited for a while, and asked for again by a handle.

A robot gives up after half a minute, and a cold tree takes longer. So nobody waits for more than
`WAIT`: who has no answer by then has a handle, and the work goes on.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WAIT", "BusyError", "JobLimits", "JobOutcome", "Jobs"]

WAIT: Final = 18.0
"""Seconds: robots wait for 30 by default (Sashiko, timeout_secs), some for 20."""

_MAX_OUTPUT: Final = 32 << 20
_KEPT: Final = 64
"""Questions whose answers are remembered."""

_LOOK: Final = 0.05
"""Seconds between two looks at a process."""

_PASSED: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
"""What of the environment a child gets: nothing that could be a secret."""


class BusyError(Exception):
    """There are too many questions at work; one sentence."""


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What a question may take.

    :param seconds: of time, and of the processor's in each process.
    :param mebibytes: of memory, in each process.
    :param at_once: questions at work, and waiting: those that wait for their turn.
    """

    seconds: int = 600
    mebibytes: int = 4096
    at_once: int = 2
    waiting: int = 16


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a question ended: exit code, output; stopped: why it was ended, "" when it was not."""

    code: int
    out: bytes
    err: bytes
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    future: Future[JobOutcome]
    key: tuple[object, ...]


class Jobs:
    """All questions of a server."""

    def __init__(self, limits: JobLimits) -> None:
        """`limits`: of each, and of all."""
        self.limits = limits
        self._pool = ThreadPoolExecutor(limits.at_once, "question")
        self._over = threading.Event()
        self._jobs: dict[str, _Job] = {}
        self._beginning = threading.Lock()

    def begin(self, command: Sequence[str], given: bytes = b"") -> str:
        """Begin a question, or find the same one at work; gives its handle.

        :param command: the words of lazymmu's command line.
        :param given: its standard input.
        :raises BusyError: too many are at work already.
        """
        key = (tuple(command), given)
        with self._beginning:
            running = [(handle, job) for handle, job in self._jobs.items() if not job.future.done()]
            for handle, job in running:
                # One that is done is not given again: the tree may be another by now.
                if job.key == key:
                    return handle
            if len(running) >= self.limits.at_once + self.limits.waiting:
                raise BusyError(f"{len(running)} questions are at work already; ask again later")
            done = [handle for handle, job in self._jobs.items() if job.future.done()]
            for handle in done[: max(0, len(self._jobs) - _KEPT + 1)]:
                del self._jobs[handle]
            handle = secrets.token_urlsafe(12)
            self._jobs[handle] = _Job(self._pool.submit(self._run, command, given), key)
            return handle

    def outcome(self, handle: str) -> JobOutcome | None:
        """How a question ended, None while it is at work.

        :raises KeyError: without one.
        """
        future = self._jobs[handle].future
        return future.result() if future.done() else None

    def wait(self, handle: str, seconds: float) -> JobOutcome | None:
        """The same, after so many seconds at most."""
        future = self._jobs[handle].future
        with contextlib.suppress(TimeoutError):
            return future.result(seconds)
        return None

    def end(self) -> None:
        """End all questions; none goes on for nobody."""
        self._over.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._jobs.clear()

    def _run(self, command: Sequence[str], given: bytes) -> JobOutcome:
        limits = self.limits
        words = [str(limits.seconds), str(limits.mebibytes), *command]
        with (
            tempfile.TemporaryFile() as asked,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            asked.write(given)
            asked.seek(0)
            # -P: what lies in the current directory is no module of ours.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "lazymmu.robots.child", *words],
                stdin=asked,
                stdout=out,
                stderr=err,
                env={name: os.environ[name] for name in _PASSED if name in os.environ},
                cwd="/",
                start_new_session=True,
            )
            try:
                stopped = self._watch(process, out, err)
            finally:
                _kill(process)
            if stopped:
                return JobOutcome(-1, b"", b"", stopped)
            code = process.returncode
            stopped = f"it was ended by signal {-code}" if code < 0 else ""
            return JobOutcome(code, _all(out), _all(err), stopped)

    def _watch(self, process: subprocess.Popen[bytes], *outputs: IO[bytes]) -> str:
        """Wait for a process; why it must not go on, "" when it ended by itself."""
        until = time.monotonic() + self.limits.seconds
        while process.poll() is None:
            if self._over.is_set():
                return "the server ends"
            if time.monotonic() > until:
                return f"it took more than {self.limits.seconds} seconds"
            if any(os.fstat(output.fileno()).st_size > _MAX_OUTPUT for output in outputs):
                return f"it said more than {_MAX_OUTPUT >> 20} MiB"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK)
        return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _all(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_MAX_OUTPUT)
