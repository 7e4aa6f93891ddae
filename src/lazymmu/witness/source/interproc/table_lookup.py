# SPDX-License-Identifier: GPL-2.0-or-later
"""What a member of a table may hold: of one table by its name, or of all tables that have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Protocol

from lazymmu.kernelc.parse.item_handlers import ItemHandler
from lazymmu.kernelc.parse.ops_tables import Initialiser

__all__ = ["TableLookup", "TableSource"]

_MAX_COPIES: Final = 4
"""How often a table is followed to one that it was copied from."""

_MAX_FILES: Final = 24
"""A member of so many files' tables could be anything: then they are not looked through."""


class TableSource(Protocol):
    """The tables of a tree (configured_tree.ConfiguredTree)."""

    def initialisers(
        self,
        struct: str = "",
        field: str = "",
        table: str = "",
        *,
        near: str = "",
        at_most: int | None = None,
    ) -> tuple[Initialiser, ...]:
        """Return what tables hold: see `kernelc.function_tables.FunctionTables`."""
        ...

    def constant(self, name: str, file: str) -> str:
        """Return what a file gives a variable that it declares const, "" where it does not."""
        ...

    def array(self, name: str, file: str) -> tuple[str, ...]:
        """Return the names that an array of a file holds, nothing where there is no such array."""
        ...

    def item_handlers(self, file: str) -> tuple[ItemHandler, ...]:
        """Return the calls of a file that are handed an item and a name."""
        ...

    def having(self, word: str) -> tuple[str, ...]:
        """Return the files that are built, and the headers, that have a word."""
        ...

    def has_table(self, name: str, file: str) -> bool:
        """Whether a file has a table of that name."""
        ...


class TableLookup:
    """Looks members of tables up, and remembers what was found."""

    def __init__(self, source: TableSource) -> None:
        """Look into the tables of ``source``, as they are asked for."""
        self._source = source
        self._known: dict[tuple[str, str, str], tuple[Initialiser, ...]] = {}
        self._few: dict[tuple[str, str], tuple[Initialiser, ...]] = {}
        self._said: dict[tuple[str, str, frozenset[str]], tuple[tuple[ItemHandler, str], ...]] = {}

    def has(self, table: str, file: str) -> bool:
        """Whether a file has a table of that name: then that is meant in it."""
        return self._source.has_table(table, file)

    def constant(self, name: str, file: str) -> str:
        """What a file gives a variable that it declares const, "" where there is none."""
        return self._source.constant(name, file) if file else ""

    def array(self, name: str, file: str) -> tuple[str, ...]:
        """The names that an array of a file holds, nothing where there is no such array."""
        return self._source.array(name, file) if file else ()

    def item_handlers(self, file: str) -> tuple[ItemHandler, ...]:
        """The calls of a file that are handed an item and a name."""
        return self._source.item_handlers(file)

    def items(
        self, item: str, near: str, calls: frozenset[str]
    ) -> tuple[tuple[ItemHandler, str], ...]:
        """What some calls say anywhere of an item of that name, each with its file.

        :param near: the file in which the item is named, which comes first.
        """
        key = (item, near, calls)
        known = self._said.get(key)
        if known is None:
            files = dict.fromkeys((near, *self._source.having(item)))
            known = self._said[key] = tuple(
                (each, file)
                for file in files
                for each in self.item_handlers(file)
                if each.item == item and each.call in calls
            )
        return known

    def member(self, table: str, path: str, near: str) -> tuple[Initialiser, ...]:
        """What the member ``path`` of a table may hold: `walk_ops`, `account`.

        :param near: the file in which the table's name stands; one of its own comes before others.
        """
        key = (table, path, near)
        known = self._known.get(key)
        if known is None:
            found = dict.fromkeys(self._member(table, path, near, _MAX_COPIES))
            known = self._known[key] = tuple(found)
        return known

    def functions(self, table: str, near: str) -> frozenset[str]:
        """Every name that a table holds."""
        return frozenset(item.function for item in self._items(table, near))

    def anywhere(self, struct: str, path: str) -> tuple[Initialiser, ...]:
        """What a member may hold in the tables of one type, or, without ``struct``, in any."""
        key = (struct, path)
        if key not in self._few:
            self._few[key] = self._source.initialisers(struct, path, at_most=_MAX_FILES)
        return self._few[key]

    def _items(self, table: str, near: str) -> tuple[Initialiser, ...]:
        items = self._source.initialisers(table=table, near=near)
        return tuple(item for item in items if item.file == near) or items

    def _member(self, table: str, path: str, near: str, copies: int) -> Iterator[Initialiser]:
        for item in self._items(table, near):
            if item.field == path:
                yield item
                continue
            if copies and (not item.field or path.startswith(f"{item.field}.")):
                other, _, part = item.function.partition(".")
                rest = path[len(item.field) :].lstrip(".")
                if other == table:
                    continue
                inner = f"{part}.{rest}".lstrip(".")
                for held in self._member(other, inner, item.file, copies - 1):
                    yield held if item.constant else replace(held, constant=False)
