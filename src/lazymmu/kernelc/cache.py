# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep what was computed from a tree for the next run: values by kind and key, in one SQLite file.

A value is JSON, never anything that could run when it is read. Nothing in the cache is trusted:
what is damaged, of another version or no JSON is a miss, and a file that is no database is
replaced. Each value is kept at once, so that a run that is killed loses nothing and runs at the
same time share the file; one that has to wait too long for another writes no more. The caller
must check the shape of what it gets, and put into the key all that the value was computed from.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

__all__ = ["Cache", "default_directory"]

_FILE = "values-1.sqlite"
"""The number changes with the table below."""

_LARGEST = 64 << 20
"""Longest value that is read, in bytes."""

_FULL = 512 << 20
"""Size of the file at which it is thrown away instead of opened, in bytes."""

_PATIENCE = 2.0
"""How long a run waits for another one's lock, in seconds."""


def default_directory() -> Path:
    """The user's cache directory for this project (XDG Base Directory Specification).

    XDG_CACHE_HOME counts only if it is an absolute path, as that specification says.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path("~/.cache").expanduser()
    return base / "lazymmu"


class Cache:
    """A store of values. All methods may be called whatever happens to the file.

    A directory that cannot be written makes a cache that holds nothing: every `get` is a miss.
    The connection belongs to one process: a child that inherits the object opens its own.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Use the cache in `directory`, which is made when it is first needed."""
        self._path = Path(directory) / _FILE
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._writes = True

    def get(self, kind: str, key: str) -> object | None:
        """Return the value put under (kind, key), or None: never put, lost or damaged."""
        return self.get_many(kind, (key,)).get(key)

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, object]:
        """Return those of the values under (kind, key of `keys`) that there are."""
        found: dict[str, object] = {}
        connection = self._open()
        if connection is None:
            return found
        try:
            for key in keys:
                row = connection.execute(
                    "SELECT value FROM entry WHERE kind = ? AND key = ? AND length(value) <= ?",
                    (kind, key, _LARGEST),
                ).fetchone()
                if row is not None:
                    value = _decoded(row[0])
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
            (kind, key, json.dumps(value, separators=(",", ":")).encode())
            for key, value in values.items()
        ]
        connection = self._open()
        if connection is None or not self._writes:
            return
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
        for attempt in (1, 2):
            try:
                self._connection = self._connect()
                break
            except (sqlite3.OperationalError, OSError):
                # Locked, full, read-only: another run may be well. Go without.
                break
            except (sqlite3.Error, ValueError):
                if attempt == 1:
                    self._remove()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > _FULL:
            self._remove()
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            # Lost after a power failure is only what can be computed again.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS entry "
                "(kind TEXT, key TEXT, value BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID"
            )
            columns = [row[1] for row in connection.execute("PRAGMA table_info(entry)")]
            if columns != ["kind", "key", "value"]:
                raise sqlite3.DatabaseError("not a table of ours")
        except BaseException:
            connection.close()
            raise
        return connection

    def _discard(self) -> None:
        """Go on without a cache in this process; what is damaged goes away with the file."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        damaged = False
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
        if damaged:
            self._remove()

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                os.unlink(f"{self._path}{suffix}")


def _decoded(value: object) -> object | None:
    """The value of some JSON, None if it is none."""
    if not isinstance(value, bytes):
        return None
    try:
        decoded: object = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return decoded
