# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C, where KeyboardInterrupt alone does not do.

A leaf: every layer may import this module, and it imports none of ours. Python runs handlers of
signals in the main thread alone; in another thread, and where somebody else handles Ctrl-C, no
function here changes anything.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Terminated", "Waiting", "held", "noticed", "terminating", "waiting"]


class Terminated(BaseException):
    """A signal asked the program to end, and something had to be put away first.

    Ends the command with 128 and the signal's number, as shells tell it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


@contextlib.contextmanager
def terminating() -> Iterator[None]:
    """SIGTERM and SIGHUP raise Terminated inside, once, and are held back from then on.

    So what has to be put away is, and that is not broken off.
    """
    before: list[int] = []

    def came(number: int, _: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise Terminated(number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Whoever ignores one (nohup) has a reason.
            if signal.getsignal(number) == signal.SIG_DFL:
                before.append(number)
                signal.signal(number, came)
    try:
        yield
    finally:
        for one in before:
            signal.signal(one, signal.SIG_DFL)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let Ctrl-C wait until the context ends: what is begun inside is recorded before it comes.

    Processes and threads that are made inside begin with it held back.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # Not the first call: one that came just before is raised by this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def noticed() -> Iterator[Callable[[], bool]]:
    """Ctrl-C raises KeyboardInterrupt as ever; what is given tells whether the user pressed it.

    Code that is not ours may raise KeyboardInterrupt by itself.
    """
    pressed: list[int] = []

    def press(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    ours = _ours()
    try:
        if ours:
            signal.signal(signal.SIGINT, press)
        # Where nothing can be known, the user is believed to have pressed it.
        yield lambda: bool(pressed) or not ours
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _ours() -> bool:
    """Whether Ctrl-C raises KeyboardInterrupt here, as Python does it, and may be handled."""
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


class Waiting:
    """Ctrl-C that waits for a moment at which nothing is half done.

    pressed: whether it came.
    """

    __slots__ = ("_may_break", "pressed")

    def __init__(self) -> None:
        """Before it was pressed."""
        self.pressed = False
        self._may_break = False

    @contextlib.contextmanager
    def may_break(self) -> Iterator[None]:
        """Inside, Ctrl-C raises KeyboardInterrupt at once, also one that was pressed before."""
        self._may_break = True
        try:
            # Not before: one that comes in between would wait for what is done inside.
            if self.pressed:
                raise KeyboardInterrupt
            yield
        finally:
            self._may_break = False

    def press(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signal: the second time nobody waits any more."""
        again, self.pressed = self.pressed, True
        if again or self._may_break:
            signal.default_int_handler(number, frame)


@contextlib.contextmanager
def waiting() -> Iterator[Waiting]:
    """Let Ctrl-C wait until the code inside says that it may come; see `Waiting`."""
    keeper = Waiting()
    ours = _ours()
    try:
        if ours:
            signal.signal(signal.SIGINT, keeper.press)
        yield keeper
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
