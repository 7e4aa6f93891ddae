# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages read in place: nothing of them is unpacked on disk, nothing of them runs.

A package is an ar archive with a tar in it, data.tar.xz or another (deb(5)).
"""

from __future__ import annotations

import gzip
import lzma
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from lazymmu.ftrace.streams import zstandard
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["PACKAGE", "opened_package"]

PACKAGE: Final = b"!<arch>\n"
"""How an ar archive begins."""

_HEAD: Final = 60


@contextmanager
def opened_package(stream: BinaryIO, name: str) -> Iterator[tarfile.TarFile]:
    """The files of a package, to be read one after the other.

    :param stream: the package, from its beginning.
    :param name: of the package, for messages.
    :raises Problem: it is no package, or its data is damaged.
    """
    try:
        with tarfile.open(fileobj=_data(stream, name), mode="r|") as files:
            yield files
    except (tarfile.TarError, lzma.LZMAError, EOFError, gzip.BadGzipFile, ValueError) as error:
        raise Problem(f"{name}: its data is damaged: {error}") from None


def _data(stream: BinaryIO, name: str) -> BinaryIO:
    """The tar with the files, unpacked as it is read."""
    if stream.read(len(PACKAGE)) != PACKAGE:
        raise Problem(f"{name}: this is no Debian package")
    while len(head := stream.read(_HEAD)) == _HEAD:
        member = head[:16].decode("ascii", "replace").rstrip(" /")
        try:
            size = int(head[48:58])
        except ValueError:
            break
        if member.startswith("data.tar"):
            part = cast("BinaryIO", _Part(stream, size))
            match member.removeprefix("data.tar"):
                case "":
                    return part
                case ".xz":
                    return cast("BinaryIO", lzma.LZMAFile(part))
                case ".gz":
                    return cast("BinaryIO", gzip.GzipFile(fileobj=part))
                case ".zst":
                    return zstandard(name, part)
                case other:
                    raise Problem(f"{name}: its files are packed as {other}, which is not read")
        stream.seek(size + size % 2, 1)
    raise Problem(f"{name}: there are no files in this package")


class _Part:
    """The next bytes of a stream, as a stream of their own."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer at the end."""
        wanted = self._left if size < 0 else min(size, self._left)
        found = self._stream.read(wanted)
        self._left -= len(found)
        return found

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It is read once, forwards."""
        return False

    @property
    def closed(self) -> bool:
        """It is closed with the file it is a part of."""
        return self._stream.closed

    def close(self) -> None:
        """The file is somebody else's."""
