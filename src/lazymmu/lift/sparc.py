# SPDX-License-Identifier: GPL-2.0-or-later
"""sparc64 with the batch of a tree below the machine's accessors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.lift.batch import LiftedBatch
from lazymmu.machine.arch.sparc64 import TLB_C, Sparc
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.steps import Routine

__all__ = ["LiftedSparc"]


class LiftedSparc(LiftedBatch, Sparc):
    """The hooks and what adds to the batch are the tree's; a flush demaps one mm's addresses."""

    @routine(TLB_C)
    def tlb_batch_add_one(self, entry: str, value: str) -> Routine:
        """The tree's function that adds to the batch."""
        yield self.adding(entry, value)
