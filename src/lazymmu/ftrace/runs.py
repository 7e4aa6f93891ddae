# SPDX-License-Identifier: GPL-2.0-or-later
"""Splits a block of a trace into lines, as fast as they allow.

Lines with the same columns follow one another: a section begins and ends, a context switch calls
its hooks.  They are given out together, up to three, in one match of one pattern.  Lines of events
that mean nothing to the reader are passed over by the same pattern; which these are is learnt.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.ftrace.idle_starts import IdleStarts
from lazymmu.ftrace.word_pattern import either

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ALWAYS", "MOST_LINES", "CountedLines", "CountedRun", "Run", "RunReader", "lines_of"]

Run = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes]
"""What was passed over, whole lines; then columns, and time and text of a usual line and of up to
two that follow it with the same columns, each empty where there is none; or else, in the last
place, a line that is not usual, with its end.  The last run of a block may hold no line."""

CountedRun = tuple[
    bytes, bytes, bytes, bytes, bytes, bytes,
    bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes,
]  # fmt: skip
"""A `Run` with five more behind what was passed over: whether a line alone was; and what was passed
over behind it of `CountedLines`, their columns, the kind, and whether there are several of it."""


class CountedLines(NamedTuple):
    """Lines that are passed over though they hold a needle, to be counted where they are passed.

    What one run passes over ends with the lines of one kind and with the same columns alone, and
    idle lines between and behind them.

    :param alone: how the texts begin of lines that are passed over wherever they are.
    :param start: how the text of the first line of each kind begins.
    :param kinds: each the patterns of the texts of lines that follow one another with nothing but
        idle lines between; of the first what is behind `start`, which tells the kind.
    """

    alone: tuple[bytes, ...]
    start: bytes
    kinds: tuple[tuple[bytes, ...], ...]


MOST_LINES: Final = 3
"""Lines of a run, at most."""

ALWAYS: Final = (b"EVENTS", b" buffer started", b"<stack trace")
"""What is looked for whatever the caller wants: lost records and stacks."""

# In a pattern, behind the `*` of a group in an atomic one: nothing that it took is kept to be tried
# again, which saves a fifth.  Before 3.11.5 it may match wrongly (CPython gh-106052).
_AND_KEPT: Final = b"+" if sys.version_info >= (3, 11, 5) else b""

_FRACTION: Final = len(".123456")

_BLOCKS_ALIKE: Final = 48
_BLOCKS_AT_FIRST: Final = 2
"""Blocks that are read as what the first of them shows is best: ever more, up to a limit."""

_SAMPLES: Final = 8
_SAMPLE_BYTES: Final = 1 << 13
"""Parts of a block, and bytes of each, that show what it is made of."""

_MOST_LEFT: Final = 0.5
"""Lines of no use, as a share of all, from which on it is faster to search for those of use."""


@lru_cache(maxsize=8)
def _pattern(
    width: int, wide: int, idle: tuple[bytes, ...], counted: CountedLines | None = None
) -> re.Pattern[bytes]:
    """A run of lines, and the widths of its usual ones.

    They have columns of `width` bytes and a time of `wide`, as the kernel prints it with its usual
    clocks: " %5lu.%06lu: " (kernel/trace/trace_output.c).
    """
    if not width:
        return re.compile(rb"()()()()()()()()(.*\n)")
    stamp = rb".{%d}\.[0-9]{6}" % (wide - _FRACTION)
    starts = either(idle)
    ends = starts if counted is None else either((*idle, *counted.alone, counted.start))
    more = rb"(?:(?P=key)(%s): (?!%s)(.*+)\n" % (stamp, ends)
    lines = rb"(?P<key>.{%d})(%s): (.*+)\n%s%s)?)?|(.*\n)" % (width, stamp, more, more)
    if counted is not None:
        passed = _counted(width, wide, starts, counted)
        others = rb"(?(by)(?!.{%d}: %s))" % (width + wide, either((*counted.alone, counted.start)))
        return re.compile(rb"%s(?:%s(?:%s))?" % (passed, others, lines))
    if not idle:
        return re.compile(rb"()(?:%s)" % lines)
    # What begins like an idle text, in the place of a text, is one whatever its time looks like.
    passed = rb"(?>(?:.{%d}: %s.*+\n)*%s)" % (width + wide, starts, _AND_KEPT)
    return re.compile(rb"(%s)(?:%s)?" % (passed, lines))


def _counted(width: int, wide: int, starts: bytes, counted: CountedLines) -> bytes:
    """What is passed over of lines that are idle or counted; starts: a pattern of idle ones."""
    idle = rb".{%d}: %s.*+\n" % (width + wide, starts)
    # Each group is set once in a match, or for ever: marks are not taken back.
    alone = rb".{%d}: (?:%s.*+\n|%s.*+(?P<alone>\n))"
    alone %= width + wide, starts, either(counted.alone)
    next_line = rb"\n(?>(?:%s)*%s)(?P=by).{%d}: " % (idle, _AND_KEPT, wide)
    kinds = rb"(?:%s)" % b"|".join(next_line.join(texts) for texts in counted.kinds)
    first = rb"(?P<by>.{%d}).{%d}: %s(?=(?P<kind>.+)\n)%s\n"
    first %= width, wide, counted.start, kinds
    again = rb"(?P=by).{%d}: %s(?=(?P=kind)\n)%s(?P<more>\n)" % (wide, counted.start, kinds)
    some = rb"%s(?>(?:%s|%s)*%s)" % (first, idle, again, _AND_KEPT)
    return rb"((?>(?:%s)*%s))(%s)?" % (alone, _AND_KEPT, some)


def lines_of(run: Run) -> int:
    """How many lines a run gives out."""
    _, key, _, _, second, _, third, _, line = run
    return 1 + bool(second) + bool(third) if key else bool(line)


class RunReader:
    """Reads blocks, and remembers what those before were made of."""

    def __init__(self) -> None:
        """Before the first block."""
        self._idle = IdleStarts()
        self._searches = False
        self._planned: tuple[object, ...] = ()
        self._alike, self._next = 0, _BLOCKS_AT_FIRST

    def counted(
        self,
        block: bytes,
        begin: int,
        width: int,
        wide: int,
        needles: tuple[bytes, ...],
        counted: CountedLines,
    ) -> Sequence[CountedRun] | None:
        """The same, with those lines passed over; None where that is not faster."""
        if not width or not needles:
            return None
        self._plan(block, begin, width, wide, needles)
        if self._searches:
            return None
        return _pattern(width, wide, self._idle.starts, counted).findall(block, begin)

    def read(
        self, block: bytes, begin: int, width: int, wide: int, needles: tuple[bytes, ...]
    ) -> Sequence[Run] | Iterator[Run]:
        """The runs of a block from `begin` on; all lines that hold a needle are in them."""
        if needles:
            self._plan(block, begin, width, wide, needles)
            if self._searches:
                return _found(block, begin, _pattern(width, wide, ()), needles)
        return _pattern(width, wide, self._idle.starts).findall(block, begin)

    def _plan(
        self, block: bytes, begin: int, width: int, wide: int, needles: tuple[bytes, ...]
    ) -> None:
        """Find out, now and then, how the lines that matter are found fastest."""
        self._alike -= 1
        if self._alike > 0 and self._planned == (needles, width, wide):
            return
        if self._planned[:1] != (needles,):
            self._idle, self._next = IdleStarts(), _BLOCKS_AT_FIRST
        self._alike, self._planned = self._next, (needles, width, wide)
        self._next = min(2 * self._next, _BLOCKS_ALIKE)
        pattern = _pattern(width, wide, ())
        texts: list[bytes] = []
        step = max((len(block) - begin) // _SAMPLES, _SAMPLE_BYTES)
        for part in range(begin, len(block), step):
            start = block.rfind(b"\n", begin, part) + 1 or begin
            for _, _, _, *more in pattern.findall(block, start, part + _SAMPLE_BYTES):
                texts += (text for text in (more[0], more[2], more[4], more[5]) if text)
        self._searches = self._idle.learn(texts, (*needles, *ALWAYS)) > _MOST_LEFT


def _found(
    block: bytes, begin: int, pattern: re.Pattern[bytes], needles: tuple[bytes, ...]
) -> Iterator[Run]:
    """The runs that begin with a line that holds a needle."""
    end = begin
    rfind, match = block.rfind, pattern.match
    for hit in _hits(block, begin, needles):
        if hit < end:
            continue
        start = rfind(b"\n", end, hit) + 1 or end
        run = match(block, start)
        if run is None:
            raise AssertionError("a block is whole lines")
        yield block[end:start], *run.groups(b"")[1:]  # type: ignore[misc]
        end = run.end()
    if end < len(block):
        yield block[end:], b"", b"", b"", b"", b"", b"", b"", b""


def _hits(block: bytes, at: int, needles: tuple[bytes, ...]) -> list[int]:
    """Where needles are, in order."""
    find = block.find
    found: list[int] = []
    for needle in (*needles, *ALWAYS):
        length = len(needle)
        hit = find(needle, at)
        while hit >= 0:
            found.append(hit)
            hit = find(needle, hit + length)
    found.sort()
    return found
