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
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from lazymmu.ftrace.streams import zstd_module
from lazymmu.tracing.tracefs import TracingError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["write_archive"]


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
                    else zstd.ZstdFile(raw, "wb")
                ) as packed,
                tarfile.open(
                    fileobj=cast("BinaryIO", packed), mode="w|", format=tarfile.GNU_FORMAT
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


def _add(tar: tarfile.TarFile, name: str, content: BinaryIO | io.BytesIO, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(time.time()), 0o600
    tar.addfile(member, content)
