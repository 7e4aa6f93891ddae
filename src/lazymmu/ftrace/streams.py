# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a trace comes from: a file, standard input, compressed or not, or a trace.dat.

Everything is read in blocks of whole lines, so that memory does not grow with the trace.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from lazymmu.ftrace.lines import frame
from lazymmu.ftrace.record import TraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["BLOCK", "blocks", "opened"]

BLOCK: Final = 1 << 20
"""Bytes read at once; also the length from which a line is given up."""

_STACK: Final = 1 << 13
"""Bytes that the longest stack takes: 64 frames of names."""

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_TRACE_DAT: Final = b"\x17\x08\x44tracing"


class _Replayed(io.RawIOBase):
    """A stream with the bytes that were read to see what it is put back before it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        if self._head:
            part, self._head = self._head[: len(view)], self._head[len(view) :]
        else:
            part = self._rest.read(len(view)) or b""
        view[: len(part)] = part
        return len(part)


@contextlib.contextmanager
def opened(
    path: str,
    stream: BinaryIO | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    told: Callable[[bytes], object] = len,
) -> Iterator[BinaryIO]:
    """The text of the trace at `path`, or of `stream`, unpacked; closed afterwards.

    progress: called with the number of bytes read so far, before unpacking.  A trace.dat goes
    through `trace-cmd report -l -N -O parent`; `told` gets the lines of `--uname` before.  Raises
    TraceError when there is nothing readable.
    """
    with contextlib.ExitStack() as stack:
        try:
            raw = stream or stack.enter_context(Path(path).open("rb"))
            head = raw.read(len(_TRACE_DAT))
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise TraceError(f"cannot read {path}: {reason}") from None
        if head.startswith(_TRACE_DAT):
            if stream is not None:
                raise TraceError(
                    f"{path} is a trace.dat, which trace-cmd reads from a file alone: name the file"
                )
            yield stack.enter_context(_reported(path, told))
            return
        counted = _Counted(cast("BinaryIO", _Replayed(head, raw)), progress)
        source = cast("BinaryIO", io.BufferedReader(counted, BLOCK))
        yield stack.enter_context(_unpacked(path, head, source))


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
    elif head.startswith(_ZSTD):
        yield _zstd(path, source)
    else:
        yield source


def _zstd(path: str, source: BinaryIO) -> BinaryIO:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[no-redef,unused-ignore]
        except ImportError:
            raise TraceError(
                f"{path} is packed with zstd, which this Python cannot read: install "
                "backports.zstd, or unpack the file"
            ) from None
    return cast("BinaryIO", zstd.ZstdFile(source))


@contextlib.contextmanager
def _reported(path: str, told: Callable[[bytes], object]) -> Iterator[BinaryIO]:
    """The text of a trace.dat."""
    program = shutil.which("trace-cmd")
    if program is None:
        raise TraceError(
            f"{path} is a trace.dat, and trace-cmd is not installed; where it is, "
            f"`trace-cmd report -l -N -O parent {Path(path).name}` prints it as text"
        )
    # Without plugins (-N) sched_switch keeps the + that tells a preempted task from one that called
    # schedule(); functions keep their callers.
    where = str(Path(path).absolute())
    uname = subprocess.run(
        [program, "report", "--uname", "-i", where],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    ).stdout
    for line in uname.splitlines()[:4]:
        told(line)
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            [program, "report", "-l", "-N", "-O", "parent", "-i", where],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
        ) as process,
    ):
        output = cast("BinaryIO", process.stdout)
        try:
            yield output
        finally:
            output.close()
            # Below zero: ended by the signal that the closed pipe sends.
            if process.wait() > 0:
                words.seek(0)
                lines = [line.strip() for line in words.read().splitlines() if line.strip()]
                said = lines[0].decode("utf-8", "replace") if lines else "no reason given"
                raise TraceError(f"trace-cmd cannot read {path}: {said}")


def blocks(stream: BinaryIO) -> Generator[tuple[bytes, str]]:
    """The text in blocks of whole lines, each with what is missing before it, or "".

    A line longer than `BLOCK` is no line of a trace: it is dropped.  A last line without its
    newline was cut in the middle and is dropped too, because half a line can say the opposite of
    the whole.  Packed data that ends early or is damaged ends the trace there.
    """
    rest = b""
    missing = ""
    skipping = False
    while True:
        try:
            chunk = stream.read(BLOCK)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            yield b"", f"the packed data ends here, damaged: {error}"
            return
        except Exception as error:
            if type(error).__name__ != "ZstdError":
                raise
            yield b"", f"the packed data ends here, damaged: {error}"
            return
        if not chunk:
            break
        if skipping:
            end = chunk.find(b"\n")
            if end < 0:
                continue
            chunk, skipping = chunk[end + 1 :], False
        end = chunk.rfind(b"\n")
        if end < 0:
            rest += chunk
            if len(rest) > BLOCK:
                rest, skipping, missing = b"", True, f"a line longer than {BLOCK} bytes"
            continue
        block = rest + chunk
        end = _whole(block)
        yield block[:end], missing
        missing = ""
        rest = block[end:]
    if missing or rest:
        # What was held back because a stack might have gone on.
        yield rest[: rest.rfind(b"\n") + 1], missing


def _whole(block: bytes) -> int:
    """Where to cut `block`: after its last whole line, and not inside a stack."""
    end = block.rfind(b"\n") + 1
    stack = block.rfind(b"<stack trace", max(0, end - _STACK))
    if stack < 0:
        return end
    after = block.find(b"\n", stack) + 1
    lines = block[after:end].splitlines() if after else []
    if all(frame(line) is not None for line in lines):
        return block.rfind(b"\n", 0, stack) + 1 or end
    return end
