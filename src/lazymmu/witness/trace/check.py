# SPDX-License-Identifier: GPL-2.0-or-later
"""The third witness: holds what a running kernel recorded to the contract.

`check_trace()` reads a trace, finds out which kernel it is of, runs the contract's monitors over
what it shows, and returns findings, what was seen, and what cannot be told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu import interrupt
from lazymmu.ftrace.block import Lines
from lazymmu.ftrace.contradiction import other_arch, refused, said
from lazymmu.ftrace.foreign import remedy
from lazymmu.ftrace.profile import NATIVE, Guess, guess, names_xen, with_counters
from lazymmu.ftrace.record import TraceError
from lazymmu.ftrace.trace import Trace, read
from lazymmu.witness.trace.judgement import TraceJudgement, trace_rules
from lazymmu.witness.trace.line_class import COUNTER_NEEDLE, NEEDLES, POWERPC_NEEDLES
from lazymmu.witness.trace.line_loop import LineLoop
from lazymmu.witness.trace.memo_monitor import MemoMonitor
from lazymmu.witness.trace.trace_features import TraceFeatures
from lazymmu.witness.trace.values import Seen, TraceResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import BinaryIO

    from lazymmu.witness.trace.follower import TraceFollower
    from lazymmu.witness.trace.observer import TraceObserver

__all__ = ["check_trace", "trace_rules"]

_BLOCKS_AT_FIRST: Final = 32
_BLOCKS_BETWEEN: Final = 16
"""Blocks in which readings of the counters are looked for where none are expected: so many
at first, then one in so many.  A recording that has them has one for each context switch."""

_MOST_WITHOUT_A_RECORD: Final = 8 << 20
"""Bytes of a stream that are read to find the first record: a log may be before it."""

_MOST_TEXT: Final = 32 << 20
"""Bytes that are kept of a text of which nothing is a record, for whoever knows what it is."""

_FIRST_BYTES: Final = 1 << 14
"""Bytes that are kept to say what the form of a text is that shows nothing."""


class _TraceCheck:
    """One run over one trace."""

    def __init__(
        self,
        trace: Trace,
        rules: Collection[str],
        arch: str,
        release: str,
        observer: TraceObserver | None,
        follower: TraceFollower | None,
    ) -> None:
        self.trace = trace
        self.observer = observer
        self.judged = TraceJudgement(trace.header, rules, follower)
        self.arch = arch
        self.release = release
        self.features = TraceFeatures()
        self.block = 0
        self.bytes = 0
        self.text = bytearray()

    def run(self) -> TraceResult:
        """Read it all, or until Ctrl-C, which comes between two blocks: none is half judged."""
        judged, loop = self.judged, None
        with interrupt.waiting() as ctrl_c:
            parts = self.trace.lines(NEEDLES)
            while True:
                try:
                    with ctrl_c.may_break():
                        lines = next(parts, None)
                except KeyboardInterrupt:
                    judged.interrupted = True
                    break
                if lines is None:
                    break
                loop = self._block(lines, loop)
                if judged.live is not None and judged.live.gone():
                    judged.interrupted = True
                    break
        if loop is None or judged.known is None:
            loop, judged.known = self._nothing()
        elif not self.trace.header.format and not judged.interrupted:
            raise self._no_trace()
        loop.finish()
        return judged.result(loop, judged.known)

    def _block(self, lines: Lines, loop: LineLoop | None) -> LineLoop | None:
        """Judge a block; gives the loop to go on with, None before the first line."""
        judged = self.judged
        if loop is None and not lines.blank:
            judged.known, judged.first = self._begun(lines), lines.block[:_FIRST_BYTES]
            loop = self._loop_over(lines, judged.known, Seen())
        elif loop is not None and judged.known is not None:
            loop = self._known_better(lines, loop, judged.known)
        if loop is not None and lines.block:
            self._look_for_counters(lines)
            loop.block(lines)
            loop.seen.lines = lines.next_line - 1
            self._give_up(lines)
        if judged.live is not None:
            seen = Seen() if loop is None else loop.seen
            if judged.known is not None and seen.counters:
                judged.known = with_counters(judged.known)
            judged.live.tell(seen, sure=not (loop is None or loop.one_sided or loop.disordered))
        return loop

    def _known_better(self, lines: Lines, loop: LineLoop, known: Guess) -> LineLoop:
        """Take what a block tells of the kernel that those before did not."""
        if not self._may_be_another(known, lines.block):
            return loop
        known = guess(lines.header, lines.block, arch=self.arch, release=self.release)
        self.judged.known = known
        if not known.arch:
            return loop
        # Nothing that shows sections came before: what was begun there is unknown.
        loop.finish()
        return self._loop_over(lines, known, loop.seen)

    def _give_up(self, lines: Lines) -> None:
        """Raise TraceError for a stream of which megabytes are no trace: it may never end.

        What is none is kept until a record comes.
        """
        if lines.header.format:
            self.text.clear()
            return
        if len(self.text) < _MOST_TEXT:
            self.text += lines.block
        self.bytes += len(lines.block)
        if self.trace.endless and self.bytes > _MOST_WITHOUT_A_RECORD:
            raise self._no_trace(f" in its first {self.bytes >> 20} MiB")

    def _no_trace(self, where: str = "") -> TraceError:
        usual = "text of tracefs or trace-cmd report expected"
        why = remedy(self.judged.first) or usual
        name = self.trace.header.name
        return TraceError(f"{name}: no recognisable trace record{where} ({why})", bytes(self.text))

    def _nothing(self) -> tuple[LineLoop, Guess]:
        """A loop over a trace of which nothing was read; raises where that is a mistake."""
        name, losses = self.trace.header.name, self.trace.losses
        if self.judged.interrupted and self.judged.live is None:
            raise KeyboardInterrupt
        if not self.judged.interrupted:
            raise TraceError(f"{name}: {losses[-1].what if losses else 'there is nothing in it'}")
        lines = Lines(self.trace.header, NEEDLES)
        known = guess(lines.header, b"", arch=self.arch, release=self.release)
        return self._loop_over(lines, known, Seen()), known

    def _begun(self, lines: Lines) -> Guess:
        """Which kernel it is of, by its first block; raises TraceError where options cannot be."""
        header, block = lines.header, lines.block
        why = refused(header, block, self.arch, self.release)
        if why:
            raise TraceError(f"{header.name}: {why}")
        known = guess(header, block, arch=self.arch, release=self.release)
        if self.release:
            odd = said(known, guess(replace(header, release=""), block, arch=known.arch))
            if odd:
                self.judged.doubt(odd, 0)
                # What was told is of a release whose functions these are not.
                self.judged.undecided = True
        if self.arch:
            odd = other_arch(known, guess(header, block))
            if odd:
                self.judged.doubt(odd, 0)
                # Its sections were looked for in functions that the kernel does not have.
                self.judged.undecided = True
        return known

    def _may_be_another(self, known: Guess, block: bytes) -> bool:
        """Whether this block may tell the architecture, which those before did not."""
        return not known.arch or (known.arch == NATIVE != self.arch and names_xen(block))

    def _look_for_counters(self, lines: Lines) -> None:
        """Have readings of the counters given out, from where the first one is.

        It is a search for four bytes in everything, which takes a fifth of all the time: where
        nothing says that there are counters, only some blocks are looked at.
        """
        self.block += 1
        if COUNTER_NEEDLE in lines.needles or self.features.no_counters:
            return
        if self.block > _BLOCKS_AT_FIRST and self.block % _BLOCKS_BETWEEN:
            return
        if COUNTER_NEEDLE in lines.block:
            lines.needles += (COUNTER_NEEDLE,)
            if self.block > _BLOCKS_AT_FIRST:
                self.judged.doubt("readings of the counters may be missed before", lines.first)

    def _loop_over(self, lines: Lines, known: Guess, seen: Seen) -> LineLoop:
        """A loop over the rest of the trace, which a kernel such as `known` recorded."""
        lines.needles = NEEDLES
        if known.arch in ("", "powerpc"):
            lines.needles += POWERPC_NEEDLES
        if known.counted:
            lines.needles += (COUNTER_NEEDLE,)
        if self.observer is not None:
            lines.needles += self.observer.needles
        self.features = TraceFeatures(
            shows_interrupts=lines.sniff(),
            counters_only=not known.shows_sections,
            no_counters=known.uncounted,
            pauses_out=known.pauses_out,
            insists=known.insists,
        )
        self.judged.suppose(self.features, known.dialects)
        return LineLoop(
            MemoMonitor(self.judged.runtime, self.features),
            self.features,
            seen,
            found=self.judged.note,
            doubt=self.judged.doubt,
            observer=self.observer,
        )


def check_trace(
    path: str,
    stream: BinaryIO | None = None,
    *,
    arch: str = "",
    release: str = "",
    rules: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    observer: TraceObserver | None = None,
    follower: TraceFollower | None = None,
) -> TraceResult:
    """Hold the trace at `path`, or of `stream`, to the contract.

    Ctrl-C ends the reading, and what was read is judged.

    :param arch: what the user knows better than the trace.
    :param release: likewise.
    :param rules: the only ones to judge by (none: all that a trace can show).
    :param progress: called with the number of bytes read.
    :param observer: told of each line that it wants (`section_stats`).
    :param follower: told what is found while the trace is recorded, until it ends.
    :raises TraceError: for what is no trace, or cannot be read; KeyboardInterrupt where nothing
        was.
    """
    trace = read(path, stream, progress=progress, follow=follower is not None)
    return _TraceCheck(trace, rules, arch, release, observer, follower).run()
