# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditional compilation: which part of a text one architecture's compiler would see.

`interpret` runs the directives of a text (directives.py) against a table of macros (macros.py);
expressions are evaluated by if_expression.py. What is seen only because a free symbol counts as on
has its presence condition (see presence.py); the other side of a free symbol, its #else, is not
seen.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from lazymmu.kernelc.preprocess.directives import OPENERS, Directive, plain
from lazymmu.kernelc.preprocess.if_bounds import BeyondError
from lazymmu.kernelc.preprocess.if_expression import evaluate
from lazymmu.kernelc.presence import ALWAYS, NEVER, PresenceCondition, both, either

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.kernelc.preprocess.macros import Macros

__all__ = ["Selection", "interpret"]


class Selection:
    """Which parts of one text are compiled, and under which presence conditions.

    `dead` are the spans that are not, sorted and apart; `guarded` are the compiled spans that
    are not there always, in order of their starts (inner ones after outer ones), each with what
    it asks for besides those around it.
    """

    __slots__ = ("_outer", "dead", "guarded")

    def __init__(
        self,
        dead: list[tuple[int, int]] | None = None,
        guarded: list[tuple[int, int, PresenceCondition]] | None = None,
    ) -> None:
        """Take spans as `interpret` finds them; both lists may be empty."""
        self.dead = dead if dead is not None else []
        self.guarded = guarded if guarded is not None else []
        self._outer: list[int] | None = None

    def is_compiled(self, offset: int) -> bool:
        """Tell whether the text at `offset` is compiled."""
        index = bisect_right(self.dead, (offset, 1 << 62)) - 1
        return index < 0 or self.dead[index][1] <= offset

    def presence(self, offset: int) -> PresenceCondition:
        """Return the presence condition of the text at `offset`."""
        if self._outer is None:
            self._outer = self._nested()
        around: list[PresenceCondition] = []
        at = bisect_right(self.guarded, offset, key=itemgetter(0)) - 1
        while at >= 0:
            if offset < self.guarded[at][1]:
                around.append(self.guarded[at][2])
            at = self._outer[at]
        found = ALWAYS
        for presence in reversed(around):
            found = both(found, presence)
        return found

    def _nested(self) -> list[int]:
        """For each guarded span the index of the one that it stands in, -1 for none."""
        outer: list[int] = []
        open_: list[int] = []
        for index, (start, _, _) in enumerate(self.guarded):
            while open_ and self.guarded[open_[-1]][1] <= start:
                open_.pop()
            outer.append(open_[-1] if open_ else -1)
            open_.append(index)
        return outer

    def merged(self, other: Selection) -> Selection:
        """Return what is compiled in either of two inclusions of the same text."""
        dead: list[tuple[int, int]] = []
        mine, others = 0, 0
        while mine < len(self.dead) and others < len(other.dead):
            start, end = self.dead[mine]
            first, last = other.dead[others]
            if max(start, first) < min(end, last):
                dead.append((max(start, first), min(end, last)))
            if end <= last:
                mine += 1
            else:
                others += 1
        guarded: list[tuple[int, int, PresenceCondition]] = []
        ours, theirs = ({(a, b): found for a, b, found in s.guarded} for s in (self, other))
        for start, end in {**ours, **theirs}:
            one = ours.get((start, end), ALWAYS) if self.is_compiled(start) else NEVER
            two = theirs.get((start, end), ALWAYS) if other.is_compiled(start) else NEVER
            if presence := either(one, two):
                guarded.append((start, end, presence))
        return Selection(dead, sorted(guarded))


def interpret(
    directives: list[Directive],
    following: list[int],
    macros: Macros,
    length: int,
    *,
    file: str = "",
    include: Callable[[str], None] | None = None,
    defines: bool = True,
) -> Selection:
    """Run the directives of one text of `length` bytes (see `scan`) against `macros`.

    `macros` is changed by the text's defines unless `defines` is False; `include` is called
    with the argument of every live `#include`, at its place in the order.
    """
    dead: list[tuple[int, int]] = []
    guarded: list[tuple[int, int, PresenceCondition]] = []
    # Per open group: the condition around it, was a branch taken, and under which none was.
    groups: list[tuple[PresenceCondition, bool, PresenceCondition]] = []
    presence = ALWAYS
    index, count = 0, len(directives)
    define = macros.define
    while index < count:
        kind, start, end, word, rest = directives[index]
        if kind == "define":
            if defines:
                define(word, rest, file, start, presence)
        elif kind == "include":
            if include is not None:
                include(word + rest)
        elif kind == "undef":
            if defines:
                macros.undefine(word)
        elif kind == "endif":
            if groups:
                presence = groups.pop()[0]
        else:
            if kind in OPENERS:
                groups.append((presence, False, ALWAYS))
            elif not groups:
                index += 1
                continue
            presence, taken, because = groups[-1]
            truth, own = (False, ALWAYS) if taken else _branch(kind, word, rest, macros, because)
            after = following[index]
            stop = directives[after][1] if after < count else length
            if truth:
                groups[-1] = (presence, True, ALWAYS)
                if own:
                    presence = both(presence, own)
                    guarded.append((end, stop, own))
            else:
                if not taken:
                    groups[-1] = (presence, False, both(because, own))
                if end < stop:
                    dead.append((end, stop))
                index = after
                continue
        index += 1
    return Selection(dead, guarded)


def _branch(
    kind: str, word: str, rest: str, macros: Macros, because: PresenceCondition
) -> tuple[bool, PresenceCondition]:
    """Return whether a branch is compiled, and the presence condition of that.

    because: that under which no branch before it is.
    """
    match kind:
        case "else":
            return True, because
        case "ifdef":
            return macros.defined(word)
        case "ifndef":
            truth, own = macros.defined(word)
            return not truth, own
    try:
        truth, own = evaluate(plain(word + rest), macros)
    except BeyondError:
        macros.beyond = True
        return False, because
    return truth, both(own, because)
