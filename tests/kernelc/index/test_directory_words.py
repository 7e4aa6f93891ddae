# SPDX-License-Identifier: GPL-2.0-or-later
"""What a search came to is known where git knows what files hold, without reading them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.index import word_search
from lazymmu.kernelc.index.directory_words import DirectoryWords
from lazymmu.kernelc.index.word_search import files_containing
from lazymmu.snapshot import git_index
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree

NEEDLES = [b"needle", b"thread"]


@pytest.fixture(autouse=True)
def anyhow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git is asked however few files there are, and believed however new its index is."""
    monkeypatch.setattr(word_search, "_MANY", 0)
    agrees = git_index.GitIndex.agrees
    monkeypatch.setattr(
        git_index.GitIndex,
        "agrees",
        lambda self, entry, stamp: agrees(
            git_index.GitIndex(self.entries, self.written + 10**12, self.plain), entry, stamp
        ),
    )


@pytest.fixture
def store(tmp_path: Path) -> Cache:
    """A store of its own."""
    return Cache(tmp_path / "store")


@pytest.fixture
def searched(repository: Path, git: Callable[..., str], store: Cache) -> Path:
    """A repository that was searched; its clone lies beside it, as `clone`."""
    (repository / "mm/a.c").write_text("needle and thread")
    (repository / "mm/b.c").write_text("nothing")
    (repository / "fs").mkdir(exist_ok=True)
    (repository / "fs/c.c").write_text("thread")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "words")
    git(repository.parent, "clone", "-q", str(repository), "clone")
    files_containing(Tree.open(repository), NEEDLES, cache=store)
    return repository.parent / "clone"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that a search reads."""
    found: list[str] = []
    search = word_search._search

    def noted(
        tree: Tree, files: list[str], needles: list[bytes]
    ) -> tuple[dict[str, list[int]], list[tuple[str, str]]]:
        found.extend(files)
        return search(tree, files, needles)

    monkeypatch.setattr(word_search, "_search", noted)
    return found


def test_nothing_of_a_clone_is_read(searched: Path, store: Cache, read: list[str]) -> None:
    """The answer is that of a search without a store."""
    found = files_containing(Tree.open(searched), NEEDLES, cache=store)
    assert read == []
    assert found == files_containing(Tree.open(searched), NEEDLES)
    assert found["mm/a.c"] == {b"needle", b"thread"}


def test_of_a_clone_that_has_changed_the_rest_is_read(
    searched: Path, store: Cache, read: list[str]
) -> None:
    """What was written, what git does not know, and what lies beside them."""
    (searched / "mm/b.c").write_text("a needle")
    (searched / "fs/new.c").write_text("a needle")
    found = files_containing(Tree.open(searched), NEEDLES, cache=store)
    assert {rel for rel in read if rel.startswith(("mm/", "fs/"))} >= {"mm/b.c", "fs/new.c"}
    assert not any(rel.startswith("include/") for rel in read)
    assert found == files_containing(Tree.open(searched), NEEDLES)


def test_a_tree_that_is_changed_in_memory_is_told_by_its_contents(
    searched: Path, store: Cache, read: list[str]
) -> None:
    """Its directories are kept too, because nothing but contents tells them."""
    files: dict[str, bytes | None] = {"mm/b.c": b"a needle", "fs/c.c": None}
    for _ in range(2):
        read.clear()
        over = Tree.open(searched).over(files)
        found = files_containing(over, NEEDLES, cache=store)
        assert found == files_containing(Tree.open(searched).over(files), NEEDLES)
    assert "fs/c.c" not in found
    over = Tree.open(searched).over(files)
    read.clear()
    files_containing(over, NEEDLES, cache=store)
    assert read == []


def test_other_words_are_another_search(searched: Path, store: Cache) -> None:
    """Also those that are written in a row in another way."""
    for needles in ([b"need", b"le"], [b"needle"], [b"thread", b"needle"]):
        found = files_containing(Tree.open(searched), needles, cache=store)
        assert found == files_containing(Tree.open(searched), needles)


@pytest.mark.parametrize("value", [[], {"b.c": 1}, {"b.c": [2]}, {"b.c": ["x"]}, {"other.c": [0]}])
def test_what_is_no_answer_is_not_believed(
    searched: Path, store: Cache, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    """Hostile values are as good as none, and bring no file that is not there."""
    get_many = Cache.get_many
    monkeypatch.setattr(
        Cache,
        "get_many",
        lambda self, kind, keys: (
            dict.fromkeys(keys, value) if kind == "directory-words" else get_many(self, kind, keys)
        ),
    )
    found = files_containing(Tree.open(searched), NEEDLES, cache=store)
    assert found.keys() <= {"mm/a.c", "fs/c.c"}


def test_a_directory_with_a_file_that_cannot_be_read_is_not_kept(store: Cache) -> None:
    """Another run must lose that file again."""
    folders = DirectoryWords(store, NEEDLES, ["mm/a.c", "mm/b.c"], {"mm/a.c": "1", "mm/b.c": "2"})
    folders.keep({"mm/a.c": [0]}, ["mm/a.c", "mm/b.c"], ["mm/b.c"])
    assert folders.recall() == {}
    folders.keep({"mm/a.c": [0]}, ["mm/a.c", "mm/b.c"], [])
    assert folders.recall() == {"mm/a.c": [0], "mm/b.c": []}
