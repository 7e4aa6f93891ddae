# SPDX-License-Identifier: GPL-2.0-or-later
"""A git repository of somebody else, seen through a git directory of our own.

The view has the repository's objects, references and a copy of its index, and nothing else of it:
no configuration but the few values below that name no program, no attributes, hooks, grafts or
replacements. So git can read the history and compare it with the work tree, and has nothing to run.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.snapshot.git import Git, private_git
from lazymmu.snapshot.git_directory import INDEX_LIMIT, SMALL_LIMIT, find, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["GitEntry", "Repository", "taken", "view"]

_VALUES = {
    # The other formats go without saying, and an older git does not know these words.
    "extensions.objectformat": r"sha256",
    "extensions.refstorage": r"reftable",
    # Without these two, a file that an index gives no time for looks changed at each line's end.
    "core.autocrlf": r"\w+",
    "core.eol": r"[a-z]+",
    # What `@{upstream}` means.
    "branch.*.remote": r"[\w./+@-]+",
    "branch.*.merge": r"[\w./+@-]+",
    "remote.*.fetch": r"[\w./+@:*-]+",
}
"""What is taken over from a repository's configuration, and how it may read. Whoever adds to it:
a value that names a program, a file or a place must never be here."""

_SUBSECTION = re.compile(r"[\w./+@-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class GitEntry:
    """A file of a commit: its mode, as git writes it, and the name of its blob."""

    mode: str
    blob: str

    @property
    def is_file(self) -> bool:
        """Whether it is neither a link nor another repository."""
        return self.mode.startswith("100")

    @property
    def is_link(self) -> bool:
        """Whether its content is where a symbolic link leads."""
        return self.mode == "120000"


@dataclass(frozen=True, slots=True)
class Repository:
    """A view of the repository that a tree is in, opened by `view`, or a repository of our own.

    git: reads through the view; tree: the tree's directory, at or below the repository's top;
    top: that; origin: the URL of the remote of that name, as it is configured, "" for none;
    partial, shallow: whether the repository says that it lacks objects, or commits, by intention.
    """

    git: Git
    tree: Path
    partial: bool = False
    shallow: bool = False
    top: Path = Path()
    origin: str = ""

    def commit(self, revision: str) -> str:
        """The name of the commit that `revision` means; raises Problem if there is none."""
        # In two steps: `:/text^{commit}` would search for that text.
        name = self._verified(revision)
        commit = self._verified(f"{name}^{{commit}}") if name.isalnum() else ""
        if not commit:
            hint = (
                " (it is a shallow clone: git fetch --unshallow, or fetch-depth: 0)"
                if self.shallow
                else ""
            )
            raise Problem(f"the git repository of {self.tree} has no revision {revision!r}{hint}")
        return commit

    def changed(self, commit: str) -> dict[str, GitEntry | None]:
        """Each path below the tree that differs from a commit, and what it was there; None: absent.

        What git neither tracks nor ignores counts as added.
        """
        if not Path(self.git.directory, "index").exists():
            self.git.must("read-tree", commit)
        # Compares contents where times and sizes differ or are too close to tell, and does not
        # trust an index that says `assume unchanged`; it fails if anything differs, which is no
        # failure.
        self.git.ask("update-index", "-q", "--really-refresh")
        raw = self._must(
            "diff-index", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff",
            "--ignore-submodules=all", "--relative", commit, "--", ".",
        )  # fmt: skip
        changed: dict[str, GitEntry | None] = {}
        fields = raw.split(b"\0")
        everything: dict[str, GitEntry] | None = None
        for head, path in zip(fields[0::2], fields[1::2], strict=False):
            mode, _, old, new, status = head.decode().removeprefix(":").split(" ")
            rel = os.fsdecode(path)
            if status == "U":  # of a merge that is not finished, and says nothing of the commit
                everything = everything if everything is not None else self.files(commit)
                changed[rel] = everything.get(rel)
            elif status != "D" and new.strip("0") and not os.path.lexists(self.tree / rel):
                pass  # left out by a sparse checkout: it is not in the tree, and was not
            else:
                changed[rel] = None if status == "A" else GitEntry(mode, old)
        listed = self._must("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
        for rel in map(os.fsdecode, filter(None, listed)):
            below = _walk(self.tree, rel) if rel.endswith("/") else [rel]
            changed |= {path: None for path in below if path not in changed}
        return changed

    def files(self, commit: str) -> dict[str, GitEntry]:
        """Every file of a commit, or of a tree of git's, below the tree."""
        files = {}
        for line in filter(None, self._must("ls-tree", "-r", "-z", commit).split(b"\0")):
            head, _, path = line.partition(b"\t")
            mode, _, blob = head.decode().split(" ")
            files[os.fsdecode(path)] = GitEntry(mode, blob)
        return files

    def contents(self, entries: dict[str, GitEntry]) -> dict[str, bytes | None]:
        """The contents of entries by path; None: larger than any file that a check reads."""
        found = self.git.blobs(entry.blob for entry in entries.values())
        for rel, entry in entries.items():
            if entry.blob not in found:
                raise Problem(
                    f"the git repository of {self.tree} lacks the former content of {rel}"
                    f" ({entry.blob}){self._why()}"
                )
        return {rel: found[entry.blob] for rel, entry in entries.items()}

    def _verified(self, name: str) -> str:
        """The name of the object that `name` means, empty if there is none."""
        done = self.git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return "" if done.code else done.out.decode().strip()

    def _must(self, *arguments: str) -> bytes:
        done = self.git.ask(*arguments, cwd=self.tree)
        if done.code:
            raise Problem(f"git {arguments[0]} failed in {self.tree}: {done.why}{self._why()}")
        return done.out

    def _why(self) -> str:
        return ": it is a partial clone, and nothing is fetched here" if self.partial else ""


