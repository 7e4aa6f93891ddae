# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache holds what was put, and anything that happens to its file is only a miss."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.snapshot import cache as cache_module
from lazymmu.snapshot import program_state
from lazymmu.snapshot.cache import _SCHEMA, _TABLE, Cache, default_directory
from lazymmu.snapshot.cached_values import digest


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


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"\xff\xff",
        b"[" * 200000,
        b"[" * 500 + b"]" * 500 + b"x",
        b"9" * 5000,
        b"[NaN]",
        b"Infinity",
        b"",
        "text",
        7,
        None,
    ],
)
def test_a_value_that_is_no_json_is_a_miss(cache: Cache, value: object) -> None:
    """Whatever stands in the table is only ever read as JSON."""
    cache.put("kind", "good", 1)
    connection = cache._open()
    assert connection is not None
    for form in (value, digest("kind", "bad", value) + value if type(value) is bytes else value):
        connection.execute("INSERT OR REPLACE INTO entry VALUES ('kind', 'bad', 0, ?)", (form,))
        assert cache.get("kind", "bad") is None
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
    """A cache directory that cannot be made makes every get a miss, and is no error."""
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
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    assert default_directory() is None
    monkeypatch.delenv("HOME")
    assert default_directory() is None


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


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE VIEW entry AS SELECT 'k' AS kind, 'a' AS key, 'x' AS value",
        f"{_TABLE}; CREATE TRIGGER t BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'no'); END",
        f"{_TABLE}; CREATE VIEW v AS SELECT 1",
        f"{_TABLE}; CREATE INDEX i ON entry (value)",
        f"{_TABLE}; CREATE TABLE other (x)",
        _TABLE.replace("value BLOB", "value BLOB AS (zeroblob(kind))"),
        _TABLE.replace("value BLOB", "value BLOB DEFAULT (randomblob(9))"),
        f"{_TABLE} WITHOUT ROWID",
        _TABLE.replace("kind TEXT", "kind TEXT CHECK (kind <> 'kind')"),
        "CREATE VIRTUAL TABLE entry USING fts5(kind, key, value)",
        "CREATE TABLE entry (a, b)",
    ],
)
def test_a_database_with_anything_but_our_table_is_replaced(
    tmp_path: Path, statements: str
) -> None:
    """What could do something when it is read or written is not even asked."""
    with sqlite3.connect(database(Cache(tmp_path))) as foreign:
        try:
            foreign.executescript(statements)
        except sqlite3.OperationalError as error:
            pytest.skip(f"this SQLite cannot make it: {error}")
    foreign.close()
    with Cache(tmp_path) as cache:
        cache.put("kind", "a", 1)
        assert cache.get("kind", "a") == 1
        connection = cache._open()
        assert connection is not None
        found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        assert found == _SCHEMA


def test_a_schema_that_was_edited_is_replaced(tmp_path: Path) -> None:
    """Also one that says another thing than the table is."""
    with Cache(tmp_path) as cache:
        cache.put("kind", "a", 1)
    foreign = sqlite3.connect(database(cache))
    foreign.execute("PRAGMA writable_schema = ON")
    foreign.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE entry (kind, key, value)'")
    foreign.commit()
    foreign.close()
    with Cache(tmp_path) as cache:
        cache.put("kind", "a", 2)
        assert cache.get("kind", "a") == 2


def test_a_database_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call ends as a miss, and the file goes away."""
    with Cache(tmp_path) as cache:
        cache.put_many("kind", {str(number): number for number in range(5000)})
    monkeypatch.setattr(cache_module, "_STEPS", 1)
    slow = Cache(tmp_path)
    assert slow.get("kind", "1") == 1
    monkeypatch.setattr(cache_module, "_TIME", -1.0)
    assert slow.get("kind", "2") is None
    assert not database(slow).exists()


def test_a_value_under_another_name_is_a_miss(cache: Cache) -> None:
    """A row cannot be moved, nor a value be changed, without its digest."""
    cache.put("kind", "a", ["one"])
    connection = cache._open()
    assert connection is not None
    connection.execute("INSERT INTO entry SELECT kind, 'b', used, value FROM entry")
    assert cache.get("kind", "b") is None
    connection.execute("UPDATE entry SET value = CAST(replace(value, 'one', 'two') AS BLOB)")
    assert cache.get("kind", "a") is None


def test_a_value_of_another_state_of_the_program_is_a_miss(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever changed in it may have changed the value."""
    cache.put("kind", "a", 1)
    monkeypatch.setattr(program_state, "state", lambda: b"another")
    assert cache.get("kind", "a") is None


