# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace: its header, and its records one after the other, whatever its size and packing."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from lazymmu.ftrace.block import Lines
from lazymmu.ftrace.bpftrace_text import in_order
from lazymmu.ftrace.foreign import TextWrapping
from lazymmu.ftrace.lines import head
from lazymmu.ftrace.live import live_blocks, opened_live
from lazymmu.ftrace.record import Header, Record, RecordLoss
from lazymmu.ftrace.streams import blocks, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import BinaryIO

__all__ = ["Trace", "read"]


def read(
    path: str,
    stream: BinaryIO | None = None,
    *,
    progress: Callable[[int], None] | None = None,
    follow: bool = False,
) -> Trace:
    """The trace at `path`, or of `stream` (then `path` is its name in messages).

    Nothing is opened before iteration begins.

    :param progress: called with the number of bytes read.
    :param follow: it is being recorded, and is read as it grows.
    """
    return Trace(path, stream, progress, follow=follow)


class Trace:
    """A trace to iterate over: `for record in trace` or `trace.records(needles)`.

    header: what the trace says of itself; complete only at the end; endless: nobody knows whether
    it has an end.
    """

    def __init__(
        self,
        path: str,
        stream: BinaryIO | None = None,
        progress: Callable[[int], None] | None = None,
        *,
        follow: bool = False,
    ) -> None:
        """See `read()`."""
        self.header = Header(name=path)
        self._follow = follow
        self.endless = follow or stream is not None
        self._stream = stream
        self._progress = progress

    @property
    def losses(self) -> Sequence[RecordLoss]:
        """What the trace says is missing, as far as it was read."""
        return self.header.losses

    def __iter__(self) -> Iterator[Record]:
        """All records, in the trace's order."""
        return self.records()

    def records(self, needles: Collection[bytes] = ()) -> Iterator[Record]:
        """The records whose line contains one of `needles` (none: all), and all stacks.

        A loss is in `losses` before the record that follows it is given out.

        :raises TraceError: there is nothing readable.
        """
        for lines in self.lines(needles):
            for number in lines.numbers():
                at = lines.at(number)
                if lines.holds(at):
                    record = lines.record(number)
                    if record is not None:
                        yield record

    def lines(self, needles: Collection[bytes] = ()) -> Iterator[Lines]:
        """The same, block by block, for readers in a hurry; see `Lines`.

        A block that is followed may be empty, where nothing came.
        """
        lines = Lines(self.header, needles)
        wrapping = TextWrapping()
        with self._blocks() as parts:
            for block, missing, ended in parts:
                if missing:
                    loss = RecordLoss(lines.next_line, -1, None, missing, ended)
                    self.header.losses.append(loss)
                    lines.gap = True
                lines.load(wrapping.off(block))
                yield lines

    @contextlib.contextmanager
    def _blocks(self) -> Iterator[Iterator[tuple[bytes, str, bool]]]:
        name = self.header.name
        if self._follow:
            with (
                opened_live(name, self._stream) as source,
                contextlib.closing(live_blocks(name, source)) as parts,
            ):
                yield parts
            return
        told = partial(head, header=self.header)
        with (
            opened(name, self._stream, self._progress, told=told) as source,
            contextlib.closing(blocks(source)) as parts,
        ):
            yield in_order(parts)
