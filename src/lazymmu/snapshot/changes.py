# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a work tree differs from a commit, by content and not by what an index claims.

A file differs if its content has another name than the commit's. Ends of lines that git converts
(core.autocrlf, eol) and what Git LFS fetched are no difference. What git ignores is neither tracked
nor asked about.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from typing import TYPE_CHECKING, Final

from lazymmu.snapshot.beneath import identity
from lazymmu.snapshot.content import SHA1, SHA256, blob_id, is_of_file
from lazymmu.snapshot.listing import CONTENT_CAP, Source
from lazymmu.snapshot.object_store import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from lazymmu.snapshot.beneath import Ground, Stamp
    from lazymmu.snapshot.git_index import GitIndex
    from lazymmu.snapshot.object_store import GitEntry
    from lazymmu.snapshot.repository import Repository
    from lazymmu.snapshot.tree import Tree

__all__ = ["changed_since"]

_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_MAX_POINTER: Final = 1024

_GITLINK: Final = "160000"
"""The mode of a submodule, whose files are another repository's."""

_IGNORE: Final = ".gitignore"
_IGNORE_LIMIT: Final = 1 << 20
"""Largest `.gitignore` that is read, in bytes."""


def changed_since(
    tree: Tree, seen: Repository, files: Mapping[str, GitEntry]
) -> dict[str, GitEntry | None]:
    """Each path of a work tree that differs from a commit, and what it was there; None: absent.

    :param tree: opened where it lies.
    :param files: what the commit has below the tree.
    :raises Problem: the repository cannot be read.
    """
    index = tree.ground.index() if isinstance(tree.ground, Source) else None
    listed = tree.ground.manifest(lambda _rel, _why: None)
    changed: dict[str, GitEntry | None] = {}
    apart: dict[str, GitEntry] = {}
    for rel, entry in files.items():
        if _settled(tree.ground, index, listed.get(rel), rel, entry) or not (
            entry.is_link or entry.is_file
        ):
            continue
        form = SHA1 if is_of_file(entry.blob) else SHA256
        match _content(tree, rel, entry, form):
            case entry.blob:
                pass
            case "":
                if not _left_out(index, rel):
                    changed[rel] = entry
            case _:
                changed[rel] = entry
                if entry.is_file:
                    apart[rel] = entry
    for rel in _alike(tree, seen, apart):
        del changed[rel]
    return changed | dict.fromkeys(_added(tree, listed, seen, files, index))


def _settled(
    ground: Ground, index: GitIndex | None, stamp: Stamp | None, rel: str, entry: GitEntry
) -> bool:
    """Whether git has seen the file as it is now, and with this content; stamp: if it is known."""
    if index is None or not index.plain or not isinstance(ground, Source):
        return False
    known = index.entries.get(rel)
    if known is None or known.blob != entry.blob:
        return False
    if stamp is not None:
        return index.agrees(known, stamp)
    try:
        place, status = ground.find(rel)
    except (OSError, ValueError):
        return False
    return place == rel and index.agrees(known, identity(status))


def _content(tree: Tree, rel: str, entry: GitEntry, form: str) -> str:
    """The name of what is at a path now, as the entry's kind of file; "" if there is nothing."""
    try:
        target = tree.ground.link(rel)
        if entry.is_link or target is not None:
            kind = "" if entry.is_link == (target is not None) else "another kind of file: "
            return kind + blob_id(os.fsencode(target or ""), form)
        if form == SHA1:
            return tree.ground.content_id(rel)
        return blob_id(tree.ground.read(rel, CONTENT_CAP), form)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError):
        return "not readable"


def _left_out(index: GitIndex | None, rel: str) -> bool:
    """Whether a file is not in the tree because the checkout is a sparse one."""
    if index is None:
        return False
    entry = index.entries.get(rel)
    if entry is not None:
        return entry.skipped
    while rel:
        rel = rel.rpartition("/")[0]
        above = index.entries.get(f"{rel}/")
        if above is not None and above.is_directory:
            return True
    return False


def _alike(tree: Tree, seen: Repository, apart: Mapping[str, GitEntry]) -> Iterator[str]:
    """Which files are what the commit has, but for ends of lines, or fetched by Git LFS."""
    for rel, entry in apart.items():
        try:
            content = tree.ground.read(rel, CONTENT_CAP)
        except (OSError, ValueError):
            continue
        form = SHA1 if is_of_file(entry.blob) else SHA256
        plain = content.replace(b"\r\n", b"\n")
        if blob_id(plain, form) == entry.blob or _points_to(seen, entry, content):
            yield rel


def _points_to(seen: Repository, entry: GitEntry, content: bytes) -> bool:
    """Whether a former content is a pointer of Git LFS to what the file is now.

    What fetched it is a filter of the repository, which is not run here.
    """
    old: bytes | None = None
    with contextlib.suppress(StoreError, KeyError):
        old = seen.store.blob(entry.blob, _MAX_POINTER)
    if old is None or not old.startswith(_POINTER):
        return False
    oid = re.search(rb"^oid sha256:([0-9a-f]{64})$", old, re.MULTILINE)
    return oid is not None and hashlib.sha256(content).hexdigest() == oid[1].decode()


def _added(
    tree: Tree,
    listed: Iterable[str],
    seen: Repository,
    files: Mapping[str, GitEntry],
    index: GitIndex | None,
) -> list[str]:
    """What the commit does not have: tracked, or neither tracked nor ignored.

    Of what is not tracked only the files count that a check lists (listing.py).
    """
    staged = {
        rel for rel, entry in (index.entries if index else {}).items() if not entry.is_directory
    }
    added = [rel for rel in staged - files.keys() if _there(tree, rel)]
    elsewhere = {rel for rel, entry in files.items() if entry.mode == _GITLINK}
    elsewhere |= {rel for rel in staged if index and f"{index.entries[rel].mode:06o}" == _GITLINK}
    others: list[str] = []
    for rel in listed:
        if rel in files or rel in staged:
            continue
        try:
            place = tree.ground.real(rel)
        except (OSError, ValueError):
            continue
        if place not in files and place not in staged and not _within(place, elsewhere):
            others.append(place)
    ignored = seen.ignored(_ignore_files(tree, others), others) if others else set()
    return added + [rel for rel in others if rel not in ignored]


def _within(rel: str, directories: Collection[str]) -> bool:
    """Whether a path is below one of some directories."""
    while directories and rel:
        rel = rel.rpartition("/")[0]
        if rel in directories:
            return True
    return False


def _ignore_files(tree: Tree, rels: Iterable[str]) -> dict[str, bytes]:
    """The `.gitignore` files that say something of some paths; a link is none, as for git."""
    directories = {""}
    for rel in rels:
        while rel:
            rel = rel.rpartition("/")[0]
            directories.add(rel)
    found = {}
    for directory in directories:
        rel = f"{directory}/{_IGNORE}" if directory else _IGNORE
        with contextlib.suppress(OSError, ValueError):
            if tree.ground.link(rel) is None:
                found[rel] = tree.ground.read(rel, _IGNORE_LIMIT)
    return found


def _there(tree: Tree, rel: str) -> bool:
    try:
        return tree.ground.link(rel) is not None or tree.ground.is_file(rel)
    except (OSError, ValueError):
        return False
