# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch of a series brings what is new."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lazymmu.verbs import reading
from lazymmu.verbs.change import brought_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.snapshot.former_tree import PatchedTree
    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import CheckResult, Finding
    from lazymmu.witness.source.check import Where

__all__ = ["with_patches"]


def with_patches(
    outcome: CheckOutcome,
    patched: PatchedTree,
    tree: Where,
    look: Callable[[Where], CheckResult],
) -> CheckOutcome:
    """An outcome that says of each new finding which patch of a series brings it."""
    total = len(patched.series)
    if total < 2 or outcome.change is None or not outcome.verdicts:
        return outcome
    here = reading.opened(tree)

    def after(number: int) -> tuple[Tree, Sequence[Finding]]:
        between = patched.after(here, number)
        return between, look(between).findings

    whole = patched.after(here, total)
    found = brought_by((whole, outcome.verdicts), total, after)
    titles = [patch.title or f"{place}/{total}" for place, patch in enumerate(patched.series, 1)]
    brought = tuple((name, titles[number - 1]) for name, number in found.items())
    return replace(outcome, change=replace(outcome.change, brought=brought))
