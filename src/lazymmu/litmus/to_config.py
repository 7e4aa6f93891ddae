# SPDX-License-Identifier: GPL-2.0-or-later
"""From a scenario to the machines that it can be asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.machine import EntrySpec, IrqSpec, LockSpec, MachineConfig, Op, Preempt, TaskSpec
from lazymmu.witness.machine.product_model import FinalCondition, Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.contract.event_words import Level, LockClass, Space
    from lazymmu.litmus.scenario import EntryValue, OperationLine, Scenario
    from lazymmu.machine.config import Value as Held

LOCK_CLASSES: dict[tuple[str, str], LockClass] = {
    ("pte", "user"): "ptl",
    ("pmd", "user"): "pmd",
}
"""What kind of lock covers an entry of a level and space; the rest are page_table_lock's."""


def to_query(
    scenario: Scenario,
    arch: str,
    release: str,
    *,
    cpus: int | None = None,
    preempt: str | None = None,
    rt: bool | None = None,
) -> Query:
    """What a scenario asks of one implementation; the rest overrides what it says itself."""
    machine = scenario.machine
    config = MachineConfig(
        arch=arch,
        release=release,
        cpus=machine.cpus if cpus is None else cpus,
        preempt=Preempt(machine.preempt if preempt is None else preempt),
        rt=machine.rt if rt is None else rt,
        entries=tuple(_entries(scenario)),
        locks=tuple(_locks(scenario)),
        tasks=tuple(
            TaskSpec(
                name=task.name,
                program=_program(task.operations),
                cpu=-1 if task.cpu is None else task.cpu,
                mm=task.mm or "mm",
                bound=task.bound,
                forked=task.forked,
            )
            for task in scenario.tasks
        ),
        interrupts=tuple(
            IrqSpec(
                name=irq.name,
                program=_program(irq.operations),
                kind=irq.kind,
                cpu=-1 if irq.cpu is None else irq.cpu,
                times=irq.times,
            )
            for irq in scenario.interrupts
        ),
    )
    finals = tuple(
        FinalCondition(final.entry, tuple(held(value) for value in final.values), final.which)
        for final in scenario.finally_
    )
    return Query(
        config,
        watch=scenario.watch,
        occurs=scenario.occurs,
        finals=finals,
        bound=machine.bound,
        always=scenario.always,
        cost=scenario.cost,
    )


def held(value: EntryValue) -> Held:
    """A scenario's value as the machine has it."""
    return None if value.base == "none" else str(value)


def _entries(scenario: Scenario) -> Iterator[EntrySpec]:
    for entry in scenario.entries:
        level: Level = entry.level  # type: ignore[assignment]
        space: Space = entry.space  # type: ignore[assignment]
        yield EntrySpec(
            name=entry.name,
            level=level,
            space=space,
            value=held(entry.value),
            mm=entry.mm or ("init_mm" if space == "kernel" else "mm"),
            parent=entry.parent,
            locks=entry.locks,
        )


def _locks(scenario: Scenario) -> Iterator[LockSpec]:
    classes: dict[str, LockClass] = {}
    for entry in scenario.entries:
        for lock in entry.locks:
            cls = LOCK_CLASSES.get((entry.level, entry.space))
            if cls is None:
                cls = "kernel-pt" if entry.space == "kernel" else "mm"
            # A lock of both levels is the one lock of an mm without split locks.
            classes[lock] = cls if classes.get(lock, cls) == cls else "mm"
    for name in (*scenario.locks, *scenario.mutexes):
        classes.setdefault(name, "other")
    for name, cls in classes.items():
        yield LockSpec(name, cls)


def _program(operations: tuple[OperationLine, ...]) -> tuple[Op, ...]:
    return tuple(Op(one.name, one.args, _program(one.body)) for one in operations)
