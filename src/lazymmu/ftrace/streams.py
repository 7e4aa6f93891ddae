# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a trace comes from: a file, standard input, packed or not, an archive, or a trace.dat.

Everything is read in blocks of whole lines, so that memory does not grow with the trace.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from lazymmu.ftrace.archive import Replayed, member
from lazymmu.ftrace.foreign import named
from lazymmu.ftrace.lines import frame
from lazymmu.ftrace.record import DAMAGED, TraceError
from lazymmu.ftrace.tracecmd import TraceCmdError, reported
from lazymmu.inputs import LIMIT, open_input

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["BLOCK_BYTES", "blocks", "opened", "unpacked", "zstandard", "zstd_module"]

BLOCK_BYTES: Final = 1 << 20
"""Bytes of the first block, by which a trace is known; also the length from which a line is given
up."""

_NEXT_BYTES: Final = 1 << 18
"""Bytes of all others, which fit into a processor's cache with what is made of them."""

_MAX_STACK_BYTES: Final = 1 << 13
"""Bytes that the longest stack takes: 64 frames of names."""

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_BZIP2: Final = b"BZh"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_TRACE_DAT: Final = b"\x17\x08\x44tracing"


@contextlib.contextmanager
def opened(
    path: str,
    stream: BinaryIO | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    told: Callable[[bytes], object] = len,
) -> Iterator[BinaryIO]:
    """The text of the trace at `path`, or of `stream`, unpacked; closed afterwards.

    A trace.dat goes through `trace-cmd report -l -N -O parent`; `told` gets the lines of `--uname`
    before.

    :param progress: called with the number of bytes read so far, before unpacking.
    :raises TraceError: there is nothing readable.
    """
    with contextlib.ExitStack() as stack:
        try:
            raw = stream or stack.enter_context(open_input(path))
            head = raw.read(len(_TRACE_DAT))
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise TraceError(f"cannot read {path}: {reason}") from None
        if head.startswith(_TRACE_DAT):
            if stream is not None:
                raise TraceError(
                    f"{path} is a trace.dat, which trace-cmd reads from a file alone: name the file"
                )
            yield stack.enter_context(reported(path, told))
            return
        what = named(head)
        if what:
            raise TraceError(f"{path}: {what}")
        counted = _Counted(cast("BinaryIO", Replayed(head, raw)), progress)
        source = cast("BinaryIO", io.BufferedReader(counted, BLOCK_BYTES))
        yield member(path, stack.enter_context(_unpacked(path, head, source)))


class _Counted(io.RawIOBase):
    """Tells how much was read."""

    def __init__(self, inner: BinaryIO, progress: Callable[[int], None] | None) -> None:
        self._inner = inner
        self._progress = progress
        self._done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        number: int = self._inner.readinto(buffer)  # type: ignore[attr-defined]
        self._done += number
        if self._progress is not None:
            self._progress(self._done)
        return number


@contextlib.contextmanager
def _unpacked(path: str, head: bytes, source: BinaryIO) -> Iterator[BinaryIO]:
    if head.startswith(_GZIP):
        yield cast("BinaryIO", gzip.GzipFile(fileobj=source))
    elif head.startswith(_XZ):
        yield cast("BinaryIO", lzma.LZMAFile(source))  # noqa: SIM115 - the caller's
    elif head.startswith(_BZIP2):
        yield cast("BinaryIO", bz2.BZ2File(source))
    elif head.startswith(_ZSTD):
        yield zstandard(path, source)
    else:
        yield source


def unpacked(name: str, content: bytes) -> tuple[bytes, str]:
    """What a file holds that may be packed, and why it ends where it does if it is damaged, or "".

    :param name: of the file, for messages.
    :raises TraceError: it unpacks to more than `LIMIT` bytes, or this Python cannot read zstd.
    """
    if not content.startswith((_GZIP, _XZ, _BZIP2, _ZSTD)):
        return content, ""
    with _unpacked(name, content, cast("BinaryIO", io.BytesIO(content))) as stream:
        found, ended = _chunk(stream, LIMIT + 1)
    if len(found) > LIMIT:
        raise TraceError(f"{name}: it unpacks to more than {LIMIT >> 20} MiB")
    return found, ended


