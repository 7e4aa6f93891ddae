# SPDX-License-Identifier: GPL-2.0-or-later
"""Work in other processes: the one place that forks, and the conditions under which it does.

A child is a copy of this process: what was read and built is there, and nothing is sent to it but
what it is to do. It sends results back through a pipe, and ends. When the parent dies, the pipe
breaks and the child dies of it. When the parent is interrupted it ends its children: none goes on
for nobody.

A process that runs other threads of Python is not forked, because a lock that one of them holds
would be held for ever in the child (fork(2), POSIX). The work is then done where it was asked for,
with the same result: who uses this package as a library is never forked behind the backs of its
threads. Threads that Python does not know, such as those of OpenBLAS, prepare for a fork themselves
(pthread_atfork(3)).

A leaf: every layer may import this module, and it imports none of ours but leaves.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import pickle
import signal
import threading
import time
from typing import TYPE_CHECKING, Generic, NoReturn, ParamSpec, TypeVar

from lazymmu import interrupt
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

__all__ = ["KilledError", "Pool", "Task", "may_fork"]

P = ParamSpec("P")
R = TypeVar("R")
Item = TypeVar("Item")


class KilledError(Problem):
    """A child was killed, and what it was to find out is not known."""


def may_fork() -> bool:
    """Whether this process can be forked, and runs no thread of Python but this one."""
    return hasattr(os, "fork") and threading.active_count() == 1


class Task(Generic[R]):
    """A function's result, computed in a child process where that is possible.

    When the child fails, the parent does the work itself. When the child was killed, by the kernel
    for its memory or by a fault of its own, the parent does not: it would die of the same.
    """

    def __init__(
        self, fork: bool, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Start `function`; without `fork`, or where that may not be, `result` will call it."""
        self._call: Callable[[], R] = functools.partial(function, *args, **kwargs)
        self._child = 0
        self._pipe = -1  # open as long as nobody has asked for the result
        if not fork or not may_fork():
            return
        try:
            reading, writing = os.pipe()
        except OSError:
            return
        # Ctrl-C waits meanwhile: a child that is not noted here would be nobody's.
        with interrupt.held():
            try:
                self._child = _fork()
            except OSError:
                os.close(reading)
                os.close(writing)
                return
            if self._child:
                os.close(writing)
                self._pipe = reading
                return
            with _no_return():
                os.close(reading)
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
                with os.fdopen(writing, "wb") as pipe:
                    pickle.dump(self._call(), pipe, pickle.HIGHEST_PROTOCOL)

    def result(self) -> R:
        """Wait for the result and return it.

        Raises what the function raises, and KilledError when a signal has killed the child.
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


class Pool(Generic[Item, R]):
    """Children that call one function again and again, each with the next item that is left.

    done: results by the item's index, filled while `run` and `drain` go on, so that whatever was
    ready is there when they are broken off.
    """

    def __init__(self, jobs: int, function: Callable[[Item], R]) -> None:
        """Start `jobs` children, which ignore Ctrl-C: their parent decides. See `may_fork`.

        :raises OSError: not even one child can be started.
        """
        from multiprocessing import Pipe

        self.done: dict[int, R] = {}
        self._children: dict[Connection, int] = {}
        self._at_work: dict[Connection, int] = {}
        for _ in range(jobs):
            with interrupt.held():
                try:
                    here, there = Pipe()
                    child = _fork()
                except OSError:
                    if self._children:
                        break
                    raise
                if child:
                    there.close()
                    self._children[here] = child
                    continue
                with _no_return():
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
                    # An end that a sibling keeps open would tell nobody that its parent died.
                    for other in (here, *self._children):
                        other.close()
                    _serve(there, function)

    def run(self, items: Sequence[Item]) -> Iterator[int]:
        """Have all items worked on, and yield the index of each when its result is in `done`.

        :raises KilledError: a child was killed, or ended itself.
        :raises Exception: what the function raised in a child.
        """
        left = iter(enumerate(items))
        for free in self._children:
            self._hand(free, left)
        while self._at_work:
            for ready in self._ready(None):
                index, error = self._take(ready)
                if error is not None:
                    raise error
                self._hand(ready, left)
                yield index

    def drain(self, seconds: float) -> None:
        """Take what those at work come to within that time; nothing new is begun."""
        until = time.monotonic() + seconds
        while self._at_work and (rest := until - time.monotonic()) > 0:
            for ready in self._ready(rest):
                with contextlib.suppress(KilledError):
                    self._take(ready)

    def end(self) -> None:
        """End all children now, whatever they are at; none is left behind."""
        with interrupt.held():
            for pipe, child in self._children.items():
                _end(child)
                pipe.close()
            self._children.clear()
            self._at_work.clear()

    def _hand(self, pipe: Connection, left: Iterator[tuple[int, Item]]) -> None:
        for index, item in left:
            with interrupt.held(), contextlib.suppress(OSError):  # a dead child is noticed in _take
                self._at_work[pipe] = index
                pipe.send(item)
            return

    def _ready(self, seconds: float | None) -> list[Connection]:
        from multiprocessing.connection import Connection, wait

        return [one for one in wait(list(self._at_work), seconds) if isinstance(one, Connection)]

    def _take(self, pipe: Connection) -> tuple[int, BaseException | None]:
        """Take one result; what a child came to is noted, or not yet taken, when Ctrl-C comes."""
        with interrupt.held():
            index = self._at_work.pop(pipe)
            try:
                value, error = pipe.recv()
            except (EOFError, OSError):
                raise KilledError("a process was ended from outside, or by itself") from None
            if error is None:
                self.done[index] = value
            return index, error


def _serve(pipe: Connection, function: Callable[[Item], R]) -> None:
    """In a child: call the function with each item that comes, until the parent is gone."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            item: Item = pipe.recv()
            try:
                answer: tuple[R | None, BaseException | None] = function(item), None
            except Exception as error:  # noqa: BLE001 (raised again by the parent)
                answer = None, error
            try:
                pipe.send(answer)
            except (TypeError, AttributeError, pickle.PicklingError) as error:
                pipe.send((None, RuntimeError(f"what a process came to cannot be sent: {error}")))


_parents: dict[int, int] = {}
"""Who made each child that runs; a child has a copy of this, and its siblings are not its own."""


def _fork() -> int:
    """Fork; in the parent the child is noted, so that it ends when this process does."""
    child = os.fork()
    if child:
        _parents[child] = os.getpid()
    return child


@contextlib.contextmanager
def _no_return() -> Iterator[None]:
    """In a child: end the process behind this, with status 0 if nothing was raised."""
    status = 1
    try:
        yield
        status = 0
    finally:
        # Not a return: what the parent registered for its own end is none of the child's.
        _exit(status)


def _exit(status: int) -> NoReturn:
    os._exit(status)


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
