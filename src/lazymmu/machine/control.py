# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs of scenarios are put together with: conditions, loops, and choices.

    if [not] PREDICATE entry:     need_resched, which is a choice, has no entry
    while [not] PREDICATE entry:  as long as it holds, whenever the entry is read again
    repeat N:                     N times
    loop:                         for ever
    maybe:                        or not
    choose: either: ... either:   one of several

A choice is a step with alternatives, each of which is an action of its own of the machine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.machine.config import ConfigError
from lazymmu.machine.memory import page_of, writable
from lazymmu.machine.steps import RoutineCall, routine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lazymmu.machine.config import Op, Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine, Step

__all__ = ["CONTROL", "MAX_ALTERNATIVES", "NEED_RESCHED", "PREDICATES", "alternatives", "control"]

PREDICATES: Mapping[str, Callable[[Value], bool]] = {
    "pte_none": lambda value: value is None,
    "pte_present": lambda value: page_of(value) is not None,
    "pte_write": writable,
    "pte_uffd_wp": lambda value: ":wp" in (value or ""),
}
"""What `if` and `while` may ask of an entry: the kernel's predicates (linux/pgtable.h)."""

NEED_RESCHED: Final = "need_resched"
"""What they may ask of nobody: whether the tick has come (linux/sched.h)."""

CONTROL: Final = ("if", "while", "repeat", "loop", "maybe", "choose")

MAX_ALTERNATIVES: Final = 4
MAX_REPEATED: Final = 16


def alternatives(ops: Iterable[Op]) -> int:
    """The most alternatives that a choice in these programs has; 0: there is none."""
    most = 0
    for op in ops:
        if op.name == "choose":
            most = max(most, len(op.body))
        elif op.name == "maybe" or NEED_RESCHED in op.args:
            most = max(most, 2)
        most = max(most, alternatives(op.body))
    return most


def control(
    op: Op, call: Callable[[Op], RoutineCall], read: Callable[[str], RoutineCall]
) -> RoutineCall:
    """The routine of a construct.

    :param call: makes the routine of an operation.
    :param read: reads an entry.
    :raises ConfigError: for one that cannot be.
    """
    if op.name == "choose":
        return replace(choose(_branches(op, call)), keep=False)
    body = tuple(call(inner) for inner in op.body)
    match op.name:
        case "maybe":
            return replace(choose(((), body)), keep=False)
        case "loop":
            return replace(loop(body), keep=False)
        case "repeat":
            return replace(sequence(body * _times(op)), keep=False)
    *negation, predicate = op.args[:1] if op.args[:1] != ("not",) else op.args[:2]
    if predicate == NEED_RESCHED:
        asked = chance()
    elif predicate in PREDICATES:
        asked = holds(read(op.args[-1]), predicate)
    else:
        there = ", ".join((*PREDICATES, NEED_RESCHED))
        raise ConfigError(f"there is no predicate {predicate}; {there} are")
    again = op.name == "while"
    return replace((wait if again else branch)(asked, not negation, body), keep=False)


def _branches(op: Op, call: Callable[[Op], RoutineCall]) -> tuple[tuple[RoutineCall, ...], ...]:
    if not 1 < len(op.body) <= MAX_ALTERNATIVES or any(one.name != "either" for one in op.body):
        raise ConfigError(f"`choose` has 2 to {MAX_ALTERNATIVES} blocks that begin with `either`")
    return tuple(tuple(call(inner) for inner in one.body) for one in op.body)


def _times(op: Op) -> int:
    times = int(op.args[0]) if op.args and op.args[0].isdecimal() else 0
    if not 1 <= times <= MAX_REPEATED:
        raise ConfigError(f"`repeat` takes a number from 1 to {MAX_REPEATED}")
    return times


@routine("")
def sequence(calls: tuple[RoutineCall, ...]) -> Routine:
    """One operation after the other."""
    yield from calls


@routine("")
def holds(read: RoutineCall, predicate: str) -> Routine:
    """Whether the predicate holds of what is read; the value itself is forgotten."""
    return PREDICATES[predicate]((yield read))


@routine("")
def branch(asked: RoutineCall, wanted: bool, body: tuple[RoutineCall, ...]) -> Routine:
    """Run the body when what is asked is so, or not."""
    if (yield asked) == wanted:
        yield sequence(body)


@routine("")
def wait(asked: RoutineCall, wanted: bool, body: tuple[RoutineCall, ...]) -> Routine:
    """Run the body as long as what is asked is so; each round is a call that replaces the last."""
    if (yield asked) != wanted:
        return None
    yield sequence(body)
    return wait(asked, wanted, body)


@routine("")
def loop(body: tuple[RoutineCall, ...]) -> Routine:
    """Run the body for ever."""
    yield sequence(body)
    return loop(body)


@routine("")
def choose(bodies: tuple[tuple[RoutineCall, ...], ...]) -> Routine:
    """Run one of the bodies."""
    chosen = yield _choice(len(bodies))
    yield sequence(bodies[chosen])


@routine("")
def chance() -> Routine:
    """Yes or no."""
    return (yield _choice(2)) == 1


def _choice(number: int) -> Step:
    def step(here: StepContext) -> int:
        return here.choice

    step.__name__ = "choice"
    step.alternatives = number  # type: ignore[attr-defined]
    return step
