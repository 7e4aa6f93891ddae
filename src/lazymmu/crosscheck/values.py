# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as a trace or as a test of the memory model, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["HerdTest", "NotVisible", "RenderedTrace", "TraceLine"]


class NotVisible(StrEnum):
    """Why no trace shows a counterexample.

    RULE: traces do not witness the rule; KERNEL: nothing in a trace of that kernel shows the mode;
    EVENT: what a trace of that kernel shows of its steps breaks no rule.
    """

    RULE = "rule"
    KERNEL = "kernel"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of a trace.  comm: the task's name; flags: as tracefs prints them, five letters."""

    cpu: int
    comm: str
    pid: int
    flags: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderedTrace:
    """A counterexample as the trace of such a kernel.

    :param lines: in order.
    :param cpus: how many the machine has.
    :param task: who breaks the rule, by what the lines say.
    :param pid: likewise.
    :param not_visible: why they do not say that anybody does, None when they do.
    :param also: other rules that are broken on the way, by what they say.
    """

    lines: tuple[TraceLine, ...] = ()
    cpus: int = 0
    task: str = ""
    pid: int = -1
    not_visible: NotVisible | None = None
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class HerdTest:
    """A program for each CPU, what memory holds at first, and what is asked.

    :param initial: of locations and of registers (`0:X1`), in order.
    :param programs: the instructions of each CPU.
    :param condition: what holds of the way that was found.
    """

    name: str
    about: str
    initial: dict[str, str] = field(default_factory=dict)
    programs: dict[int, list[str]] = field(default_factory=dict)
    condition: list[str] = field(default_factory=list)
