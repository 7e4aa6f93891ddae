# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a repository, asked of git itself, for what the library does not know.

That is a repository with names of 256 bits, with references in tables, with an extension that is
newer than the library, or a machine for which there is no library. git runs in a directory of our
own (git.py).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from lazymmu.snapshot.listing import CONTENT_CAP
from lazymmu.snapshot.object_store import (
    CONTENT_LIMIT,
    Changed,
    GitEntry,
    LogEntry,
    StoreError,
    write_below,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.snapshot.git import Git

__all__ = ["GitStore"]

_BATCH: Final = 64 << 20
"""Bytes of objects that are asked for in one call, so that each has its own time."""


class GitStore:
    """An `ObjectStore` by git."""

    def __init__(self, git: Git) -> None:
        """Ask `git`, whose work tree is ours, and empty."""
        self._git = git

    def commit(self, revision: str) -> str:
        """The name of the commit that `revision` means; see ObjectStore."""
        # In two steps: `:/text^{commit}` would search for that text.
        name = self._verified(revision)
        return self._verified(f"{name}^{{commit}}") if name.isalnum() else ""

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor of two commits; see ObjectStore."""
        done = self._git.ask("merge-base", one, other)
        if done.code > 1:
            raise StoreError(f"git merge-base failed: {done.why}")
        return done.out.decode().strip()

    def files(self, commit: str, below: str = "") -> dict[str, GitEntry]:
        """Every file of a commit in a directory; see ObjectStore."""
        if below and self._git.ask("rev-parse", "--verify", "--quiet", f"{commit}:{below}").code:
            return {}
        name = f"{commit}:{below}" if below else commit
        return _listed(self._must("ls-tree", "-r", "-z", name))

    def log(self, old: str, new: str) -> list[LogEntry]:
        """The commits that `new` has and `old` has not; see ObjectStore."""
        form = "--format=format:%H%x00%P%x00%s"
        shown = self._must("log", "--topo-order", "--reverse", form, new, f"^{old}", "--")
        return [
            LogEntry(name.decode(), tuple(parents.decode().split()), said.decode(errors="replace"))
            for name, parents, said in (
                line.split(b"\0", 2) for line in shown.split(b"\n") if line.count(b"\0") >= 2
            )
        ]

    def directory(self, commit: str, below: str = "") -> str:
        """The name of a directory of a commit as it is; see ObjectStore."""
        return self._verified(f"{commit}:{below}")

    def tags(self) -> dict[str, str]:
        """The commit of each tag; see ObjectStore."""
        form = (
            "%(refname:strip=2)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
        )
        found = {}
        for line in self._must("for-each-ref", f"--format={form}", "refs/tags").splitlines():
            name, *objects = line.split(b"\0")
            for kind, commit in (objects[:2], objects[2:]):
                if kind == b"commit":
                    found[os.fsdecode(name)] = commit.decode()
        return found

    def changed(self, old: str, new: str, below: str = "") -> Changed:
        """What differs between two commits in a directory; see ObjectStore."""
        where = ("--relative=" + below + "/",) if below else ()
        shown = self._must("diff-tree", "-r", "-z", "--no-renames", *where, old, new)
        parts = shown.split(b"\0")
        found: Changed = {}
        for head, path in zip(parts[::2], parts[1::2], strict=False):
            modes = head.decode().lstrip(":").split(" ")
            entries = (GitEntry(modes[0], modes[2]), GitEntry(modes[1], modes[3]))
            before, after = (None if int(one.mode, 8) == 0 else one for one in entries)
            found[os.fsdecode(path)] = (before, after)
        return found

    def blob(self, name: str, cap: int) -> bytes | None:
        """The content of a blob; see ObjectStore."""
        content = self.blobs([name])[name]
        return None if content is None or len(content) > cap else content

    def blobs(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """The contents of blobs by their names; see ObjectStore."""
        wanted = sorted(set(names))
        if not wanted:
            return {}
        found: dict[str, bytes | None] = {}
        batches: list[list[tuple[str, int]]] = [[]]
        total = room = 0
        for line in self._must("cat-file", "--batch-check", stdin=_lines(wanted)).splitlines():
            # `NAME blob SIZE`, or `NAME missing`.
            name, kind, *size = line.decode().split(" ")
            if kind != "blob":
                continue
            if int(size[0]) > CONTENT_CAP:
                found[name] = None
                continue
            total += int(size[0])
            room -= int(size[0])
            if room < 0:
                room = _BATCH - int(size[0])
                batches.append([])
            batches[-1].append((name, int(size[0])))
        if total > CONTENT_LIMIT:
            raise StoreError(f"more than {CONTENT_LIMIT >> 20} MB of files differ")
        for batch in filter(None, batches):
            out = self._must("cat-file", "--batch", stdin=_lines(name for name, _ in batch))
            at = 0
            for name, length in batch:
                at = out.index(b"\n", at) + 1
                found[name] = out[at : at + length]
                at += length + 1
        return found

    def line(self, old: str, new: str) -> list[tuple[str, tuple[str, ...]]]:
        """The commits between two, with their parents; see ObjectStore."""
        out = self._must("rev-list", "--topo-order", "--reverse", "--parents", new, f"^{old}")
        found = []
        for line in out.decode("ascii", "replace").splitlines():
            commit, *parents = line.split()
            found.append((commit, tuple(parents)))
        return found

    def mailed(self, old: str, new: str, below: str = "") -> bytes:
        """The commits between two as a mailbox; see ObjectStore."""
        asked = (
            "--stdout", "-n", "-M", "--full-index", "--binary", "--no-ext-diff", "--no-textconv",
            "--no-color", "--no-stat", "--no-signature", "--topo-order",
        )  # fmt: skip
        relative = [f"--relative={below}"] if below else []
        return self._must("format-patch", *asked, *relative, f"{old}..{new}")

    def touching(self, commit: str, rels: Iterable[str], most: int) -> list[str]:
        """The newest commits that change one of some paths; see ObjectStore."""
        names = [f":(literal,top){rel}" for rel in rels]
        asked = ("rev-list", "--first-parent", f"--max-count={most}", commit, "--", *names)
        return self._must(*asked).decode("ascii", "replace").split()

    def entries(self, commit: str, rels: Iterable[str]) -> dict[str, GitEntry]:
        """Which of some files a commit has; see ObjectStore."""
        return _listed(self._must("ls-tree", "-z", "--full-tree", commit, "--", *rels))

    def ignored(self, texts: Mapping[str, bytes], rels: Iterable[str]) -> set[str]:
        """Which of some paths git ignores; see ObjectStore."""
        write_below(self._git.work_tree, texts)
        # With `./`, since a colon at the beginning has a meaning (gitglossary, pathspec).
        asked = b"".join(b"./" + os.fsencode(rel) + b"\0" for rel in rels)
        done = self._git.ask("check-ignore", "--no-index", "-z", "--stdin", stdin=asked)
        if done.code > 1:
            raise StoreError(f"git check-ignore failed: {done.why}")
        return {os.fsdecode(rel.removeprefix(b"./")) for rel in done.out.split(b"\0") if rel}

    def _verified(self, name: str) -> str:
        """The name of the object that `name` means, empty if there is none."""
        done = self._git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return "" if done.code else done.out.decode().strip()

    def _must(self, *arguments: str, stdin: bytes = b"") -> bytes:
        done = self._git.ask(*arguments, stdin=stdin)
        if done.code:
            raise StoreError(f"git {arguments[0]} failed: {done.why}")
        return done.out


def _listed(out: bytes) -> dict[str, GitEntry]:
    """The files that `git ls-tree -z` lists."""
    files = {}
    for line in filter(None, out.split(b"\0")):
        head, _, path = line.partition(b"\t")
        mode, _, blob = head.decode().split(" ")
        files[os.fsdecode(path)] = GitEntry(mode, blob)
    return files


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(name.encode() + b"\n" for name in names)
