# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache does not grow without limit: what was not used the longest goes first."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import lazymmu.snapshot.cache as cache_module
from lazymmu.snapshot.cache import Cache


def kept(cache: Cache, kind: str = "kind") -> set[str]:
    """The keys that there are, looked up without being used."""
    with sqlite3.connect(cache.path) as connection:
        rows = connection.execute("SELECT key FROM entry WHERE kind = ?", (kind,)).fetchall()
    connection.close()
    return {key for (key,) in rows}


def age(cache: Cache, seconds: int) -> None:
    """Let everything in the cache be older."""
    with sqlite3.connect(cache.path) as connection:
        connection.execute("UPDATE entry SET used = used - ?", (seconds,))
    connection.close()


def test_what_was_not_used_the_longest_goes_first(tmp_path: Path) -> None:
    """What a run asked for is young again, whatever its age."""
    with Cache(tmp_path) as cache:
        cache.put_many("kind", {str(n): "x" * 1000 for n in range(10)})
        age(cache, 10**6)
        assert set(cache.get_many("kind", ["3", "7"])) == {"3", "7"}
        cache.put("kind", "new", "x" * 1000)
        cache.commit()
        assert cache.prune(4500) == 8
        assert kept(cache) == {"3", "7", "new"}
        assert cache.prune(4500) == 0


def test_a_run_ends_within_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file becomes smaller again when something goes from it."""
    monkeypatch.setattr(cache_module, "LIMIT", 300_000)
    with Cache(tmp_path) as cache:
        for n in range(40):
            cache.put("kind", str(n), "x" * 20_000)
        before = cache.size()
        cache.commit()
        assert sum(size for _, _, size in cache.usage()) <= 300_000
        assert cache.get("kind", "39") is not None
    assert Cache(tmp_path).size() < before // 2


def test_what_is_kept_is_told_by_kind(tmp_path: Path) -> None:
    """Usage counts values and bytes; a cleared cache has none, and can be used on."""
    with Cache(tmp_path) as cache:
        cache.put_many("one", {"a": 1, "b": 2})
        cache.put("two", "a", "x")
        assert [(kind, count) for kind, count, _ in cache.usage()] == [("one", 2), ("two", 1)]
        cache.clear()
        assert not cache.path.exists()
        assert cache.usage() == []
        cache.put("one", "a", 1)
        assert cache.get("one", "a") == 1


def test_files_of_earlier_versions_go(tmp_path: Path) -> None:
    """Nobody would ever read them again."""
    Cache(tmp_path).put("kind", "a", 1)
    old = tmp_path / "values-2.sqlite"
    old.write_bytes(b"x")
    tmp_path.joinpath("mine.txt").write_bytes(b"x")
    with Cache(tmp_path) as cache:
        assert cache.get("kind", "a") == 1
    assert not old.exists()
    assert tmp_path.joinpath("mine.txt").exists()


def test_pruning_what_another_run_locks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run goes on when it has to wait too long."""
    monkeypatch.setattr(cache_module, "_PATIENCE", 0.01)
    with Cache(tmp_path) as cache:
        cache.put("kind", "a", "x" * 1000)
        other = sqlite3.connect(cache.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert cache.prune(0) == 0
        other.execute("ROLLBACK")
        other.close()
        assert cache.get("kind", "a") is not None
