# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache holds what was put, and anything that happens to its file is only a miss."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc import cache as cache_module
from lazymmu.kernelc.cache import Cache, default_directory


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """An empty cache in a directory that does not exist yet."""
    with Cache(tmp_path / "new" / "cache") as opened:
        yield opened


def database(cache: Cache) -> Path:
    """The file of a cache."""
    return cache._path


def test_what_was_put_is_there_again(cache: Cache, tmp_path: Path) -> None:
    """Values of each kind and key are apart, and last beyond the object."""
    cache.put("names", "mm/a.c", {"f": [1, 2.5, None, True, "\u00e4"]})
    cache.put("other", "mm/a.c", [])
    cache.put("names", "mm/a.c", {"f": [3]})
    cache.close()
    again = Cache(tmp_path / "new" / "cache")
    assert again.get("names", "mm/a.c") == {"f": [3]}
    assert again.get("other", "mm/a.c") == []
    assert again.get("names", "mm/b.c") is None
    assert again.get_many("names", ["mm/b.c", "mm/a.c"]) == {"mm/a.c": {"f": [3]}}
    again.close()


def test_two_runs_share_the_file(cache: Cache, tmp_path: Path) -> None:
    """What one puts, the other sees."""
    with Cache(tmp_path / "new" / "cache") as other:
        cache.put("kind", "a", 1)
        assert other.get("kind", "a") == 1
        other.put("kind", "b", 2)
        assert cache.get("kind", "b") == 2


def test_a_run_that_waits_too_long_for_another_goes_on(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that is held is no error: what is there is read, and nothing more is written."""
    cache.put("kind", "mine", 1)
    monkeypatch.setattr(cache_module, "_PATIENCE", 0.0)
    holder = sqlite3.connect(database(cache), isolation_level=None)
    with Cache(tmp_path / "new" / "cache") as other:
        assert other.get("kind", "mine") == 1
        holder.execute("BEGIN IMMEDIATE")
        other.put("kind", "theirs", 2)
        assert other.get("kind", "mine") == 1
        assert other.get("kind", "theirs") is None
        holder.execute("ROLLBACK")
    holder.close()


def test_a_killed_run_leaves_what_it_put(cache: Cache) -> None:
    """Nothing waits for an orderly end."""
    child = os.fork()
    if not child:
        cache.put("kind", "a", 1)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert cache.get("kind", "a") == 1


def test_a_child_process_opens_its_own_connection(cache: Cache) -> None:
    """After a fork both may go on."""
    cache.put("kind", "parent", 1)
    child = os.fork()
    if not child:
        cache.put("kind", "child", 2)
        cache.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert cache.get("kind", "parent") == 1
    assert cache.get("kind", "child") == 2


@pytest.mark.parametrize(
    "junk", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_file_that_is_no_database_is_replaced(tmp_path: Path, junk: bytes) -> None:
    """The next run finds a cache that works."""
    probe = Cache(tmp_path)
    database(probe).write_bytes(junk)
    probe.put("kind", "a", 1)
    probe.close()
    with Cache(tmp_path) as again:
        again.put("kind", "a", 2)
        assert again.get("kind", "a") == 2


def test_a_table_of_another_shape_is_replaced(tmp_path: Path) -> None:
    """A hostile or foreign table is not used."""
    with sqlite3.connect(database(Cache(tmp_path))) as foreign:
        foreign.execute("CREATE TABLE entry (a, b)")
    foreign.close()
    with Cache(tmp_path) as cache:
        cache.put("kind", "a", 1)
        assert cache.get("kind", "a") == 1


@pytest.mark.parametrize("value", [b"{", b"\xff\xff", b"[" * 200000, "text", 7, None])
def test_a_value_that_is_no_json_is_a_miss(cache: Cache, value: object) -> None:
    """Whatever stands in the table is only ever read as JSON."""
    cache.put("kind", "good", 1)
    connection = cache._open()
    assert connection is not None
    connection.execute("INSERT INTO entry VALUES ('kind', 'bad', ?)", (value,))
    assert cache.get("kind", "bad") is None
    assert cache.get("kind", "good") == 1


def test_a_damaged_database_is_a_miss_and_goes_away(tmp_path: Path) -> None:
    """Pages overwritten by something else raise nothing."""
    with Cache(tmp_path) as cache:
        cache.put_many("kind", {str(key): "x" * 500 for key in range(2000)})
    path = database(cache)
    data = bytearray(path.read_bytes())
    data[4096:200000] = b"\xaa" * (200000 - 4096)
    path.write_bytes(data)
    with Cache(tmp_path) as hurt:
        hurt.get_many("kind", [str(key) for key in range(2000)])
    with Cache(tmp_path) as again:
        again.put("kind", "a", 1)
        assert again.get("kind", "a") == 1


def test_a_directory_that_cannot_be_made_makes_every_get_a_miss(tmp_path: Path) -> None:
    """No cache is no error."""
    (tmp_path / "file").write_text("")
    with Cache(tmp_path / "file" / "cache") as cache:
        cache.put("kind", "a", 1)
        assert cache.get("kind", "a") is None


def test_a_cache_that_has_grown_too_large_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is thrown away when it is opened, not while it is used."""
    with Cache(tmp_path) as cache:
        cache.put("kind", "a", 1)
    monkeypatch.setattr(cache_module, "_FULL", 100)
    with Cache(tmp_path) as cache:
        assert cache.get("kind", "a") is None


def test_only_json_may_be_put(cache: Cache) -> None:
    """A value that JSON cannot hold is a mistake of the caller's."""
    with pytest.raises(TypeError):
        cache.put("kind", "a", object())


def test_the_directory_follows_the_base_directory_specification(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """XDG_CACHE_HOME counts if it is absolute."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert default_directory() == Path("/elsewhere/lazymmu")
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert default_directory() == tmp_path / ".cache/lazymmu"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(key=st.text(), value=JSON)
def test_any_value_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    """Keys and values may be any text."""
    directory = tmp_path_factory.getbasetemp() / "any"
    with Cache(directory) as cache:
        cache.put("any", key, value)
        assert cache.get("any", key) == value


def test_folding_the_log_changes_nothing(cache: Cache) -> None:
    """It may be asked for at any time, before anything was put and after."""
    cache.commit()
    cache.put("kind", "a", 1)
    cache.commit()
    assert cache.get("kind", "a") == 1
