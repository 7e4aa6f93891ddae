# SPDX-License-Identifier: GPL-2.0-or-later
"""The symbols of an automaton: what can happen in a kernel, and what of it matters to a rule.

Which parts of the shared state a rule depends on is found by comparing what its monitor says of
states that differ in one part alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, Final, get_args

from lazymmu.contract.event_words import Moment
from lazymmu.contract.eventlist import parse
from lazymmu.contract.events import Pause, Resume
from lazymmu.contract.section import AFTER, Held, Pending, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from lazymmu.contract.dialects import Dialect
    from lazymmu.contract.events import Event
    from lazymmu.contract.rules.rule import Rule

__all__ = ["alphabet", "relevant"]

_LISTED: Final = {
    "lazy_enable": "enable",
    "lazy_disable": "disable",
    "lazy_pause": "pause",
    "lazy_resume": "resume",
    "lazy_flush": "flush",
    "pte_write": "write e space=user",
    "pte_exchange": "write e space=user how=immediate",
    "pte_exchange_batched": "write e space=user how=immediate put_off",
    "pte_read": "read e",
    "ptl_lock": "take ptl cls=ptl",
    "ptl_unlock": "drop ptl cls=ptl",
    "tlb_flush": "tlb_flush space=user",
    "tlb_flush_batch": "tlb_flush space=user batch",
    "page_use": "use e",
    "page_free": "free e",
    "table_free": "free e what=table",
    "preempt_disable": "pin preempt",
    "preempt_enable": "unpin preempt",
    "bh_disable": "pin bh",
    "bh_enable": "unpin bh",
    "irq_entry": "irq_enter",
    "irq_exit": "irq_exit",
    "softirq_entry": "irq_enter soft",
    "softirq_exit": "irq_exit soft",
    "might_sleep": "may_sleep might_sleep",
    "sched_switch_preempt": "switch_out preempted",
    "sched_switch_yield": "switch_out yielded",
    # A task that blocks proves that it might sleep.
    "sched_switch_blocking": "may_sleep schedule certain; switch_out blocked",
    "sched_switch_in": "switch_in",
    "task_fork": "fork",
    "task_exit": "exit",
    "user_return": "user_return",
    "hook_entry": "call role=arch-hook",
    "hook_exit": "return role=arch-hook",
    "switch_hook_entry": "call role=switch-hook",
    "switch_hook_exit": "return role=switch-hook",
    "percpu_touch": "percpu batch",
    "batch_key_check": "batch_key batch",
    "batch_key_replace": "batch_key batch checked=no",
    "batch_add": "batch_add batch",
    "lazy_flush_noop": "flush how=noop",
    **{
        f"seen_{mode}_{moment.replace('-', '_')}": f"observed {moment} mode={mode}"
        for moment in get_args(Moment)
        for mode in ("on", "off")
    },
}


@cache
def alphabet() -> Mapping[str, tuple[Event, ...]]:
    """What can happen in a kernel, by a name that is a C identifier, as the contract's events.

    One entry, one page-table lock and one batch stand for all: a monitor follows one of each.
    """
    return {
        name: parse("\n".join(f"T0: {one.strip()}" for one in listed.split(";"))).events
        for name, listed in _LISTED.items()
    }


_PARTS: Final[Mapping[str, Callable[[TaskState], Hashable]]] = {
    "depth": lambda task: task.depth,
    "paused": lambda task: task.paused,
    "pending": lambda task: task.pending,
    "locks": lambda task: task.locks,
    "preempt": lambda task: task.pins.count("preempt"),
    "bh": lambda task: task.pins.count("bh"),
    "irq": lambda task: task.irq,
}
"""What a rule can ask of the shared state, one by one."""


@cache
def _samples() -> tuple[TaskState, ...]:
    """States that differ in every combination of parts."""
    lock = Held("ptl", "ptl")
    late = Pending("e", "pte", "user", frozenset({"ptl"}))
    held = replace(late, what="invalidation")
    return tuple(
        TaskState(depth, paused, frozenset(pending), frozenset(locks), (*bh, *preempt), irq)
        for depth, paused, pending, locks, bh, preempt, irq in product(
            (0, 1, 2), (0, 1), ((), (late,), (held,)), ((), (lock,)), ((), ("bh",)),
            ((), ("preempt",)), ((), ("hard",)),
        )
    )  # fmt: skip


@cache
def _others(part: str) -> tuple[tuple[Hashable, ...], ...]:
    """Of each sample everything but `part`."""
    asks = [ask for name, ask in _PARTS.items() if name != part]
    return tuple(tuple(ask(task) for ask in asks) for task in _samples())


def _depends(said: Sequence[Hashable]) -> frozenset[str]:
    """The parts on which something depends that says `said` of the samples, in their order."""
    found = set()
    for part in _PARTS:
        first: dict[tuple[Hashable, ...], Hashable] = {}
        if any(
            first.setdefault(rest, answer) != answer
            for rest, answer in zip(_others(part), said, strict=True)
        ):
            found.add(part)
    return frozenset(found)


def _after(task: TaskState, events: Iterable[Event]) -> TaskState:
    for event in events:
        change = AFTER.get(type(event))
        task = task if change is None else change(task, event)
    return task


@cache
def _flow() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """For each symbol the parts that it changes, each with the parts that decide how."""
    flow: dict[str, dict[str, frozenset[str]]] = {}
    for symbol, events in alphabet().items():
        after = [_after(task, events) for task in _samples()]
        flow[symbol] = {
            part: _depends([ask(task) for task in after])
            for part, ask in _PARTS.items()
            if any(ask(old) != ask(new) for old, new in zip(_samples(), after, strict=True))
        }
    return flow


def relevant(rule: Rule, dialect: Dialect) -> tuple[str, ...]:
    """The symbols that the rule looks at, and those that decide what it says of them."""
    looked_at = {
        symbol: [event for event in events if isinstance(event, rule.events)]
        for symbol, events in alphabet().items()
        if dialect.pause or not isinstance(events[0], (Pause, Resume))
    }
    needed: set[str] = set()
    owns: dict[Any, None] = {rule.initial: None}
    todo = list(owns)
    for own in todo:  # which grows
        if len(needed) == len(_PARTS):
            break
        for events in looked_at.values():
            for event in events:
                said = [rule.step(own, task, event, dialect) for task in _samples()]
                needed |= _depends([(after, tuple(details)) for after, details in said])
                new = {after: None for after, _ in said if after not in owns}
                owns |= new
                todo += new
    while True:
        sources = {
            source
            for changes in _flow().values()
            for part in needed & changes.keys()
            for source in changes[part]
        }
        if sources <= needed:
            break
        needed |= sources
    return tuple(
        symbol
        for symbol, events in looked_at.items()
        if events or not needed.isdisjoint(_flow()[symbol])
    )
