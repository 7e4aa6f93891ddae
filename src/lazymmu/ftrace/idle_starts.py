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

__all__ = ["idle_starts"]

_MOST: Final = 24
"""Beginnings that are told apart; each more makes the search slower."""

_RARE: Final = 1000
"""One line in so many must begin in a way for it to be worth a look."""

# `event:`, `function <-`.  Not `event: (`: a probe may read anything.
_START: Final = re.compile(rb"[^\s:(<]{1,64}(?::(?![ \t]*\()| <-)")


def idle_starts(
    texts: Iterable[bytes], needles: Collection[bytes]
) -> tuple[tuple[bytes, ...], float]:
    """How texts begin that hold no needle, the most frequent first, and what share is left of those
    that hold none and begin otherwise.

    A function that a profile knows is not among them, nor what began a text with a needle.
    """
    idle: Counter[bytes] = Counter()
    held = set()
    total = other = 0
    for text in texts:
        total += 1
        found = _START.match(text)
        start = b"" if found is None else found[0]
        # A needle may begin with what stands before the text.
        line = b": " + text
        if any(needle in line for needle in needles):
            held.add(start)
        elif not start or (start.endswith(b" <-") and symbol(start[:-3]) in functions()):
            other += 1
        else:
            idle[start] += 1
    often = [start for start, number in idle.most_common() if number * _RARE >= total]
    chosen = tuple(start for start in often if start not in held)[:_MOST]
    left = other + sum(number for start, number in idle.items() if start not in chosen)
    return chosen, left / max(total, 1)
