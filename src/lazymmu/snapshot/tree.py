# SPDX-License-Identifier: GPL-2.0-or-later
"""A plain kernel source tree: which release it is, which files it has, and their bytes.

The tree is neither configured nor built, and it may change while it is read. Nothing in it is
trusted: a file that vanishes, cannot be read, is not a regular file or is absurdly large reads as
empty, and so does a path that leads out of the tree; each loss is recorded with its reason. All
that is read, listed or looked at of a tree is so through here (beneath.py has the file system).
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import InitVar, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.snapshot.beneath import ABSENT, Entry, Ground, Stamp, settled, why
from lazymmu.snapshot.content import fingerprint
from lazymmu.snapshot.layers import Mounted, Over
from lazymmu.snapshot.listed_once import ListedOnce
from lazymmu.snapshot.listing import CONTENT_CAP, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ABSENT", "SIZE_CAP", "Loss", "Stamp", "Tree", "TreeError"]

SIZE_CAP = CONTENT_CAP
"""Largest file that is read, in bytes."""

_MARKS = ("Kconfig", "arch", "include/linux", "mm")
"""What every kernel source tree has at its top, beside the Makefile."""

_RELEASE = ("VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION")

_MAKEFILE: Final = 1 << 20
"""Largest top Makefile, in bytes: that of 7.3 has 70 kB."""


class TreeError(Exception):
    """The given path is not a kernel source tree; the text is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is lost: a path relative to the tree, and why.

    :param unread: nothing of the file or directory was seen; else it was seen and not understood.
    """

    file: str
    reason: str
    unread: bool = field(default=False, compare=False)


@dataclass(slots=True)
class Tree:
    """One kernel source tree, opened by `Tree.open`.

    :param root: the tree's top directory.
    :param release: `VERSION.PATCHLEVEL.SUBLEVEL` and EXTRAVERSION as the top Makefile joins them
        (Makefile, KERNELVERSION).
    :param losses: every file that could not be read so far, each once.
    :param ground: what its files are read from, the directory `root` unless one is given.
    :param plain: whether it is as it lies there, and not changed in memory.
    :param listed: when `manifest` was last called, in nanoseconds.
    :param module: the directory of it that is built on its own, as a module out of tree (`make
        M=`), empty for none.
    """

    root: Path
    release: str
    losses: list[Loss] = field(default_factory=list)
    given: InitVar[Ground | None] = None
    plain: bool = True
    listed: int = 0
    _lost: set[Loss] = field(default_factory=set, repr=False, compare=False)
    module: str = ""
    ground: Ground = field(init=False, repr=False)

    def __post_init__(self, given: Ground | None) -> None:
        self.ground = given if given is not None else Source(str(self.root))

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Tree:
        """Open the kernel tree at `path`.

        :raises TreeError: with one sentence, if there is no directory or it is no kernel tree.
        """
        try:
            root = Path(path).resolve()
            if not root.is_dir():
                problem = "is not a directory" if root.exists() else "does not exist"
                raise TreeError(f"{path}: {problem}")
            ground = Source(str(root), os.fspath(path))
        except (OSError, ValueError, RuntimeError) as error:
            raise TreeError(f"{path!s:.200}: cannot be read: {why(error)}") from None
        return cls.on(ground, root, os.fspath(path))

    @classmethod
    def on(cls, ground: Ground, root: Path, name: str, *, plain: bool = True) -> Tree:
        """Return the kernel tree that stands on a ground.

        :param root: the directory that it belongs to.
        :param name: the tree's, for messages.
        :param plain: see Tree.
        :raises TreeError: with one sentence, if it is no kernel tree.
        """
        for mark in (*_MARKS, "Makefile"):
            try:
                ground.real(mark)
            except FileNotFoundError:
                raise TreeError(f"{name}: not a kernel source tree (it has no `{mark}`)") from None
            except OSError as error:
                raise TreeError(f"{name}: `{mark}` cannot be read: {why(error)}") from None
        try:
            makefile = ground.read("Makefile", _MAKEFILE)
        except OSError as error:
            raise TreeError(f"{name}: `Makefile` cannot be read: {why(error)}") from None
        release = _release(makefile)
        if not release:
            raise TreeError(f"{name}: not a kernel source tree (its Makefile names no VERSION)")
        return cls(root, release, given=ground, plain=plain)

    def over(self, changes: Mapping[str, bytes | None]) -> Tree:
        """Return this tree with some files changed, in memory alone.

        What cannot be read is not lost in this tree.

        :param changes: the content of files by their paths relative to the tree, None for a file
            that is not to be there.
        """
        ground = Over(self.ground, changes)
        release = _release(changes.get("Makefile") or b"") or self.release
        return Tree(self.root, release, given=ground, plain=False, module=self.module)

    def listed_once(self) -> Tree:
        """Return this tree for a series of others that are made of it: they list its files once.

        See `ListedOnce`. What cannot be read is not lost in this tree.
        """
        ground = ListedOnce(self.ground)
        return Tree(self.root, self.release, given=ground, plain=self.plain, module=self.module)

    def changed_meanwhile(self) -> tuple[str, ...]:
        """Return the files that were written, or went, since `listed_once` had them listed."""
        return tuple(self.ground.changed()) if isinstance(self.ground, ListedOnce) else ()

    def mounted(self, rel: str, folder: str | os.PathLike[str], *, module: bool = False) -> Tree:
        """Return this tree with the directory `folder` in it as `rel`, in memory alone.

        Links in either of the two do not lead into the other.

        :param module: it is built on its own, as a module out of tree.
        :raises TreeError: with one sentence, if there is no such directory.
        """
        try:
            root = Path(folder).resolve()
            if not root.is_dir():
                problem = "is not a directory" if root.exists() else "does not exist"
                raise TreeError(f"{folder}: {problem}")
            other = Source(str(root), os.fspath(folder))
        except (OSError, ValueError, RuntimeError) as error:
            raise TreeError(f"{folder!s:.200}: cannot be read: {why(error)}") from None
        mounted = Mounted(self.ground, rel, other)
        name = rel if module else self.module
        return Tree(self.root, self.release, given=mounted, plain=False, module=name)

    def read(self, rel: str) -> bytes:
        """Return the bytes of the file `rel`, a path relative to the tree with forward slashes.

        Never raises: what cannot be read is empty, and is recorded in `losses` with the reason.
        """
        try:
            return self.ground.read(rel, SIZE_CAP)
        except (OSError, ValueError) as error:
            self.lose(rel, why(error), unread=True)
            return b""

    def into(self, rel: str, buffer: bytearray) -> int:
        """Read the file `rel` to the start of `buffer`, which grows; returns how many bytes.

        Nothing is recorded where that fails.

        :raises OSError: it cannot be read.
        :raises ValueError: likewise.
        """
        return self.ground.into(rel, buffer, SIZE_CAP)

    def has(self, rel: str) -> bool:
        """Whether the tree has a regular file `rel`; one that leads out of the tree is lost."""
        try:
            return self.ground.is_file(rel)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return False
        except OSError as error:
            self.lose(rel, why(error), unread=True)
            return False

    def entries(self, rel: str) -> list[Entry]:
        """Return the files and directories in the directory `rel`, in the order of their names.

        Of what links lead to it has that which is known by the link's name; see listing.py. What
        cannot be listed is lost and empty, what is not there is just empty.
        """
        try:
            return self.ground.entries(rel)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError) as error:
            self.lose(rel, why(error), unread=True)
            return []

    def link(self, rel: str) -> str | None:
        """Return what the symbolic link `rel` says, None when there is none in the tree."""
        try:
            return self.ground.link(rel)
        except (OSError, ValueError):
            return None

    def shown(self, rel: str) -> str:
        """Return the one name of a file or directory that has several; see listing.py."""
        try:
            return self.ground.shown(self.ground.real(rel))
        except (OSError, ValueError):
            return rel

    def content_id(self, rel: str) -> str | None:
        """Return the name of a file's content, the same for the same bytes in every tree.

        It is git's name of the blob. Where git knows it (the tree is a commit, or the file is as
        the index of its work tree says) nothing is read. None: it is not there or cannot be read.
        """
        try:
            return self.ground.content_id(rel)
        except (OSError, ValueError):
            return None

    def stamp(self, rel: str) -> Stamp:
        """Return the state of a file or directory, ABSENT when it is not there."""
        try:
            return self.ground.stamp(rel)
        except (OSError, ValueError):
            return ABSENT

    def state(self, rel: str) -> Stamp:
        """Return what tells the content of a file or directory for ever; `still` compares it.

        That is its stamp, and a fingerprint when the file changed so short a time ago that it
        could change again under the same stamp.
        """
        now = time.time_ns()
        stamp = self.stamp(rel)
        return stamp if settled(stamp, now) else (*stamp, self.fingerprint(rel))

    def still(self, rel: str, state: Stamp) -> bool:
        """Tell whether a file or directory is in a state that `state` returned."""
        stamp = self.stamp(rel)
        if len(state) == len(stamp) + 1 > 2:
            return state[:-1] == stamp and state[-1] == self.fingerprint(rel)
        return state == stamp

    def fingerprint(self, rel: str) -> int:
        """Return a number for the content of a file, or of a directory; 0 if there is none."""
        try:
            return fingerprint(self.ground.read(rel, SIZE_CAP))
        except (OSError, ValueError):
            pass
        try:
            return fingerprint(repr(self.ground.entries(rel)).encode())
        except (OSError, ValueError):
            return 0

    def refused(self, rel: str) -> bool:
        """Whether the system does not let a file be opened, which may change at any time."""
        try:
            self.ground.read(rel, 0)
        except OSError as error:
            return error.errno is not None
        except ValueError:
            return False
        return False

    def lose(self, rel: str, reason: str, *, unread: bool = False) -> None:
        """Record that something of the file `rel` is lost, once for each reason.

        :param unread: nothing of it was seen.
        """
        loss = Loss(rel, reason, unread)
        if loss not in self._lost:
            self._lost.add(loss)
            self.losses.append(loss)

    def lose_also(self, losses: Iterable[Loss]) -> None:
        """Record what was lost in another process, or by an earlier run."""
        for loss in losses:
            self.lose(loss.file, loss.reason, unread=loss.unread)

    def manifest(self) -> dict[str, Stamp]:
        """Return the stamp of every file a check may read, by path, in the order of the paths.

        See listing.py for which these are, and under which name each of them is listed.
        """
        self.listed = time.time_ns()
        self.ground.begin()
        return self.ground.manifest(partial(self.lose, unread=True))

    def same_files(self) -> bool:
        """Tell whether no file has come or gone since `manifest` was called.

        What was written since has another stamp than the manifest says, for ever.
        """
        return self.ground.same_files()


def _release(makefile: bytes) -> str:
    """The release that a top Makefile names, "" if it names none."""
    found = dict(re.findall(rb"^(\w+)[ \t]*=[ \t]*([\w.~+-]*)[ \t]*$", makefile[:4096], re.M))
    version, patchlevel, sublevel, extra = (
        str(found.get(name.encode(), b""), "ascii", "replace") for name in _RELEASE
    )
    if not version.isdecimal() or not patchlevel.isdecimal():
        return ""
    return f"{version}.{patchlevel}" + (f".{sublevel}" if sublevel else "") + extra
