# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording as one file: a tar packed with zstd or gzip, its trace first.

What is first is read, and kept, where a file is cut.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from lazymmu.ftrace.streams import zstd_module
from lazymmu.tracing.tracefs import TracingError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["write_archive"]


_BLOCK_BYTES: Final = 1 << 13
"""Bytes that are packed together: of an archive that is cut all but the last of them is left.  It
costs a twentieth of what is saved, which by itself zstd would do in blocks of 128 KiB."""


def write_archive(path: str, trace: BinaryIO, others: Mapping[str, bytes]) -> None:
    """Write a trace and what belongs to it to `path`, as a whole or not at all.

    :param path: packed with gzip where it ends in .gz, else with zstd.
    :raises TracingError: it cannot be written.
    """
    zstd = None if path.endswith(".gz") else zstd_module()
    if zstd is None and not path.endswith(".gz"):
        raise TracingError(
            "an archive needs zstd: install backports.zstd, or let its name end in .tar.gz"
        )
    target = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".lazymmu-")
        try:
            with (
                os.fdopen(handle, "wb") as raw,
                (
                    gzip.GzipFile("", "wb", fileobj=raw)
                    if zstd is None
                    else zstd.ZstdFile(
                        raw, "wb", options={zstd.CompressionParameter.checksum_flag: 1}
                    )
                ) as packed,
                tarfile.open(
                    fileobj=cast("BinaryIO", _InBlocks(packed)),
                    mode="w|",
                    bufsize=_BLOCK_BYTES,
                    format=tarfile.GNU_FORMAT,
                ) as tar,
            ):
                size = trace.seek(0, io.SEEK_END)
                trace.seek(0)
                _add(tar, "trace", trace, size)
                for member, content in others.items():
                    _add(tar, member, io.BytesIO(content), len(content))
            os.chmod(name, 0o600)
            os.replace(name, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise TracingError(f"cannot write {path}: {reason}") from None


class _InBlocks:
    """Packs each part that is written by itself, so that it is whole where what follows is not."""

    def __init__(self, packed: Any) -> None:
        self._packed = packed
        # As zlib and zstd call it: all that came can be unpacked, and what is known is kept.
        self._mode = getattr(packed, "FLUSH_BLOCK", zlib.Z_SYNC_FLUSH)

    def write(self, part: bytes) -> int:
        self._packed.write(part)
        self._packed.flush(self._mode)
        return len(part)


def _add(tar: tarfile.TarFile, name: str, content: BinaryIO | io.BytesIO, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(time.time()), 0o600
    tar.addfile(member, content)
