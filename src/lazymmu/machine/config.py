# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine is made of: CPUs, kernel, entries, locks, tasks and interrupts of one scenario."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazymmu.contract.event_words import IrqKind, Level, LockClass, Space

Value = str | None
"""What an entry holds: None, or a word: a page and its permissions (`A`, `A:ro`), a marker."""


class ConfigError(Exception):
    """A machine that no kernel is, or that cannot be built; one sentence says why."""


class Preempt(StrEnum):
    """The preemption model: when a task that runs in the kernel may lose its CPU (linux/preempt.h).

    NONE and VOLUNTARY only at explicit points, FULL and LAZY wherever preemptible() holds.
    """

    NONE = "none"
    VOLUNTARY = "voluntary"
    FULL = "full"
    LAZY = "lazy"

    @property
    def involuntary(self) -> bool:
        """Whether a task may be switched out against its will inside the kernel.

        PREEMPT_LAZY delays it to the tick, and after that it is as with FULL (kernel/sched/core.c,
        7c70cb94d29c ("sched: Add Lazy preemption model") (in v6.13)).
        """
        return self in (Preempt.FULL, Preempt.LAZY)


@dataclass(frozen=True, slots=True)
class Op:
    """One operation of a program: its name, its arguments, and for a callback its body."""

    name: str
    args: tuple[str, ...] = ()
    body: tuple[Op, ...] = ()


@dataclass(frozen=True, slots=True)
class EntrySpec:
    """A page-table entry: its level, its mapping, what it holds, and the entry above it.

    :param mm: address space that a user entry belongs to.
    :param parent: name of the entry (of the next level) that leads to the table in which this one
        lies, "" when that table never goes away.
    :param locks: the page-table locks that cover it (for kernel entries init_mm.page_table_lock),
        of which core-mm code takes the first.
    """

    name: str
    level: Level = "pte"
    space: Space = "user"
    value: Value = None
    mm: str = "mm"
    parent: str = ""
    locks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LockSpec:
    """A page-table lock, or another one."""

    name: str
    cls: LockClass = "ptl"


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task and its program.

    :param cpu: where it runs at the beginning, or waits when another one does, -1: it waits to be
        scheduled anywhere.
    :param bound: it never leaves that CPU.
    :param mm: its address space, "" for a kernel thread.
    :param forked: it does not exist before another task forks it.
    """

    name: str
    program: tuple[Op, ...]
    cpu: int = -1
    bound: bool = False
    mm: str = "mm"
    forked: bool = False


@dataclass(frozen=True, slots=True)
class IrqSpec:
    """An interrupt: its handler's program, on which CPU (-1: any), and how often it may come."""

    name: str
    program: tuple[Op, ...]
    kind: IrqKind = "hard"
    cpu: int = -1
    times: int = 1


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """A machine.

    :param arch: see `releases.py`, or a row's name for `release`.
    :param release: likewise.
    :param cpus: 1 to 3.
    :param preempt: the kernel's configuration.
    :param rt: likewise.
    :param walks: hardware may fill TLBs by steps of its own, instead of being taken to have cached
        whatever it could (`memory.py`).
    :param merge_steps: a step that nobody can tell from its successor is taken together with it
        (`steps.local`).
    """

    arch: str
    release: str
    entries: tuple[EntrySpec, ...]
    tasks: tuple[TaskSpec, ...]
    locks: tuple[LockSpec, ...] = ()
    interrupts: tuple[IrqSpec, ...] = ()
    cpus: int = 1
    preempt: Preempt = Preempt.FULL
    rt: bool = False
    walks: bool = False
    merge_steps: bool = True