def zstd_module() -> Any:
    """The module that reads and writes zstd; None where this Python has none."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[no-redef,unused-ignore]
        except ImportError:
            return None
    return zstd


def zstandard(path: str, source: BinaryIO) -> BinaryIO:
    """What is packed with zstd in `source`, unpacked; path: its name.

    :raises TraceError: this Python cannot.
    """
    zstd = zstd_module()
    if zstd is None:
        raise TraceError(
            f"{path} is packed with zstd, which this Python cannot read: install "
            "backports.zstd, or unpack the file"
        )
    return cast("BinaryIO", zstd.ZstdFile(source))


def blocks(stream: BinaryIO) -> Generator[tuple[bytes, str, bool]]:
    """The text in blocks of whole lines, each with what is missing before it, or "".

    Third: whether the trace ends there although it was to go on: packed data that ends early or is
    damaged, a trace-cmd that died, or a last line without its newline, which was cut in the middle
    and is dropped, because half a line can say the opposite of the whole. What came before it is
    given out first. A line longer than `BLOCK` is no line of a trace: it is dropped.
    """
    rest = b""
    missing = ended = ""
    skipped, size = 0, BLOCK_BYTES
    any_line = False
    while not ended:
        chunk, ended = _chunk(stream, size)
        size = _NEXT_BYTES
        if not chunk:
            break
        if skipped:
            end = chunk.find(b"\n")
            if end < 0:
                skipped += len(chunk)
                if skipped > LIMIT:
                    ended = f"it holds no end of a line in {LIMIT >> 20} MiB"
                continue
            chunk, skipped = chunk[end + 1 :], 0
        end = chunk.rfind(b"\n")
        if end < 0:
            rest += chunk
            if len(rest) > BLOCK_BYTES:
                rest, skipped, missing = b"", len(rest), f"a line longer than {BLOCK_BYTES} bytes"
            continue
        block = rest + chunk
        end = _whole(block)
        yield block[:end], missing, False
        missing, any_line = "", True
        rest = block[end:]
    whole = rest.rfind(b"\n") + 1
    if missing or whole:
        # What was held back because a stack might have gone on.
        yield rest[:whole], missing, False
    if ended or rest[whole:]:
        cut = "the last line is cut" if any_line or whole else "it has no whole line, ended by LF"
        yield b"", ended or cut, True


def _chunk(stream: BinaryIO, wanted: int) -> tuple[bytes, str]:
    """So many bytes, fewer at the end; and why it is the end, when it was to go on.

    Read in small parts: what a part that fails has read already would be lost with it.
    """
    read = getattr(stream, "read1", stream.read)
    parts: list[bytes] = []
    size = 0
    while size < wanted:
        try:
            part = read(wanted - size)
        except TraceCmdError as error:
            return b"".join(parts), f"trace-cmd failed: {error}"
        except EOFError as error:
            return b"".join(parts), f"the data ends here, damaged: {error}"
        except (OSError, ValueError, zlib.error, lzma.LZMAError) as error:
            return b"".join(parts), f"{DAMAGED}: {error}"
        except Exception as error:
            # Of one of two modules, neither of which need be there.
            if type(error).__name__ != "ZstdError":
                raise
            return b"".join(parts), f"{DAMAGED}: {error}"
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts), ""


def _whole(block: bytes) -> int:
    """Where to cut `block`: after its last whole line, and not inside a stack."""
    end = block.rfind(b"\n") + 1
    stack = block.rfind(b"<stack trace", max(0, end - _MAX_STACK_BYTES))
    if stack < 0:
        return end
    after = block.find(b"\n", stack) + 1
    lines = block[after:end].splitlines() if after else []
    if all(frame(line) is not None for line in lines):
        return block.rfind(b"\n", 0, stack) + 1 or end
    return end
