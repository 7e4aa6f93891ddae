# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate to the file system: one folder, and nothing outside of it.

Every path is resolved here, component by component, so that a link is followed when it leads to
something in the folder and refused when it leads out. Only regular files are opened, after a look
at what is there and with another look at what was opened: opening a device may already do
something. Listing a folder is such a look. What is read is counted, because the size that a file
tells need not be true.

Limit: who replaces a directory by a link, or a file by a device, between the look and the opening
is not noticed. That takes somebody who writes into the folder while it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from posixpath import normpath
from typing import Final, NamedTuple, Protocol

__all__ = [
    "ABSENT", "CROWD", "DISK_STAMP", "IRREGULAR", "LINK_OUT", "OUT", "Entry", "Folder", "Ground",
    "Lose", "Stamp", "decoded", "identity", "settled", "too_large", "why",
]  # fmt: skip

Stamp = tuple[int, ...]
"""What tells one state of a file from another, its size first; see `Folder.stamp`."""

DISK_STAMP: Final = 5
"""Numbers of the stamp of a file on the disk; others have fewer."""

ABSENT: Final[Stamp] = (-1,)
"""The state of what is not there."""

OUT: Final = "leads out of the tree"
LINK_OUT: Final = "a link that leads out of the tree"
IRREGULAR: Final = "not a regular file"

CROWD: Final = 200_000
"""Most entries of a directory that are listed: the fullest of a kernel has some thousand."""

_SETTLED: Final = 2_000_000_000
"""Nanoseconds after which two changes of a file surely have different times: the clocks of file
systems tick between every millisecond and every second one (FAT)."""

_HOPS: Final = 40
"""Most links on one way, as in the kernel (include/linux/namei.h: MAXSYMLINKS)."""

_STEPS: Final = 3_000_000
"""Most components of paths that are resolved in one folder, over all: some ten seconds. A link may
have two thousand of them, lead to forty others, and lie there a hundred thousand times."""

_LONGEST: Final = 4096
"""Longest path, in bytes (include/uapi/linux/limits.h: PATH_MAX)."""

_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY


Lose = Callable[[str, str], None]
"""Told of each path that is lost, and why."""


class Entry(NamedTuple):
    """A name in a directory: of a regular file, or of a directory; both may be behind a link."""

    name: str
    directory: bool


class Ground(Protocol):
    """What a tree stands on: files and directories by their paths, with forward slashes.

    Every method raises OSError for what is not there or may not be read, and the error's text is
    the reason.
    """

    def read(self, rel: str, cap: int) -> bytes:
        """Return the bytes of a regular file of at most `cap` bytes."""
        ...

    def into(self, rel: str, buffer: bytearray, cap: int) -> int:
        """Read a regular file to the start of `buffer`, which grows; returns how many bytes."""
        ...

    def stamp(self, rel: str) -> Stamp:
        """Return the state of a file or directory."""
        ...

    def is_file(self, rel: str) -> bool:
        """Whether there is a regular file."""
        ...

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory, in the order of the names."""
        ...

    def real(self, rel: str) -> str:
        """Return the path without links in it that `rel` leads to."""
        ...

    def link(self, rel: str) -> str | None:
        """Return what a symbolic link says, None for anything else."""
        ...

    def begin(self) -> None:
        """Begin a piece of work, for which alone the bounds hold on what is resolved."""
        ...

    def manifest(self, lose: Lose) -> dict[str, Stamp]:
        """Return the states of all files that a check may read, in the order of their paths.

        This raises nothing: what cannot be listed is told to `lose`.
        """
        ...

    def same_files(self) -> bool:
        """Tell whether no file has come or gone since `manifest` was called.

        One that was written shows that in its stamp, which no program can set back.
        """
        ...

    def shown(self, place: str) -> str:
        """Return the name under which a file or directory is listed, by its path without links."""
        ...

    def content_id(self, rel: str) -> str:
        """Return the name of a regular file's content, as git names it; see content.py."""
        ...

    def known_ids(self, listed: Mapping[str, Stamp]) -> dict[str, str]:
        """Return such names of files in the states that `manifest` told, where nobody need read.

        This raises nothing: of what is not known nothing is said.
        """
        ...


