# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether interrupts are off on this CPU: a flag and no count, as include/linux/irqflags.h has it.

local_irq_enable() lets them in however often they were put off, and local_irq_restore() sets what
the local_irq_save() that belongs to it found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from lazymmu.contract.event_words import PinKind

__all__ = ["INTERRUPTS", "MOST_KEPT", "InterruptsOff"]

INTERRUPTS: Final[frozenset[PinKind]] = frozenset({"irq", "irqsave"})
"""The pins that are this flag: those that set it, and those that keep what they find as well."""

MOST_KEPT: Final = 3
"""So many found states are known, the last ones."""


class InterruptsOff(NamedTuple):
    """The flag, and what was found by each that keeps it, innermost last."""

    off: bool = False
    kept: tuple[bool, ...] = ()

    def after(self, kind: str, *, pins: bool) -> InterruptsOff:
        """Return what holds after a pin of a kind, or after its opposite.

        What is given back without having been kept here lets interrupts in.
        """
        if pins:
            kept = (*self.kept, self.off)[-MOST_KEPT:] if kind == "irqsave" else self.kept
            return InterruptsOff(True, kept)
        if kind == "irqsave" and self.kept:
            return InterruptsOff(self.kept[-1], self.kept[:-1])
        return InterruptsOff(False, self.kept)
