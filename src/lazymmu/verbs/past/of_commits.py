# SPDX-License-Identifier: GPL-2.0-or-later
"""The points of a history that a repository has, and which commit changed what between them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.revisions import range_of
from lazymmu.snapshot.snapshots import tree_of
from lazymmu.verbs.lineage import key_of
from lazymmu.verbs.past.lines import CommitLine
from lazymmu.verbs.past.looks import PastLook
from lazymmu.verbs.past.points import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.snapshot.repository import Repository
    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.past.looking import Looking
    from lazymmu.verbs.past.looks import Looked

__all__ = ["CommitHistory", "Every"]

_RELEASE_TAG: Final = re.compile(r"v\d+\.\d+(\.\d+)?")
_SHORT: Final = 12


class Every(StrEnum):
    """Which commits of a range are points of its history."""

    RELEASE = "release"
    """Those that a tag names as a release (v6.12, v6.12.8), and both ends."""
    MERGE = "merge"
    """The first parents of the new end: on mainline each is a merge, or Linus's own."""
    COMMIT = "commit"


class CommitHistory:
    """A history out of a repository, looked at commit by commit where that is needed."""

    def __init__(
        self,
        seen: Repository,
        looking: Looking,
        *,
        arches: Sequence[str] = (),
        dialect: str | None = None,
    ) -> None:
        """Look at commits of a repository by `looking`."""
        self.seen = seen
        self.looking = looking
        self._arches, self._dialect = tuple(arches), dialect
        self._lines: dict[tuple[str, str], CommitLine] = {}
        self.looked: dict[str, Looked] = {}
        """What was looked at, by commit."""
        self._tags: dict[str, str] = {}
        for tag, commit in sorted(seen.store.tags().items()):
            if _RELEASE_TAG.fullmatch(tag) or commit not in self._tags:
                self._tags[commit] = tag
        self._gone_through: set[str] = set()

    @property
    def commits(self) -> int:
        """How many commits were gone through."""
        return len(self._gone_through)

    # -- points --------------------------------------------------------------------------------

    def of_revisions(self, revisions: Sequence[str]) -> list[Point]:
        """The points that some revisions are.

        :raises Problem: for one that is not there.
        """
        commits = [self.seen.commit(one) for one in revisions]
        self.look_at(commits)
        return [
            self._point(commit, "" if re.fullmatch("[0-9a-f]{40,}", name) else name)
            for commit, name in zip(commits, revisions, strict=True)
            if commit in self.looked
        ]

    def of_releases(self) -> list[Point]:
        """The points that all tags of releases are.

        :raises Problem: there is none.
        """
        tags = [tag for tag in self._tags.values() if _RELEASE_TAG.fullmatch(tag)]
        if not tags:
            raise Problem(
                f"the git repository of {self.seen.tree} has no tags of releases (v6.12); "
                "name revisions, or --range A..B"
            )
        return self.of_revisions(tags)

    def of_range(self, text: str, every: Every) -> list[Point]:
        """The points of a range, in the order of its history.

        Of commits and merges those are points at which something changed, and both ends.

        :raises Problem: it is none, or has no commit in it.
        """
        asked = range_of(text)
        if asked.new is None:
            raise Problem(f"--range {text}: a range has two ends, as in v6.12..HEAD")
        old, new = self.seen.commit(asked.old), self.seen.commit(asked.new)
        if asked.symmetric:
            old = self.seen.merge_base(old, new)
        line = self.line(old, new)
        if not line.commits:
            raise Problem(f"--range {text}: there is no commit in it")
        if every is Every.RELEASE:
            tagged = [
                one for one in line.commits if _RELEASE_TAG.fullmatch(self._tags.get(one, ""))
            ]
            columns = list(dict.fromkeys([old, *tagged, new]))
            self.look_at(columns)
        else:
            among = line.commits if every is Every.COMMIT else line.trunk
            columns = self._changing(line, among)
        return [self._point(one) for one in columns if one in self.looked]

    def _changing(self, line: CommitLine, among: Sequence[str]) -> list[str]:
        """Look at all commits that can have changed something; return those that did."""
        self.look_at([*line.edges, line.new])
        while not self.looking.interrupted:
            touching = line.touching(self._inputs(), among)
            todo = [one for one in touching if one not in self.looked]
            if not todo:
                break
            self.look_at(todo)
        said = {one: self._said(one) for one in self.looked}
        points = [line.old]
        for one in among:
            if one in said and said[one] != said.get(self._standing(line, one)):
                points.append(one)
        return list(dict.fromkeys([*points, line.new]))

    def _standing(self, line: CommitLine, commit: str) -> str:
        """The commit before one that was looked at and stands for its first parent."""
        here = line.parent(commit)
        while here in line.entries and here not in self.looked:
            here = line.parent(here)
        return here

    def _said(self, commit: str) -> object:
        result = self.looked[commit].result
        if result is None:
            return None
        found = {(key_of(one), one.severity, one.confidence, one.arches) for one in result.findings}
        return result.tree.dialect, result.arches, frozenset(found)

    def _point(self, commit: str, name: str = "") -> Point:
        done = self.looked[commit]
        return Point(
            name=name or self._tags.get(commit, "") or commit[:_SHORT],
            release=done.result.tree.release if done.result is not None else "",
            path=str(self.seen.tree),
            commit=commit,
            subject=self.subject(commit),
            result=done.result,
            trouble=done.trouble,
        )

    # -- looking -------------------------------------------------------------------------------

    def tree(self, commit: str) -> Tree:
        """The tree of a commit, as long as the repository is open."""
        return tree_of(self.seen, commit)

    def has(self, commit: str) -> bool:
        """Whether the repository has a commit."""
        return bool(self.seen.store.commit(commit))

    def subject(self, commit: str) -> str:
        """The first line of what a commit says that was gone through."""
        found = (line.entries.get(commit) for line in self._lines.values())
        return next((entry.subject for entry in found if entry is not None), "")

    def look(self, commit: str) -> PastLook:
        """What is asked about one commit."""
        content = self.seen.store.directory(commit, self.seen.inside)
        return PastLook(
            path=str(self.seen.tree),
            commit=commit,
            content=content,
            arches=self._arches,
            dialect=self._dialect,
            elsewhere=self._arches,
        )

    def look_at(self, commits: Sequence[str]) -> None:
        """Look at commits that were not looked at before; what came of it is in `looked`."""
        todo = [one for one in dict.fromkeys(commits) if one not in self.looked]
        looks = [self.look(one) for one in todo]
        names = [self._tags.get(one, "") or one[:_SHORT] for one in todo]
        done = self.looking.at(looks, names)
        self.looked |= {
            one: done[asked] for one, asked in zip(todo, looks, strict=True) if asked in done
        }

    def _inputs(self) -> frozenset[str]:
        return frozenset().union(*(one.inputs for one in self.looked.values()))

    def line(self, old: str, new: str) -> CommitLine:
        """The commits from one to another."""
        if (old, new) not in self._lines:
            line = self._lines[old, new] = CommitLine(self.seen, old, new)
            self._gone_through |= line.entries.keys()
        return self._lines[old, new]
