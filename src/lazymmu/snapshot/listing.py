# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a folder that a check may read, each under one name.

These are *.c and *.h of the kernel proper, Kconfig* and Kbuild files and Makefiles of the whole
tree, and .clang-format. A file or directory that links lead to has several names. It is listed
under one: its own, unless a build file names the link and not what is behind it (`mm` as a link
to `mm-new`), or what is behind it would not be listed at all.
"""

from __future__ import annotations

import os
import re
import stat
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.snapshot.beneath import (
    CROWD,
    IRREGULAR,
    LINK_OUT,
    Folder,
    Lose,
    Stamp,
    identity,
    settled,
    why,
)
from lazymmu.snapshot.content import blob_id
from lazymmu.snapshot.git_index import GitIndex, index_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CONTENT_CAP", "Source", "wanted"]

CONTENT_CAP: Final = 48 << 20
"""Largest file that is read, in bytes. The largest header of 7.3, a table of AMD register masks,
has 24 MB."""

_NO_C: Final = frozenset({"tools", "Documentation", "samples", "scripts"})
"""Top directories whose C is not the kernel's: host programs, texts and examples."""

_C: Final = (".c", ".h")
_BUILD: Final = ("Kconfig", "Makefile", "Kbuild")
_FORMAT: Final = ".clang-format"

_MOST: Final = 500_000
"""Most files that are listed: a kernel has sixty thousand, and a hostile tree ends somewhere."""


ARCH_DIRECTORIES: Final = frozenset({"arm64", "powerpc", "sparc", "x86"})
"""Those below arch/ that a check may look at the tree as; see kernelc.arch_profile.PROFILES."""


class _Branch(NamedTuple):
    """A directory to be listed: its place, the name to list it under, and whether its C counts.

    place and name are empty or end with a slash; place has no links in it.
    """

    place: str
    name: str
    wants_c: bool


class _Link(NamedTuple):
    """A link that was met: its name, the place it leads to, and what the branch wanted."""

    name: str
    place: str
    directory: bool
    wants_c: bool
    stamp: Stamp


def wanted(rel: str) -> bool:
    """Whether a file is one that a check may read, by its path alone."""
    *above, name = rel.split("/")
    if any(part.startswith(".") for part in above):
        return False
    if name.endswith(_C):
        return not above or above[0] not in _NO_C
    return name.startswith(_BUILD) or name == _FORMAT


class Source(Folder):
    """A folder of source, whose files are known by one name each."""

    def __init__(self, root: str, typed: str = "") -> None:
        """Open the gate to `root`; see Folder."""
        super().__init__(root, typed)
        self._listing: _Listing | None = None
        self._index: GitIndex | None = None
        self._looked = False
        self._told: tuple[Mapping[str, Stamp], dict[str, str]] | None = None
        """The last answer of `known_ids`: a whole tree is asked about more than once."""

    def manifest(self, lose: Lose) -> dict[str, Stamp]:
        """Return the states of all files that a check may read; see Ground."""
        self._listing = _Listing(self, lose)
        return self._listing.files

    def same_files(self) -> bool:
        """Tell whether nothing has come or gone since `manifest`; see Ground.

        Directories say so, which are a tenth of all there is; one that changed lately, or has
        changed since, need not have another file that is read, and all is listed once more.
        """
        then = self._listed()
        if then.stands():
            return True
        return _Listing(self, lambda _rel, _reason: None).files == then.files

    def shown(self, place: str) -> str:
        """Return the name under which a place without links in it is listed."""
        return self._listed().shown(place)

    def content_id(self, rel: str) -> str:
        """Return the name of a regular file's content; see Ground.

        Where git has seen the file as it is now, the index gives it; others are read.
        """
        place, status = self.find(rel)
        index = self.index()
        known = index.blob(place, identity(status)) if index is not None else None
        return known or blob_id(self.read(rel, CONTENT_CAP))

    def known_ids(self, listed: Mapping[str, Stamp]) -> dict[str, str]:
        """Return the names of contents that git's index tells; see Ground."""
        index = self.index()
        if index is None:
            return {}
        if self._told is None or self._told[0] is not listed:
            found = ((rel, index.blob(rel, stamp)) for rel, stamp in listed.items())
            self._told = listed, {rel: blob for rel, blob in found if blob is not None}
        return self._told[1]

    def index(self) -> GitIndex | None:
        """Return the index of the folder's repository, as it was when it was first asked for."""
        if not self._looked:
            self._looked = True
            self._index = index_of(self.root)
        return self._index

    def _met(self, rel: str) -> bool:
        """Whether a regular file was at a path when the folder was listed."""
        return self._listing is not None and rel in self._listing.files

    def _counts(self, name: str, place: str, directory: bool) -> bool:
        """Whether a link is the one name of what it leads to."""
        last = name.rpartition("/")[2]
        if not directory and not last.endswith(_C) and not last.startswith((*_BUILD, _FORMAT)):
            return False  # of its kind no file is listed, and nothing has to be listed to know that
        listing = self._listed()
        return listing.shown(place) == name or (not directory and name in listing.files)

    def _listed(self) -> _Listing:
        if self._listing is None:
            self._listing = _Listing(self, lambda _rel, _reason: None)
        return self._listing


