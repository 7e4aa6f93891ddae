# SPDX-License-Identifier: GPL-2.0-or-later
"""What core-mm code does to the entry above a table, and notes for the flush at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.lift.frames import ANSWER
from lazymmu.lift.values import LockRef, TableEntry, TableRef, Value
from lazymmu.machine.memory import page_of

if TYPE_CHECKING:
    from lazymmu.lift.core_operations import CoreArguments
    from lazymmu.lift.frames import Called
    from lazymmu.lift.words import Does
    from lazymmu.machine.mm.base import Part
    from lazymmu.machine.steps import RoutineCall, Step

__all__ = [
    "FORGETS",
    "GONE",
    "NOTED",
    "TABLE_ACTIONS",
    "above_lock",
    "asked_above",
    "gather",
    "gathered",
    "is_asked",
]

NOTED: Final = f"{ANSWER}noted"
"""Of a run that has noted entries for a flush: the entries, in their order."""

GONE: Final = f"{ANSWER}gone"
"""Of a run that has noted what is to be given back: (page, "page" or "table") each."""

TABLE_ACTIONS: Final[frozenset[Does]] = frozenset(
    {"try-lock", "take-above", "read-above", "clear-above", "gather-flush", "gather-free"}
)
"""Words that are calls of the machine."""

FORGETS: Final[dict[Does, tuple[str, ...]]] = {
    "gather-flush": (NOTED,),
    "gather-free": (NOTED, GONE),
}
"""What is no more to be done after a word."""

Env = dict[str, Value]


def above_lock(called: Called, handed: CoreArguments) -> LockRef:
    """Return the lock of the table above one."""
    return LockRef(_above(called, handed)[1])


def _above(called: Called, handed: CoreArguments) -> tuple[str, str]:
    """The entry above the table that an argument leads to, and the lock of that entry."""
    table = called.arg(called.word.arg)
    found = handed.above.get(table.entries[0]) if isinstance(table, TableRef) else None
    if found is None:
        raise called.refused("of a table that no entry leads to")
    return found


def asked_above(part: Part, called: Called, handed: CoreArguments) -> RoutineCall | Step:
    """Return the machine's routine or step for a word.

    :raises Unliftable: for what is not understood.
    """
    word, code = called.word, part.code
    match word.does:
        case "try-lock":
            lock = called.arg(word.arg)
            if not isinstance(lock, LockRef):
                raise called.refused("of a lock that is not known")
            return code.locks.spin_trylock(lock.name)
        case "take-above":
            return code.tables.pmd_lock(_above(called, handed)[1])
        case "read-above":
            return part.read(_above(called, handed)[0], called.one.what)
        case "clear-above":
            return code.arch.pmd_clear(_above(called, handed)[0])
        case "gather-flush":
            return code.arch.tlb_flush(*_names(called.args[0]))
        case _:
            noted, gone = called.args
            return part.tlb_flush_mmu(_names(noted), gone)  # type: ignore[attr-defined,no-any-return]


def is_asked(called_for: Does, outermost: Env) -> bool:
    """Whether a word calls anything: nothing is flushed or given back where nothing was noted."""
    return any(outermost.get(name) for name in FORGETS.get(called_for, (NOTED,))) or (
        called_for not in FORGETS
    )


def gathered(called_for: Does, outermost: Env) -> tuple[Value, ...]:
    """Return what a word of the flush is about, as its arguments."""
    return tuple(outermost.get(name, ()) for name in FORGETS[called_for])


def gather(called: Called, handed: CoreArguments, outermost: Env) -> None:
    """Note an entry that is to be flushed, a page or a table that is to be given back."""
    value = called.arg(called.word.arg)
    if called.word.does == "note":
        if not isinstance(value, TableEntry) or not 0 <= value.at < len(value.table.entries):
            raise called.refused("of an entry outside of the range")
        noted = {*_names(outermost.get(NOTED, ())), value.table.entries[value.at]}
        entries = handed.tables[0].entries
        outermost[NOTED] = tuple(one for one in entries if one in noted)
        return
    page = page_of(value) if isinstance(value, str) else None
    if page is None:
        raise called.refused("of what is no page")
    what = "page" if called.word.does == "gather" else "table"
    gone = outermost.get(GONE, ())
    assert isinstance(gone, tuple)  # noqa: S101 - nothing else is ever kept there
    outermost[GONE] = (*gone, (page, what))


def _names(noted: Value) -> tuple[str, ...]:
    assert isinstance(noted, tuple)  # noqa: S101 - nothing else is ever kept there
    return noted  # type: ignore[return-value]
