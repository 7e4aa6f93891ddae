# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps that are taken together hide no state: where a task may be interrupted, all is the same.

A machine takes a step that nobody can tell from the one after it together with that. With
`merge_steps=False` each is a step of its own. Wherever no CPU is in a switch or an interrupt, both
machines must be able to be in exactly the same states.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

import pytest

from lazymmu.machine import ConfigError, Machine, Op
from lazymmu.witness.machine.product_model import Query

from .test_promela import place, reached

CASES = [
    ("xen-preempted-at-depth-two", "x86", "xen-nesting-count"),
    ("fork-outside-section", "x86", "xen-task"),
    ("interrupt-inside-section", "powerpc", "hash-active"),
    ("interrupt-inside-section", "x86", "xen-cpu-mode"),
    ("section-in-hardirq", "x86", "xen-nesting-count"),
    ("set-pte-in-hardirq", "arm64", "arm64-flag"),
    ("section-migrates", "sparc", "sparc-unpinned"),
]


def between(machine: Machine) -> set[Hashable]:
    """All states in which tasks run, places told without steps that are taken together."""
    names = [name for name, _ in machine.fields]
    found: set[Hashable] = set()
    for state in reached(machine):
        value = dict(zip(names, state, strict=True))
        if value["system.panicked"]:
            found.add("BUG")
        elif not any(value[name] for name in names if name.endswith(".thread")):
            found.add(
                tuple(
                    place(machine, held) if name.endswith(".stack") else held
                    for name, held in value.items()
                )
            )
    return found


@pytest.mark.parametrize(("scenario", "arch", "feature"), CASES, ids=map(" ".join, CASES))
def test_steps_taken_together_hide_no_state(
    scenario: str, arch: str, feature: str, ask: Callable[[str, str, str], Query]
) -> None:
    """One CPU and two, preemption right after a switch and right after an interrupt, fork."""
    config = ask(scenario, arch, feature).config
    together = between(Machine(config))
    assert len(together) > 10
    assert together == between(Machine(replace(config, merge_steps=False)))


def test_a_handler_is_refused_before_it_runs(
    ask: Callable[[str, str, str], Query],
) -> None:
    """What an interrupt does is looked at as soon as what tasks do."""
    config = ask("section-in-hardirq", "x86", "xen-nesting-count").config
    handler = replace(config.interrupts[0], program=(Op("kmap_everything"),))
    with pytest.raises(ConfigError, match="no operation kmap_everything"):
        Machine(replace(config, interrupts=(handler,)))
