# SPDX-License-Identifier: GPL-2.0-or-later
"""powerpc hash with the batch of a tree below the machine's accessors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.lift.batch import LiftedBatch
from lazymmu.machine.arch.powerpc import HASH_TLB, Hash
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine

__all__ = ["LiftedHash"]


class LiftedHash(LiftedBatch, Hash):
    """The hooks and what adds to the batch are the tree's; a flush removes hash table entries."""

    @routine(HASH_TLB)
    def hpte_need_flush(self, entry: str, value: str) -> Routine:
        """The tree's function that adds to the batch."""
        yield self.adding(entry, value)
