# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep what was computed from a tree for the next run: values by kind and key, in one SQLite file.

A value is JSON, never anything that could run when it is read, and has a digest beside it. Nothing
in the cache is trusted: what is damaged, of another state of this program (program_state.py) or no
JSON is a miss, and a file that is no database, or one with anything in it but the one table below,
is replaced. The folder must be the user's own (see private_folder.py), because a forged value is
believed as far as its shape goes.

All trees and releases share it. Of what is more than `LIMIT` bytes together that goes which was
not asked for the longest, when a run ends (`commit`).

Each value is kept at once, so that a run that is killed loses nothing and runs at the same time
share the file; one that has to wait too long for another writes no more. The caller must check the
shape of what it gets, and put into the key all that the value was computed from.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from lazymmu.snapshot.cached_values import DIGEST, decoded, encoded
from lazymmu.snapshot.private_folder import distrust, own_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Cache", "default_directory"]

_FILE: Final = "values-3.sqlite"
"""The number changes with the table below, and with the form of its values."""

_FORMER: Final = ("values-1.sqlite", "values-2.sqlite")
"""Files of earlier versions, which nobody would take away."""

_TABLE: Final = (
    "CREATE TABLE entry (kind TEXT, key TEXT, used INTEGER, value BLOB, PRIMARY KEY (kind, key))"
)
"""All that the database has: views, triggers and virtual tables could do something when read. Rows
have a rowid, and the index beside the table no values: else each look for a key would read the
values on its way, which may have megabytes."""

_SCHEMA: Final = [("table", "entry", _TABLE), ("index", "sqlite_autoindex_entry_1", None)]

_BESIDE: Final = ("-wal", "-shm", "-journal")
"""The ends of the names of the files that SQLite keeps beside a database."""

_LARGEST: Final = 16 << 20
"""Longest value that is read, in bytes: a view of 7.3 has 5 MB."""

LIMIT = 1 << 30
"""Bytes of all values together that are kept when a run ends."""

_LEFT: Final = 0.8
"""The part of that which is left when something has to go."""

_FULL = 3 << 30
"""Size of the file at which it is thrown away instead of opened, in bytes."""

_RECENT: Final = 6 * 3600
"""Seconds since a value was last asked for, within which it is not noted again that it was."""

_PATIENCE = 2.0
"""How long a run waits for another one's lock, in seconds."""

_TIME = 10.0
"""How long one call may take, in seconds: a database that takes longer is not one of ours."""

_STEPS: Final = 100_000
"""Steps of SQLite's machine between two looks at the clock."""

_TOGETHER: Final = 400
"""Values that are asked for in one go: each go takes locks."""


