# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree as it was before a change, for --since and --diff.

Both options mean "only what is new", and both get it the same way: check the tree as it was as
well, and report the findings that were not there. Looking for findings on changed lines instead
would miss what a change breaks elsewhere: who deletes a call that ended a section touches neither
the return that is now reached inside it nor the caller that now sleeps in it.

The former tree costs little: it is the present one with the changed files as they were, in memory
(`Tree.over`). The cache knows all the others, so the second check reads only what differs. With a
patch that is not applied it is the other way round: the present tree is the one in memory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.garbage_collection import seldom_collected
from lazymmu.problem import Problem
from lazymmu.snapshot.changes import changed_since
from lazymmu.snapshot.patches.apply import Applied, PatchRefusedError, apply, led
from lazymmu.snapshot.patches.series import read_series
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.revisions import Base, Range, base_of
from lazymmu.snapshot.tree import Tree, TreeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.snapshot.object_store import GitEntry
    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.snapshot.repository import Repository

__all__ = ["FormerTree", "PatchedTree", "at_revision", "fitted", "with_patch"]


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

    Files that git neither tracks nor ignores count as added.

    :raises Problem: `tree` is in no git repository or the revision is not in it.
    """
    try:
        with view(tree) as seen:
            base = base_of(seen, Range(revision), exact=exact)
            files = seen.files(base.commit)
            changed = changed_since(_opened(tree), seen, files)
            return FormerTree(_contents(seen, changed, files), base)
    except Problem as problem:
        raise Problem(f"--since: {problem}") from None


@dataclass(frozen=True, slots=True)
class PatchedTree:
    """A tree and a patch.

    :param changes: what the patch undone makes of the tree if it is `applied`; else what the patch
        laid on makes of it.
    :param series: the patches, in order.
    """

    changes: dict[str, bytes | None]
    applied: bool
    series: tuple[Patch, ...]

    def after(self, tree: Tree, number: int) -> Tree:
        """A tree with the first patches of the series, as many as `number`, and no others."""
        if self.applied:
            rest = tuple(one.reversed() for one in self.series[number:][::-1])
        else:
            rest = self.series[:number]
        return tree.over(apply(tree, rest).changes)


def with_patch(tree: str, patch: bytes, name: str) -> PatchedTree:
    """What a patch is about: a tree that has it, or one that it can be laid on.

    Nothing is written, and the tree need not be git's.

    :param patch: a diff, or mails with such in any order, packed or not; paths in it have one
        leading directory (a/, b/), as git and diff write them, or none.
    :param name: the patch's, for messages.
    :raises Problem: it is no patch, or neither.
    """
    present = _opened(tree)
    try:
        refused: PatchRefusedError | None = None
        for strip in (1, 0):
            # `git diff --no-prefix` and others write paths without a first part.
            found = fitted(present, read_series(patch, strip))
            if isinstance(found, PatchedTree):
                return found
            refused = refused or found
        raise Problem(f"this patch is neither applied to {tree}, nor does it apply: {refused}")
    except Problem as problem:
        raise Problem(f"{name}: {problem}") from None


def fitted(tree: Tree, series: tuple[Patch, ...]) -> PatchedTree | PatchRefusedError:
    """A series on a tree, whichever way it fits; or why it cannot be laid on."""
    undone = _tried(tree, tuple(one.reversed() for one in series[::-1]))
    if isinstance(undone, Applied) and not undone.offset:
        return PatchedTree(undone.changes, True, series)
    laid = _tried(tree, series)
    if isinstance(undone, Applied) and (
        isinstance(laid, PatchRefusedError) or undone.offset <= laid.offset
    ):
        return PatchedTree(undone.changes, True, series)
    return laid if isinstance(laid, PatchRefusedError) else PatchedTree(laid.changes, False, series)


def _tried(tree: Tree, series: tuple[Patch, ...]) -> Applied | PatchRefusedError:
    try:
        return apply(tree, series)
    except PatchRefusedError as refused:
        return refused


def _contents(
    seen: Repository, changed: Mapping[str, GitEntry | None], files: Mapping[str, GitEntry]
) -> dict[str, bytes | None]:
    """The former contents of what changed.

    files: all that there was, where a former link may lead to. A link that leads out of the tree,
    or to another link, was nothing.
    """
    wanted = {rel: entry for rel, entry in changed.items() if entry and entry.is_file}
    links = {rel: entry for rel, entry in changed.items() if entry and entry.is_link}
    former: dict[str, bytes | None] = dict.fromkeys(changed)
    for rel, target in seen.contents(links).items():
        entry = files.get(led(rel, os.fsdecode(target or b"")))
        if entry is not None and entry.is_file:
            wanted[rel] = entry
    return former | seen.contents(wanted)


def _opened(tree: str) -> Tree:
    try:
        return Tree.open(tree)
    except TreeError as error:
        raise Problem(str(error)) from None
