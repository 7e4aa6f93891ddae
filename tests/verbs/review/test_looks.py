# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees with some patches of a series laid on, and what it takes to make them."""

from __future__ import annotations

from lazymmu.snapshot.patches import apply
from lazymmu.snapshot.patches.series import read_series
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.review.looks import Looks
from tests.verbs.review.planted import planted


def test_a_series_that_grows_by_a_patch_has_each_laid_on_once(old_branch, monkeypatch):
    """A long one costs as much as its patches, and files that did not change are shared."""
    planted(old_branch)
    patches = read_series(old_branch.mails())
    old_branch.back()
    base = Tree.open(old_branch.tree)
    laid: list[str] = []
    lay = apply.Stack.lay

    def noted(self, patch):
        laid.append(patch.title)
        lay(self, patch)

    monkeypatch.setattr(apply.Stack, "lay", noted)
    looks = Looks(base, lambda tree: tree)
    trees = [looks.tree(patches[:number]) for number in range(len(patches) + 1)]
    assert laid == [patch.title for patch in patches]
    changed = "mm/shadow.c"
    assert trees[2].read(changed) == base.read(changed)
    assert trees[4].read(changed) is trees[3].read(changed)
    assert trees[3].read(changed) != trees[2].read(changed)


def test_patches_without_one_of_them_are_laid_on_the_base_itself(old_branch):
    """What was laid on before has no part in it."""
    planted(old_branch)
    patches = read_series(old_branch.mails())
    old_branch.back()
    base = Tree.open(old_branch.tree)
    looks = Looks(base, lambda tree: tree)
    looks.tree(patches)
    third = looks.tree([patches[2]])
    assert third.read("mm/shadow.c") != base.read("mm/shadow.c")
    assert third.read("mm/right_loops.c") == base.read("mm/right_loops.c")
    assert third.has("mm/wrong_nesting.c")
