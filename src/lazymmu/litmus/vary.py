# SPDX-License-Identifier: GPL-2.0-or-later
"""A scenario on another machine than its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazymmu.litmus.scenario import Preempt, Scenario, TaskDeclaration

__all__ = ["vary"]


def vary(
    scenario: Scenario,
    *,
    cpus: int | None = None,
    tasks: int | None = None,
    preempt: Preempt | None = None,
    rt: bool | None = None,
    rule: str | None = None,
) -> Scenario:
    """`scenario` with what is not None changed; as it was when all is.

    :param cpus: 1 to 3.
    :param tasks: how many that are not forked, of which the scenario's first are taken, and then
        copies of its last, on any CPU.
    :param preempt: see `MachineSpec`; PREEMPT_RT implies full preemption.
    :param rt: likewise.
    :param rule: the only one to watch.
    """
    machine = scenario.machine
    machine = replace(
        machine,
        cpus=machine.cpus if cpus is None else cpus,
        preempt=preempt or ("full" if rt else machine.preempt),
        rt=machine.rt if rt is None else rt,
    )
    return replace(
        scenario,
        machine=machine,
        tasks=scenario.tasks if tasks is None else _tasks(scenario, tasks),
        watch=scenario.watch if rule is None else (rule,),
    )


def _tasks(scenario: Scenario, number: int) -> tuple[TaskDeclaration, ...]:
    started = [task for task in scenario.tasks if not task.forked]
    kept = started[:number]
    last = started[-1]
    taken = {program.name for program in scenario.programs}
    copies = (f"{last.name}.{count}" for count in range(2, number + len(taken) + 2))
    free = [name for name in copies if name not in taken]
    kept += [replace(last, name=name, cpu=None, bound=False) for name in free[: number - len(kept)]]
    return (*kept, *(task for task in scenario.tasks if task.forked))
