# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rule follows from where the kernel's text does not say it in so many words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IMPLIED_BY", "implied_words"]

_WAITS: Final = "writes may wait until the mode is left"

IMPLIED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unbalanced-section": "it tells of a call that enters the mode and one that leaves it",
        "nested-section": "it knows one beginning and one end, and implementations no more",
        "sleep-in-section": (
            "page-table locks, which are spinlocks, are held in the mode, or preemption may be off"
        ),
        "section-in-interrupt": "the mode is of whoever entered it, and an interrupt is not",
        "section-outside-lock": "page-table locks are held for user mappings, in practice",
        "unlock-before-flush": f"{_WAITS}, and a lock covers what is written under it",
        "mixed-write": f"{_WAITS}, and an atomic operation does not",
        "tlb-flush-in-section": f"{_WAITS}, and a TLB flush is for what was written",
        "free-before-flush": "writes and page invalidations may wait until the mode is left",
        "bh-across-section": (
            "calls have no effect in interrupt context, and disabled bottom halves count as that"
        ),
        "preempted-in-section": "it asks for page-table locks, which pin",
        "unpinned-batch": "the mode is entered and left, and the task may move in between",
        "batch-mixes-mm": "page invalidations are of an address space",
        "mode-left-on-cpu": "the mode is of whoever entered it",
        "dirty-start": "the mode is of whoever entered it, and a new task has not",
        "flush-is-nop": "what was delayed is in effect when the mode is left",
        "irq-deferred": "the mode is of whoever entered it, and an interrupt is not",
    }
)
"""By rule, a clause about the comment above the mode's API in include/linux/pgtable.h."""


def implied_words(rule: str) -> str:
    """What is said of a finding whose rule the text implies; of a harm, which needs no text, ""."""
    why = IMPLIED_BY.get(rule)
    return "" if why is None else f"not written in include/linux/pgtable.h, but follows: {why}"
