# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor runtime: runs rules over events, the same way for every witness.

A `Product` is the shared `TaskState` of one task plus the own states of those rules that need one.
It is frozen and hashable, so that a witness can put it in a set, join paths on it, or use it as a
part of a machine's state.  `Runtime.step()` is a pure function of a product and an event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from lazymmu.contract.dialects import Dialect, Status
from lazymmu.contract.events import NAMES, FunctionCall, FunctionReturn
from lazymmu.contract.section import AFTER, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from lazymmu.contract.events import Event


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that `event` breaks; `detail` is what the message needs and the event does not say."""

    rule: str
    event: Event
    detail: str = ""


class RuleMonitor(Protocol):
    """What the runtime needs of a rule; `contract.rules` has the whole of it."""

    @property
    def name(self) -> str:
        """The rule's name, which reads well after "allow"."""

    @property
    def events(self) -> tuple[type[Event], ...]:
        """The events that the rule looks at."""

    @property
    def initial(self) -> Hashable:
        """The rule's own state at the beginning."""

    @property
    def status(self) -> Callable[[Dialect], Status]:
        """Whether the rule is documented, implied or off in a dialect."""

    @property
    def step(self) -> Callable[[Any, TaskState, Any, Dialect], tuple[Hashable, Sequence[str]]]:
        """(own, before, event, dialect) -> the own state after, and one detail per violation."""

    @property
    def check(self) -> Callable[[TaskState, Any, Dialect], str | None] | None:
        """For a rule without own state: (before, event, dialect) -> a detail or None."""


@dataclass(frozen=True, slots=True)
class Product:
    """One task's shared state, and the own states of the stateful rules in the runtime's order.

    :param carried: what whoever steps the product knows beside it, and no rule asks for.
    """

    task: TaskState
    own: tuple[Hashable, ...] = ()
    carried: Hashable = ()

    def carrying(self, carried: Hashable) -> Product:
        """The same with something else beside it."""
        return self if carried == self.carried else replace(self, carried=carried)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do about one type of event: checks, steps of stateful rules, change of the task."""

    checks: tuple[tuple[str, Any], ...]
    steps: tuple[tuple[int, str, Any], ...]
    after: Callable[[TaskState, Any], TaskState] | None


class Runtime:
    """Rules bound to a dialect.  Rules that the dialect turns off are not run.

    `rules` are the rules that run, in order; `dialect` the dialect they are bound to.
    """

    def __init__(self, rules: Sequence[RuleMonitor], dialect: Dialect) -> None:
        """Bind `rules` to `dialect` and note once which rule looks at which type of event."""
        self.rules = tuple(rule for rule in rules if rule.status(dialect) is not Status.OFF)
        self.dialect = dialect
        self._stateful = tuple(rule for rule in self.rules if rule.check is None)
        self._slots = {rule.name: slot for slot, rule in enumerate(self._stateful)}
        self._plans = {kind: self._plan(kind) for kind in NAMES}

    def start(self, task: TaskState | None = None) -> Product:
        """The product at the beginning, for a task in state `task` (default: neutral)."""
        return Product(
            TaskState() if task is None else task, tuple(rule.initial for rule in self._stateful)
        )

    def own(self, product: Product, rule: str) -> Hashable:
        """The own state of the stateful rule `rule`.

        :raises KeyError: it does not run.
        """
        return product.own[self._slots[rule]]

    def step(self, product: Product, event: Event) -> tuple[Product, tuple[Violation, ...]]:
        """The product after `event`, and the violations that `event` is."""
        kind = type(event)
        if (
            isinstance(event, (FunctionCall, FunctionReturn))
            and event.role == "generic"
            and not event.root
        ):
            # By far the most frequent event, and no rule's concern: only roots and roles are.
            return product, ()
        plan = self._plans[kind]
        task = product.task
        own = product.own
        violations: tuple[Violation, ...] = ()
        for name, check in plan.checks:
            detail = check(task, event, self.dialect)
            if detail is not None:
                violations += (Violation(name, event, detail),)
        for slot, name, step in plan.steps:
            old = own[slot]
            mine, details = step(old, task, event, self.dialect)
            if mine is not old and mine != old:
                own = (*own[:slot], mine, *own[slot + 1 :])
            for detail in details:
                violations += (Violation(name, event, detail),)
        new = task if plan.after is None else plan.after(task, event)
        if new is task and own is product.own:
            return product, violations
        return Product(new, own, product.carried), violations

    def _plan(self, kind: type[Event]) -> _Plan:
        looking = [rule for rule in self.rules if kind in rule.events]
        return _Plan(
            tuple((rule.name, rule.check) for rule in looking if rule.check is not None),
            tuple(
                (self._slots[rule.name], rule.name, rule.step)
                for rule in looking
                if rule.check is None
            ),
            AFTER.get(kind),
        )
