# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries whose pointer has moved on, named by what was read of them: `page`, `pages[n]`.

    pages[n++] = pte_page(ptep_get(pte));
    pte_clear(mm, addr, pte);
    pte++;
    __free_page(pages[0]);      /* of the entry that `pages` has */

All entries that the elements of an array come from are one: whichever is asked for may be that.
"""

from __future__ import annotations

from dataclasses import replace

from lazymmu.witness.source.function.names import EntryName, mentions, renamed_entries
from lazymmu.witness.source.function.pointer_copies import heir
from lazymmu.witness.source.function.spelled_words import names_it
from lazymmu.witness.source.function.state import Origin, State

__all__ = ["named_by_origins"]

_OF = "'"
"""Behind the name of a variable: the entry that its value comes from."""


def named_by_origins(state: State, written: str, *, variable: bool) -> State:
    """The state before something is written that entries are named by.

    :param variable: whether that is a variable; else it is a member, or an element.
    """
    within = names_it if variable else mentions
    names: dict[str, str] = {}
    waiting = {item.entry for item in state.product.task.pending} if state.origins else set()
    for origin in state.origins:
        entry = origin.entry
        if entry not in waiting or not within(entry.spelling, written) or entry.spelling in names:
            continue
        if other := heir(state.copies, entry.spelling, written):
            names[entry.spelling] = other
        elif not within(origin.variable, written):
            names[entry.spelling] = f"{origin.variable}{_OF}"
    if not names:
        return state

    def renamed(name: EntryName) -> EntryName:
        return name._replace(spelling=names.get(name.spelling, name.spelling))

    kept = tuple(Origin(o.variable, renamed(o.entry)) for o in state.origins)
    return replace(state, product=renamed_entries(state.product, renamed), origins=kept)
