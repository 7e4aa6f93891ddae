# SPDX-License-Identifier: GPL-2.0-or-later
"""Count: a machine does an operation, and what is slow is counted."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import Bug, Enable, Observed, Write
from lazymmu.costs import ground
from lazymmu.costs.counts import KINDS, Counts, Scope
from lazymmu.machine import ConfigError, MachineConfig, TaskSpec
from lazymmu.machine.config import EntrySpec
from lazymmu.machine.machine import Machine
from lazymmu.machine.scopes import CallersMode, WithoutMode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.contract.event_words import Space
    from lazymmu.contract.events import Event
    from lazymmu.machine.generic_api import DirectMode

__all__ = ["operation", "operations", "run", "spaces_of"]

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
    """The operations that can be counted; raises ConfigError where there is no such machine.

    What needs something done before it, such as kunmap_local(), is none of them.
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
    """For which mappings an operation is; raises ConfigError."""
    return ground.spaces(_bare(arch, release), name)


@cache
def operation(
    arch: str, release: str, name: str, entries: int, space: Space, scope: Scope
) -> Counts:
    """What an operation costs on a machine.

    :param entries: how many it changes, in tables that are full one after another.
    :raises ConfigError: there is no such machine or operation, or it does not get to its end.
    """
    asked = ground.on(_bare(arch, release), name, entries, space)
    return run(asked.config(arch, release, scope), scope)


def run(config: MachineConfig, scope: Scope = Scope.TABLE) -> Counts:
    """What the programs of a machine cost, one task after another, each on its own CPU."""
    machine = Machine(config, core_mode=_MODES[scope])
    state = list(machine.initial)
    spent: Counter[str] = Counter()
    seen = _Seen()
    for cpu in range(config.cpus):
        number = next(
            at for at, one in enumerate(machine.actions) if (one.kind, one.cpu) == ("run", cpu)
        )
        while (
            events := machine.step(state, number, lambda what: spent.update((what,)))
        ) is not None:
            here = machine.here(state, cpu)
            seen.take(events, off=bool(here.current.preempt_count or here.this_cpu.thread))
        current = machine.here(state, cpu).current
        if current.stack and current.status != "dead":
            place = machine.describe_step(state, number).stack
            raise ConfigError(f"the task waits in {place[-1] if place else 'its program'}()")
    named = {field: spent[kind] for kind, field in KINDS.items()}
    return Counts(**named, **seen.numbers())


class _Seen:
    """What the events of a run say."""

    def __init__(self) -> None:
        self.writes = self.put_off = self.sections = self.pinned = self._stretch = 0

    def take(self, events: Iterable[Event], *, off: bool) -> None:
        """The events of a step; off: whether preemption is off after it."""
        wrote = 0
        for event in events:
            match event:
                case Write():
                    wrote += 1
                case Observed(at="update", pending=True):
                    self.put_off += 1
                case Enable():
                    self.sections += 1
                case Bug(check=check, condition=condition) if check.startswith("BUG"):
                    raise ConfigError(f"the machine stops at a BUG: {condition}")
                case _:
                    pass
        self.writes += wrote
        self._stretch += wrote
        self.pinned = max(self.pinned, self._stretch if off else 0)
        if not off:
            self._stretch = 0

    def numbers(self) -> dict[str, int]:
        """As fields of `Counts`."""
        return {
            "writes": self.writes,
            "put_off": self.put_off,
            "sections": self.sections,
            "pinned": self.pinned,
        }
