# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts queues and interrupts where most of their lines are passed over without being given out.

What was passed over says what happened, and how often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.runs import CountedLines
from lazymmu.witness.trace.queue_reader import NOTHING, OTHER, QueueReader
from lazymmu.witness.trace.queue_stats import AT_ONCE, BATCH, SWITCH, told_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.runs import CountedRun, Run
    from lazymmu.witness.trace.queue_reader import Who
    from lazymmu.witness.trace.section_listener import SectionListener
    from lazymmu.witness.trace.section_totals import OpenSection, SectionTotals

__all__ = ["COUNTED", "HINT", "CountedReader"]

COUNTED: Final = CountedLines(
    # What comes to something in a section alone, or to nothing.
    (b"irq_handler_entry: ", b"softirq_entry: ", b"xen_mc_flush: flushing 0 "),
    b"xen_mc_batch: start batch LAZY_",
    (
        # Something is put off: a batch in a mode, and an issue in the same, which flushes nothing.
        (b"MMU", b"xen_mc_issue: start batch LAZY_MMU"),
        (b"CPU", b"xen_mc_issue: start batch LAZY_CPU"),
        # Something is issued at once: a batch in no mode, and what it is issued and flushed with.
        (
            b"NONE",
            rb"xen_mc_issue: start batch LAZY_(?:MMU|CPU|NONE)",
            rb"xen_mc_flush: flushing [1-9]\d{0,8} hypercalls, \d{1,12} arg.*+",
        ),
    ),
)
"""Lines that say of themselves what they come to, wherever they are."""

HINT: Final = b": xen_mc_issue: start batch LAZY_"
"""What the second line of each kind holds, once."""

_QUEUE: Final = b": xen_mc_"
_QUEUES: Final = (b"batch: ", b"issue: ", b"flush: ")
"""What all lines about queues hold, and how it goes on."""

_STARTS: Final = (*COUNTED.alone, b"xen_mc_batch: ", b"xen_mc_issue: ", b"xen_mc_flush: ")
_INTERRUPTS: Final = ((b": irq_handler_entry: ", "hard"), (b": softirq_entry: ", "soft"))


class CountedReader(QueueReader):
    """See the module."""

    def __init__(
        self,
        totals: SectionTotals,
        opened: Mapping[bytes, OpenSection],
        listener: SectionListener | None,
    ) -> None:
        """See `QueueReader`."""
        super().__init__(totals, opened, listener)
        self._late = b""
        self._width, self._wide = 0, 0

    @property
    def stamps(self) -> Sequence[bytes]:
        """Times of lines that were taken, the first and the last among them."""
        late = self._stamps(self._late)
        return [one for one in (self.first, self.stamp, *late[-1:]) if one]

    def take_counted(self, lines: Lines, runs: Iterable[CountedRun]) -> Iterator[Run]:
        """The runs without what was taken, of some that pass over lines that are counted here.

        What most runs are is done at once, as `take()` does it line by line.
        """
        # Long: one loop, because a call for each run would take a third of the time.
        texts, heads, opened, put_off = self._texts, self._heads, self._opened, self._totals.put_off
        over = 0
        self._set_widths(lines)
        for run in runs:
            (
                before,
                alone,
                some,
                by,
                kind,
                more,
                key,
                stamp,
                text,
                second,
                text2,
                third,
                text3,
                last,
            ) = run
            if alone:
                self._alone(lines, before)
            if some:
                over += some.count(b"\n")
                self._late = some
                if not self.first:
                    self.first = self._stamps(some)[0]
                who = heads.get(by) or self._who(lines, by)
                if who is not None:
                    times = some.count(HINT) if more else 1
                    if kind == b"MMU":
                        who[0].lazy = kind
                        put_off(opened.get(who[1]), who[0], times)
                    elif kind == b"CPU":
                        who[0].lazy, who[0].why = kind, SWITCH
                    else:
                        self._at_once(who, some, times)
                if not key and not last:
                    over += before.count(b"\n")
                    continue
            told = OTHER if text[:13] == b"sched_switch:" else texts.get(text)
            if told is OTHER:
                if (not second or texts.get(text2) is OTHER) and (
                    not third or texts.get(text3) is OTHER
                ):
                    if over:
                        before += b"\n" * over
                        over = 0
                    yield before, key, stamp, text, second, text2, third, text3, last
                    continue
            elif told is not None and not second:
                who = heads.get(key)
                if who is not None:
                    if told[0] == BATCH:
                        who[0].lazy = told[1]
                    else:
                        self.tell(told, who[0], opened.get(who[1]), who[2])
                    over += before.count(b"\n") + 1
                    self.stamp = stamp
                    continue
            self._over = over
            yield from self._taken(lines, (before, *run[6:]))
            over, self._over = self._over, 0
        if over:
            yield b"\n" * over, *NOTHING

    def _set_widths(self, lines: Lines) -> None:
        """Lines of the block that comes have columns and times of these widths."""
        if (lines.width, lines.wide) != (self._width, self._wide):
            self.stamp = [self.stamp, *self._stamps(self._late)][-1]
            self._late = b""
            self._width, self._wide = lines.width, lines.wide

    def _alone(self, lines: Lines, passed: bytes) -> None:
        """Lines that were passed over wherever they are."""
        self._late = passed
        if self._opened:
            self._interrupts(lines, passed)
        if not self.first:
            self.first = self._stamps(passed)[0]

    def _at_once(self, who: Who, passed: bytes, times: int) -> None:
        """What is issued at once, so many times, each as `take()` would."""
        cpu, task, columns = who
        if self._totals.counted and not cpu.reason and not cpu.queued:
            cpu.lazy, cpu.why, cpu.went = b"NONE", AT_ONCE, 0
            self._totals.outside[AT_ONCE] += times
            return
        # What was put off before goes along.
        for piece in passed.split(_QUEUE):
            if piece.startswith(_QUEUES):
                told = told_by(_QUEUE[2:] + piece[: piece.find(b"\n")])
                if told is not None:
                    self.tell(told, cpu, self._opened.get(task), columns)

    def _interrupts(self, lines: Lines, passed: bytes) -> None:
        """Interrupts of tasks that are in a section."""
        wide, line = self._wide, self._width + self._wide
        for hint, kind in _INTERRUPTS:
            for piece in passed.split(hint)[:-1]:
                key = piece[-line:-wide]
                who = self._heads.get(key) or self._who(lines, key)
                held = None if who is None else self._opened.get(who[1])
                if held is not None:
                    held.group.interrupts[kind] += 1

    def _stamps(self, passed: bytes) -> list[bytes]:
        """The times of the lines of `COUNTED` that were passed over."""
        at = self._width + self._wide + 2
        return [
            line[self._width : at - 2]
            for line in passed.split(b"\n")
            if line.startswith(_STARTS, at)
        ]
