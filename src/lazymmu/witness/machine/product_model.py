# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine and the contract's monitors side by side, as one model to be searched.

The machine says what happens, the monitors of each task follow it; what they object to becomes a
label of the step, and so does what a scenario wants to have seen.  A monitor goes on after a
violation, so that one search finds the shortest way to break each rule.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.events import EVENTS, SwitchOut
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind, Witness
from lazymmu.explore import StateField
from lazymmu.machine import Machine
from lazymmu.witness.machine.invariants import AsIf, bind, most
from lazymmu.witness.machine.verdict import ALWAYS, DEADLOCK, EVENTUALLY, FINALLY, LIMIT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from lazymmu.contract.events import Event
    from lazymmu.contract.monitor import Product, Violation
    from lazymmu.contract.section import TaskState
    from lazymmu.explore import StateView
    from lazymmu.machine import MachineConfig
    from lazymmu.witness.machine.invariants import SaidInvariant

PREEMPTION = "preemption"


class CoverGoal(Protocol):
    """Something that must occur: an event's name, and what its fields and the task must be."""

    @property
    def event(self) -> str:
        """A name of `contract.events.EVENTS`."""

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Names and values: of the event, or of the task at that time (`context()`)."""


@dataclass(frozen=True, slots=True)
class FinalCondition:
    """What an entry must hold when all tasks have ended: one of `values` (None is none).

    :param which: "stored", "effective" or "both".
    """

    entry: str
    values: tuple[str | None, ...]
    which: str = "both"


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a machine.

    :param watch: names of rules, () for all that machines witness.
    :param occurs: situations that must happen.
    :param finals: how it must end.
    :param bound: involuntary preemptions at most, None for any number.
    :param always: what must hold of variables all along.
    :param cost: how often what is slow may be done.
    """

    config: MachineConfig
    watch: tuple[str, ...] = ()
    occurs: tuple[CoverGoal, ...] = ()
    finals: tuple[FinalCondition, ...] = ()
    bound: int | None = None
    always: tuple[SaidInvariant, ...] = ()
    cost: tuple[SaidInvariant, ...] = ()


def watched_rules(names: Sequence[str] = ()) -> tuple[str, ...]:
    """The rules to watch: those named, or every obligation and harm that machines witness."""
    return tuple(
        rule.name
        for rule in RULES.values()
        if Witness.MACHINE in rule.witnesses
        and (rule.name in names or (not names and rule.kind is not RuleKind.INFORMATION))
    )


def context(task: TaskState) -> dict[str, frozenset[str]]:
    """What a situation may ask of the task at the event, before it."""
    return {
        "depth": frozenset({str(task.depth)}),
        "section": frozenset({"yes" if task.on else "no"}),
        "paused": frozenset({"yes" if task.paused else "no"}),
        "pending": frozenset({"yes", *(str(one.entry) for one in task.pending)})
        if task.pending
        else frozenset({"no", "none"}),
        "held": frozenset({"yes", *(str(one.lock) for one in task.locks)})
        if task.locks
        else frozenset({"no", "none"}),
        "interrupt": frozenset({"yes" if task.in_interrupt else "no"}),
    }


def occurs(situation: CoverGoal, event: Event, task: TaskState) -> bool:
    """Whether `event`, happening to a task in this state, is the situation."""
    if type(event) is not EVENTS[situation.event]:
        return False
    around = context(task)
    for name, value in situation.fields:
        if hasattr(event, name):
            if _word(getattr(event, name)) != value:
                return False
        elif value not in around.get(name, ()):
            return False
    return True


