# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree as it was before a change, for --since and --diff.

Both options mean "only what is new", and both get it the same way: check the tree as it was as
well, and report the findings that were not there. Looking for findings on changed lines instead
would miss what a change breaks elsewhere: who deletes a call that ended a section touches neither
the return that is now reached inside it nor the caller that now sleeps in it.

The former tree costs little: it is the present one with the changed files as they were, in memory
(`Tree.over`). The cache knows all the others, so the second check reads only what differs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.garbage_collection import seldom_collected
from lazymmu.problem import Problem
from lazymmu.snapshot.changes import changed_since
from lazymmu.snapshot.git import Git, private_git
from lazymmu.snapshot.git_store import GitStore
from lazymmu.snapshot.object_store import CONTENT_LIMIT, GitEntry
from lazymmu.snapshot.repository import Repository, view
from lazymmu.snapshot.revisions import Base, Range, base_of
from lazymmu.snapshot.tree import Tree, TreeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["FormerTree", "at_revision", "without_patch"]

_BRANCH = "refs/heads/present"
"""Where the files that a patch names are, in a repository of our own."""

_LONGEST_NAME, _LONGEST_PATH = 255, 4095
"""Bytes of a file's name and of a path (NAME_MAX, and PATH_MAX without the null byte)."""


@dataclass(frozen=True, slots=True)
class FormerTree:
    """A tree as it was.

    :param changes: what differs from the tree as it is, by path: the former content, None for what
        was not there, or is larger than any file that a check reads.
    :param base: what it was then.
    """

    changes: dict[str, bytes | None]
    base: Base


@seldom_collected()
def at_revision(tree: str, revision: str, *, exact: bool = False) -> FormerTree:
    """The tree as it was in the merge base with a git revision, or, if `exact`, in that itself.

    Files that git neither tracks nor ignores count as added. Raises Problem if `tree` is in no git
    repository or the revision is not in it.
    """
    try:
        with view(tree) as seen:
            base = base_of(seen, Range(revision), exact=exact)
            files = seen.files(base.commit)
            changed = changed_since(_opened(tree), seen, files)
            return FormerTree(_contents(seen, changed, lambda: files, lambda _: None), base)
    except Problem as problem:
        raise Problem(f"--since: {problem}") from None


def without_patch(tree: str, patch: bytes, name: str) -> dict[str, bytes | None]:
    """What a patch that is applied to `tree` changed, as it was before; as for `at_revision`.

    patch: a unified diff or mails with such, in order; paths in it have one leading directory (a/,
    b/), as git and diff write them; name: the patch's, for messages. git applies it backwards to
    an index of its own, never to files, so the tree is not touched, need not be git's, and no name
    or link of the patch leads anywhere. Raises Problem if it is no patch, or not one that is
    applied to `tree`.
    """
    present = _opened(tree)
    try:
        with private_git() as git:
            names = _names(git, patch)
            git.must("fast-import", "--quiet", stdin=_stream(present, names))
            if present.losses:
                lost = present.losses[0]
                raise Problem(f"cannot read {lost.file} of {tree}: {lost.reason}")
            git.must("read-tree", _BRANCH)
            undone = git.ask("apply", "--cached", "--reverse", "--whitespace=nowarn", stdin=patch)
            if undone.code:
                raise Problem(
                    f"this patch is not applied to {tree} (--diff wants it so): {undone.why}"
                )
            seen = Repository(GitStore(git), git.work_tree, git.work_tree)
            there = seen.files(git.must("write-tree").decode().strip())
            changed = {rel: there.get(rel) for rel in names}
            return _contents(seen, changed, lambda: there, lambda rel: _file(present, rel))
    except Problem as problem:
        raise Problem(f"{name}: {problem}") from None