def default_directory() -> Path | None:
    """The user's cache directory for this project (XDG Base Directory Specification).

    XDG_CACHE_HOME counts only if it is an absolute path, as that specification says. None without a
    home directory, as system users have none: nobody wants it made. Who has no HOME has none.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(home):
        return Path(home) / "lazymmu"
    own = os.environ.get("HOME", "")
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
        self._used: dict[tuple[str, str], None] = {}

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
        wanted = list(keys)
        try:
            for start in range(0, len(wanted), _TOGETHER):
                some = wanted[start : start + _TOGETHER]
                places = ",".join("?" * len(some))
                rows = connection.execute(
                    f"SELECT key, value, used FROM entry WHERE kind = ? AND key IN ({places}) "  # noqa: S608
                    "AND length(value) <= ?",
                    (kind, *some, _LARGEST + DIGEST),
                )
                for key, text, used in rows.fetchall():
                    value = decoded(kind, key, text)
                    if value is not None:
                        found[key] = value
                        self._note(kind, key, used)
        except (sqlite3.Error, UnicodeError, OverflowError):
            self._discard()
        return found

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep `value` under (kind, key): lists, dicts with str keys, str, numbers, bool.

        :raises TypeError: JSON cannot hold the value.
        :raises ValueError: likewise.
        """
        self.put_many(kind, {key: value})

    def put_many(self, kind: str, values: Mapping[str, object]) -> None:
        """Keep several values of one kind, by key."""
        now = int(time.time())
        rows = [
            (kind, key, now, text)
            for key, value in values.items()
            if len(text := encoded(kind, key, value)) <= _LARGEST + DIGEST
        ]
        connection = self._open()
        if connection is None or not self._writes:
            return
        self._until = time.monotonic() + _TIME
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except sqlite3.OperationalError:
            # Locked for too long, full or read-only. What is there may still be read.
            self._writes = False
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
        except (sqlite3.Error, UnicodeError):
            self._discard()

    def commit(self) -> None:
        """End a run: note what it used, let go of what is too much, and fold the database's log.

        Every value is safe before that.
        """
        connection = self._connection
        if connection is None or self._process != os.getpid() or not self._writes:
            return
        self._until = time.monotonic() + _TIME
        with contextlib.suppress(sqlite3.Error):
            if self._used:
                now = int(time.time())
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "UPDATE entry SET used = ? WHERE kind = ? AND key = ?",
                    [(now, *name) for name in self._used],
                )
                connection.execute("COMMIT")
                self._used = {}
            if self.size() > LIMIT:
                self.prune(LIMIT)
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def usage(self) -> list[tuple[str, int, int]]:
        """Return what is kept, by kind: how many values, and how many bytes they have."""
        connection = self._open()
        if connection is None:
            return []
        self._until = time.monotonic() + _TIME
        try:
            return connection.execute(
                "SELECT kind, count(*), sum(length(value)) FROM entry GROUP BY kind ORDER BY kind"
            ).fetchall()
        except (sqlite3.Error, UnicodeError):
            self._discard()
            return []

    def prune(self, most: int) -> int:
        """Let go of what was not used the longest until the rest has `most` bytes.

        Returns how many values have gone. So that this need not be done again soon, a little more
        goes when anything does.
        """
        connection = self._open()
        if connection is None or not self._writes:
            return 0
        self._until = time.monotonic() + _TIME
        try:
            rows = connection.execute(
                "SELECT rowid, length(value) FROM entry ORDER BY used DESC, rowid DESC"
            ).fetchall()
            if sum(size for _, size in rows) <= most:
                return 0
            left, gone = int(most * _LEFT), []
            for row, size in rows:
                left -= size
                if left < 0:
                    gone.append((row,))
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM entry WHERE rowid = ?", gone)
            connection.execute("COMMIT")
            connection.executescript("PRAGMA incremental_vacuum")
        except (sqlite3.Error, UnicodeError, TypeError):
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
            return 0
        return len(gone)

    def clear(self) -> None:
        """Take the files of the cache away; runs that have them open go on without."""
        self.close()
        with contextlib.suppress(OSError, ValueError):
            if distrust(self._path.parent) is None:
                self._remove()

    @property
    def path(self) -> Path:
        """Where the database is, be there one or not."""
        return self._path

    def size(self) -> int:
        """Return how many bytes the files of the cache have."""
        found = 0
        for end in ("", *_BESIDE):
            with contextlib.suppress(OSError):
                found += os.stat(f"{self._path}{end}").st_size
        return found

    def _note(self, kind: str, key: str, used: object) -> None:
        """Note that a value was used, unless that is known."""
        if type(used) is not int or abs(time.time() - used) > _RECENT:
            self._used[kind, key] = None

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
        for former in _FORMER:
            for end in ("", *_BESIDE):
                with contextlib.suppress(OSError):
                    os.unlink(self._path.with_name(former + end))
        self._until = time.monotonic() + _TIME
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.set_progress_handler(self._late, _STEPS)
            for what, most in _LIMITS.items():
                connection.setlimit(what, most)
            connection.execute("PRAGMA trusted_schema = OFF")
            # Before anything else is asked of it.
            if _schema(connection) not in ([], _SCHEMA):
                raise sqlite3.DatabaseError("not a database of ours")
            # So that the file becomes smaller when something goes.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
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
    return connection.execute("SELECT type, name, sql FROM sqlite_master LIMIT 3").fetchall()
