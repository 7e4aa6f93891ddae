# SPDX-License-Identifier: GPL-2.0-or-later
"""The index of a work tree: which content git last saw in each file, and at which time.

It is read without git, and believed only where it agrees with a file to the nanosecond: size, times
and inode. No archive can carry those, so a stranger's index says nothing of files that were
unpacked. Its own bits that tell not to look (assume-unchanged, an fsmonitor's) are not asked.

The format: git, Documentation/gitformat-index.txt.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from lazymmu.problem import Problem
from lazymmu.snapshot import git_directory
from lazymmu.snapshot.beneath import Folder, Stamp, decoded, identity

__all__ = ["GitIndex", "IndexEntry", "IndexFormatError", "index_of", "parse"]

_HEADER: Final = struct.Struct(">4sII")
_EXTENSION: Final = struct.Struct(">4sI")
_FLAGS: Final = struct.Struct(">H")

_KIND, _LINK, _DIRECTORY = 0o170000, 0o120000, 0o040000
_EXTENDED, _STAGE, _SKIP_WORKTREE = 0x4000, 0x3000, 0x4000

_CONVERSIONS: Final = (b"filter", b"text", b"eol", b"crlf", b"ident", b"working-tree-encoding")
"""Attributes by which git may write another content than is committed (gitattributes)."""

_SETTINGS: Final = (b"autocrlf", b"attributesfile", b"[include")
"""Settings by which it may, or that may bring such, in lower case (git-config)."""


class IndexFormatError(ValueError):
    """The bytes are no index that is read here; the text says why."""


class IndexEntry(NamedTuple):
    """A file as git last saw it; `stamp` is (size, mtime, ctime, inode), the times in ns."""

    blob: str
    mode: int
    stamp: tuple[int, int, int, int]
    skipped: bool

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode & _KIND == _LINK

    @property
    def is_directory(self) -> bool:
        """Whether it stands for a whole directory that is not checked out."""
        return self.mode & _KIND == _DIRECTORY


@dataclass(frozen=True, slots=True)
class GitIndex:
    """The index of the work tree that a tree is in.

    :param entries: what is not in a conflict, by path relative to the tree.
    :param written: when the index was, in nanoseconds.
    :param plain: whether files have the content that their entries name: nothing converts ends of
        lines or runs them through filters.
    """

    entries: dict[str, IndexEntry] = field(repr=False)
    written: int
    plain: bool

    def blob(self, rel: str, stamp: Stamp) -> str | None:
        """The blob that a file is, if that is known without reading it.

        :param stamp: the file's state now (`beneath.identity`).
        """
        entry = self.entries.get(rel)
        if entry is None or not self.plain or not self.agrees(entry, stamp):
            return None
        return entry.blob

    def agrees(self, entry: IndexEntry, stamp: Stamp) -> bool:
        """Whether a file is as git last saw it.

        A file that changed when the index was written, or later, may have changed once more.
        """
        size, mtime, ctime, inode, _ = stamp
        return (
            (size & 0xFFFFFFFF, mtime, ctime, inode & 0xFFFFFFFF) == entry.stamp
            and max(mtime, ctime) < self.written
            and not entry.is_link
        )


def index_of(root: str) -> GitIndex | None:
    """The index of the work tree that a directory, a path without links, is in; None for none.

    One that cannot be read or understood is none: whoever asks then reads the files.
    """
    try:
        where = git_directory.find(Path(root))
        path = where.own / "index"
        stamp = identity(path.stat())
        inside = Path(root).relative_to(where.top).as_posix()
        below = "" if inside == "." else f"{inside}/"
        found = _parsed(path, stamp)
        plain = _plain(where, found)
        if below:
            found = {p.removeprefix(below): e for p, e in found.items() if p.startswith(below)}
        return GitIndex(found, stamp[1], plain)
    except (Problem, OSError, ValueError):
        return None


@lru_cache(maxsize=1)
def _parsed(path: Path, _stamp: Stamp) -> dict[str, IndexEntry]:
    """The entries of an index in some state: a check since a revision opens one tree three times.

    Git writes a new file, which has another inode.
    """
    return parse(git_directory.read_file(path, git_directory.INDEX_LIMIT))


def parse(content: bytes) -> dict[str, IndexEntry]:
    """The entries of an index by path, those of a conflict left out.

    :raises IndexFormatError: it is damaged, of a newer format, or split into two files.
    """
    try:
        signature, version, count = _HEADER.unpack_from(content)
        if signature != b"DIRC" or version not in {2, 3, 4}:
            raise IndexFormatError("not an index of version 2, 3 or 4")
        size = _digest(content)
        entries, at = _entries(content, version, count, size)
        while at < len(content) - size:
            name, length = _EXTENSION.unpack_from(content, at)
            # Lower case: whoever does not understand it must not read on.
            if name != b"sdir" and not name[:1].isupper():
                raise IndexFormatError(f"it has the extension {name!r}")
            at += 8 + length
    except (struct.error, IndexError) as error:
        raise IndexFormatError(f"it is cut off: {error}") from None
    return entries


def _digest(content: bytes) -> int:
    """How long the digest at the end is, which is also how long names of objects are."""
    for size, form in ((20, "sha1"), (32, "sha256")):
        said = content[-size:]
        if said == hashlib.new(form, content[:-size], usedforsecurity=False).digest():
            return size
    if content[-20:] == bytes(20):  # index.skipHash
        return 32 if content[-32:] == bytes(32) else 20
    raise IndexFormatError("it is damaged")


def _entries(
    content: bytes, version: int, count: int, size: int
) -> tuple[dict[str, IndexEntry], int]:
    """The entries, and where they end."""
    if count > len(content) // 62:
        raise IndexFormatError("it is cut off")
    found: dict[str, IndexEntry] = {}
    fixed = struct.Struct(f">10I{size}sH")
    at = 12
    path = b""
    for _ in range(count):
        ct, ctn, mt, mtn, _, inode, mode, _, _, length, name, flags = fixed.unpack_from(content, at)
        start = at + fixed.size
        more = 0
        if flags & _EXTENDED:
            (more,) = _FLAGS.unpack_from(content, start)
            start += 2
        if version == 4:
            kept, start = _number(content, start)
            if kept > len(path):
                raise IndexFormatError("a path is shorter than nothing")
        end = content.find(b"\0", start)
        if end < 0:
            raise IndexFormatError("it is cut off")
        if version == 4:
            path = path[: len(path) - kept] + content[start:end]
            at = end + 1
        else:
            path = content[start:end]
            at += (end - at + 8) & ~7
        if not flags & _STAGE:
            times = (length, mt * 1_000_000_000 + mtn, ct * 1_000_000_000 + ctn, inode)
            found[decoded(path)] = IndexEntry(name.hex(), mode, times, bool(more & _SKIP_WORKTREE))
    return found, at


def _number(content: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, as an offset in a pack; and where it ends."""
    byte = content[at]
    value = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = content[at]
        value = ((value + 1) << 7) | (byte & 0x7F)
        if value > 1 << 32:
            raise IndexFormatError("a number is too large")
    return value, at + 1


def _plain(where: git_directory.GitDirectory, entries: dict[str, IndexEntry]) -> bool:
    """Whether nothing in the repository says that files are not as they are committed."""
    cap = git_directory.SMALL_LIMIT
    for path in (where.common / "config", where.own / "config.worktree"):
        said = git_directory.read_file(path, cap).lower() if path.exists() else b""
        if any(word in said for word in _SETTINGS):
            return False
    attributes = where.common / "info" / "attributes"
    texts = [git_directory.read_file(attributes, cap)] if attributes.exists() else []
    top = Folder(str(where.top))
    named = (rel for rel in entries if f"/{rel}".endswith("/.gitattributes"))
    # What is not checked out says nothing, and a link is not followed, as by git.
    texts += [top.read(rel, cap) for rel in named if _is_file(top, rel)]
    return not any(word in text for text in texts for word in _CONVERSIONS)


def _is_file(top: Folder, rel: str) -> bool:
    try:
        return top.link(rel) is None and top.is_file(rel)
    except FileNotFoundError:
        return False
