# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of lifted code beside numbers: pointers to the machine's variables, and symbols.

A page-table entry's value is the machine's word for it (`machine.config.Value`), None for none.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from lazymmu.lift.ctypes import CType

__all__ = [
    "NOWHERE",
    "AddressSpace",
    "CPointer",
    "CallbackRef",
    "EntryRef",
    "Handle",
    "LockRef",
    "Opaque",
    "TableEntry",
    "TableRef",
    "Value",
    "is_true",
]


class CPointer(NamedTuple):
    """The address of a variable.

    :param space: "percpu" (of a CPU that is not said yet), "cpu", "task", or "local" (of a function
        that is running).
    :param owner: the number of the CPU or task, or of the function.
    :param path: the variable and the members that lead to it, numbers for elements.
    :param type: of what it points to.
    """

    space: str
    owner: int
    path: tuple[str | int, ...]
    type: CType


class EntryRef(NamedTuple):
    """The address of a page-table entry."""

    name: str


class Handle(NamedTuple):
    """A page-table entry as hardware or a hypervisor is told of it, by an address of its own.

    :param value: the translation that is to go, where it is about one.
    """

    name: str
    value: str | None = None

    def __repr__(self) -> str:
        """As ways print it."""
        return self.name if self.value is None else f"{self.name} {self.value}"


NOWHERE: Final = Handle("")
"""An address at which there is no entry: to invalidate it does nothing."""


class AddressSpace(NamedTuple):
    """An address space: the address of its struct mm_struct."""

    name: str

    def __repr__(self) -> str:
        """As ways print it."""
        return self.name


class TableRef(NamedTuple):
    """A table of entries, as the entry above it leads there.

    :param entries: those of the scenario that lie in it, in order.
    :param base: the address that the first one translates.
    """

    entries: tuple[str, ...]
    base: int


class TableEntry(NamedTuple):
    """The address of an entry in its table, with which one can count; `at` may be past the end."""

    table: TableRef
    at: int


class LockRef(NamedTuple):
    """The address of a lock of the machine."""

    name: str


class CallbackRef(NamedTuple):
    """A function that is handed on, to be called for an entry."""

    callback: Hashable


class Opaque(NamedTuple):
    """Something that has no value for the machine, by the way it is spelled: `mmu.set_pte`."""

    spelling: str


Value: TypeAlias = (
    int
    | CPointer
    | EntryRef
    | Handle
    | AddressSpace
    | TableRef
    | TableEntry
    | LockRef
    | CallbackRef
    | Opaque
    | str
    | tuple[Hashable, ...]
    | None
)
"""What a variable may hold; a string or None is the value of a page-table entry."""


_THERE: Final = (
    CPointer,
    EntryRef,
    Handle,
    AddressSpace,
    TableRef,
    TableEntry,
    LockRef,
    CallbackRef,
)
"""What is an address of something."""


def is_true(value: Value) -> bool | None:
    """Return whether a value is true in a condition, None where that is not known."""
    if isinstance(value, int):
        return value != 0
    return True if isinstance(value, _THERE) else None
