# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace that is read while it is recorded: what has come is given out, not what fills a block.

Nothing is waited for longer than a moment: `trace_pipe` of tracefs would let poll() wait until half
of its buffer is full, and read() until there is something (kernel/trace/trace.c, trace_poll() and
tracing_wait_pipe(); the watermark since 42fb0a1e84ff ("tracing/ring-buffer: Have polling block on
watermark") (in v6.1)).  So it is read without waiting, and asked again.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import time
from typing import TYPE_CHECKING, BinaryIO, Final

from lazymmu.ftrace.foreign import named, packed
from lazymmu.ftrace.record import TraceError
from lazymmu.inputs import open_input

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["TICK", "live_blocks", "opened_live"]

TICK: Final = 0.1
"""Seconds after which somebody is told that nothing came, and for which lines are gathered."""

_NAP: Final = 0.02
"""Seconds after which a file is asked again whether it has more."""

_PART_BYTES: Final = 1 << 16
_MOST_BYTES: Final = 1 << 18
"""Bytes that are given out at once, where they come faster than they are read."""

_LINE_BYTES: Final = 1 << 20
_MOST_OF_A_LINE: Final = 8 << 20
"""Bytes from which on a line is given up, and all of a stream that goes on with it."""


@contextlib.contextmanager
def opened_live(path: str, stream: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """What is at `path`, or `stream`, to be followed; a pipe waits for its writer for ever.

    :raises TraceError: it cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        try:
            yield stream or stack.enter_context(open_input(path, patient=True))
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise TraceError(f"cannot read {path}: {reason}") from None


def live_blocks(name: str, stream: BinaryIO) -> Generator[tuple[bytes, str, bool]]:
    """What comes, as `streams.blocks()` gives it out; an empty block where nothing came.

    A line without its end waits for the rest.

    :raises TraceError: for what is no text.
    """
    rest, missing, first, skipped = b"", "", True, 0
    for part in _parts(stream):
        if part is None or isinstance(part, str):
            if part:
                yield b"", part, True
                return
            yield b"", "", False
            continue
        if first:
            first = False
            why = packed(part) or named(part)
            if why:
                raise TraceError(f"{name}: {why}")
        if skipped:
            # The rest of a line that was given up.
            known = len(part)
            _, end, part = part.partition(b"\n")
            skipped = 0 if end else skipped + known
            if skipped > _MOST_OF_A_LINE:
                yield b"", f"it holds no end of a line in {_MOST_OF_A_LINE >> 20} MiB", True
                return
        rest += part
        end_at = rest.rfind(b"\n") + 1
        if end_at:
            yield rest[:end_at], missing, False
            rest, missing = rest[end_at:], ""
        if len(rest) > _LINE_BYTES:
            rest, skipped, missing = b"", len(rest), f"a line longer than {_LINE_BYTES} bytes"
    if rest or missing:
        yield b"", missing or "the last line is cut", True


def _parts(stream: BinaryIO) -> Generator[bytes | str | None]:
    """What is there each time, None where nothing is, and why it ends if it was to go on."""
    try:
        descriptor = stream.fileno()
    except (OSError, io.UnsupportedOperation):
        # Of a program that follows what it has in memory.
        while known := stream.read(_PART_BYTES):
            yield known
        return
    with _reader(descriptor) as read:
        part: bytes | None = None
        while part != b"":
            gathered = bytearray()
            until = time.monotonic() + TICK
            try:
                while part := read(until - time.monotonic()):
                    gathered += part
                    if len(gathered) >= _MOST_BYTES:
                        break
            except OSError as error:
                if gathered:
                    yield bytes(gathered)
                yield f"it cannot be read on: {error.strerror}"
                return
            if gathered:
                yield bytes(gathered)
            elif part is None:
                yield None


@contextlib.contextmanager
def _reader(descriptor: int) -> Iterator[Callable[[float], bytes | None]]:
    """What reads what comes within some seconds: b"" at the end, None where nothing comes.

    Of terminals and pipes poll() tells; they are not made to not wait, because a terminal may be
    the same open file as standard output.  trace_pipe calls itself a regular file.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    regular = stat.S_ISREG(os.fstat(descriptor).st_mode)

    def read(seconds: float) -> bytes | None:
        until = time.monotonic() + max(seconds, 0)
        while True:
            if regular or poll.poll(max(until - time.monotonic(), 0) * 1000):
                with contextlib.suppress(BlockingIOError):
                    return os.read(descriptor, _PART_BYTES)
            left = until - time.monotonic()
            if left <= 0:
                return None
            if regular:
                poll.poll(min(left, _NAP) * 1000)

    before = os.get_blocking(descriptor)
    try:
        if regular:
            os.set_blocking(descriptor, False)
        yield read
    finally:
        with contextlib.suppress(OSError):
            os.set_blocking(descriptor, before)
