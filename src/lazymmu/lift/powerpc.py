# SPDX-License-Identifier: GPL-2.0-or-later
"""powerpc hash with the batch of a tree below the machine's accessors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.lift.batch import LiftedBatch
from lazymmu.lift.values import NOWHERE, Handle
from lazymmu.machine.arch.powerpc import HASH_TLB, Hash
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.frames import Called
    from lazymmu.lift.values import Value
    from lazymmu.machine.steps import Routine

__all__ = ["LiftedHash"]


class LiftedHash(LiftedBatch, Hash):
    """The hooks and what adds to the batch are the tree's; a flush removes hash table entries.

    An address is looked for in a segment (vsid), and in that of somebody else nothing is found.
    """

    @routine(HASH_TLB)
    def hpte_need_flush(self, entry: str, value: str) -> Routine:
        """The tree's function that adds to the batch."""
        yield self.adding(entry, value)

    def does(self, here: Execution, call: Called) -> Value:
        """Tell addresses of the kernel from others; all else is as for every batch."""
        if call.word.does not in ("kernel-address", "segment-address"):
            return super().does(here, call)
        address = call.arg(call.word.arg)
        if not isinstance(address, Handle):
            raise call.refused("of what is no address of an entry")
        kernel = int(self.memory.specs[address.name].space == "kernel")
        if call.word.does == "kernel-address":
            return kernel
        segment = call.arg(call.word.number)
        return address if segment == _SEGMENTS[kernel] else NOWHERE


_SEGMENTS: Final = (1, 2)
"""Of users, of the kernel: as the words of get_user_vsid() and get_kernel_vsid() have them."""