@contextlib.contextmanager
def view(tree: str) -> Iterator[Repository]:
    """A view of the repository that `tree` is in, gone when the context ends.

    Raises Problem if it is in none, or in one that cannot be read.
    """
    try:
        here = Path(tree).resolve(strict=True)
        found_at = find(here)
        top, own, common = found_at.top, found_at.own, found_at.common
        with private_git() as git:
            for name in ("refs", "packed-refs", "reftable", "shallow"):
                _borrow(common / name, git.directory / name)
            (git.directory / "logs").mkdir()
            _borrow(own / "logs" / "HEAD", git.directory / "logs" / "HEAD")
            _borrow(common / "logs" / "refs", git.directory / "logs" / "refs")
            for path in own.iterdir():
                if path.name.endswith("HEAD"):  # and ORIG_HEAD, FETCH_HEAD ...
                    _copy(path, git.directory / path.name, SMALL_LIMIT)
                elif path.name == "index" or path.name.startswith("sharedindex."):
                    _copy(path, git.directory / path.name, INDEX_LIMIT)
            (git.directory / "info").mkdir()
            _copy(common / "info" / "exclude", git.directory / "info" / "exclude", SMALL_LIMIT)
            found = _configuration(git, read_file(common / "config", SMALL_LIMIT))
            git.configure(taken(found))
            yield Repository(
                Git(git.directory, top, common / "objects"),
                here,
                partial=any(
                    key == "extensions.partialclone" or key.endswith(".promisor")
                    for key, _ in found
                ),
                shallow=(common / "shallow").is_file(),
                top=top,
                origin=dict(found).get("remote.origin.url", ""),
            )
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Problem(f"the git repository of {tree} cannot be read: {why}") from None


def _configuration(git: Git, text: bytes) -> list[tuple[str, str]]:
    """All keys and values of a configuration, without what it includes."""
    out = git.ask("config", "--file", "-", "--no-includes", "--list", "-z", stdin=text)
    if out.code:
        raise Problem(f"the configuration of the git repository cannot be read: {out.why}")
    pairs = (line.partition(b"\n") for line in out.out.split(b"\0") if line)
    return [(os.fsdecode(key), os.fsdecode(value)) for key, _, value in pairs]


def taken(found: Iterable[tuple[str, str]]) -> str:
    """The part of a configuration, found as keys and values, that is taken over.

    Returned as git writes one. What is taken has no character that means anything to git there.
    """
    lines = []
    for key, value in found:
        section, _, rest = key.partition(".")
        subsection, dot, name = rest.rpartition(".")
        pattern = _VALUES.get(f"{section}.*.{name}" if dot else key)
        if pattern is None or not re.fullmatch(pattern, value, re.ASCII):
            continue
        if dot and not _SUBSECTION.fullmatch(subsection):
            continue
        quoted = f' "{subsection}"' if dot else ""
        lines.append(f"[{section}{quoted}]\n\t{name} = {value}\n")
    return "".join(lines)


def _borrow(path: Path, link: Path) -> None:
    """Put a link to a file or directory of the repository, if there is one, in place of ours."""
    if path.exists():
        if link.is_dir():
            link.rmdir()
        link.symlink_to(path)


def _copy(path: Path, copy: Path, cap: int) -> None:
    """Copy a file of the repository, if there is one, with its time: git judges an index by it."""
    if path.is_file():
        status = path.stat()
        copy.write_bytes(read_file(path, cap))
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def _walk(tree: Path, rel: str) -> Iterator[str]:
    """Every file below a directory: git does not list what another repository in a tree holds."""
    for directory, below, names in os.walk(tree / rel):
        below[:] = [name for name in below if name != ".git"]
        for name in names:
            yield os.path.relpath(os.path.join(directory, name), tree)
