# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep what was computed from a tree for the next run: values by kind and key, in one SQLite file.

A value is JSON, never anything that could run when it is read, and has a digest beside it. Nothing
in the cache is trusted: what is damaged, of another state of this program (tool.py) or no JSON is
a miss, and a file that
is no database, or one with anything in it but the one table below, is replaced. The folder must
be the user's own (see private.py), because a forged value is believed as far as its shape goes.

Each value is kept at once, so that a run that is killed loses nothing and runs at the same time
share the file; one that has to wait too long for another writes no more. The caller must check the
shape of what it gets, and put into the key all that the value was computed from.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NoReturn, Self

from lazymmu.snapshot import program_state
from lazymmu.snapshot.private_folder import distrust, own_file

__all__ = ["Cache", "default_directory"]

_FILE: Final = "values-2.sqlite"
"""The number changes with the table below, and with the form of its values."""

_TABLE: Final = (
    "CREATE TABLE entry (kind TEXT, key TEXT, value BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID"
)
"""All that the database has: views, triggers and virtual tables could do something when read."""

_BESIDE: Final = ("-wal", "-shm", "-journal")
"""The ends of the names of the files that SQLite keeps beside a database."""

_LARGEST: Final = 16 << 20
"""Longest value that is read, in bytes: a view of 7.3 has 5 MB."""

_FULL = 512 << 20
"""Size of the file at which it is thrown away instead of opened, in bytes."""

_PATIENCE = 2.0
"""How long a run waits for another one's lock, in seconds."""

_TIME = 10.0
"""How long one call may take, in seconds: a database that takes longer is not one of ours."""

_STEPS: Final = 100_000
"""Steps of SQLite's machine between two looks at the clock."""

_DIGEST: Final = 16
"""Length of the digest before each value, in bytes."""


