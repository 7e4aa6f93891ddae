# SPDX-License-Identifier: GPL-2.0-or-later
"""What `trace --follow` shows while a recording is made: findings, and how it goes."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys
import time
from typing import TYPE_CHECKING, Final

from lazymmu.cli.console import delivered, emit, tell
from lazymmu.report.common.words import count
from lazymmu.report.trace import text
from lazymmu.terminal import clean
from lazymmu.witness.trace.follower import TraceFollower

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lazymmu.verbs.trace import TraceAnswer
    from lazymmu.witness.trace.values import Seen, TraceFinding

__all__ = ["FollowedTrace"]

_BETWEEN: Final = 0.2
"""Seconds between two drawings of the line."""

_CLEARED: Final = "\r\x1b[K"


class FollowedTrace(TraceFollower):
    """Prints findings as they come, where they are wanted as text on standard output.

    The line about the state is drawn on standard error where that is a terminal, and is gone when
    something else is written.
    """

    def __init__(
        self, name: str, *, listed: bool, asked: Collection[str] = (), quiet: bool = False
    ) -> None:
        """name: of the trace; listed: findings are printed; asked: rules named by the user."""
        self._name = name
        self._listing = text.Listing(name, asked) if listed else None
        self._findings = 0
        self._drawn = 0.0
        self._line = not quiet and _on_terminal()
        self._shows = False

    def found(self, finding: TraceFinding) -> None:
        """Print a finding at once."""
        self._findings += 1
        if self._listing is not None:
            self._print(self._listing.finding(finding))

    def seen(self, seen: Seen) -> None:
        """Draw the line, now and then."""
        now = time.monotonic()
        if not self._line or now - self._drawn < _BETWEEN:
            return
        self._drawn, self._shows = now, True
        found = count(self._findings, "finding")
        said = f"{self._name}: {found} in {text.facts(seen)}; Ctrl-C ends"
        tell(_CLEARED + clean(said)[: max(shutil.get_terminal_size().columns - 1, 20)])

    def gone(self) -> bool:
        """Whether who reads standard output has gone: then nobody is told anything any more."""
        return not delivered() or _hung_up()

    def finish(self, answer: TraceAnswer) -> None:
        """Take the line away, and say what was not listed."""
        self.clear()
        if self._listing is not None:
            self._print(self._listing.rest(answer.watched[0]))

    def clear(self) -> None:
        """Take the line away, before something else is written."""
        if self._shows:
            self._shows = False
            tell(_CLEARED)

    def _print(self, lines: Iterable[str]) -> None:
        said = "".join(f"{line}\n" for line in lines)
        if said:
            self.clear()
            emit(said, colour=True, prose=True)


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _hung_up() -> bool:
    """Whether standard output is a pipe that nobody reads any more."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    return False
