# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and directories of trees as users name them, and what is said of a path that is no tree."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["inside", "no_tree"]


def inside(given: Sequence[str], trees: Sequence[str]) -> list[tuple[str, ...]]:
    """What the --path options name in each of `trees`, relative to it, "" for all of it.

    A relative path is looked for in the tree first, then from the current directory. It must be in
    one of the trees at least; a tree that lacks it has nothing of it.

    :raises Problem: for a path that names nothing, and for one that is in none of the trees: a gate
        that looks at nothing would be green for ever.
    """
    found: list[list[str]] = [[] for _ in trees]
    for path in given:
        if not path:
            raise Problem("--path is empty; it names a file or directory of the tree")
        inside = [_inside(path, tree) for tree in trees]
        if all(one is None for one in inside):
            where = trees[0] if len(trees) == 1 else "any of the trees"
            if os.path.lexists(path) or any(os.path.lexists(os.path.join(t, path)) for t in trees):
                raise Problem(f"--path {clean(path)}: is not inside {clean(where)}")
            raise Problem(f"--path {clean(path)}: there is no such thing in {clean(where)}")
        for mine, one in zip(found, inside, strict=True):
            mine += [one] if one is not None else []
    return [tuple(mine) for mine in found]


def _inside(path: str, tree: str) -> str | None:
    """A path relative to `tree`, None if nothing in it is called so."""
    if not os.path.isdir(tree):
        return os.path.normpath(path)  # who reads the tree says what is wrong with it
    top = os.path.abspath(tree)
    for base in (top, os.curdir):  # an absolute path is the same from both
        try:
            there = os.path.abspath(os.path.join(base, path))
        except OSError:
            continue  # the current directory is gone
        if not os.path.lexists(there):
            continue
        # By name, so that a link keeps its name; or by another name of the tree, through links.
        for whole, part in ((top, there), (os.path.realpath(top), os.path.realpath(there))):
            if os.path.commonpath([whole, part]) == whole:
                return "" if part == whole else os.path.relpath(part, whole)
    return None


def no_tree(error: Exception, path: str, kernel: bool) -> Problem:
    """The problem that a path is no kernel tree, with what to do when it is a module's folder."""
    try:
        names = os.listdir(path)
    except (OSError, ValueError):
        names = []
    module = "arch" not in names and any(
        name in ("Kbuild", "Makefile") or name.endswith(".c") for name in names
    )
    hint = "; a module's folder is checked with --kernel TREE" if module and not kernel else ""
    return Problem(f"{error}{_instead(path, names) or hint}")


def _instead(path: str, names: Sequence[str]) -> str:
    """What to name in place of a directory that only belongs to a tree, "" where nobody knows."""
    # kbuild's link from the folder of `make O=` to the source (Makefile, outputmakefile).
    if "source" in names and os.path.islink(os.path.join(path, "source")):
        there = os.path.realpath(os.path.join(path, "source"))
        return f"; it is a build directory: check its source, {clean(there)}"
    if os.path.isfile(os.path.join(path, ".git", "info", "sparse-checkout")):
        return "; this checkout is sparse: git sparse-checkout disable brings the whole tree"
    return ""
