# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series is laid on: what it says it is for, or the newest that it applies to."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.commit_ground import CommitGround
from lazymmu.snapshot.former_tree import PatchedTree, fitted
from lazymmu.snapshot.patches.apply import PatchRefusedError, apply
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.snapshots import tree_of
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs import reading
from lazymmu.verbs.review.values import ReviewBase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.snapshot.repository import Repository
    from lazymmu.verbs.review.values import Submission
    from lazymmu.witness.source.check import Where

__all__ = ["Based", "based"]

_MOST_BACK: Final = 100
"""Most commits that are tried, going back, among those that change a file of the series."""


@dataclass(frozen=True, slots=True)
class Based:
    """A tree that a series is laid on, and what it is."""

    tree: Tree
    base: ReviewBase


@contextlib.contextmanager
def based(
    where: Where, submission: Submission, *, onto: str | None = None, known: str = ""
) -> Iterator[Based]:
    """What a series is laid on, readable until the context ends.

    :param where: the tree that is asked about.
    :param onto: a revision of its repository, where one is asked for.
    :param known: the commit that the series stands on, where it comes from the repository.
    :raises Problem: it applies to nothing that can be had.
    """
    series = [one.patch for one in submission.patches]
    with contextlib.ExitStack() as stack:
        seen = None
        if not isinstance(where, Tree):
            try:
                seen = stack.enter_context(view(str(where)))
            except Problem:
                if onto is not None:
                    raise
        if onto is not None or known:
            if seen is None:
                raise Problem("--onto needs the path of a tree in a git repository")
            commit = seen.commit(onto or known)
            how = f"by --onto {onto}" if onto else "which the range begins at"
            yield _at(where, seen, commit, how, submission, series)
            return
        yield _found(where, seen, submission, series)


def _at(
    where: Where,
    seen: Repository,
    commit: str,
    how: str,
    submission: Submission,
    series: Sequence[Patch],
) -> Based:
    tree = tree_of(seen, commit)
    refused = _refused(tree, series)
    if refused is not None:
        raise Problem(f"{submission.name}: does not apply to {commit[:12]}: {refused}")
    return Based(tree, ReviewBase(reading.called(where), tree.release, how, commit))


def _found(
    where: Where, seen: Repository | None, submission: Submission, series: Sequence[Patch]
) -> Based:
    """What a series says it is for; the tree as it is; the newest commit that it applies to."""
    name, unknown = reading.called(where), ""
    if submission.base:
        unknown = f"its base-commit {submission.base[:12]} is not known there"
        commit = ""
        if seen is not None:
            with contextlib.suppress(Problem):
                commit = seen.commit(submission.base)
        if seen is not None and commit:
            return _at(where, seen, commit, "from base-commit", submission, series)
    present = reading.opened(where)
    found = fitted(present, tuple(series))
    because = f"; {unknown}" if unknown else ""
    if isinstance(found, PatchedTree):
        if found.applied:
            how = f"to which it is applied, and undone in memory{because}"
            return Based(present.over(found.changes), ReviewBase(name, present.release, how))
        return Based(present, ReviewBase(name, present.release, f"which it applies to{because}"))
    if seen is not None and (commit := _newest(seen, series)):
        how = f"the newest commit that it applies to{because}"
        return _at(where, seen, commit, how, submission, series)
    raise Problem(f"{submission.name}: does not apply to {name}: {found}{because}")


def _newest(seen: Repository, series: Sequence[Patch]) -> str:
    """The newest commit before the one that is checked out to which a series applies, "" if none.

    On the line of first parents, and only where a file of the series changes.
    """
    head = seen.head()
    rels = sorted({path for patch in series for one in patch.files for path in (one.old, one.new)
                   if path is not None})  # fmt: skip
    for commit in (head, *seen.touching(head, rels, _MOST_BACK)) if head else ():
        for name in (commit, f"{commit}^"):
            with contextlib.suppress(Problem):
                candidate = seen.commit(name)
                files = seen.some_files(candidate, rels)
                ground = CommitGround(seen.store, files)
                if _refused(Tree(seen.tree, "", given=ground, plain=False), series) is None:
                    return candidate
    return ""


def _refused(tree: Tree, series: Sequence[Patch]) -> PatchRefusedError | None:
    try:
        apply(tree, series)
    except PatchRefusedError as refused:
        return refused
    return None
