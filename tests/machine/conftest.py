# SPDX-License-Identifier: GPL-2.0-or-later
"""Small machines, and a breadth-first run that shares nothing with the engines."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pytest

from lazymmu.machine import EntrySpec, LockSpec, Machine, MachineConfig, Op, TaskSpec

P = (EntrySpec("p"),)


def program(text):
    """`a p; b` as operations."""
    lines = [line.split() for line in text.split(";") if line.strip()]
    return tuple(Op(name, tuple(args)) for name, *args in lines)


def explore(machine):
    """Every state, every transition's events, and the states in which nothing can happen."""
    seen, todo = {machine.initial}, deque([machine.initial])
    transitions, ends = [], []
    while todo:
        state = todo.popleft()
        stuck = True
        for number in range(len(machine.actions)):
            view = list(state)
            events = machine.step(view, number)
            if events is None:
                continue
            stuck = False
            after = tuple(view)
            transitions.append((state, number, events, after))
            if after not in seen:
                seen.add(after)
                todo.append(after)
        if stuck:
            ends.append(state)
    return SimpleNamespace(states=seen, transitions=transitions, ends=ends, machine=machine)


def happened(found, kind, **fields):
    """Whether some step shows an event of that kind with these fields."""
    return any(
        type(event).__name__ == kind
        and all(getattr(event, name) == value for name, value in fields.items())
        for _, _, events, _ in found.transitions
        for event in events
    )


@pytest.fixture
def run():
    """run("x86", "6.12.8", "op; op", ...) explores a machine with one task per program."""

    def go(arch, release, *programs, entries=P, cpus=1, cached=True, **more):
        tasks = tuple(
            TaskSpec(f"T{number}", program(text), cpu=number if number < cpus else -1)
            for number, text in enumerate(programs)
        )
        more.setdefault("locks", (LockSpec("L"),))
        config = MachineConfig(arch, release, entries=entries, tasks=tasks, cpus=cpus, **more)
        return explore(Machine(config, cached=cached))

    return go
