# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known at one place of a path: the monitors' state, facts, where values came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.witness.source.function.counters import CounterList, of_product
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.function.pointer_copies import CopyList, inside, original


class Fact(NamedTuple):
    """What is known of a variable or a condition, by its canonical spelling."""

    subject: str
    value: Value


class Origin(NamedTuple):
    """The entry from which the value of a variable, or of a member, was derived."""

    variable: str
    entry: EntryName


FactList: TypeAlias = tuple[Fact, ...]
"""Facts in the order of their subjects, one of each."""

OriginList: TypeAlias = tuple[Origin, ...]
"""Origins in the order of their variables, one of each."""


@dataclass(frozen=True, slots=True)
class State:
    """What distinguishes two paths at one place."""

    product: Product
    facts: FactList = ()
    origins: OriginList = ()
    copies: CopyList = ()

    def after(self, product: Product) -> State:
        """The same path with the monitors in another state."""
        return State(product, self.facts, self.origins, self.copies)

    @property
    def counters(self) -> CounterList:
        """What is known of the counters by which helpers begin and end sections."""
        return of_product(self.product)

    def counting(self, counters: CounterList) -> State:
        """The same path with something else known of counters."""
        return self.after(self.product.carrying(counters))

    def knowing(self, facts: FactList) -> State:
        """The same path with these facts; itself where nothing was learnt."""
        if facts is self.facts:
            return self
        return State(self.product, facts, self.origins, self.copies)

    def entry(self, name: EntryName) -> EntryName:
        """The name of an entry by the pointer that was copied, not by the copy."""
        return original(name, self.copies) if self.copies else name

    def members(self, owner: str) -> list[tuple[str, str]]:
        """Members that are copies of pointers, of a structure or of what a pointer points to.

        :returns: of each what follows the structure's name, and the pointer that was copied.
        """
        return [(c.variable[c.variable.index("->") :], c.of) for c in inside(self.copies, owner)]

    def hands_entry(self, owner: str) -> bool:
        """Whether a structure, or what a pointer points to, has a pointer to a known entry."""
        if not owner:
            return False
        prefix = self.entry(EntryName(f"{owner}->")).spelling
        return bool(inside(self.copies, owner)) or any(
            isinstance(item.entry, EntryName)
            and item.entry.here
            and item.entry.spelling.startswith(prefix)
            for item in self.product.task.pending
        )

    def names_entry(self, spelling: str) -> bool:
        """Whether a spelling is known to be a pointer to an entry: a copy, or written through."""
        name = EntryName(spelling)
        return any(copy.variable == spelling for copy in self.copies) or any(
            item.entry == name for item in self.product.task.pending
        )


def weight(state: State) -> int:
    """How many ordinary states one is worth: 1, and more for each 16 things that it holds."""
    task = state.product.task
    known = len(state.facts) + len(state.origins)
    return 1 + (known + len(task.pending) + len(task.locks) + len(task.pins)) // 16


def settled(state: State, live: frozenset[str]) -> State:
    """The state without facts that no path asks for any more."""
    if all(fact.subject in live for fact in state.facts):
        return state
    kept = tuple(fact for fact in state.facts if fact.subject in live)
    return State(state.product, kept, state.origins, state.copies)


def origins_of(spelling: str, origins: OriginList) -> set[EntryName]:
    """The entries from which a variable or member was derived, by its spelling."""
    return {origin.entry for origin in origins if origin.variable == spelling}


def with_fact(facts: FactList, subject: str, value: Value) -> FactList:
    """The facts with one more, or with another value for one."""
    others = (fact for fact in facts if fact.subject != subject)
    return tuple(sorted((*others, Fact(subject, value)), key=lambda fact: fact.subject))


def with_origin(origins: OriginList, variable: str, entry: EntryName) -> OriginList:
    """The origins with one more, or with another entry for one."""
    others = (origin for origin in origins if origin.variable != variable)
    made = (*others, Origin(variable, entry))
    return tuple(sorted(made, key=lambda origin: origin.variable))
