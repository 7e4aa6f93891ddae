# SPDX-License-Identifier: GPL-2.0-or-later
"""Count: a machine does an operation, and what is slow is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract.events import Bug, Enable, Observed, TlbFlush, Write
from lazymmu.costs import ground, tables
from lazymmu.costs.counts import KINDS, Counts, Scope
from lazymmu.machine import ConfigError, MachineConfig, TaskSpec
from lazymmu.machine.config import EntrySpec
from lazymmu.machine.machine import Machine
from lazymmu.machine.scopes import CallersMode, WithoutMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.contract.event_words import Space
    from lazymmu.contract.events import Event
    from lazymmu.machine.generic_api import DirectMode

__all__ = ["forget", "operation", "operations", "run", "spaces_of"]

_STEPS: Final = 200_000
"""Steps of a run: programs may be loops for ever."""

_MODES: Final[dict[Scope, type[DirectMode] | None]] = {
    Scope.NONE: WithoutMode,
    Scope.TABLE: None,
    Scope.RANGE: CallersMode,
}
"""Which API core-mm code calls."""


@cache
def _bare(arch: str, release: str) -> Machine:
    """A machine of this kind that does nothing, to be asked what it can."""
    return Machine(
        MachineConfig(arch, release, entries=(EntrySpec("p"),), tasks=(TaskSpec("T0", (), cpu=0),))
    )


@cache
def operations(arch: str, release: str) -> tuple[str, ...]:
    """The operations that can be counted.

    What needs something done before it, such as kunmap_local(), is none of them.

    :raises ConfigError: there is no such machine.
    """
    machine = _bare(arch, release)
    named = [name for name, one in machine.operations.items() if ground.countable(machine, one)]
    return tuple(sorted(name for name in named if _counts(machine, arch, release, name)))


def _counts(machine: Machine, arch: str, release: str, name: str) -> bool:
    try:
        found = [
            operation(arch, release, name, 1, space, Scope.NONE)
            for space in ground.spaces(machine, name)
        ]
    except ConfigError:
        return False
    return any(counts.slow or counts.writes for counts in found)


def spaces_of(arch: str, release: str, name: str) -> tuple[Space, ...]:
    """For which mappings an operation is.

    :raises ConfigError: with the reason.
    """
    return ground.spaces(_bare(arch, release), name)


def forget() -> None:
    """Forget all counts: a tree of that name may be another one next time."""
    for kept in (_bare, operations, operation):
        kept.cache_clear()


@cache
def operation(
    arch: str, release: str, name: str, entries: int, space: Space, scope: Scope
) -> Counts:
    """What an operation costs on a machine.

    :param entries: how many it changes, in tables that are full one after another.
    :raises ConfigError: there is no such machine or operation, or it does not get to its end.
    """
    asked = ground.on(_bare(arch, release), name, entries, space)
    config = asked.config(arch, release, scope)
    # Pairs are taken one at a time, in the one section that the kernel has around a table's.
    callers = asked.pairs and scope is Scope.TABLE
    found = run(config, Scope.RANGE if callers else scope)
    if asked.pairs and entries > 1 and found.flushes > 1:
        raise ConfigError(
            f"machines do {name} for one entry, with its flush after each: it has no count for more"
        )
    # Both locks are held around all of a table, where they are taken for each here.
    held = found.writes // entries * min(entries, tables.width(arch)[0])
    return replace(found, pinned=max(found.pinned, held)) if asked.pairs else found


def run(config: MachineConfig, scope: Scope = Scope.TABLE) -> Counts:
    """What the programs of a machine cost: each task goes on as far as it can, then another one.

    The first choice is taken, and no interrupt comes.
    """
    machine = Machine(config, core_mode=_MODES[scope])
    state = list(machine.initial)
    spent: Counter[str] = Counter()
    seen = _Seen()
    left = _STEPS
    order = _ordered(machine)
    while _next(machine, state, order, spent, seen):
        left -= 1
        if left == 0:
            raise ConfigError(f"there is no end of it after {_STEPS} steps")
    here = machine.here(state, 0)
    for at, task in enumerate(config.tasks):
        if here.task_at(at).status not in ("dead", "unborn"):
            raise ConfigError(f"task {task.name} waits, and never goes on")
    named = {field: spent[kind] for kind, field in KINDS.items()}
    return Counts(**named, **seen.numbers())


def _next(
    machine: Machine, state: list[Any], order: Sequence[int], spent: Counter[str], seen: _Seen
) -> bool:
    """Take a step: of what runs if it can, else a switch; tells whether there was one to take."""
    for number in order:
        action = machine.actions[number]
        if action.kind == "switch" and action.number >= len(machine.config.tasks):
            continue
        events = machine.step(state, number, lambda what: spent.update((what,)))
        if events is not None:
            here = machine.here(state, action.cpu)
            off = bool(here.current.preempt_count or here.this_cpu.thread)
            seen.take(action.cpu, events, off=off)
            return True
    return False


def _ordered(machine: Machine) -> tuple[int, ...]:
    """Numbers of actions in the order in which they are tried."""
    kinds = ("run", "choose", "switch")
    known = [
        (kinds.index(one.kind), at) for at, one in enumerate(machine.actions) if one.kind in kinds
    ]
    return tuple(at for _, at in sorted(known))


class _Seen:
    """What the events of a run say."""

    def __init__(self) -> None:
        self.writes = self.put_off = self.sections = self.flushes = self.pinned = 0
        self._stretch: Counter[int] = Counter()

    def take(self, cpu: int, events: Iterable[Event], *, off: bool) -> None:
        """The events of a step on a CPU; off: whether preemption is off there after it."""
        wrote = 0
        for event in events:
            match event:
                case Write():
                    wrote += 1
                case Observed(at="update", pending=True):
                    self.put_off += 1
                case TlbFlush():
                    self.flushes += 1
                case Enable():
                    self.sections += 1
                case Bug(check=check, condition=condition) if check.startswith("BUG"):
                    raise ConfigError(f"the machine stops at a BUG: {condition}")
                case _:
                    pass
        self.writes += wrote
        self._stretch[cpu] += wrote
        self.pinned = max(self.pinned, self._stretch[cpu] if off else 0)
        if not off:
            self._stretch[cpu] = 0

    def numbers(self) -> dict[str, int]:
        """As fields of `Counts`."""
        return {
            "writes": self.writes,
            "put_off": self.put_off,
            "sections": self.sections,
            "flushes": self.flushes,
            "pinned": self.pinned,
        }
