# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts are good where their inputs are the same, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.kernelc.facts import PRESENT, Facts, together
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.content_ids import MISSING, UNREADABLE, ContentIds
from lazymmu.snapshot.dependencies import DependencyTracker
from lazymmu.snapshot.tree import Tree


def facts(tree: Path, store: Cache) -> tuple[Facts, DependencyTracker]:
    """The facts of a tree as it is now, and the tree with a list of what is asked of it."""
    opened = Tree.open(tree)
    ids = ContentIds(opened, cache=store)
    return Facts(opened, ids, store), DependencyTracker(opened, ids)


@pytest.fixture
def store(tmp_path: Path) -> Cache:
    """A store of its own."""
    return Cache(tmp_path / "store")


def kept(tree: Path, store: Cache) -> None:
    """Keep a fact that rests on a file, on one that is not there, and on a directory."""
    found, asked = facts(tree, store)
    asked.read("mm/a.c")
    asked.has("mm/none.h")
    asked.has("mm/b.c")
    asked.entries("mm")
    assert found.keep("kind", "key", asked.inputs(), ["value"], {"said": "x"})


@pytest.fixture
def filled(tree: Path, store: Cache) -> Path:
    """A tree with a fact about it."""
    (tree / "mm/a.c").write_bytes(b"int a;\n")
    (tree / "mm/b.c").write_bytes(b"int b;\n")
    kept(tree, store)
    return tree


def good(tree: Path, store: Cache, said: str = "x") -> list[tuple[object, list[str]]]:
    """The facts that may be good now: the value, and which files have changed."""
    found, _ = facts(tree, store)
    return [(fact.value, list(fact.changed)) for fact in found.of("kind", "key", {"said": said})]


def test_a_fact_is_good_where_nothing_has_changed(filled: Path, store: Cache) -> None:
    """Times and inodes do not matter, and neither does what was only asked for."""
    assert good(filled, store) == [(["value"], [])]
    (filled / "mm/a.c").unlink()
    (filled / "mm/a.c").write_bytes(b"int a;\n")
    (filled / "mm/b.c").write_bytes(b"int other;\n")
    assert good(filled, store) == [(["value"], [])]


def test_a_file_of_another_content_is_told(filled: Path, store: Cache) -> None:
    """Its owner decides whether that matters."""
    (filled / "mm/a.c").write_bytes(b"int a; /* changed */\n")
    assert good(filled, store) == [(["value"], ["mm/a.c"])]


@pytest.mark.parametrize("change", ["gone", "come", "listed", "absent", "said"])
def test_what_is_there_or_not_is_an_input_too(filled: Path, store: Cache, change: str) -> None:
    """Files that go or come, a directory with another name in it, another word."""
    match change:
        case "gone":
            (filled / "mm/a.c").unlink()
        case "come":
            (filled / "mm/none.h").write_bytes(b"")
        case "listed":
            (filled / "mm/c.c").write_bytes(b"")
        case "absent":
            (filled / "mm/b.c").unlink()
    assert good(filled, store, "y" if change == "said" else "x") == []


def test_facts_of_several_states_lie_beside_each_other(filled: Path, store: Cache) -> None:
    """Who goes back finds what was kept, that of the last run first."""
    (filled / "mm/a.c").write_bytes(b"int other;\n")
    kept(filled, store)
    assert good(filled, store) == [(["value"], []), (["value"], ["mm/a.c"])]
    (filled / "mm/a.c").write_bytes(b"int a;\n")
    assert sorted(changed for _, changed in good(filled, store)) == [[], ["mm/a.c"]]


def test_what_could_not_be_read_is_no_input(filled: Path, store: Cache) -> None:
    """Nothing that rests on it is kept."""
    found, _ = facts(filled, store)
    assert found.keep("kind", "other", {"mm/a.c": UNREADABLE}, ["value"]) == ""
    assert not found.any("kind", "other")


def test_what_a_file_holds_says_more_than_that_it_is_there() -> None:
    """Inputs of several who asked are one list, in whatever order they come."""
    held, there = {"mm/a.c": "content", "mm/none.h": MISSING}, {"mm/a.c": PRESENT, "b.h": PRESENT}
    whole = {"mm/a.c": "content", "mm/none.h": MISSING, "b.h": PRESENT}
    assert together(held, there) == whole
    assert together(there, held) == whole


def test_the_nearest_fact_is_the_one_of_which_fewest_inputs_have_changed(
    filled: Path, store: Cache
) -> None:
    """All that is not as it was is told with it: what has changed, what is gone, what came."""

    def near() -> object:
        fact = facts(filled, store)[0].nearest("kind", "near")
        return fact and (fact.value, sorted(fact.changed))

    assert near() is None
    for value, names in (("one", ["mm/a.c"]), ("two", ["mm/a.c", "mm/b.c"])):
        found, asked = facts(filled, store)
        for name in names:
            asked.read(name)
        asked.has("mm/none.h")
        assert found.keep("kind", value, asked.inputs(), [value], near="near")
    assert near() == (["two"], [])
    (filled / "mm/b.c").unlink()
    assert near() == (["one"], [])
    (filled / "mm/a.c").write_bytes(b"int other;\n")
    (filled / "mm/none.h").write_bytes(b"")
    assert near() == (["one"], ["mm/a.c", "mm/none.h"])
    found, _ = facts(filled, store)
    fact = found.nearest("kind", "near")
    assert fact is not None
    assert found.value("kind", fact.name) == ["one"]
    assert found.value("kind", "none") is None
