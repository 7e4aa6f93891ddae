# SPDX-License-Identifier: GPL-2.0-or-later
"""The file system that a kernel is booted with, as the kernel unpacks it.

The "newc" format of cpio (Documentation/driver-api/early-userspace/buffer-format.rst).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["Initramfs"]


class Initramfs:
    """Files, folders and links that a kernel unpacks into its first file system."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._entries: dict[str, tuple[int, bytes | Path]] = {}

    def add(self, name: str, content: bytes | Path, *, executable: bool = False) -> None:
        """Add a file.

        :param name: where it stands there, with or without a slash before it.
        :param content: its bytes, or a file of this machine that holds them.
        :param executable: whether it may be executed.
        """
        self._put(name, stat.S_IFREG | (0o755 if executable else 0o644), content)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._put(name, stat.S_IFLNK | 0o777, target.encode())

    def folder(self, name: str) -> None:
        """Add a folder, and those that it stands in."""
        path = PurePosixPath("/", name)
        for one in (*reversed(path.parents), path):
            key = str(one).lstrip("/")
            if key:
                self._entries.setdefault(key, (stat.S_IFDIR | 0o755, b""))

    def tree(self, source: Path, name: str, *, without: frozenset[str] = frozenset()) -> None:
        """Add a folder of this machine with all that is in it.

        :param source: the folder; links in it stay links.
        :param name: where it stands there.
        :param without: names of folders that are left out, wherever they stand.
        """
        for folder, folders, files in os.walk(source):
            folders[:] = sorted(one for one in folders if one not in without)
            here = str(PurePosixPath(name) / Path(folder).relative_to(source))
            self.folder(here)
            for one in (*sorted(files), *(one for one in folders)):
                path = Path(folder, one)
                if path.is_symlink():
                    self.link(f"{here}/{one}", os.readlink(path))
                elif path.is_file():
                    self.add(f"{here}/{one}", path, executable=os.access(path, os.X_OK))

    def write(self, out: BinaryIO) -> None:
        """Write the archive."""
        order = sorted(self._entries.items(), key=lambda one: (one[0].count("/"), one[0]))
        for number, (name, (mode, content)) in enumerate(order, start=1):
            if isinstance(content, Path):
                # The time is kept: Python believes a compiled module that names its source's.
                _member(out, number, name, mode, content.read_bytes(), content.stat().st_mtime)
            else:
                _member(out, number, name, mode, content)
        _member(out, 0, "TRAILER!!!", 0, b"")

    def _put(self, name: str, mode: int, content: bytes | Path) -> None:
        key = name.lstrip("/")
        parent = str(PurePosixPath(key).parent)
        if parent != ".":
            self.folder(parent)
        self._entries[key] = (mode, content)


def _member(out: BinaryIO, number: int, name: str, mode: int, data: bytes, time: float = 0) -> None:
    named = os.fsencode(name) + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, int(time), len(data), 0, 0, 0, 0, len(named), 0)
    head = b"070701" + b"".join(b"%08x" % one for one in fields) + named
    out.write(head + b"\0" * (-len(head) % 4))
    out.write(data + b"\0" * (-len(data) % 4))
