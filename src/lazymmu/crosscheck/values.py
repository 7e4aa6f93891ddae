# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as the trace its kernel would have recorded, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Line", "Retold", "Untold"]


class Untold(StrEnum):
    """Why no trace tells a counterexample.

    RULE: traces do not witness the rule; KERNEL: nothing in a trace of that kernel shows the mode;
    EVENT: what a trace of that kernel shows of the way breaks no rule.
    """

    RULE = "rule"
    KERNEL = "kernel"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trace.  comm: the task's name; flags: as tracefs prints them, five letters."""

    cpu: int
    comm: str
    pid: int
    flags: str
    text: str


@dataclass(frozen=True, slots=True)
class Retold:
    """A counterexample as the trace of such a kernel.

    lines: in order; cpus: how many the machine has; task, pid: who breaks the rule, by what
    the lines say; untold: why they do not say that anybody does, None when they do.
    """

    lines: tuple[Line, ...] = ()
    cpus: int = 0
    task: str = ""
    pid: int = -1
    untold: Untold | None = None
