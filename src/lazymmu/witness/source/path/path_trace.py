# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a path has been: a linked list of notes, shared by the paths that split from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lazymmu.contract.event_words import Identity
from lazymmu.contract.events import Event
from lazymmu.witness.finding import Step

SUPPOSES: Final = "supposes"
"""The mark of a note that a path takes for granted that somebody else has begun a section."""

ONE_OF: Final = "one of"
"""The mark of a note that a path goes by one of several callees that do not do the same."""

NOT_ASKED: Final = "not asked"
"""The mark of a note that a helper that changes the mode was not to, by what it asks itself."""

_ASSUMES: Final = frozenset({SUPPOSES, ONE_OF, NOT_ASKED})


@dataclass(frozen=True, slots=True, eq=False)
class PathTrace:
    """One note of a path: a step of this function, or the trail of a callee, after ``before``.

    ``mark`` says what the step is to those that shorten a path for a report: "begin", "end",
    "pause", "resume", "take", "drop", "write", "call", "fact", "assumes", "beside" (never shown),
    SUPPOSES, ONE_OF or NOT_ASKED.
    """

    before: PathTrace | None
    step: Step | None
    mark: str
    about: Identity | None = None
    """The entry that is written."""
    huge: bool = False
    """It maps a huge page."""
    conditions: frozenset[str] = frozenset()
    """CONFIG symbols without which the path does not come here."""
    event: Event | None = None
    """What happens at the step."""
    assumed: int = field(init=False, default=0)
    """Notes with such conditions, or of such a mark, up to here, those of callees among them."""

    def __post_init__(self) -> None:
        """Count what is assumed on the way."""
        before = self.before.assumed if self.before is not None else 0
        inner = self.inner.assumed if self.inner is not None else 0
        if total := before + inner + bool(self.conditions or self.mark in _ASSUMES):
            object.__setattr__(self, "assumed", total)

    inner: PathTrace | None = None

    def __iter__(self) -> Iterator[PathTrace]:
        """The notes from the path's beginning, those of callees in their place."""
        return self.since(None)

    def since(self, first: PathTrace | None) -> Iterator[PathTrace]:
        """The notes after one of the path's, those of callees in their place."""
        chain: list[PathTrace] = []
        at: PathTrace | None = self
        while at is not None and at is not first:
            chain.append(at)
            at = at.before
        for note in reversed(chain):
            if note.step is not None:
                yield note
            if note.inner is not None:
                yield from note.inner


_ROUNDS: Final = 2
_MODE: Final = frozenset({"begin", "end", "pause", "resume"})


def begun_again(trail: PathTrace | None, step: Step) -> bool:
    """Whether a path has twice begun a section in this place, and done nothing else to the mode.

    Twice, so that a leak shows also where every way out ends one section.
    """
    at, rounds = trail, 0
    while at is not None:
        if at.inner is not None and any(note.mark in _MODE for note in at.inner):
            return False
        if at.mark in _MODE:
            here = at.step
            if at.mark != "begin" or here is None or _place(here) != _place(step):
                return False
            rounds += 1
            if rounds == _ROUNDS:
                return True
        at = at.before
    return False


def _place(step: Step) -> tuple[str, int, int]:
    return step.file, step.line, step.column