def _word(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


class ProductModel:
    """The model: `explore.Model` of a machine with monitors.

    machine, runtime: the two sides; rules: names of the rules watched, which are labels.
    """

    def __init__(self, query: Query, *, cached: bool = True) -> None:
        """Raises machine.ConfigError when there is no such machine."""
        self.query = query
        self.machine = Machine(query.config, cached=cached)
        self.rules = watched_rules(query.watch)
        self.runtime = Runtime(
            tuple(RULES[name] for name in self.rules), DIALECTS[self.machine.release.dialect]
        )
        tasks = self.machine.layout.names["task"]
        self._base = len(self.machine.fields)
        self._slots = {name: self._base + number for number, name in enumerate(tasks)}
        self._spent = self._base + len(tasks)
        self.fields = (
            *(StateField(name, values) for name, values in self.machine.fields),
            *(StateField(f"{name}.monitor") for name in tasks),
            *(StateField(f"spent.{limit.name}", most(limit) + 2) for limit in query.cost),
        )
        names = [name for name, _ in self.machine.fields]
        self._always = tuple(bind(one, names) for one in query.always)
        self.initial: tuple[Hashable, ...] = (
            *self.machine.initial,
            *(self.runtime.start() for _ in tasks),
            *(0 for _ in query.cost),
        )
        self.actions = tuple(str(action) for action in self.machine.actions)
        self.labels = (
            PREEMPTION,
            *self.rules,
            DEADLOCK,
            *([EVENTUALLY] * (EVENTUALLY in query.watch)),
            *(f"{ALWAYS} {number}" for number in range(len(query.always))),
            *(f"{LIMIT} {number}" for number in range(len(query.cost))),
            *(f"{FINALLY} {number}" for number in range(len(query.finals))),
            *(f"occurs {number}" for number in range(len(query.occurs))),
        )
        self.costly = 1
        self._bits = {name: 1 << bit for bit, name in enumerate(self.labels)}
        self._goals = tuple(
            (situation, self._bits[f"occurs {number}"])
            for number, situation in enumerate(query.occurs)
        )

    def step(self, state: StateView, action: int, /) -> int | None:
        """One step of the machine, judged."""
        spent: Counter[str] = Counter()
        count = (lambda what: spent.update((what,))) if self.query.cost else None
        events = self.machine.step(state, action, count)
        if events is None:
            return None
        mask = self._kept(state, spent)
        for event, task, violations in self.follow(state, events):
            if isinstance(event, SwitchOut) and event.why == "preempted":
                mask |= self._bits[PREEMPTION]
            for goal, bit in self._goals:
                if occurs(goal, event, task):
                    mask |= bit
            for violation in violations:
                mask |= self._bits[violation.rule]
        return mask

    def _kept(self, state: StateView, spent: Counter[str]) -> int:
        """What is not kept of `always` and `cost` after a step that cost so much."""
        mask = 0
        for number, invariant in enumerate(self._always):
            if not invariant.holds(state):
                mask |= self._bits[f"{ALWAYS} {number}"]
        for number, limit in enumerate(self.query.cost):
            if not spent[limit.name]:
                continue
            slot = self._spent + number
            now = min(state[slot] + spent[limit.name], most(limit) + 1)
            state[slot] = now
            if now > most(limit):
                mask |= self._bits[f"{LIMIT} {number}"]
        return mask

    def follow(
        self, state: StateView, events: Iterable[Event]
    ) -> Iterator[tuple[Event, TaskState, list[Violation]]]:
        """Each event, its task before it, and what is broken; the monitors in `state` go along.

        What a rule only predicts is left out: a machine shows whether it comes true.
        """
        for event in events:
            slot = self._slots[event.task]
            before: Product = state[slot]
            after, violations = self.runtime.step(before, event)
            if after is not before:
                state[slot] = after
            certain = [v for v in violations if v.detail not in RULES[v.rule].predictive_details]
            yield event, before.task, certain

    def _waits(self, state: StateView) -> bool:
        """Whether anything is pending, on a CPU or with a task that had one before it ended."""
        machine = self.machine
        here = machine.here(state, 0)
        curr = machine.layout.bases["cpu"]["curr"]
        return any(
            machine.arch.pending(machine.here(AsIf(state, curr + cpu, task), cpu), cpu)
            for cpu in here.cpus
            for task in range(len(machine.layout.names["task"]))
        )

    def violations(self, state: StateView, action: int, /) -> list[Violation]:
        """What `step()` finds broken, with what it is in each case; changes `state` as that."""
        events = self.machine.step(state, action) or ()
        return [one for _, _, found in self.follow(state, events) for one in found]

    def final(self, state: StateView, /) -> int:
        """What a state shows in which nothing can happen: not the end, or not a good one."""
        machine = self.machine
        if state[machine.layout.bases["system"]["panicked"]]:
            return 0
        if not machine.all_done(state):
            return self._bits[DEADLOCK]
        here = machine.here(state, 0)
        mask = 0
        if EVENTUALLY in self._bits and self._waits(state):
            mask |= self._bits[EVENTUALLY]
        for number, final in enumerate(self.query.finals):
            slot: Any = here.entry(final.entry)
            seen = {
                "stored": (slot.stored,),
                "effective": (slot.effective,),
                "both": (slot.stored, slot.effective),
            }[final.which]
            if any(value not in final.values for value in seen):
                mask |= self._bits[f"{FINALLY} {number}"]
        return mask
