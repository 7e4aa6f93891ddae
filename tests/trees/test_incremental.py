# SPDX-License-Identifier: GPL-2.0-or-later
"""Real changes of single files, laid over a release one after the other, and checked in between."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree

MOST = int(os.environ.get("LAZYMMU_CHANGES", "3"))
"""Changes that are laid on; more when somebody looks for a mistake."""

_OF_INTEREST = ("mm/", "arch/x86/", "include/", "kernel/", "fs/", "lib/", "Makefile", "init/")
"""Where changes may say something to the machine that is asked about."""


def changes(old: Path, new: Path) -> Iterator[tuple[str, bytes | None]]:
    """The files in which two trees differ, with what the newer one has; None: it is gone."""
    known = Tree.open(old).manifest()
    other = Tree.open(new).manifest()
    for name in sorted({*known, *other}):
        if not name.startswith(_OF_INTEREST):
            continue
        now = (new / name).read_bytes() if name in other else None
        if name not in known or now is None or (old / name).read_bytes() != now:
            yield name, now


def some(found: list[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
    """A sample of changes: those of mm/ first, and then evenly over the rest."""
    first = [item for item in found if item[0].startswith("mm/")]
    rest = [item for item in found if not item[0].startswith("mm/")]
    left = max(1, MOST - len(first[: MOST // 2 + 1]))
    return [*first[: MOST // 2 + 1], *rest[:: max(1, len(rest) // left)]][:MOST]


@pytest.mark.parametrize("releases", [("6.12", "6.12.8"), ("7.2.8", "7.3")])
def test_real_changes_are_told_as_if_nothing_had_been_kept(
    kernel_tree: Callable[[str], Path], tmp_path: Path, releases: tuple[str, str]
) -> None:
    """After each change of a file the incremental answer equals the cold one."""
    old, new = map(kernel_tree, releases)
    files: dict[str, bytes | None] = {}
    lazymmu.check(old, arches=["x86"], jobs=1, cache_dir=tmp_path)
    for name, content in some(list(changes(old, new))):
        files[name] = content
        incremental, cold = (
            lazymmu.check(Tree.open(old).over(files), arches=["x86"], jobs=1, cache_dir=store)
            for store in (tmp_path, None)
        )
        assert incremental == cold, name
