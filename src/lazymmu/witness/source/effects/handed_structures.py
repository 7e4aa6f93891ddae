# SPDX-License-Identifier: GPL-2.0-or-later
"""Structures that a call is handed, with a lock or an entry's pointer that is followed."""

from __future__ import annotations

from lazymmu.kernelc.ir.expr import Address, AnyCall, Name
from lazymmu.kernelc.ir.nodes import spell, strip_casts
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.function.state import State


def hands_over(call: AnyCall, state: State) -> bool:
    """Whether a call is handed a structure that has a lock which is held, or an entry's pointer."""
    task = state.product.task
    held = {
        each.lock.spelling.partition("->")[0]
        for each in task.locks
        if isinstance(each.lock, EntryName) and each.lock.here and "->" in each.lock.spelling
    }
    for arg in map(strip_casts, call.args):
        owner = spell(arg.operand) if isinstance(arg, Address) else ""
        if owner in held:
            return True
        pointer = arg.spelling if isinstance(arg, Name) else ""
        if task.depth and state.hands_entry(owner or pointer):
            return True
    return False
