# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a command, or wait for Ctrl-C, while a recording is on; and end in order when told to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.interrupt import terminating
from lazymmu.tracing.tracefs import TracingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Outcome", "run_until", "undisturbed"]

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_PATIENCE: Final = 5.0
"""Seconds that a command has to end after it was asked to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the command's status (None without a command), and how long it took."""

    status: int | None
    seconds: float


@contextlib.contextmanager
def run_until(
    command: Sequence[str],
) -> Iterator[Callable[[Callable[[bool], object]], Outcome]]:
    """What runs the command; called with a function that switches recording on and off.

    Ctrl-C ends the recording, and what was recorded is kept. SIGTERM and SIGHUP raise Terminated
    once, and are held back from then on, so that what undoes a recording is not broken off.
    """
    with terminating():
        yield lambda switch: _run(command, switch)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP wait until the context ends."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, *_ENDING))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(command: Sequence[str], switch: Callable[[bool], object]) -> Outcome:
    begun = time.monotonic()
    if not command:
        switch(True)
        # Until Ctrl-C: the recording is whole then.
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                signal.pause()
        switch(False)
        return Outcome(None, time.monotonic() - begun)
    switch(True)
    with _held() as came:
        try:
            process = subprocess.Popen(command)
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise TracingError(f"cannot run {command[0]}: {reason}") from None
    try:
        status = _wait(process, came)
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        process.kill()
        raise
    finally:
        switch(False)
    return Outcome(status, time.monotonic() - begun)


@contextlib.contextmanager
def _held() -> Iterator[list[signal.Signals]]:
    """Note Ctrl-C, SIGTERM and SIGHUP until the context ends; give what came.

    A command that begins would inherit a mask; it does not inherit functions.
    """
    came: list[signal.Signals] = []
    before: dict[signal.Signals, object] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, *_ENDING):
            if callable(signal.getsignal(number)):
                before[number] = signal.signal(
                    number, lambda number, _: came.append(signal.Signals(number))
                )
    try:
        yield came
    finally:
        for number, known in before.items():
            signal.signal(number, known)  # type: ignore[arg-type]


def _wait(process: subprocess.Popen[bytes], came: Sequence[signal.Signals]) -> int:
    """Wait for a command; Ctrl-C in a terminal reaches it, too, and it may take its time.

    came: what came while it was begun.
    """
    try:
        for number in came:
            if number == signal.SIGINT:
                process.send_signal(number)  # it may not have been there yet to see it
            signal.raise_signal(number)
        # Nobody has taken the status when a signal breaks this off; of wait() it would be lost.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    except KeyboardInterrupt:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_PATIENCE)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_PATIENCE)
        process.kill()
        return process.wait()
    with _held() as late:
        status = process.wait()
    for number in late:
        if number != signal.SIGINT:
            signal.raise_signal(number)
    return status
