# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of releases, held to the trees themselves: the same detection that `check` uses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.contract import vocabulary
from lazymmu.contract.deferral import RELEASES, classify
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.program import Program
from lazymmu.kernelc.tree_index import TreeIndex
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source import arch_hooks
from lazymmu.witness.source.prefilter import prefilter
from lazymmu.witness.source.spoken_dialect import detect_dialect

DIRECTORIES = {"6.1.192": "6.1", "6.12.117": "6.12", "7.3.4": "7.3"}
"""Trees that are kept by the name of their series."""


def found_in(tree: Tree) -> dict[str, str]:
    """The row of each architecture that has the mode, by the words of its hooks."""
    words = vocabulary.load()
    marks = prefilter(tree, 2, tree.manifest())
    library = TreeIndex(tree, jobs=2, cache=None)
    rows = {}
    for profile in marks.machines:
        name = profile.name
        view = ConfiguredTree(
            tree, profile, extra=marks.seen_by(profile, marks.mode), library=library
        )
        implementation = arch_hooks.find(view, Program(view), words)
        if any(definition.file.startswith("arch/") for definition in implementation.enter):
            rows[name] = classify(name, implementation.words, implementation.enter_words).name
    return rows


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_has_the_rows_that_its_tree_shows(
    release: str, kernel_tree: Callable[[str], Path]
) -> None:
    """Dialect, architectures and rows, none missing and none too many."""
    entry = RELEASES[release]
    tree = Tree.open(kernel_tree(DIRECTORIES.get(release, release)))
    if tree.release != release:
        pytest.skip(f"that tree is {tree.release}")
    assert detect_dialect(tree).name == entry.dialect.name
    assert found_in(tree) == {arch: each.name for arch, each in entry.rows.items()}
