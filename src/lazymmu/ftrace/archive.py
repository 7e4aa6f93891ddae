# SPDX-License-Identifier: GPL-2.0-or-later
"""The trace in an archive that `lazymmu record` made: the member `trace` of a tar.

Read as a stream, block by block, so that a damaged or hostile archive costs nothing: no header says
how much memory is taken. Format: tar(5), "POSIX ustar Archives" and "GNU Tar Archives".
"""

from __future__ import annotations

import contextlib
import io
from typing import BinaryIO, Final, cast

from lazymmu.ftrace.record import TraceError

__all__ = ["Replayed", "member"]

_TRACE: Final = "trace"
"""The name of the trace in an archive."""

_BLOCK: Final = 512
_MAGIC: Final = slice(257, 262)
_MOST_MEMBERS: Final = 4096
"""Members before the trace that are passed over; ours has none."""


def member(path: str, stream: BinaryIO) -> BinaryIO:
    """The trace in `stream`: all of it, or the member of an archive; path: its name.

    :raises TraceError: for an archive without a trace.
    """
    # Most are no archive, and what a buffer shows of them tells it without a copy of all.
    with contextlib.suppress(Exception):
        seen = getattr(stream, "peek", bytes)(_BLOCK)
        if len(seen) > _MAGIC.stop and seen[_MAGIC] != b"ustar":
            return stream
    head, failed = _head(stream)
    rest = stream if failed is None else cast("BinaryIO", _Failed(failed))
    if head[_MAGIC] != b"ustar":
        return cast("BinaryIO", io.BufferedReader(Replayed(head, rest)))
    try:
        found = _trace_in(head, rest)
    except Exception as error:  # noqa: BLE001 - whatever a packed stream raises
        raise TraceError(f"{path} is an archive that is cut before its trace: {error}") from None
    if found is None:
        raise TraceError(f"{path} is an archive without a trace")
    return found


def _trace_in(head: bytes, rest: BinaryIO) -> BinaryIO | None:
    """The member of an archive that is the trace; head: of the first member."""
    for _ in range(_MOST_MEMBERS):
        if head[_MAGIC] != b"ustar":
            break
        size = _size(head)
        if head[:100].rstrip(b"\0") == _TRACE.encode() and head[156:157] in b"0\0":
            return cast("BinaryIO", io.BufferedReader(_Limited(rest, size)))
        left = size + -size % _BLOCK
        while left > 0:
            part = rest.read(min(left, 1 << 20))
            if not part:
                break
            left -= len(part)
        head = rest.read(_BLOCK)
    return None


def _head(stream: BinaryIO) -> tuple[bytes, Exception | None]:
    """The first block of a stream, or what there is of it; and why there is no more.

    Read in parts: what a part that fails has read already would be lost with it.
    """
    read = getattr(stream, "read1", stream.read)
    head = b""
    try:
        while len(head) < _BLOCK:
            part = read(_BLOCK - len(head))
            if not part:
                break
            head += part
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told where the text ends
        return head, error
    return head, None


def _size(head: bytes) -> int:
    """The size of a member: octal digits, or from 8 GiB on a number of twelve bytes."""
    field = head[124:136]
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    return int(digits, 8) if digits.isdigit() and not {*digits} & {*b"89"} else 0


class Replayed(io.RawIOBase):
    """A stream with what was read of it, to see what it is, put back before the rest."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        """It is read, and nothing else."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer with what was put back, or as much as the source gives at once."""
        view = memoryview(cast("bytearray", buffer))
        part = self._head[: len(view)]
        self._head = self._head[len(part) :]
        if not part:
            part = getattr(self._rest, "read1", self._rest.read)(len(view))
        view[: len(part)] = part
        return len(part)


class _Failed(io.RawIOBase):
    """The rest of a stream that cannot be read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        raise self._error


class _Limited(io.RawIOBase):
    """The next bytes of a stream; one that ends before them is cut."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        wanted = min(len(view), self._left)
        if not wanted:
            # Whether packed data is whole shows at its end.
            while self._stream.read(1 << 18):
                pass
            return 0
        part = getattr(self._stream, "read1", self._stream.read)(wanted)
        if not part:
            raise EOFError("the archive is cut")
        view[: len(part)] = part
        self._left -= len(part)
        return len(part)
