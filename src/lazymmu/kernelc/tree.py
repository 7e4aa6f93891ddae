# SPDX-License-Identifier: GPL-2.0-or-later
"""A plain kernel source tree: which release it is, which files it has, and their bytes.

The tree is neither configured nor built, and it may change while it is read. Nothing in it is
trusted: a file that vanishes, cannot be read, is not a regular file or is absurdly large reads as
empty, and so does a path that leads out of the tree; each loss is recorded with its reason.
"""

from __future__ import annotations

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["SIZE_CAP", "Loss", "Tree", "TreeError"]

SIZE_CAP = 48 << 20
"""Largest file that is read, in bytes. The largest header of 7.3, a table of AMD register masks,
has 24 MB."""

_MARKS = ("Kconfig", "arch", "include/linux", "mm")
"""What every kernel source tree has at its top, beside the Makefile."""

_RELEASE = ("VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION")

_NO_C = frozenset({"tools", "Documentation", "samples", "scripts"})
"""Top directories whose C is not the kernel's: host programs, texts and examples."""


_BUILD = ("Kconfig", "Makefile", "Kbuild")


class TreeError(Exception):
    """The given path is not a kernel source tree; the text is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that could not be read: a path relative to the tree, and why."""

    file: str
    reason: str


@dataclass(slots=True)
class Tree:
    """One kernel source tree, opened by `Tree.open`.

    root: the tree's top directory; release: `VERSION.PATCHLEVEL.SUBLEVEL` and EXTRAVERSION as the
    top Makefile joins them (Makefile, KERNELVERSION); losses: every file that could not be read so
    far, each once.
    """

    root: Path
    release: str
    losses: list[Loss] = field(default_factory=list)
    _lost: set[Loss] = field(default_factory=set, repr=False, compare=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Tree:
        """Open the kernel tree at `path`.

        Raises TreeError, with one sentence, if there is no directory or it is no kernel tree.
        """
        try:
            root = Path(path).resolve()
            if not root.is_dir():
                problem = "is not a directory" if root.exists() else "does not exist"
                raise TreeError(f"{path}: {problem}")
            missing = [mark for mark in _MARKS if not (root / mark).exists()]
            makefile = _slurp(root / "Makefile", 1 << 20) if not missing else b""
        except FileNotFoundError:
            missing, makefile = ["Makefile"], b""
        except (OSError, ValueError, RuntimeError) as error:
            raise TreeError(f"{path!s:.200}: cannot be read: {_reason(error)}") from None
        if missing:
            raise TreeError(f"{path}: not a kernel source tree (it has no `{missing[0]}`)")
        found = dict(re.findall(rb"^(\w+)[ \t]*=[ \t]*([\w.~+-]*)[ \t]*$", makefile[:4096], re.M))
        version, patchlevel, sublevel, extra = (
            found.get(name.encode(), b"").decode("ascii", "replace") for name in _RELEASE
        )
        if not version.isdecimal() or not patchlevel.isdecimal():
            raise TreeError(f"{path}: not a kernel source tree (its Makefile names no VERSION)")
        release = f"{version}.{patchlevel}" + (f".{sublevel}" if sublevel else "") + extra
        return cls(root, release)

    def read(self, rel: str) -> bytes:
        """Return the bytes of the file `rel`, a path relative to the tree with forward slashes.

        Never raises: what cannot be read is empty, and is recorded in `losses` with the reason.
        """
        try:
            path = os.path.join(self.root, rel)
            if rel.startswith("/") or ".." in rel.split("/"):
                raise OSError("leads out of the tree")
            return _slurp(path, SIZE_CAP)
        except (OSError, ValueError) as error:
            self.lose(rel, _reason(error))
            return b""

    def has(self, rel: str) -> bool:
        """Whether the tree has a regular file `rel`."""
        try:
            return os.path.isfile(os.path.join(self.root, rel))
        except ValueError:
            return False

    def lose(self, rel: str, reason: str) -> None:
        """Record that something of the file `rel` is lost, once for each reason."""
        loss = Loss(rel, reason)
        if loss not in self._lost:
            self._lost.add(loss)
            self.losses.append(loss)

    def manifest(self) -> dict[str, tuple[int, int]]:
        """Return (size in bytes, mtime in nanoseconds) of every file a check may read, by path.

        These are *.c and *.h of the kernel proper, Kconfig* and Kbuild files and Makefiles of the
        whole tree, and .clang-format. The order is that of the paths. Directories that are
        symbolic links are not entered: the kernel has a few (scripts/dtc/include-prefixes), and
        they lead to files that are listed already.
        """
        found: dict[str, tuple[int, int]] = {}
        branches = [("", True)]
        for _ in range(2):
            # The first two levels here, what is below them by threads: most of the time is spent
            # in system calls.
            branches = [
                below for rel, wants_c in branches for below in self._scan(rel, wants_c, found)
            ]
        with ThreadPoolExecutor(2) as pool:
            for part in pool.map(self._walk, branches):
                found.update(part)
        return dict(sorted(found.items()))

    def _walk(self, branch: tuple[str, bool]) -> dict[str, tuple[int, int]]:
        """List all that is wanted at and below one directory."""
        found: dict[str, tuple[int, int]] = {}
        pending = [branch]
        while pending:
            pending += self._scan(*pending.pop(), found)
        return found

    def _scan(
        self, rel: str, wants_c: bool, found: dict[str, tuple[int, int]]
    ) -> list[tuple[str, bool]]:
        """List one directory: `rel` is empty or ends with a slash. Returns those below it."""
        below: list[tuple[str, bool]] = []
        try:
            with os.scandir(f"{self.root}/{rel}") as entries:
                for entry in entries:
                    name = entry.name
                    if name.endswith((".c", ".h")):
                        wanted = wants_c
                    else:
                        wanted = name.startswith(_BUILD) or name == ".clang-format"
                    try:
                        if not wanted or "." not in name:
                            if name[0] != "." and entry.is_dir(follow_symlinks=False):
                                kernel = wants_c and (bool(rel) or name not in _NO_C)
                                below.append((f"{rel}{name}/", kernel))
                                continue
                            if not wanted:
                                continue
                        status = entry.stat()
                    except OSError as error:
                        self.lose(rel + name, _reason(error))
                        continue
                    if stat.S_ISREG(status.st_mode):
                        found[rel + name] = status.st_size, status.st_mtime_ns
        except OSError as error:
            self.lose(rel, _reason(error))
        return below


def _slurp(path: str | os.PathLike[str], cap: int) -> bytes:
    """All bytes of a regular file of at most `cap` bytes; OSError otherwise, and never a hang."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        if status.st_size > cap:
            raise OSError(f"{status.st_size >> 20} MB is more than the {cap >> 20} MB that is read")
        chunks = []
        left = status.st_size + 1
        while left > 0 and (chunk := os.read(handle, left)):
            chunks.append(chunk)
            left -= len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)