def default_directory() -> Path | None:
    """The user's cache directory for this project (XDG Base Directory Specification).

    XDG_CACHE_HOME counts only if it is an absolute path, as that specification says. None without a
    home directory, as system users have none: nobody wants it made.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(home):
        return Path(home) / "lazymmu"
    own = os.path.expanduser("~")
    return Path(own) / ".cache" / "lazymmu" if os.path.isdir(own) else None


class Cache:
    """A store of values. All methods may be called whatever happens to the file.

    A directory that cannot be written, or may not be trusted, makes a cache that holds nothing:
    every `get` is a miss. The connection belongs to one process: a child that inherits the object
    opens its own.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Use the cache in `directory`, which is made when it is first needed."""
        self._path = Path(directory) / _FILE
        self._until = 0.0
        self._tired = False
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._writes = True

    @property
    def warning(self) -> str | None:
        """Why the directory is not trusted, in one sentence for the user; None if it is."""
        reason = self._distrust()
        return None if reason is None else f"no cache is used: {self._path.parent} {reason}"

    def get(self, kind: str, key: str) -> object | None:
        """Return the value put under (kind, key), or None: never put, lost or damaged."""
        return self.get_many(kind, (key,)).get(key)

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, object]:
        """Return those of the values under (kind, key of `keys`) that there are."""
        found: dict[str, object] = {}
        connection = self._open()
        if connection is None:
            return found
        self._until = time.monotonic() + _TIME
        try:
            for key in keys:
                row = connection.execute(
                    "SELECT value FROM entry WHERE kind = ? AND key = ? AND length(value) <= ?",
                    (kind, key, _LARGEST + _DIGEST),
                ).fetchone()
                if row is not None:
                    value = _decoded(kind, key, row[0])
                    if value is not None:
                        found[key] = value
        except (sqlite3.Error, UnicodeError, OverflowError):
            self._discard()
        return found

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep `value` under (kind, key): lists, dicts with str keys, str, numbers, bool.

        Raises TypeError or ValueError for a value that JSON cannot hold.
        """
        self.put_many(kind, {key: value})

    def put_many(self, kind: str, values: Mapping[str, object]) -> None:
        """Keep several values of one kind, by key."""
        rows = [
            (kind, key, text)
            for key, value in values.items()
            if len(text := _encoded(kind, key, value)) <= _LARGEST + _DIGEST
        ]
        connection = self._open()
        if connection is None or not self._writes:
            return
        self._until = time.monotonic() + _TIME
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        except sqlite3.OperationalError:
            # Locked for too long, full or read-only. What is there may still be read.
            self._writes = False
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
        except (sqlite3.Error, UnicodeError):
            self._discard()

    def commit(self) -> None:
        """Fold the database's log into its file; every value is safe before that."""
        if self._connection is not None and self._process == os.getpid() and self._writes:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Let go of the file; the cache may still be used, and opens it again."""
        if self._connection is not None and self._process == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
        self._process = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection | None:
        """The connection of this process; None when there is no cache to be had."""
        if self._process == os.getpid():
            return self._connection
        self._process = os.getpid()
        self._connection = None
        if self._distrust() is not None:
            return None
        for attempt in (1, 2):
            try:
                self._connection = self._connect()
                break
            except (sqlite3.OperationalError, OSError):
                # Locked, full, read-only: another run may be well. Go without.
                if self._tired:
                    self._remove()
                break
            except (sqlite3.Error, ValueError):
                if attempt == 1:
                    self._remove()
        return self._connection

    def _distrust(self) -> str | None:
        """Why the directory is not trusted; one that cannot be made is just no cache."""
        try:
            return distrust(self._path.parent)
        except (OSError, ValueError):
            return None

    def _connect(self) -> sqlite3.Connection:
        if own_file(str(self._path), make=True) and self._path.stat().st_size > _FULL:
            self._remove()
            own_file(str(self._path), make=True)
        for end in _BESIDE:
            own_file(f"{self._path}{end}")
        self._until = time.monotonic() + _TIME
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.set_progress_handler(self._late, _STEPS)
            for what, most in _LIMITS.items():
                connection.setlimit(what, most)
            connection.execute("PRAGMA trusted_schema = OFF")
            # Before anything else is asked of it.
            if _schema(connection) not in ([], [("table", "entry", _TABLE)]):
                raise sqlite3.DatabaseError("not a database of ours")
            # Lost after a power failure is only what can be computed again.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_TABLE.replace("TABLE", "TABLE IF NOT EXISTS", 1))
        except BaseException:
            connection.close()
            raise
        return connection

    def _late(self) -> bool:
        """Whether SQLite has worked for too long, and is to stop."""
        self._tired = time.monotonic() > self._until
        return self._tired

    def _discard(self) -> None:
        """Go on without a cache in this process; what is damaged goes away with the file."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        damaged, tired = False, self._tired
        self._until = time.monotonic() + _TIME
        with contextlib.suppress(sqlite3.Error):
            connection.rollback()
        try:
            row = connection.execute("PRAGMA quick_check(1)").fetchone()
            damaged = row is None or row[0] != "ok"
        except sqlite3.OperationalError:
            damaged = False
        except sqlite3.Error:
            damaged = True
        with contextlib.suppress(sqlite3.Error):
            connection.close()
        if damaged or tired:
            self._remove()

    def _remove(self) -> None:
        for suffix in ("", *_BESIDE):
            with contextlib.suppress(OSError):
                os.unlink(f"{self._path}{suffix}")


_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: _LARGEST + 4096,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4096,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}


def _schema(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """What a database has, or as much of it as tells that it is not ours."""
    return connection.execute("SELECT type, name, sql FROM sqlite_master LIMIT 2").fetchall()


def _digest(kind: str, key: str, text: bytes) -> bytes:
    """What a value must have before it to be what this program put under (kind, key)."""
    whole = hashlib.blake2b(program_state.state(), digest_size=_DIGEST)
    whole.update(f"{kind}\0{key}\0".encode("utf-8", "surrogatepass"))
    whole.update(text)
    return whole.digest()


def _encoded(kind: str, key: str, value: object) -> bytes:
    """A value as it is kept. Raises TypeError or ValueError when JSON cannot hold it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    return _digest(kind, key, text) + text


def _decoded(kind: str, key: str, value: object) -> object | None:
    """The value that was kept; None when it is none, or was kept under another name."""
    if not isinstance(value, bytes) or value[:_DIGEST] != _digest(kind, key, value[_DIGEST:]):
        return None
    try:
        decoded: object = json.loads(value[_DIGEST:], parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return decoded


def _refused(constant: str) -> NoReturn:
    """NaN and the infinities are no JSON, and equal to nothing that was kept."""
    raise ValueError(constant)
