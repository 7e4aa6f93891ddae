# SPDX-License-Identifier: GPL-2.0-or-later
"""What is planted: mistakes, each looked for as one of a few rules, and code that is right.

What is inserted is written as a kernel programmer would write it, with the function's own variables
where it is about them. The rules of a kind are those by which a finding counts: deleting the leave
before an unlock, for instance, is an unbalanced section on one path, and an unlock with the mode on
all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from mutants.mutant import Mutant
from mutants.section import Section

from . import balance, entries, locks, misuse, right_calls, right_forms, sleeps

MISTAKES = (balance.mistakes, locks.mistakes, sleeps.mistakes, entries.mistakes, misuse.mistakes)
RIGHT = (right_forms.right, right_calls.right)

FAMILIES = (
    "mistakes about begin and end",
    "mistakes about the lock",
    "mistakes about sleeping",
    "mistakes about entries",
    "other ways to begin and end, used wrongly",
    "right code",
)
"""What the kinds are told under."""


def every(section: Section) -> Iterator[Mutant]:
    """All that can be planted in one section."""
    for family in (*MISTAKES, *RIGHT):
        yield from family(section)


def family_of(kind: str) -> str:
    """The family of a kind, by how its name begins."""
    if kind.startswith("right: "):
        return FAMILIES[5]
    if ": " in kind:
        return FAMILIES[4]
    if kind.startswith("sleeps "):
        return FAMILIES[2]
    if kind.startswith(("flushes", "reads", "dereferences", "mixes", "frees")):
        return FAMILIES[3]
    if "lock" in kind:
        return FAMILIES[1]
    return FAMILIES[0]
