# SPDX-License-Identifier: GPL-2.0-or-later
"""The lazy MMU mode, executable: CPUs, tasks, memory, TLBs, locks, and the kernel code around it.

`build(Config(...))` gives a `Machine` that can be stepped by hand or searched by anybody.  It knows
no rule: it says what happens, as events of the contract.
"""

from __future__ import annotations

from lazymmu.machine.config import (
    ConfigError,
    EntrySpec,
    IrqSpec,
    LockSpec,
    MachineConfig,
    Op,
    Preempt,
    TaskSpec,
)
from lazymmu.machine.machine import Action, Machine

__all__ = [
    "Action",
    "ConfigError",
    "EntrySpec",
    "IrqSpec",
    "LockSpec",
    "Machine",
    "MachineConfig",
    "Op",
    "Preempt",
    "TaskSpec",
    "build",
]


def build(config: MachineConfig) -> Machine:
    """The machine of a `config`.

    :raises ConfigError: with one sentence, for one no kernel is.
    """
    return Machine(config)
