# SPDX-License-Identifier: GPL-2.0-or-later
"""What every question about source has: which trees, and how to look at them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lazymmu.problem import Problem
from lazymmu.snapshot.tree import Tree, TreeError
from lazymmu.verbs import names, paths
from lazymmu.verbs.given import several

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.witness.source.check import Progress, TreeOptions, Where

__all__ = ["TreeRequest", "arches_of", "called", "opened", "paths_of", "read"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRequest:
    """A question about source trees.

    Collections may be of any kind, and one alone needs none around it; they are kept as tuples.

    :param trees: top directories of Linux source trees, neither configured nor built; or open
        trees (`snapshot.tree.Tree`).
    :param arches: names of `kernelc.arch_profile.PROFILES`, or directories below arch/ of other
        architectures; without any, or with ``all``, those whose tree implements the mode.
    :param dialect: a name of `contract.dialects.DIALECTS`; None for the one a tree's text speaks.
    :param paths: files and directories of the trees, as they stand there or from where you are;
        only what touches them is told.
    :param kernel: the tree that `trees`, folders of modules out of tree, are built for.
    :param jobs: processes; None for one per processor.
    :param cache_dir: folder of the cache; None for nowhere.
    """

    trees: Sequence[Where]
    arches: Sequence[str] = ()
    dialect: str | None = None
    paths: Sequence[str] = ()
    kernel: Where | None = None
    jobs: int | None = None
    cache_dir: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Keep collections as tuples, so that a request cannot change once it is made."""
        for name in ("trees", "arches", "paths"):
            object.__setattr__(self, name, several(getattr(self, name)))
        if not self.trees:
            raise ValueError("a request needs a tree")


def arches_of(request: TreeRequest) -> tuple[str, ...] | None:
    """The architectures that are asked for, None for all.

    :raises Problem: with the reason.
    """
    kernels = request.trees if request.kernel is None else [request.kernel]
    return names.arches(request.arches, kernels)


def paths_of(request: TreeRequest) -> list[tuple[str, ...]]:
    """For each tree what the paths name in it.

    :raises Problem: with the reason.
    """
    return paths.inside(request.paths, [called(tree) for tree in request.trees])


def called(tree: Where) -> str:
    """The path of a tree, as it was given."""
    return str(tree.root) if isinstance(tree, Tree) else os.fspath(tree)


def opened(tree: Where, kernel: Where | None = None) -> Tree:
    """A tree, open.

    :raises Problem: with the reason.
    """
    try:
        return tree if isinstance(tree, Tree) else Tree.open(tree)
    except TreeError as error:
        raise paths.no_tree(error, called(tree), kernel is not None) from None


def read(
    look: Callable[..., Result],
    tree: Where,
    request: TreeRequest,
    arches: Sequence[str] | None,
    progress: Progress | None,
    **more: Any,
) -> Result:
    """What the source witness says of one tree of a request.

    :param look: `source.check` or `source.sections`.
    :param more: options for it that the request is not asked.
    :raises Problem: with the reason.
    """
    options: TreeOptions = {
        "arches": arches,
        "dialect": request.dialect,
        "jobs": request.jobs,
        "cache_dir": request.cache_dir,
        "progress": progress,
    }
    if request.kernel is not None:
        options["kernel"] = request.kernel
    if arches and len(request.trees) > 1:
        options["elsewhere"] = arches  # each is of one of the trees: `arches_of` has seen to it
    try:
        return look(tree, **options, **more)
    except TreeError as error:
        if isinstance(tree, Tree):
            raise Problem(str(error)) from None
        raise paths.no_tree(error, called(tree), request.kernel is not None) from None
