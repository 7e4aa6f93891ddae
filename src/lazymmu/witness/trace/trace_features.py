# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lines of a trace can tell at all: a question of its kernel and of the recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Known

__all__ = ["TraceFeatures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFeatures:
    """What can be told from a trace.

    :param shows_interrupts: lines have the column that says so.
    :param counters_only: no function shows sections, readings of the task's counters may.
    :param no_counters: the kernel surely has none, so that its functions are the mode.
    :param pauses_out: whether the hooks of a switch pause the task that goes.
    :param insists: whether beginning and end meet a BUG_ON where the CPU's mode is not what they
        expect.
    """

    shows_interrupts: bool = True
    counters_only: bool = False
    no_counters: bool = False
    pauses_out: Known = "no"
    insists: Known = "no"