class _Listing:
    """What there is in a folder.

    files: states by path, in the order of the paths; renamed: places of directories and files that
    are listed under the name of a link instead, with that name.
    """

    def __init__(self, folder: Folder, lose: Lose) -> None:
        """List `folder`; what cannot be listed is told to `lose` with the reason."""
        self._folder = folder
        self._lose = lose
        self._links: list[_Link] = []
        self._seen: dict[str, bool] = {}
        self._begun = time.time_ns()
        self._folders: dict[str, Stamp] = {}
        self._texts: dict[str, str] = {}
        self.renamed: dict[str, str] = {}
        # Not by threads: they wait for each other at every call, which takes twice as long.
        found = self._walk(_Branch("", "", True))
        if self._links:
            self._follow(found)
        if len(found) > _MOST:
            lose("", f"more than {_MOST} files: those behind {sorted(found)[_MOST]} are not listed")
            found = dict(sorted(found.items())[:_MOST])
        self.files = dict(sorted(found.items()))

    def stands(self) -> bool:
        """Tell whether all directories are as they were before they were listed."""
        try:
            return all(
                settled(stamp, self._begun) and identity(os.stat(self._folder.path(place))) == stamp
                for place, stamp in self._folders.items()
            )
        except OSError:
            return False

    def shown(self, place: str) -> str:
        """Return the name under which a place without links in it is listed."""
        head, tail = place, ""
        while self.renamed and head:
            name = self.renamed.get(head)
            if name is not None:
                return name + tail
            head, _, last = head.rpartition("/")
            tail = f"/{last}{tail}"
        return place

    def _walk(self, branch: _Branch) -> dict[str, Stamp]:
        """List all that is wanted at and below one directory."""
        found: dict[str, Stamp] = {}
        pending = [branch]
        while pending:
            pending += self._scan(pending.pop(), found)
            if len(found) > _MOST:
                break
        return found

    def _scan(self, branch: _Branch, found: dict[str, Stamp]) -> list[_Branch]:
        """List one directory; returns those below it."""
        place, rel, wants_c = branch
        below: list[_Branch] = []
        here: dict[str, Stamp] = {}
        self._seen[place] = wants_c
        try:
            path = self._folder.path(place)
            self._folders[place] = identity(os.stat(path))
            with os.scandir(path) as entries:
                for count, entry in enumerate(entries):
                    if count == CROWD:
                        raise OSError(f"more than {CROWD} entries")
                    name = entry.name
                    if name.endswith(_C):
                        counts = wants_c
                    else:
                        counts = name.startswith(_BUILD) or name == _FORMAT
                    try:
                        if entry.is_symlink():
                            self._meet(branch, name, counts)
                            continue
                        if not counts or "." not in name:
                            if name[0] != "." and entry.is_dir(follow_symlinks=False):
                                kernel = wants_c and (bool(rel) or name not in _NO_C)
                                below.append(_Branch(f"{place}{name}/", f"{rel}{name}/", kernel))
                                continue
                            if not counts:
                                continue
                        status = entry.stat(follow_symlinks=False)
                    except OSError as error:
                        self._lose(rel + name, why(error))
                        continue
                    if stat.S_ISREG(status.st_mode):
                        # As `identity` has it, but sixty thousand calls cost.
                        here[rel + name] = (
                            status.st_size, status.st_mtime_ns, status.st_ctime_ns,
                            status.st_ino, status.st_dev,
                        )  # fmt: skip
                    else:
                        self._lose(rel + name, IRREGULAR)
        except OSError as error:
            self._lose(rel.rstrip("/") or ".", why(error))
            return []
        found.update(here)
        return below

    def _meet(self, branch: _Branch, name: str, counts: bool) -> None:
        """Remember a link that may lead to something that counts."""
        if not counts and (name[0] == "." or name.endswith((".c", ".h"))):
            return
        try:
            place, status = self._folder.find(branch.place + name)
        except OSError as error:
            # What counts for nothing as a file can still be a directory that is built.
            if counts or (why(error) == LINK_OUT and self._named(branch.name + name)):
                raise
            return
        directory = stat.S_ISDIR(status.st_mode)
        if directory or (counts and stat.S_ISREG(status.st_mode)):
            wants_c = branch.wants_c and (bool(branch.name) or name not in _NO_C)
            stamp = identity(status)
            self._links.append(_Link(branch.name + name, place, directory, wants_c, stamp))
        elif counts:
            raise OSError(IRREGULAR)

    def _follow(self, found: dict[str, Stamp]) -> None:
        """List what is behind links, each once; then give each file its one name."""
        entered: set[str] = set()
        files: list[_Link] = []
        while self._links:
            links, self._links = sorted(self._links), []
            for link in links:
                if not link.directory:
                    files.append(link)
                    continue
                place = f"{link.place}/" if link.place else ""
                if place in entered or f"{link.name}/".startswith(place):
                    continue  # listed by another link, or a circle
                # A directory whose C counts for nothing there may be behind a link from the kernel.
                listed = self._seen.get(place, False) or (place in self._seen and not link.wants_c)
                if not self._takes_name(link, listed):
                    continue
                entered.add(place)
                for rel in [rel for rel in found if rel.startswith(place)]:
                    del found[rel]
                self.renamed[link.place] = link.name
                found.update(self._walk(_Branch(place, f"{link.name}/", link.wants_c)))
        for link in files:
            own = self.shown(link.place)
            if self._takes_name(link, own in found):
                if not self._named(own):
                    found.pop(own, None)
                    self.renamed[link.place] = link.name
                found[link.name] = link.stamp

    def _takes_name(self, link: _Link, listed: bool) -> bool:
        """Whether what is behind a link is listed under the link's name.

        A file that is built under both names is two objects, and listed twice.
        """
        if not listed:
            return True
        return self._named(link.name) and not (link.directory and self._named(link.place))

    def _named(self, rel: str) -> bool:
        """Whether the build names a path: the build files of its directory, or the top Makefile.

        The latter enters the architecture's directory, and looks for headers in every `include`.
        """
        head, _, name = rel.rpartition("/")
        if head == "arch":
            return name in ARCH_DIRECTORIES
        if "include" in rel.split("/"):
            return True
        if head not in self._texts:
            texts: Iterable[str] = (
                self._text(f"{head}/{file}" if head else file) for file in ("Kbuild", "Makefile")
            )
            self._texts[head] = "\n".join(texts)
        stem = name.removesuffix(".c")
        ending = r"\.o" if stem != name else "/"
        return re.search(rf"(?<![\w./-]){re.escape(stem)}{ending}", self._texts[head]) is not None

    def _text(self, rel: str) -> str:
        try:
            return self._folder.read(rel, 1 << 20).decode("latin-1")
        except OSError:
            return ""
