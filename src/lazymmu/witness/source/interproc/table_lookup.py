# SPDX-License-Identifier: GPL-2.0-or-later
"""What a member of a table may hold: of one table by its name, or of all tables that have it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Protocol

from lazymmu.kernelc.parse.item_handlers import ItemHandler
from lazymmu.kernelc.parse.ops_tables import Initialiser
from lazymmu.kernelc.reads import Reads

__all__ = ["TableLookup", "TableSource"]

_ITEM: Final = "table"
"""The kind of what is read here (kernelc/reads.py)."""

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

    def constants(self, file: str) -> Mapping[str, str]:
        """Return all that a file gives variables that it declares const, and enumerators."""
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
    """Looks members of tables up, and remembers what was found; who asks has read that."""

    def __init__(
        self,
        source: TableSource,
        reads: Reads,
        handed: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        """Look into the tables of ``source``, as they are asked for.

        :param reads: is told what is asked.
        :param handed: functions of each table that is handed to one that calls back, by the
            table's variable.
        """
        self._source = source
        self._reads = reads
        self._handed = handed
        self._known: dict[tuple[str, str, str], tuple[Initialiser, ...]] = {}
        self._few: dict[tuple[str, str], tuple[Initialiser, ...]] = {}
        self._said: dict[tuple[str, str, frozenset[str]], tuple[tuple[ItemHandler, str], ...]] = {}

    def has(self, table: str, file: str) -> bool:
        """Whether a file has a table of that name: then that is meant in it."""
        self._reads.note((_ITEM, "has", table, file))
        return self._source.has_table(table, file)

    def constant(self, name: str, file: str) -> str:
        """What a file gives a variable that it declares const, "" where there is none."""
        if not file:
            return ""
        self._reads.note((_ITEM, "constants", file))
        return self._source.constant(name, file)

    def array(self, name: str, file: str) -> tuple[str, ...]:
        """The names that an array of a file holds, nothing where there is no such array."""
        if not file:
            return ()
        self._reads.note((_ITEM, "array", name, file))
        return self._source.array(name, file)

    def item_handlers(self, file: str) -> tuple[ItemHandler, ...]:
        """The calls of a file that are handed an item and a name."""
        self._reads.note((_ITEM, "handlers", file))
        return self._source.item_handlers(file)

    def handed(self, table: str) -> Collection[str]:
        """The functions of a table that is handed to one that calls back."""
        self._reads.note((_ITEM, "handed", table))
        return self._handed.get(table, ())

    def items(
        self, item: str, near: str, calls: frozenset[str]
    ) -> tuple[tuple[ItemHandler, str], ...]:
        """What some calls say anywhere of an item of that name, each with its file.

        :param near: the file in which the item is named, which comes first.
        """
        key = (item, near, calls)
        self._reads.note((_ITEM, "items", item, near, *sorted(calls)))
        known = self._said.get(key)
        if known is None:
            files = dict.fromkeys((near, *self._source.having(item)))
            known = self._said[key] = tuple(
                (each, file)
                for file in files
                for each in self._source.item_handlers(file)
                if each.item == item and each.call in calls
            )
        return known

    def member(self, table: str, path: str, near: str) -> tuple[Initialiser, ...]:
        """What the member ``path`` of a table may hold: `walk_ops`, `account`.

        :param near: the file in which the table's name stands; one of its own comes before others.
        """
        key = (table, path, near)
        self._reads.note((_ITEM, "member", *key))
        known = self._known.get(key)
        if known is None:
            found = dict.fromkeys(self._member(table, path, near, _MAX_COPIES))
            known = self._known[key] = tuple(found)
        return known

    def functions(self, table: str, near: str) -> frozenset[str]:
        """Every name that a table holds."""
        self._reads.note((_ITEM, "functions", table, near))
        return frozenset(item.function for item in self._items(table, near))

    def anywhere(self, struct: str, path: str) -> tuple[Initialiser, ...]:
        """What a member may hold in the tables of one type, or, without ``struct``, in any."""
        key = (struct, path)
        self._reads.note((_ITEM, "anywhere", *key))
        if key not in self._few:
            self._few[key] = self._source.initialisers(struct, path, at_most=_MAX_FILES)
        return self._few[key]

    def again(self, item: Sequence[str]) -> str:
        """Return what a question comes to that was asked before, as a text without lines.

        :param item: what the reads were told, without its kind.
        :raises LookupError: it is none of the questions.
        """
        outer = self._reads.bits
        value = self._again(item)
        self._reads.bits = outer
        return repr(value)

    def _again(self, item: Sequence[str]) -> object:
        match item:
            case ["has", table, file]:
                return self.has(table, file)
            case ["constants", file]:
                return sorted(self._source.constants(file).items())
            case ["array", name, file]:
                return list(self.array(name, file))
            case ["handlers", file]:
                return list(self.item_handlers(file))
            case ["handed", table]:
                return list(self.handed(table))
            case ["items", name, near, *calls]:
                return self.items(name, near, frozenset(calls))
            case ["member", table, path, near]:
                return _without_lines(self.member(table, path, near))
            case ["functions", table, near]:
                return sorted(self.functions(table, near))
            case ["anywhere", struct, path]:
                return _without_lines(self.anywhere(struct, path))
        raise LookupError(f"no question: {item}")

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


def _without_lines(items: Iterable[Initialiser]) -> list[Initialiser]:
    return [replace(item, line=0) for item in items]
