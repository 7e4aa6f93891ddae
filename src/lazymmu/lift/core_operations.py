# SPDX-License-Identifier: GPL-2.0-or-later
"""Which function of a tree a core-mm operation of the machine is, and what that is handed."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - of a field
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.contract.vocabulary.read import VocabularyError, parse
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.values import (
    AddressSpace,
    CallbackRef,
    LockRef,
    Opaque,
    TableEntry,
    TableRef,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.lift.code import Code

__all__ = ["PAGE", "CoreArguments", "CoreOperation", "handed", "operations"]

PAGE: Final = 4096
"""Bytes of a page, as `words/core_mm.toml` has it."""

_FIRST: Final = 1 << 30
"""Where the first table's addresses begin; the next one's are as far from there."""


@dataclass(frozen=True, slots=True)
class CoreOperation:
    """An operation, as `words/core_operations.toml` describes it.

    :param routine: of the machine.
    :param function: of the kernel, in `file`.
    :param under: above it, where it has another name.
    :param space: whose entries it is about, "kernel" or "user", "" for both.
    :param handed: what each parameter is.
    :param members: what is in what it is handed, by its spelling.
    :param owed: what must be written, or the page that the operation is given is freed by whoever
        calls the function.
    :param one_address: its tables are of the same addresses, in two address spaces.
    :param gathers: it gives what was noted to be given back, not what the function returns.
    :param untold: what it writes that the machine does not need, with the reason.
    """

    routine: str
    function: str
    file: str
    under: str
    source: str
    space: str = ""
    handed: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    untold: Mapping[str, str] = field(default_factory=dict)
    owed: str = ""
    one_address: bool = False
    gathers: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words of the routine's details that its members depend on."""
        return tuple(sorted({role.partition(":")[2] for role in self.members.values()} - {""}))


@cache
def operations() -> tuple[CoreOperation, ...]:
    """Return the operations that a tree may have."""
    name = "core_operations.toml"
    table = parse(Path(__file__).parent / "words" / name)
    try:
        return tuple(CoreOperation(**one) for one in table["operation"])
    except (KeyError, TypeError) as error:
        raise VocabularyError(f"{name}: {error}") from error


@dataclass(frozen=True, slots=True)
class CoreArguments:
    """What a run of an operation begins with.

    :param args: of the function, in order.
    :param known: what is in structures that it is handed, by its spelling.
    :param value: what new entries map, None where the scenario gives nothing.
    :param tables: every table that it is about.
    :param locks: of each entry the lock of its table, "" where the scenario has none.
    :param above: of each entry the one that leads to its table, with its lock, where there is one.
    :param stays: names of what it is handed, which nobody changes meanwhile.
    """

    args: tuple[Value, ...]
    known: Mapping[str, Value]
    value: Value
    tables: tuple[TableRef, ...]
    stays: frozenset[str]
    locks: Mapping[str, str]
    above: Mapping[str, tuple[str, str]]

    @property
    def first(self) -> str:
        """Return the first entry."""
        return self.tables[0].entries[0]


def handed(
    operation: CoreOperation,
    code: Code,
    given: Mapping[str, object],
    is_kernel: Callable[[str], bool],
    lock_of: Callable[[str], str],
    above_of: Callable[[str], str],
) -> CoreArguments:
    """Return what the tree's function is handed for the arguments of the machine's routine.

    :param given: those, by their names.
    :param above_of: gives the entry that leads to an entry's table, "" for a table that stays.
    :raises Unliftable: for a role that cannot be.
    """
    tables = _tables(operation, given)
    value = given.get("value")
    named = {entry for table in tables.values() for entry in table.entries}
    above = {one: (above_of(one), lock_of(above_of(one))) for one in named if above_of(one)}

    def meant(role: str) -> Value:
        if role.isdigit():
            return int(role)
        if ":" in role:
            name, _, wanted = role.removeprefix("!").partition(":")
            words = given[name]
            assert isinstance(words, tuple)  # noqa: S101 - as the routine's signature has it
            return int((wanted in words) != role.startswith("!"))
        name, _, part = role.partition(".")
        if name == "mm":
            first = next(iter(tables.values())).entries[0]
            return AddressSpace("init_mm" if is_kernel(first) else "mm")
        if name in tables and part == "lock":
            return LockRef(lock_of(tables[name].entries[0]))
        if name in tables:
            return _of(tables[name], part, leads=tables[name].entries[0] in above)
        if role == "none":
            return None
        if role == "value" and (value is None or isinstance(value, str)):
            return value
        if role == "fn" and role in given:
            return CallbackRef(given[role])
        if role in given:
            return int(bool(given[role]))
        raise Unliftable(f"{operation.routine}: there is no {role} to be handed", code.file)

    args = tuple(
        meant(operation.handed[name]) if name in operation.handed else Opaque(name)
        for name in code.params
    )
    return CoreArguments(
        args,
        {name: meant(role) for name, role in operation.members.items()},
        value if value is None or isinstance(value, str) else None,
        tuple(tables.values()),
        frozenset(code.params) - operation.untold.keys(),
        {entry: lock_of(entry) for entry in named},
        above,
    )


def _tables(operation: CoreOperation, given: Mapping[str, object]) -> dict[str, TableRef]:
    """Return the tables that an operation is about, by the name of its argument."""
    tables: dict[str, TableRef] = {}
    for name, arg in given.items():
        if name in ("entry", "entries", "source", "target"):
            entries = (arg,) if isinstance(arg, str) else arg
            assert isinstance(entries, tuple)  # noqa: S101 - as the routine's signature has it
            number = 0 if operation.one_address else len(tables)
            tables[name] = TableRef(entries, _FIRST * (number + 1))
    return tables


def _of(table: TableRef, part: str, *, leads: bool) -> Value:
    """What a part of a table is; the entries of one that an entry leads to are all that it has."""
    match part:
        case "many":
            return len(table.entries)
        case "whole":
            return (len(table.entries) + (not leads)) * PAGE
        case "table":
            return table
        case "begin":
            return table.base
        case "end":
            return table.base + len(table.entries) * PAGE
        case "size":
            return len(table.entries) * PAGE
        case _:
            return TableEntry(table, 0)
