# SPDX-License-Identifier: GPL-2.0-or-later
"""Work in a second process, without machinery that could outlive or block the first.

A task is one forked child that sends its result through a pipe and ends. When the parent dies,
the pipe breaks and the child dies of it; when the child fails, the parent does the work itself.
When the child was killed, by the kernel for its memory or by a fault of its own, the parent does
not: it would die of the same. When the parent is interrupted it ends its children: none goes on for
nobody.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from typing import Generic, ParamSpec, TypeVar

from lazymmu import interrupt
from lazymmu.snapshot.tree import TreeError

__all__ = ["KilledError", "Task", "no_collection", "seldom_collected"]

_SELDOM = 200_000
"""Objects made and not freed between two collections; Python's own number is 700 or 2,000."""

P = ParamSpec("P")
R = TypeVar("R")


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Let the garbage collector rest while many small objects are made that are to last.

    It would go through all of them again and again, and free none: a fifth of the time.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Let the garbage collector go through everything seldom, where nearly all of it is to last.

    What is garbage after all is still found, so that memory has its bound.
    """
    usual = gc.get_threshold()
    gc.set_threshold(max(usual[0], _SELDOM), 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


class KilledError(TreeError):
    """A child was killed, and what it was to find out is not known."""


class Task(Generic[R]):
    """A function's result, computed in a child process where that is possible."""

    def __init__(
        self, fork: bool, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Start `function`; without `fork`, or where there is none, `result` will call it."""
        self._call: Callable[[], R] = functools.partial(function, *args, **kwargs)
        self._child = 0
        self._pipe = -1  # open as long as nobody has asked for the result
        if not fork or not hasattr(os, "fork"):
            return
        try:
            reading, writing = os.pipe()
        except OSError:
            return
        # Ctrl-C waits meanwhile: a child that is not noted here would be nobody's, and one that has
        # not yet left Ctrl-C to its parent would answer it with all that the parent is at.
        with interrupt.held():
            try:
                self._child = os.fork()
            except OSError:
                os.close(reading)
                os.close(writing)
                return
            if self._child:
                os.close(writing)
                self._pipe = reading
                _parents[self._child] = os.getpid()
                return
            status = 1
            try:
                os.close(reading)
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
                with os.fdopen(writing, "wb") as pipe:
                    pickle.dump(self._call(), pipe, pickle.HIGHEST_PROTOCOL)
                status = 0
            finally:
                # Not a return: what the parent registered for its own end is none of the child's.
                os._exit(status)

    def result(self) -> R:
        """Wait for the result and return it.

        Raises what the function raises, and KilledError, one sentence, when a signal has killed the
        child.
        """
        if self._pipe < 0:
            return self._call()
        pipe, self._pipe = self._pipe, -1
        with os.fdopen(pipe, "rb") as stream:
            data = stream.read()
        with interrupt.held():
            child, self._child = self._child, 0
            _, status = os.waitpid(child, 0)
            _parents.pop(child, None)
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            name = signal.Signals(number).name if number in set(signal.Signals) else number
            raise KilledError(f"a process that read part of the tree was killed by signal {name}")
        if status == 0:
            with contextlib.suppress(EOFError, pickle.UnpicklingError):
                # The bytes are those that this program's own child wrote into its own pipe.
                value: R = pickle.loads(data)  # noqa: S301
                return value
        return self._call()

    def __del__(self) -> None:
        """End the child of a task that nobody waits for any more: Ctrl-C, or an error elsewhere."""
        if self._child and _parents.get(self._child) == os.getpid():
            _end(self._child)
            if self._pipe >= 0:
                os.close(self._pipe)


_parents: dict[int, int] = {}
"""Who made each child that runs; a child has a copy of this, and its siblings are not its own."""


def _end(child: int) -> None:
    """End a child of this process now."""
    with contextlib.suppress(OSError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    _parents.pop(child, None)


@atexit.register
def _end_all() -> None:
    """End what still runs when this process ends: objects need not be destroyed before."""
    for child, parent in list(_parents.items()):
        if parent == os.getpid():
            _end(child)