def test_a_value_too_long_to_be_read_is_not_kept(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that is too long to be read back is not kept, and the others are."""
    monkeypatch.setattr(cache_module, "_LARGEST", 100)
    cache.put_many("kind", {"long": "x" * 200, "short": "x"})
    assert cache.get_many("kind", ["long", "short"]) == {"short": "x"}


def test_folder_and_file_are_made_for_the_user_alone(cache: Cache) -> None:
    """Nobody else may read what was learnt, or write what is believed."""
    cache.put("kind", "a", 1)
    assert stat.S_IMODE(database(cache).parent.stat().st_mode) == 0o700
    for file in database(cache).parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cache.warning is None


def not_used(directory: Path) -> str:
    """Check that a cache there holds nothing and leaves all as it is; returns its warning."""
    before = sorted(directory.iterdir())
    with Cache(directory) as cache:
        cache.put("kind", "a", 1)
        assert cache.get("kind", "a") is None
        assert cache.warning is not None
        assert sorted(directory.iterdir()) == before
        return cache.warning


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777, 0o720])
def test_a_folder_that_others_can_write_is_not_used(tmp_path: Path, mode: int) -> None:
    """They could put anything there; the warning says so."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(mode)
    warning = f"no cache is used: {tmp_path}/shared can be written by other users"
    assert not_used(tmp_path / "shared") == warning


def test_a_folder_of_another_user_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache folder of another user is not used, not even by root."""
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert not_used(tmp_path) == f"no cache is used: {tmp_path} belongs to another user"


def test_a_link_is_used_if_it_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many keep ~/.cache elsewhere; but a link of somebody else's leads where he wants."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    with Cache(tmp_path / "link") as cache:
        cache.put("kind", "a", 1)
        assert cache.get("kind", "a") == 1
    true = os.lstat

    def another(path: str) -> os.stat_result:
        fields = list(true(path))
        fields[4] += 1
        return os.stat_result(fields)

    monkeypatch.setattr(os, "lstat", another)
    assert "is a link that belongs to another user" in not_used(tmp_path / "link")


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "writable", "directory"])
def test_what_is_no_file_of_the_users_is_taken_away(tmp_path: Path, end: str, kind: str) -> None:
    """What a link leads to stays as it is, a pipe is not waited for, a directory is left."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    (tmp_path / "mine").write_text("precious")
    path = Path(f"{database(Cache(folder))}{end}")
    match kind:
        case "link":
            path.symlink_to(tmp_path / "mine")
        case "dangling":
            path.symlink_to(tmp_path / "new")
        case "pipe":
            os.mkfifo(path)
        case "writable":
            path.write_text("")
            path.chmod(0o666)
        case _:
            path.mkdir()
    with Cache(folder) as cache:
        cache.put("kind", "a", 1)
        assert cache.get("kind", "a") == (None if kind == "directory" else 1)
    assert (tmp_path / "mine").read_text() == "precious"
    assert not (tmp_path / "new").exists()


def test_another_users_file_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been put there while the folder could be written."""
    with Cache(tmp_path) as cache:
        cache.put("kind", "a", 1)
    true = os.lstat

    def another(path: str) -> os.stat_result:
        fields = list(true(path))
        fields[4] += str(path).endswith(".sqlite")
        return os.stat_result(fields)

    monkeypatch.setattr(os, "lstat", another)
    with Cache(tmp_path) as cache:
        assert cache.get("kind", "a") is None
