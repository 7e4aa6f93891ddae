# SPDX-License-Identifier: GPL-2.0-or-later
"""What files hold is told by ids: the same for the same content, wherever and whenever it lies."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.snapshot.content import blob_id
from lazymmu.snapshot.content_ids import MISSING, UNREADABLE, ContentIds
from lazymmu.snapshot.dependencies import DependencyTracker
from lazymmu.snapshot.tree import Tree


class Held:
    """A cache in memory."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Any] = {}

    def get(self, kind: str, key: str) -> object | None:
        """The value that was put."""
        return self.values.get((kind, key))

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep it."""
        self.values[kind, key] = value


@given(content=st.binary(max_size=100))
def test_an_id_is_that_of_the_blob_in_git(content: bytes) -> None:
    """Whoever has a repository knows the ids without reading."""
    known = {
        b"": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        b"x\n": "587be6b4c3f93f93c489c0111bba5596147a26cb",
    }
    for text, name in known.items():
        assert blob_id(text) == name
    assert len(blob_id(content)) == 40


def test_an_id_does_not_depend_on_path_or_time(tree: Path) -> None:
    """A copy has the id of what it was made of, and one that is changed has another."""
    (tree / "mm/a.c").write_bytes(b"int a;\n")
    (tree / "mm/b.c").write_bytes(b"int a;\n")
    os.utime(tree / "mm/b.c", (1, 1))
    ids = ContentIds(Tree.open(tree))
    assert ids.of("mm/a.c") == ids.of("mm/b.c")
    (tree / "mm/b.c").write_bytes(b"int b;\n")
    again = ContentIds(Tree.open(tree))
    assert again.of("mm/a.c") == ids.of("mm/a.c")
    assert again.of("mm/b.c") != ids.of("mm/b.c")


def test_what_is_not_there_and_what_cannot_be_read_have_ids_of_their_own(tree: Path) -> None:
    """A directory has one as well, by the names in it."""
    os.mkfifo(tree / "mm/pipe.c")
    ids = ContentIds(Tree.open(tree))
    assert ids.of("mm/none.c") == MISSING
    assert ids.of("mm/pipe.c") == UNREADABLE
    before = ids.of("mm")
    (tree / "mm/one.c").write_bytes(b"")
    assert ContentIds(Tree.open(tree)).of("mm") != before


def test_a_file_is_read_once_for_its_id(tree: Path, monkeypatch: Any) -> None:
    """A later run takes it from the cache, unless the file's stamp is another, or too young."""
    file = tree / "mm/a.c"
    file.write_bytes(b"int a;\n")
    store = Held()
    young = ContentIds(Tree.open(tree), cache=store)
    name = young.of("mm/a.c")
    young.keep()
    assert ContentIds(Tree.open(tree), cache=store).cheap("mm/a.c") is None
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 10_000_000_000)
    old = ContentIds(Tree.open(tree), cache=store)
    assert old.of("mm/a.c") == name
    old.keep()
    assert ContentIds(Tree.open(tree), cache=store).cheap("mm/a.c") == name
    file.write_bytes(b"int b;\n")
    assert ContentIds(Tree.open(tree), cache=store).cheap("mm/a.c") is None


def test_a_file_that_changes_while_it_is_read_is_noticed(tree: Path) -> None:
    """What was computed of two contents is not kept as that of one."""
    (tree / "mm/a.c").write_bytes(b"int a;\n")
    ids = ContentIds(Tree.open(tree), cache=Held())
    DependencyTracker(Tree.open(tree), ids).read("mm/a.c")
    assert not ids.moving
    (tree / "mm/a.c").write_bytes(b"int b;\n")
    DependencyTracker(Tree.open(tree), ids).read("mm/a.c")
    assert ids.moving


def test_a_tree_that_remembers_names_all_that_it_was_asked(tree: Path) -> None:
    """Files that are not there, and those of which only that was asked, are among it."""
    (tree / "mm/a.c").write_bytes(b"int a;\n")
    (tree / "mm/b.c").write_bytes(b"")
    asked = DependencyTracker(Tree.open(tree), ContentIds(Tree.open(tree), cache=Held()))
    asked.read("mm/a.c")
    assert asked.has("mm/b.c")
    assert not asked.has("mm/c.c")
    asked.entries("mm")
    found = asked.inputs()
    assert found["mm/a.c"] == blob_id(b"int a;\n")
    assert (found["mm/b.c"], found["mm/c.c"]) == ("+", MISSING)
    assert found["mm"].startswith("d")


def test_git_gives_a_file_the_same_id(repository: Path) -> None:
    """The id is git's own, as git itself says it."""
    asked = subprocess.run(
        ["git", "hash-object", "Makefile"], cwd=repository, capture_output=True, check=True
    )
    assert ContentIds(Tree.open(repository)).of("Makefile") == asked.stdout.decode().strip()
