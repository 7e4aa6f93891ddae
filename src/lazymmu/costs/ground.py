# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operation needs to be done on N entries: their space, what they hold, and the program.

All of it is read off the operation: its parameters, whose page-table locks it takes, and whether it
is an accessor, around which the section is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.costs import tables
from lazymmu.costs.counts import Scope
from lazymmu.machine import ConfigError, EntrySpec, LockSpec, MachineConfig, Op, TaskSpec
from lazymmu.machine.operation_names import ARCH_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.contract.event_words import Level, Space
    from lazymmu.machine.machine import Machine
    from lazymmu.machine.operations import Operation

__all__ = ["ENABLE", "MOST", "CountedCall", "countable", "on", "spaces"]

ENABLE: Final = "lazy_mmu_mode_enable"
DISABLE: Final = "lazy_mmu_mode_disable"
PAGE: Final = "Z"
"""What is stored where an operation takes a value."""

MOST: Final = 4096
"""Entries of one count: a machine's state has a place for each."""

_READS: Final = {"ptep_get", "gup_fast", "gup_fast_seqcount"}
"""What changes no entry and flushes nothing."""

_PAIR: Final = (("source", "entry"), ("target", "entry"))
_CALLBACK: Final = (Op("set_pte", ("ptep", PAGE)),)
"""What apply_to_page_range() calls back, as its users in mm/ do."""


def countable(machine: Machine, operation: Operation) -> bool:
    """Whether an operation is the kernel's, and takes entries and values alone."""
    kinds = [kind for _, kind in operation.params]
    if "entry" not in kinds or not set(kinds) <= {"entry", "value"}:
        return False
    return operation.name in {*ARCH_OPERATIONS, *_core(machine)} - _READS


def _core(machine: Machine) -> set[str]:
    return {name for _, names in machine.core.parts() for name in names}


def spaces(machine: Machine, name: str) -> tuple[Space, ...]:
    """For which mappings an operation is: accessors for all, core-mm code by whose locks it takes.

    Core-mm code that takes no page-table lock works on kernel mappings.
    """
    if name in (*ARCH_OPERATIONS, *machine.core.pgtable.operations):
        return ("user", "kernel")
    for part, names in machine.core.parts():
        if name in names:
            return ("user",) if "user" in part.locked else ("kernel",)
    return ("user", "kernel")


@dataclass(frozen=True, slots=True)
class CountedCall:
    """An operation on a number of entries.

    :param operation: its name and parameters.
    :param space: of all entries.
    :param accessor: it has no section of its own, and is called in one.
    """

    operation: Operation
    space: Space
    entries: int
    accessor: bool

    def names(self) -> tuple[str, ...]:
        """The entries that the operation changes."""
        return tuple(f"p{number}" for number in range(self.entries))

    @property
    def level(self) -> Level:
        """Of the entries: the kernel's names of functions begin with it, or have it behind set_."""
        name = self.operation.name.removeprefix("set_")
        return "pmd" if name.startswith("pmd") else "pte"

    @property
    def pairs(self) -> bool:
        """Whether it takes each entry of one table to another."""
        return self.operation.params[:2] == _PAIR

    def config(self, arch: str, release: str, scope: Scope) -> MachineConfig:
        """The machine with its one task."""
        # Every table has its own lock, in the range as in the kernel with split locks.
        tables_ = tables.split(self.names(), arch)
        specs = tuple(self._specs(tables_))
        return MachineConfig(
            arch,
            release,
            entries=specs,
            locks=tuple(LockSpec(lock) for lock in sorted({spec.locks[0] for spec in specs})),
            tasks=(TaskSpec("T0", tuple(self._program(tables_, scope)), cpu=0),),
        )

    def _specs(self, found: Sequence[Sequence[str]]) -> Iterator[EntrySpec]:
        taken = any(kind == "value" for _, kind in self.operation.params) or self.operation.body
        for number, table in enumerate(found):
            yield from self._table(f"L{number}", table, filled=not taken)
            if self.pairs:
                yield from self._table(f"M{number}", tuple(map(_other, table)), filled=False)

    def _table(self, lock: str, names: Sequence[str], *, filled: bool) -> Iterator[EntrySpec]:
        """A page table; one of user mappings below an entry that leads to it."""
        kernel = self.space == "kernel"
        parent = "" if kernel or self.level != "pte" else f"d{lock}"
        if parent:
            yield EntrySpec(parent, level="pmd", value=f"T{lock}", locks=("D",))
        for name in names:
            yield EntrySpec(
                name,
                level=self.level,
                space=self.space,
                value=f"A{name[1:]}" if filled else None,
                parent=parent,
                locks=("K" if kernel else lock,),
            )

    def _program(self, found: Sequence[Sequence[str]], scope: Scope) -> Iterator[Op]:
        ours = (self.accessor or self.pairs) and scope is Scope.TABLE
        if scope is Scope.RANGE:
            yield Op(ENABLE)
        for table in found:
            if ours:
                yield Op(ENABLE)
            yield from self._calls(table)
            if ours:
                yield Op(DISABLE)
        if scope is Scope.RANGE:
            yield Op(DISABLE)

    def _calls(self, table: Sequence[str]) -> Iterator[Op]:
        """The operation on the entries of one table: all at once, where it takes them so."""
        one = self.operation
        values = tuple(PAGE for _, kind in one.params if kind == "value")
        body = _CALLBACK if one.body else ()
        first = one.params[0][1] == "value"
        if self.pairs:
            both = [name for name in table for name in (name, _other(name))]
            step = len(both) if one.many else 2
            for at in range(0, len(both), step):
                yield Op(one.name, tuple(both[at : at + step]))
        elif one.many:
            yield Op(one.name, (*values, *table) if first else (*table, *values), body)
        else:
            for name in table:
                yield Op(one.name, (*values, name) if first else (name, *values), body)


def _other(name: str) -> str:
    return f"q{name[1:]}"


def on(machine: Machine, name: str, entries: int, space: Space) -> CountedCall:
    """The ground of an operation.

    :raises ConfigError: for one that there is no count of.
    """
    operation = machine.operations.get(name)
    if operation is None:
        raise ConfigError(f"there is no {name}() on {machine.config.arch} {machine.release.name}")
    if not countable(machine, operation):
        raise ConfigError(f"{name} changes no entries, so that there is nothing to count")
    if not 1 <= entries <= MOST:
        raise ConfigError(f"{entries} entries are none, or more than the {MOST} that are counted")
    accessor = name in (*ARCH_OPERATIONS, *machine.core.pgtable.operations)
    return CountedCall(operation, space, entries, accessor)
