# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections whose callers hold the lock: who of them does not is wrong, and not the function."""

from __future__ import annotations

from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.path.path_state import WalkOutcome
from lazymmu.witness.source.path.walker import Walker
from lazymmu.witness.source.users import Users

__all__ = ["OUTSIDE", "outside", "without_lock"]

OUTSIDE = "section-outside-lock"
"""The rule that a function is excused from whose callers are all seen."""

MAX_LEVELS = 3
"""Callers of callers that are asked whether they hold the lock."""

Unlocked = tuple[Definition, WalkOutcome]
"""A caller without the lock, and what walking it came to."""


def outside(outcome: WalkOutcome) -> bool:
    """Whether a function writes in a section and has not taken the lock itself."""
    found = [raw.violation for raw in outcome.raw_reports.values() if raw.violation.rule == OUTSIDE]
    return bool(found) and all(violation.detail == "writes" for violation in found)


def without_lock(
    program: Program,
    walker: Walker,
    users: Users,
    definition: Definition,
    outcome: WalkOutcome,
    levels: int = MAX_LEVELS,
) -> list[Unlocked] | None:
    """The callers of a function that do not hold the lock that its section needs.

    :param outcome: what walking the function by itself came to.
    :param levels: so many callers of callers are asked.
    :returns: None when nobody is seen to call it: then it answers for itself.
    """
    above = users.of(definition)
    if not above:
        return None
    graph = program.to_walk(definition)
    known = walker.knows_helper(graph)
    walker.helper(graph)
    wrong: list[Unlocked] = []
    for user in above:
        walked = walker.root(program.to_walk(user))
        mine = {key for key in walked.raw_reports if key[0] == OUTSIDE}
        if mine.isdisjoint(outcome.raw_reports):
            continue
        higher = without_lock(program, walker, users, user, walked, levels - 1) if levels else None
        wrong += [(user, walked)] if higher is None else higher
    if not known:
        walker.forget_helper(graph)
    return wrong
