# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries by members of a structure, where a call is handed the structure's address.

    fill(&walk);                /* writes walk.pte, or it does not */
    ptep_get(walk.pte);

Whoever leaves the member alone leaves its entry the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lazymmu.witness.source.function.names import EntryName, renamed_entries
from lazymmu.witness.source.function.state import State

__all__ = ["left_alone", "spelled_by"]


def left_alone(state: State, structure: str, written: Callable[[str], bool]) -> dict[str, str]:
    """Entries by members of a structure that nobody writes who is handed its address.

    :returns: each with a name that no write to the structure makes unknown.
    """
    members = {
        item.entry.spelling
        for item in state.product.task.pending
        if isinstance(item.entry, EntryName)
        and item.entry.here
        and item.entry.spelling.startswith(f"{structure}->")
    }
    kept = [name for name in sorted(members) if not written(name)]
    return {name: f"${number}" for number, name in enumerate(kept)}


def spelled_by(state: State, names: Mapping[str, str]) -> State:
    """The state with some entries under other names."""
    if not names:
        return state

    def other(name: EntryName) -> EntryName:
        return name._replace(spelling=names.get(name.spelling, name.spelling))

    return state.after(renamed_entries(state.product, other))
