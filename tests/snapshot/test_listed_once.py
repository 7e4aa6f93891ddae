# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree that a series of others is made of is listed once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.snapshot import beneath
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the file system ticks so fast that all states are told by their stamps."""
    monkeypatch.setattr(beneath, "_SETTLED", -(10**12))


@pytest.mark.usefixtures("settled")
def test_trees_made_of_one_ask_for_its_files_once_and_lose_the_same(grow: Grow) -> None:
    """Each still has its own changes, and what could not be listed is lost in each."""
    root = grow({"mm/kept.c": "kept"})
    os.symlink("/etc/passwd", root / "mm" / "out.c")
    base = Tree.open(root).listed_once()
    first = base.over({"mm/new.c": b"new"})
    assert "mm/new.c" in first.manifest()
    (root / "mm" / "later.c").write_text("later")
    second = base.over({"mm/kept.c": None, "mm/other.c": b"other"})
    assert [rel for rel in second.manifest() if rel.startswith("mm/")] == ["mm/other.c"]
    assert first.losses == second.losses != []
    assert "mm/later.c" in Tree.open(root).over({}).manifest()
    assert not second.same_files()


def test_files_that_have_just_changed_are_listed_again(grow: Grow) -> None:
    """They may change once more and have the same stamp: that must not be taken for the same."""
    root = grow({"mm/kept.c": "kept"})
    base = Tree.open(root).listed_once()
    assert "mm/later.c" not in base.over({}).manifest()
    (root / "mm" / "later.c").write_text("later")
    assert "mm/later.c" in base.over({}).manifest()


@pytest.mark.usefixtures("settled")
def test_the_bound_on_links_is_that_of_each_piece_of_work(
    grow: Grow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred patches resolve a hundred times as much, and none of it may be lost."""
    root = grow({f"mm/kept{n}.c": "kept" for n in range(20)})
    monkeypatch.setattr(beneath, "_STEPS", 200)
    base = Tree.open(root).listed_once()
    for _ in range(50):
        tree = base.over({"mm/kept0.c": b"new"})
        assert all(tree.stamp(rel) != beneath.ABSENT for rel in tree.manifest())


@pytest.mark.usefixtures("settled")
def test_what_is_not_listed_is_asked_of_the_tree_itself(grow: Grow) -> None:
    """Texts, links, entries and the names of contents are those of the files as they are."""
    root = grow({"mm/kept.c": "kept", "mm/sub/x.h": ""})
    os.symlink("kept.c", root / "mm" / "link.c")
    plain, once = Tree.open(root), Tree.open(root).listed_once()
    assert once.manifest() == plain.manifest()
    for rel in ("mm/kept.c", "mm/link.c", "mm/sub", "mm/gone.c"):
        assert once.read(rel) == plain.read(rel)
        assert once.has(rel) == plain.has(rel)
        assert once.entries(rel) == plain.entries(rel)
        assert once.link(rel) == plain.link(rel)
        assert once.shown(rel) == plain.shown(rel)
        assert once.content_id(rel) == plain.content_id(rel)
    buffer = bytearray(10)
    assert once.into("mm/kept.c", buffer) == 4
    assert once.ground.known_ids(once.manifest()) == plain.ground.known_ids(plain.manifest())
    assert once.listed <= time.time_ns()


@pytest.mark.parametrize("clock", ["settled", "own_cache"])
def test_files_that_are_written_or_go_meanwhile_are_named(
    grow: Grow, clock: str, request: pytest.FixtureRequest
) -> None:
    """Whether they are listed once or, having just changed, again: both may have been read."""
    request.getfixturevalue(clock)
    root = grow({"mm/kept.c": "kept", "mm/gone.c": "gone", "mm/other.c": "other"})
    base = Tree.open(root).listed_once()
    base.over({"mm/other.c": b"new"}).manifest()
    assert base.changed_meanwhile() == ()
    (root / "mm" / "kept.c").write_text("kept no more")
    (root / "mm" / "gone.c").unlink()
    (root / "mm" / "later.c").write_text("later")
    base.over({"mm/other.c": b"newer"}).manifest()
    assert set(base.changed_meanwhile()) == {"mm/kept.c", "mm/gone.c"}
    assert Tree.open(root).changed_meanwhile() == ()
