# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of functions: what a field of one may hold, in the .c files that are built."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.parse.function_arrays import FunctionArray, read_arrays
from lazymmu.kernelc.parse.item_handlers import ItemHandler, read_item_handlers
from lazymmu.kernelc.parse.ops_tables import Initialiser, read_constants, read_initialisers
from lazymmu.kernelc.parse.struct_members import members, with_names
from lazymmu.kernelc.presence import ALWAYS, both

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from lazymmu.kernelc.asked import Asked
    from lazymmu.kernelc.configured_tree_builder import TreeState
    from lazymmu.kernelc.source_texts import SourceTexts

__all__ = ["FunctionTables"]

_MAX_COPIES: Final = 4
"""How often a table is followed to one that it was copied from."""


class FunctionTables:
    """The tables of a configured tree, read file by file as they are asked for."""

    def __init__(
        self, state: TreeState, texts: SourceTexts, asked: Asked, read: Callable[[str], bytes]
    ) -> None:
        """Look into the files that `state` knows to have a table; `asked` is told for which.

        :param read: reads a header, and rests on all of it.
        """
        self._asked = asked
        self._read = read
        self._state = state
        self._texts = texts
        self._tables: dict[str, tuple[Initialiser, ...]] = {}
        self._constants: dict[str, dict[str, str]] = {}
        self._arrays: dict[str, dict[str, FunctionArray]] = {}
        self._items: dict[str, tuple[ItemHandler, ...]] = {}

    def initialisers(
        self,
        struct: str = "",
        field: str = "",
        table: str = "",
        *,
        near: str = "",
        at_most: int | None = None,
    ) -> tuple[Initialiser, ...]:
        """Return what tables of functions hold, in the .c files that are built.

        Without any of the three every file is read, which takes its time.

        :param struct: type of the tables.
        :param field: path of the field, or its last components.
        :param table: name of the variable. Those that are given must match; assignments have no
            struct. Where one table is copied to a part of another (`pv_ops.mmu = xen_mmu_ops`),
            that is one item with the other's name (see `held`).
        :param near: a file that is looked into as well, a header, say.
        :param at_most: the number of files above which none is read, and nothing returned.
        """
        last = field.rpartition(".")[2]
        if struct or table:
            name = struct.removeprefix("typeof(").removesuffix(")") if struct else table
            self._asked.structs.add(name)
            files = self._state.structs.get(name, [])
        elif last:
            self._asked.fields.add(last)
            files = self._state.fields.get(last, [])
        else:
            self._asked.everything = True
            files = list(self._state.built)
        if at_most is not None and len(files) > at_most:
            return ()
        also = [near] if near and near not in files else []
        return tuple(
            item
            for rel in (*files, *also)
            for item in with_names(
                (
                    item
                    for item in self._initialisers(rel)
                    if (not struct or item.struct == struct) and (not table or item.table == table)
                ),
                partial(self._members, rel) if struct or table else _unknown,
            )
            if not field or item.field == field or item.field.endswith(f".{field}")
        )

    def constant(self, name: str, file: str) -> str:
        """Return the text of what `file` gives a scalar that it declares const, "" for any other.

        One that it gives several values, by `#if`, is none.
        """
        return self.constants(file).get(name, "")

    def constants(self, file: str) -> Mapping[str, str]:
        """Return the texts of all that `file` gives scalars that it declares const, by name."""
        known = self._constants.get(file)
        if known is None:
            known = self._constants[file] = read_constants(self._texts.raw(file))
        return known

    def array(self, name: str, file: str) -> FunctionArray:
        """Return the names that an array of a file holds, nothing where it has no such array."""
        known = self._arrays.get(file)
        if known is None:
            known = self._arrays[file] = read_arrays(self._compiled(file))
        held = known.get(name, ())
        self._asked.check("array", file, name, list(held))
        return held

    def item_handlers(self, file: str) -> tuple[ItemHandler, ...]:
        """Return the calls of a file that are handed an item and a name."""
        known = self._items.get(file)
        if known is None:
            known = self._items[file] = read_item_handlers(self._compiled(file))
            self._asked.check("items", file, "", list(map(repr, known)))
        return known

    def _compiled(self, file: str) -> bytes:
        """The text of a file with what is not compiled blanked."""
        return self._texts.cut(file, 0, len(self._texts.raw(file)))

    def has_table(self, name: str, file: str) -> bool:
        """Return whether a .c file has a table, or a pointer that is given one, of that name."""
        self._asked.structs.add(name)
        return file in self._state.structs.get(name, ())

    def held(self, path: str) -> tuple[Initialiser, ...]:
        """Return what the field `path` of tables holds: `pv_ops.mmu.lazy_mode.enter`.

        The table's name may be missing from the path. Tables that are copied whole, to a table
        or to a part of one, count with what they hold there themselves, however deep.
        """
        found: dict[Initialiser, None] = {}
        parts = path.split(".")
        for shorter in (path, path.partition(".")[2]):
            if "." in shorter:
                found.update(dict.fromkeys(self.initialisers(field=shorter)))
        for cut in range(1, len(parts)):
            head, tail = ".".join(parts[:cut]), ".".join(parts[cut:])
            copies = [*self.initialisers(field=head), *self.initialisers(table=parts[0])]
            for item in copies:
                within = item.field in (head, ".".join(parts[1:cut]))
                if within or item.field.endswith(f".{head}"):
                    found.update(dict.fromkeys(self._copied(item, tail, _MAX_COPIES)))
        return tuple(found)

    def _copied(self, item: Initialiser, tail: str, depth: int) -> Iterator[Initialiser]:
        """Yield what stands at `tail` of the table that `item` names."""
        table, _, path = item.function.partition(".")
        self._asked.structs.add(table)
        if depth == 0 or (table not in self._state.structs and not path):
            return
        wanted = f"{path}.{tail}".lstrip(".")
        for other in self.initialisers(table=table):
            if other.field == wanted:
                yield other
            elif other is not item and (not other.field or wanted.startswith(f"{other.field}.")):
                rest = wanted[len(other.field) :].lstrip(".")
                yield from self._copied(other, rest, depth - 1)

    def _members(self, rel: str, struct: str) -> tuple[str, ...]:
        """Return the members of a structure, in their order, as a file or what it includes has it.

        Limit: what it includes by another header is not looked into.
        """
        found = members(self._texts.raw(rel), struct)
        for header in self._state.headers.includes.get(rel, ()) if not found else ():
            found = found or members(self._read(header), struct)
        return found

    @property
    def read(self) -> Collection[str]:
        """The files whose tables or constants were looked at."""
        return self._tables.keys() | self._constants.keys()

    def of_file(self, rel: str) -> tuple[tuple[Initialiser, ...], dict[str, str]]:
        """Return the tables of a file, and the constants that it has beside them."""
        self.constant("", rel)
        return self._initialisers(rel), self._constants[rel]

    def _initialisers(self, rel: str) -> tuple[Initialiser, ...]:
        known = self._tables.get(rel)
        if known is None:
            selection = self._state.headers.selection(rel)
            presence = self._state.built.get(rel, ALWAYS)
            text = self._compiled(rel)
            known = self._tables[rel] = tuple(
                item if when is ALWAYS else replace(item, presence=when)
                for offset, item in read_initialisers(rel, text)
                for when in (both(presence, selection.presence(offset)),)
            )
        return known


def _unknown(_struct: str) -> tuple[str, ...]:
    """No members: where tables are asked for by a field alone, one without its name is none."""
    return ()