def _names(git: Git, patch: bytes) -> list[str]:
    """Every path that a patch names, old or new; raises Problem for one that no tree can have."""
    names: dict[str, None] = {}
    for direction in ([], ["--reverse"]):  # the new names, then the old ones
        listed = git.ask("apply", *direction, "--numstat", "-z", stdin=patch)
        if listed.code:
            raise Problem(f"not a patch: {listed.why}")
        entries = listed.out.split(b"\0")
        names |= {os.fsdecode(e.split(b"\t", 2)[2]): None for e in entries if e.count(b"\t") >= 2}
    for rel in names:
        parts = rel.split("/")
        if rel.startswith("/") or ".." in parts:
            raise Problem(f"leads out of the tree: {rel}")
        if any(part.lower() == ".git" for part in parts):
            raise Problem(f"names a file of git's own: {rel}")
        if len(os.fsencode(rel)) > _LONGEST_PATH or any(
            len(os.fsencode(part)) > _LONGEST_NAME for part in parts
        ):
            raise Problem("names a file that no tree can have, its name is too long")
    for top in {rel.removesuffix("HEAD") for rel in names if f"/{rel}".endswith("/HEAD")}:
        # What git takes for a git directory (setup.c, is_git_directory).
        if all(any(rel.startswith(top + part) for rel in names) for part in ("objects/", "refs/")):
            raise Problem(f"makes {top or 'the tree'} look like a git directory")
    return list(names)


def _stream(tree: Tree, names: Iterable[str]) -> bytes:
    """The files of a tree that have these names, as a commit in the words of git fast-import.

    Raises Problem if they have more than CONTENT_LIMIT bytes together.
    """
    size = 0
    words = [f"commit {_BRANCH}\ncommitter lazymmu <> 0 +0000\ndata 0\n".encode()]
    for rel in names:
        link = _link(tree, rel)
        content = link if link is not None else _file(tree, rel)
        if content is not None:
            path = os.fsencode(rel).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            mode = b"120000" if link is not None else b"100644"
            head = b'M %b inline "%b"\ndata %d\n' % (
                mode,
                path.replace(b"\n", b"\\n"),
                len(content),
            )
            words += [head, content, b"\n"]
            size += len(content)
            if size > CONTENT_LIMIT:
                raise Problem(f"a patch of more than {CONTENT_LIMIT >> 20} MB of files")
    return b"".join(words)


def _contents(
    seen: Repository,
    changed: Mapping[str, GitEntry | None],
    there: Callable[[], Mapping[str, GitEntry]],
    elsewhere: Callable[[str], bytes | None],
) -> dict[str, bytes | None]:
    """The former contents of what changed.

    there: gives the files that a former link may lead to; elsewhere: what else it may lead to, by
    path. A link that leads out of the tree, or to another link, was nothing.
    """
    wanted = {rel: entry for rel, entry in changed.items() if entry and entry.is_file}
    links = {rel: entry for rel, entry in changed.items() if entry and entry.is_link}
    former: dict[str, bytes | None] = dict.fromkeys(changed)
    for rel, target in seen.contents(links).items():
        led = _led(rel, os.fsdecode(target or b""))
        entry = there().get(led)
        if entry is None and led:
            former[rel] = elsewhere(led)
        elif entry is not None and entry.is_file:
            wanted[rel] = entry
    return former | seen.contents(wanted)


def _led(rel: str, target: str) -> str:
    """Where a link at `rel` leads, as a path relative to the tree; empty if out of it."""
    led = os.path.normpath(os.path.join(os.path.dirname(rel), target))
    return "" if led.startswith("/") or led.split("/")[0] == ".." else led


def _opened(tree: str) -> Tree:
    try:
        return Tree.open(tree)
    except TreeError as error:
        raise Problem(str(error)) from None


def _file(tree: Tree, rel: str) -> bytes | None:
    return tree.read(rel) if tree.has(rel) else None


def _link(tree: Tree, rel: str) -> bytes | None:
    """What a symbolic link beneath the tree says, None if `rel` is none."""
    target = tree.link(rel)
    return None if target is None else os.fsencode(target)