class Folder:
    """A directory of the file system, and what is beneath it."""

    def __init__(self, root: str, typed: str = "") -> None:
        """Open the gate to `root`, a path without links in it.

        typed: the same as the user named it; links in the folder may lead to either.
        """
        self.root = root
        self._base = root.rstrip("/") + "/"
        roots = (self._base, os.path.abspath(typed).rstrip("/") + "/" if typed else self._base)
        self._roots = tuple(dict.fromkeys(roots))
        self._places: dict[str, str] = {"": ""}
        self._steps = 0

    def read(self, rel: str, cap: int) -> bytes:
        """Return the bytes of a regular file; see Ground."""
        handle, status = self._open(rel, cap)
        try:
            chunks = []
            left = cap + 1
            ask = status.st_size + 1
            while left > 0 and (chunk := os.read(handle, min(ask, left))):
                chunks.append(chunk)
                left -= len(chunk)
                ask = 1 << 16
        finally:
            os.close(handle)
        if left <= 0:
            raise OSError(too_large(cap + 1, cap))
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def into(self, rel: str, buffer: bytearray, cap: int) -> int:
        """Read a regular file to the start of `buffer`; see Ground."""
        handle, status = self._open(rel, cap)
        try:
            size = more = os.readv(handle, [buffer])
            # A size that is told and read is believed; what tells another has to show its end.
            while more and (size != status.st_size or size == len(buffer)):
                if size == len(buffer):
                    if size > cap:
                        raise OSError(too_large(size, cap))
                    buffer += bytes(len(buffer) or 1 << 16)
                more = os.readv(handle, [memoryview(buffer)[size:]])
                size += more
        finally:
            os.close(handle)
        if size > cap:
            raise OSError(too_large(size, cap))
        return size

    def stamp(self, rel: str) -> Stamp:
        """Return size, mtime, ctime (both in nanoseconds), inode and device.

        No program can set the ctime: whoever gives a file the size and the mtime of another
        (`git archive | tar x`, `cp -p`, `touch -r`) leaves his trace there.
        """
        return identity(self.find(rel)[1])

    def is_file(self, rel: str) -> bool:
        """Whether there is a regular file; anything but a directory in its place is an error."""
        mode = self.find(rel)[1].st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OSError(IRREGULAR)
        return stat.S_ISREG(mode)

    def entries(self, rel: str) -> list[Entry]:
        """Return what is in a directory, in the order of the names; see Ground.

        What a link leads out to is not there; nor is what cannot be looked at.
        """
        found: list[Entry] = []
        with os.scandir(self._base + self.directory(rel)) as scan:
            for count, item in enumerate(scan):
                if count == CROWD:
                    raise OSError(f"more than {CROWD} entries")
                try:
                    if item.is_symlink():
                        name = f"{rel}/{item.name}" if rel else item.name
                        place, status = self.find(name)
                        directory = stat.S_ISDIR(status.st_mode)
                        regular = stat.S_ISREG(status.st_mode)
                        if not self._counts(name, place, directory):
                            continue
                    else:
                        directory = item.is_dir(follow_symlinks=False)
                        regular = item.is_file(follow_symlinks=False)
                except OSError:
                    continue
                if directory or regular:
                    found.append(Entry(item.name, directory))
        return sorted(found)

    def real(self, rel: str) -> str:
        """Return the path without links in it that `rel` leads to."""
        return self.find(rel)[0]

    def link(self, rel: str) -> str | None:
        """Return what a symbolic link says, None for anything else."""
        head, _, name = rel.rpartition("/")
        path = os.path.join(self._base, self.directory(head), name)
        return os.readlink(path) if stat.S_ISLNK(os.lstat(path).st_mode) else None

    def path(self, place: str) -> str:
        """Return the absolute path of what `real` or `directory` returned."""
        return self._base + place

    def directory(self, rel: str) -> str:
        """Return the path without links in it that the path of a directory leads to."""
        place = self._places.get(rel)
        if place is None:
            place, status = self._resolve(rel)
            if not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            self._places[rel] = place
        return place

    def find(self, rel: str) -> tuple[str, os.stat_result]:
        """Return the path without links in it that `rel` leads to, and the status of what is there.

        :raises OSError: there is nothing, or it is not beneath the folder.
        """
        head, _, name = rel.rpartition("/")
        if name in ("", ".", "..") or rel[0] == "/":
            return self._resolve(rel)
        place = self.directory(head)
        path = f"{place}/{name}" if place else name
        status = os.lstat(self._base + path)
        if stat.S_ISLNK(status.st_mode):
            return self._resolve(path)
        return path, status

    def begin(self) -> None:
        """Begin a piece of work; see Ground."""
        self._steps = 0

    def _counts(self, _name: str, _place: str, _directory: bool) -> bool:
        """Whether `entries` has a link to a place in the folder."""
        return True

    def _met(self, _rel: str) -> bool:
        """Whether a regular file was at a path when the folder was listed."""
        return False

    def _open(self, rel: str, cap: int) -> tuple[int, os.stat_result]:
        """Open a regular file of at most `cap` bytes, as far as its size is told."""
        handle = self._open_met(rel)
        if handle is None:
            place, status = self.find(rel)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(IRREGULAR)
            handle = os.open(self._base + place, _FLAGS)
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode) and status.st_size <= cap:
            return handle, status
        os.close(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(IRREGULAR)
        raise OSError(too_large(status.st_size, cap))

    def _open_met(self, rel: str) -> int | None:
        """Open what was looked at when the folder was listed; None for anything else, and links."""
        if not self._met(rel):
            return None
        head, _, name = rel.rpartition("/")
        place = self.directory(head)
        try:
            return os.open(f"{self._base}{place}/{name}" if place else self._base + name, _FLAGS)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise

    def _resolve(self, rel: str) -> tuple[str, os.stat_result]:
        """Follow a path, link by link."""
        if len(rel) > _LONGEST:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        head, _, name = rel.rpartition("/")
        known = self._places.get(head)
        done = known.split("/") if known else []
        todo = [name] if known is not None else rel.split("/")[::-1]
        if rel.startswith("/"):
            raise OSError(OUT)
        status = os.lstat(self._base + "/".join(done))
        hops = 0
        while todo:
            self._steps += 1
            if self._steps > _STEPS:
                raise OSError("too many links to follow them all")
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if done:
                    done.pop()
                    status = os.lstat(self._base + "/".join(done))
                    continue
                # Above the folder only names count: nothing out there is looked at.
                above = os.path.join(os.path.dirname(self.root), *todo[::-1])
                todo = self._inside(above, OUT if not hops else LINK_OUT)
                continue
            path = f"{self._base}{'/'.join((*done, part))}"
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                hops += 1
                if hops > _HOPS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                target = os.readlink(path)
                if target.startswith("/"):
                    done, todo = [], todo + self._inside(target, LINK_OUT)
                    status = os.lstat(self._base)
                else:
                    todo += target.split("/")[::-1]
            elif todo and not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            else:
                done.append(part)
        return "/".join(done), status

    def _inside(self, path: str, otherwise: str) -> list[str]:
        """Return the components, last first, of an absolute path beneath the folder."""
        path = normpath(path) + "/"
        for base in self._roots:
            if path.startswith(base):
                return path[len(base) : -1].split("/")[::-1]
        raise OSError(otherwise)


def identity(status: os.stat_result) -> Stamp:
    """The state of a file by its status."""
    return (
        status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev,
    )  # fmt: skip


def decoded(path: bytes) -> str:
    """Return a path as text, as `os.fsdecode` does, which takes three times as long for most."""
    return path.decode() if path.isascii() else os.fsdecode(path)


def settled(stamp: Stamp, now: int) -> bool:
    """Whether another change of a file would show in its stamp, which was taken after `now`."""
    return len(stamp) < DISK_STAMP or stamp[2] < now - _SETTLED


def why(error: Exception) -> str:
    """The reason in an error of a Ground, for a Loss."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)


def too_large(size: int, cap: int) -> str:
    """The reason why a file of so many bytes is not read."""
    return f"{size >> 20} MB is more than the {cap >> 20} MB that is read"
