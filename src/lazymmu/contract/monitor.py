# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor runtime: runs rules over events, the same way for every witness.

A `Product` is the shared `TaskState` of one task plus the own states of those rules that need one.
It is frozen and hashable, so that a witness can put it in a set, join paths on it, or use it as a
part of a machine's state.  `Runtime.step()` is a pure function of a product and an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lazymmu.contract.dialects import Dialect, Status
from lazymmu.contract.section import AFTER, TaskState

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lazymmu.contract.events import Event


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that `event` breaks; `detail` is what the message needs and the event does not say."""

    rule: str
    event: Event
    detail: str = ""


class Rule(Protocol):
    """What the runtime needs of a rule; `contract.rules` has the whole of it."""

    @property
    def name(self) -> str:
        """The rule's name, which reads well after "allow"."""

    @property
    def events(self) -> tuple[type[Event], ...]:
        """The events that the rule looks at."""

    @property
    def stateful(self) -> bool:
        """Whether the rule keeps a state of its own."""

    def status(self, dialect: Dialect) -> Status:
        """Whether the rule is documented, implied or off in a dialect."""

    def start(self) -> Hashable:
        """The rule's own state at the beginning."""

    def step(
        self, own: Hashable, before: TaskState, event: Event, dialect: Dialect
    ) -> tuple[Hashable, Sequence[str]]:
        """The own state after `event`, and one detail (may be "") per violation.

        `before` is the shared state before `event`.
        """


@dataclass(frozen=True, slots=True)
class Product:
    """One task's shared state, and the own states of the stateful rules in the runtime's order."""

    task: TaskState
    own: tuple[Hashable, ...] = ()


class Runtime:
    """Rules bound to a dialect.  Rules that the dialect turns off are not run.

    `rules` are the rules that run, in order; `dialect` the dialect they are bound to.
    """

    def __init__(self, rules: Sequence[Rule], dialect: Dialect) -> None:
        """Bind `rules` to `dialect` and note once which rule looks at which type of event."""
        self.rules = tuple(rule for rule in rules if rule.status(dialect) is not Status.OFF)
        self.dialect = dialect
        self._slots = {rule.name: at for at, rule in enumerate(r for r in self.rules if r.stateful)}
        self._stateful = tuple(rule for rule in self.rules if rule.stateful)
        self._looking: dict[type[Event], tuple[tuple[int, Rule], ...]] = {}

    def start(self, task: TaskState | None = None) -> Product:
        """The product at the beginning, for a task in state `task` (default: neutral)."""
        return Product(
            TaskState() if task is None else task, tuple(rule.start() for rule in self._stateful)
        )

    def own(self, product: Product, rule: str) -> Hashable:
        """The own state of the stateful rule `rule`.  Raises KeyError when it does not run."""
        return product.own[self._slots[rule]]

    def step(self, product: Product, event: Event) -> tuple[Product, tuple[Violation, ...]]:
        """The product after `event`, and the violations that `event` is."""
        kind = type(event)
        looking = self._looking.get(kind)
        if looking is None:
            looking = self._looking[kind] = self._looking_at(kind)
        task = product.task
        own = product.own
        violations: tuple[Violation, ...] = ()
        for slot, rule in looking:
            if slot < 0:
                _, details = rule.step(None, task, event, self.dialect)
            else:
                mine, details = rule.step(own[slot], task, event, self.dialect)
                if mine != own[slot]:
                    own = (*own[:slot], mine, *own[slot + 1 :])
            for detail in details:
                violations += (Violation(rule.name, event, detail),)
        after = AFTER.get(kind)
        new = task if after is None else after(task, event)
        if new is task and own is product.own:
            return product, violations
        return Product(new, own), violations

    def _looking_at(self, kind: type[Event]) -> tuple[tuple[int, Rule], ...]:
        return tuple(
            (self._slots.get(rule.name, -1), rule) for rule in self.rules if kind in rule.events
        )
