# SPDX-License-Identifier: GPL-2.0-or-later
"""How the lines begin that a reader can pass over: those of events that mean nothing to it.

Most lines of a recording are of a few events.  What they are is learnt from some lines, and never
assumed of one that may mean something.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.lines import symbol
from lazymmu.ftrace.profile import functions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["IdleStarts"]

_MOST: Final = 24
"""Beginnings that are told apart; each more makes the search slower."""

_RARE: Final = 1000
"""One line in so many must begin in a way for it to be worth a look."""

# `event:`, `function <-`.  Not `event: (`: a probe may read anything.
_START: Final = re.compile(rb"[^\s:(<]{1,64}(?::(?![ \t]*\()| <-)")


class IdleStarts:
    """How texts begin that hold no needle, learnt from samples.

    starts: those to pass over, the most frequent first.  A function that a profile knows is not
    among them, nor what ever began a text with a needle in a sample.
    """

    def __init__(self) -> None:
        """Nothing learnt yet."""
        self.starts: tuple[bytes, ...] = ()
        self._idle: Counter[bytes] = Counter()
        self._held: set[bytes] = set()
        self._total = 0

    def learn(self, texts: Iterable[bytes], needles: Collection[bytes]) -> float:
        """Take a sample in; what share of it holds no needle and begins otherwise."""
        now: Counter[bytes] = Counter()
        total = other = 0
        for text in texts:
            total += 1
            found = _START.match(text)
            start = b"" if found is None else found[0]
            # A needle may begin with what stands before the text.
            line = b": " + text
            if any(needle in line for needle in needles):
                self._held.add(start)
            elif not start or (start.endswith(b" <-") and symbol(start[:-3]) in functions()):
                other += 1
            else:
                now[start] += 1
        self._idle.update(now)
        self._total += total
        often = [
            start
            for start, number in self._idle.most_common(_MOST + len(self._held))
            if number * _RARE >= self._total and start not in self._held
        ]
        self.starts = tuple(often[:_MOST])
        left = other + sum(number for start, number in now.items() if start not in self.starts)
        return left / max(total, 1)
