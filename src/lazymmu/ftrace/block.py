# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of one block of a trace: those that matter, read as fast as they allow."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.lines import (
    FORMATS,
    REST,
    Columns,
    Format,
    columns,
    frame,
    function_text,
    head,
    line_text,
    lost,
)
from lazymmu.ftrace.record import Header, Record, RecordKind
from lazymmu.ftrace.runs import ALWAYS, RunReader, lines_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from lazymmu.ftrace.runs import CountedLines, CountedRun, Run

__all__ = ["Lines"]

_MAX_COLUMNS_KNOWN: Final = 1 << 14
"""Different columns that are remembered; a busy machine has some thousands."""

_MAX_SECONDS_BYTES: Final = 20
"""Bytes that the seconds of a time may have, with the blanks before them."""

_TRACER: Final = re.compile(rb".{0,96}?(?P<head># tracer: [^\s]{1,64}[ \t\r]*$)")
"""The first line of a head, behind a time of dmesg or the marks of a mail; a task may have the same
words for a name."""

_CONTEXT_LINES: Final = 3
"""Lines shown on each side of a line."""


class Lines:
    """The lines of one block that matter: `runs()` gives them out, `other()` reads unusual ones.

    Some are given out that do not: it is faster than to tell them all apart.

    Of the attributes, `block` has the bytes, `first` is the number of the first line behind the
    head, `known` has the columns that were met, by their bytes, and `wide` is how many bytes a
    usual time has; `gap` says until it is reset whether records are missing before the line looked
    at last.

    :param needles: what a line that matters contains, which may be changed before `runs()`.
    """

    def __init__(self, header: Header, needles: Collection[bytes]) -> None:
        """For a trace with `header`; see `Trace.records()` for `needles`."""
        self.header = header
        self.block = b""
        self.first = 1
        self._next: int | None = 1
        self.gap = False
        self.needles: tuple[bytes, ...] = tuple(needles)
        self.known: dict[bytes, Columns] = {}
        self.wide = len(" 12345.123456")
        self._format: Format | None = None
        self._in_head = True
        self._quote = 0
        self._runs = RunReader()
        self._width = 0
        self._begin = 0
        self._starts: list[int] = []

    def load(self, block: bytes) -> None:
        """Go on with the next block of whole lines; the head of the trace is taken in at once."""
        self.first = self.next_line
        self.block, self._starts, self._next = block, [], None
        self._begin = self._head() if self._in_head else 0

    @property
    def width(self) -> int:
        """Bytes of the columns of a usual line."""
        return self._width

    @property
    def next_line(self) -> int:
        """The number of the line behind the block."""
        if self._next is None:
            self._next = self.first + self.block.count(b"\n", self._begin)
        return self._next

    def ended(self, number: int) -> None:
        """The last line of `runs()` had this number: who went through them has counted already."""
        self._next = number + 1

    @property
    def blank(self) -> bool:
        """Whether the block has nothing after the head of the trace."""
        return self._begin >= len(self.block)

    def sniff(self) -> bool:
        """Find out the format; whether lines have the column that shows interrupts.

        The first line of the block that is a record decides.  Without one, `header.format` stays
        "" and the answer is False.
        """
        at = self._begin
        while 0 <= at < len(self.block):
            found = self.parts(at)
            if found is not None:
                return found[0].flags is not None
            at = self.block.find(b"\n", at) + 1 or -1
        return False

    def runs(self) -> Iterable[Run]:
        """The lines that matter, in runs; the first line of the block has the number `first`.

        Columns, time and text are what they are if the line has the form of most, for all that is
        `known` or what `meet()` says of the columns: of others, `other()` may know more.
        """
        return self._runs.read(*self._shape())

    def counted_runs(self, counted: CountedLines) -> Sequence[CountedRun] | None:
        """The same, with those lines passed over; None where that is not faster."""
        return self._runs.counted(*self._shape(), counted)

    def _shape(self) -> tuple[bytes, int, int, int, tuple[bytes, ...]]:
        """The block, and how its lines look, for whoever splits it."""
        if not self._width:
            self.sniff()
        return self.block, self._begin, self._width, self.wide, self.needles

    def numbers(self) -> Iterator[int]:
        """The number of each line of `runs()`, for readers without hurry."""
        runs, number = self.runs(), self.first
        for run in runs:
            number += run[0].count(b"\n")
            for _ in range(lines_of(run)):
                yield number
                number += 1

    def at(self, number: int) -> int:
        """Where in the block the line with this number begins; one of those given out."""
        if not self._starts:
            sizes = map(len, self.block[self._begin :].split(b"\n"))
            self._starts = list(accumulate(sizes, initial=self._begin))
        at = number - self.first
        return self._starts[at] + at  # of each line before its end is one more

    def number_of(self, at: int) -> int:
        """The number of the line at offset `at`."""
        return self.first + self.block.count(b"\n", self._begin, at)

    def meet(self, key: bytes) -> Columns | None:
        """The columns of a usual line, from their bytes; None when they are none."""
        if not key or self._format is None:
            return None
        found = self._format.pattern.match(key + b" ")
        if found is None or found.end() != len(key):
            return None
        return self._remember(key, columns(found))

    def other(self, number: int) -> tuple[Columns, bytes, bytes] | None:
        """Columns, time and text of a line given out; None when it is no record.

        Lines that tell of lost records are noted (`gap`).
        """
        at = self.at(number)
        key = self.block[at : at + self._width]
        found = self.parts(at)
        if found is None:
            self._loss(number, at)
        elif key in self.known:
            # Seconds of six digits, after a day, make times wider.
            mid = at + self._width
            point = self.block.find(b".", mid, mid + _MAX_SECONDS_BYTES) + 1
            self.wide = max(self.wide, point - mid + 6)
        return found

    def _head(self) -> int:
        """Take the lines of the head in; where the first line after them begins."""
        block, at = self.block, 0
        while at < len(block):
            end = block.find(b"\n", at)
            line = self._unquoted(block[at:end])
            if line.strip() and not (head(line, self.header) and lost(line) is None):
                self._in_head = False
                break
            at = end + 1
            self.first += 1
        return at

    def _unquoted(self, line: bytes) -> bytes:
        """A line of the head without what dmesg or a mail has put before all of them."""
        if not self._quote:
            found = _TRACER.match(line)
            self._quote = 0 if found is None else found.start("head")
        return line[self._quote :] if line[self._quote : self._quote + 1] == b"#" else line

    def _loss(self, number: int, start: int) -> None:
        """Note a line that is no record, if it tells of lost ones."""
        told = lost(self.text(start), number)
        if told is not None:
            self.header.losses.append(told)
            self.gap = True

    def holds(self, at: int) -> bool:
        """Whether the line at offset `at` holds a needle, or none is looked for."""
        if not self.needles:
            return True
        line = self.text(at)
        return any(needle in line for needle in (*self.needles, *ALWAYS))

    def text(self, at: int) -> bytes:
        """The line at offset `at`, without its newline."""
        return self.block[at : self.block.find(b"\n", at)]

    def parts(self, at: int) -> tuple[Columns, bytes, bytes] | None:
        """Columns, time and text of the line at offset `at`; None when it is no record.

        Columns are remembered: a task that runs has the same ones in line after line.
        """
        key = self.block[at : at + self._width]
        known = self.known.get(key)
        if known is None:
            return self._parts(at, key)
        rest = REST.match(self.block, at + self._width)
        if rest is None:
            return self._parts(at, b"")
        stamp, text = rest.groups()
        return known, stamp, text

    def _parts(self, at: int, key: bytes) -> tuple[Columns, bytes, bytes] | None:
        for one in FORMATS if self._format is None else (self._format,):
            found = one.pattern.match(self.block, at)
            if found is None:
                continue
            rest = REST.match(self.block, found.end())
            if rest is None:
                continue
            if self._format is None:
                self._format = one
                self.header.format = one.name
                self._width = found.end() - at
                key = found[0]
            known = columns(found)
            if found[0] == key:
                self._remember(key, known)
            stamp, text = rest.groups()
            return known, stamp, text
        return None

    def _remember(self, key: bytes, known: Columns) -> Columns:
        if len(self.known) > _MAX_COLUMNS_KNOWN:
            self.known.clear()
        self.known[key] = known
        return known

    def record(self, number: int) -> Record | None:
        """The record of a line given out, None when the line is none."""
        found = self.other(number)
        if found is None:
            return None
        known, stamp, text = found
        if b"<-" in text or b"<stack" in text:
            kind, word, caller, rest = function_text(text)
        else:
            kind, word, caller, rest = line_text(text)
        return Record(
            number,
            known.comm,
            int(known.pid),
            int(known.cpu),
            known.flags.decode("ascii", "replace") if known.flags else "",
            stamp.decode(),
            kind,
            word,
            caller,
            rest,
            known.tgid,
            self.frames(number) if kind is RecordKind.STACK else (),
        )

    def frames(self, number: int) -> tuple[str, ...]:
        """The frames that follow a line given out, innermost first."""
        found: list[str] = []
        block = self.block
        at = block.find(b"\n", self.at(number)) + 1
        while at < len(block) and len(found) < 64:
            end = block.find(b"\n", at)
            name = frame(block[at:end])
            if name is None:
                break
            found.append(name)
            at = end + 1
        return tuple(found)

    def around(self, number: int) -> tuple[tuple[int, str], ...]:
        """Numbers and text of the lines around one given out, frames of stacks left out.

        Lines of the blocks before and after are there as far as they are at hand.
        """
        before: list[tuple[int, str]] = []
        at = self.at(number)
        line, end = number, at
        while end > 0 and len(before) < _CONTEXT_LINES:
            start = self.block.rfind(b"\n", 0, end - 1) + 1
            line -= 1
            self._add(before, line, self.block[start : end - 1])
            end = start
        after: list[tuple[int, str]] = []
        self._add(after, number, self.text(at))
        line, start = number, self.block.find(b"\n", at) + 1
        while 0 < start < len(self.block) and len(after) < _CONTEXT_LINES:
            line += 1
            end = self.block.find(b"\n", start)
            self._add(after, line, self.block[start:end])
            start = end + 1
        return (*reversed(before), *after)

    @staticmethod
    def _add(lines: list[tuple[int, str]], number: int, line: bytes) -> None:
        if frame(line) is None and not line.startswith(b"#"):
            lines.append((number, line[:400].decode("utf-8", "replace")))
