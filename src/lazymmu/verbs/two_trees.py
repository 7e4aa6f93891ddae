# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree that a check is about, and the one that it was before the change that is asked about."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.snapshot import former_tree
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.revisions import Base, base_of, range_of
from lazymmu.snapshot.snapshots import tree_of
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.snapshot.former_tree import PatchedTree
    from lazymmu.snapshot.revisions import Range
    from lazymmu.verbs.given import Input
    from lazymmu.witness.source.check import Where

__all__ = ["TwoTrees", "two_trees"]


@dataclass(frozen=True, slots=True)
class TwoTrees:
    """What is checked, and what it is compared with.

    :param present: as it is; the path of a tree where it lies as it is checked.
    :param former: as it was, None where nothing is asked about that.
    :param base: what that is.
    :param patched: the change, where it is a series of patches.
    """

    present: Where
    former: Tree | None = None
    base: Base | None = None
    patched: PatchedTree | None = None


@contextlib.contextmanager
def two_trees(
    tree: Where, *, since: str | None = None, exact: bool = False, patch: Input | None = None
) -> Iterator[TwoTrees]:
    """Open the trees of a question about a change; they are gone when the context ends.

    :param since: a revision, or a range of two.
    :param exact: compare with that revision, not with the merge base.
    :param patch: the change.
    :raises Problem: there is no such change.
    """
    if since is None and patch is None:
        yield TwoTrees(tree)
        return
    if isinstance(tree, Tree):
        raise Problem("--since and --diff need the path of a tree, not one that is open")
    if patch is not None:
        found = former_tree.with_patch(str(tree), patch.content, patch.name)
        base = Base("", patch.name, applied=found.applied)
        known = reading.opened(tree)
        other = known.over(found.changes)
        present, former = (tree, other) if found.applied else (other, known)
        yield TwoTrees(present, former, base, found)
        return
    asked = range_of(since or "")
    if asked.new is None:
        was = former_tree.at_revision(str(tree), asked.old, exact=exact)
        yield TwoTrees(tree, reading.opened(tree).over(was.changes), was.base)
        return
    with _range(str(tree), asked, exact=exact) as two:
        yield two


@contextlib.contextmanager
def _range(tree: str, asked: Range, *, exact: bool) -> Iterator[TwoTrees]:
    with contextlib.ExitStack() as stack:
        try:
            seen = stack.enter_context(view(tree))
            base = base_of(seen, asked, exact=exact)
            new = seen.commit(asked.new or "HEAD")
            two = TwoTrees(tree_of(seen, new), tree_of(seen, base.commit), base)
        except Problem as problem:
            raise Problem(f"--since: {problem}") from None
        yield two
