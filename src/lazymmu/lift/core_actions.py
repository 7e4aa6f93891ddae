# SPDX-License-Identifier: GPL-2.0-or-later
"""What words of core-mm code do: what they compute, and what they call of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.ir.expr import Binary, Name, Other
from lazymmu.lift.core_operations import PAGE, CoreArguments
from lazymmu.lift.core_tables import TABLE_ACTIONS, above_lock, asked_above
from lazymmu.lift.values import (
    AddressSpace,
    CallbackRef,
    CPointer,
    LockRef,
    Opaque,
    TableEntry,
    TableRef,
    Value,
)
from lazymmu.lift.words import Does, LiftWord
from lazymmu.machine.memory import EXCLUSIVE, MARKERS, page_of, writable
from lazymmu.machine.mm.pgtable import SetPteAt
from lazymmu.machine.mm.values import flags_of, marked, unmarked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lazymmu.kernelc.ir.expr import Expr
    from lazymmu.lift.frames import Called, CodeFrame
    from lazymmu.lift.static_keys import StaticKeys
    from lazymmu.machine.mm.base import Part
    from lazymmu.machine.steps import RoutineCall, Step

__all__ = ["ACTIONS", "CALLBACK", "DEREF", "VALUES", "answers", "asked", "pure", "told", "zeroed"]

CALLBACK: Final = LiftWord("callback", "a function that was handed on")

DEREF: Final = LiftWord("read", "the value of an entry, read through its address")

ACTIONS: Final[frozenset[Does]] = frozenset(
    {
        "map",
        "map-lock",
        "unmap-lock",
        "take",
        "drop",
        "read",
        "accessor",
        "mode",
        "callback",
        "flush-range",
        "flush-pending",
        "free-page",
        "sleep",
        "resched",
        "large",
        "split",
        "stands",
        "warn-if",
        "bug-if",
        "bug",
    }
)
"""Words that are calls of the machine."""

VALUES: Final = (None, "A", "A:ro", "A:wp", "A:ro:wp", f"A:{EXCLUSIVE}", *MARKERS, "swap:wp")
"""A value of each kind that an entry may have."""

KERNEL_VALUES: Final = (None, "A", "A:ro")
"""Those of the kernel's own entries, which map a page or nothing."""

_TESTS: Final[Mapping[str, Callable[[str | None], bool]]] = {
    "none": lambda value: value is None,
    "present": lambda value: page_of(value) is not None,
    "write": writable,
    "wp": lambda value: "wp" in flags_of(value),
    "swap": lambda value: value is not None and page_of(value) is None,
    "swapped": lambda value: (value or "").split(":")[0] in ("swap", "swap-exclusive"),
    "not-swapped": lambda value: (value or "").split(":")[0] not in ("swap", "swap-exclusive"),
    "migration": lambda value: (value or "").startswith("migration"),
    "migration-read": lambda value: (value or "").split(":")[0] == "migration",
    "swap-exclusive": lambda value: (value or "").split(":")[0] == "swap-exclusive",
    "migration-writable": lambda value: (value or "").split(":")[0] == "migration-writable",
    "young": lambda value: "old" not in flags_of(value),
    "dirty": lambda value: "clean" not in flags_of(value),
    "marker": lambda value: (value or "").split(":")[0] == "marker",
    "exclusive": lambda value: EXCLUSIVE in flags_of(value),
}
"""What may be asked of a value."""


# ---- what is computed ----------------------------------------------------------------------------


def pure(
    called: Called, handed: CoreArguments, config: Callable[[str], object], keys: StaticKeys
) -> Value:
    """Do a word that calls nothing of the machine.

    :param config: gives what a tree's configuration says of a name.
    :param keys: gives what its static keys are.
    :raises Unliftable: for what is not understood.
    """
    word = called.word
    match word.does:
        case "nothing":
            return 0
        case "number":
            return handed.known.get(f"{called.one.what}()", word.number)
        case "power":
            return 1 << word.number
        case "value":
            return called.arg(word.arg)
        case "current" | "flag-test":
            return Opaque("")
        case "above-lock":
            return above_lock(called, handed)
        case "aligned":
            return _aligned(called.arg(0), called.arg(1))
        case "unknown":
            return handed.known.get(f"{called.one.what}()", Opaque(""))
        case "asked":
            of = called.arg(word.arg)
            about = f"{of.spelling}.{called.one.what}()" if isinstance(of, Opaque) else ""
            return handed.known.get(about, Opaque(about))
        case "config" | "can-have" | "static-key":
            return _configured(called, config, keys)
        case "given":
            page = called.arg(0) if called.args else 0
            if page is None or isinstance(page, str):
                return marked(unmarked(page, *flags_of(page)), "ro")  # of a private mapping
            if handed.value is None:
                raise called.refused("makes a value, and the operation is given none")
            return handed.value
        case "test":
            return int(_TESTS[word.calls](_value(called, word.arg)))
        case "mark":
            value = _value(called, word.arg)
            more = [flag for flag in word.flags if not flag.startswith("-")]
            less = [flag[1:] for flag in word.flags if flag.startswith("-")]
            return unmarked(marked(value, *more), *less)
        case "same":
            return int(_value(called, 0) == _value(called, 1))
        case "become":
            return word.calls
        case "table-lock":
            table = called.arg(word.arg)
            if isinstance(table, TableRef):
                return LockRef(handed.locks[table.entries[0]])
            raise called.refused("of a table that is not known")
        case "table-entry":
            return _at(called, word.arg)
        case _:
            raise called.refused("has no meaning in core-mm code")


def _aligned(number: Value, by: Value) -> Value:
    known = isinstance(number, int) and isinstance(by, int) and by > 0
    return int(number % by == 0) if known else Opaque("")  # type: ignore[operator]


def _configured(called: Called, config: Callable[[str], object], keys: StaticKeys) -> Value:
    """What the tree's configuration, or its static keys, say."""
    if called.word.does == "static-key":
        return keys.asked(called.arg(called.word.arg), called.refused)
    if called.word.does == "can-have":
        return int(config(called.word.calls) != "n")
    raw = called.one.raw[0] if called.one.raw else None
    name = raw.spelling if isinstance(raw, Name) else ""
    value = config(name.removeprefix("CONFIG_"))
    return int(value != "n") if value in ("y", "m", "n") else Opaque(name)


def zeroed(called: Called, frames: list[CodeFrame]) -> Value:
    """Make a local array zero; an element that nothing is stored in is that.

    :raises Unliftable: for anything else, and for a part of it.
    """
    place = called.arg(0)
    if isinstance(place, str):
        return place  # what is in a page is no part of the machine
    if not isinstance(place, CPointer) or place.space != "local" or not place.type.dims:
        raise called.refused("of memory that others may see")
    if called.arg(1) != 0:
        raise called.refused("to another value than zero")
    if not _is_whole(called.one.raw[2]):
        raise called.refused("of a part of an array")
    env, name = frames[place.owner].env, str(place.path[0])
    for stored in [one for one in env if one.partition(".")[0] == name]:
        del env[stored]
    return place


def _is_whole(size: Expr) -> bool:
    """Whether a size is that of an array: its own, or so many times that of an element."""
    match size:
        case Binary("*", Other(), Name()) | Other():
            return True
    return False


def _value(called: Called, number: int) -> str | None:
    value = called.arg(number)
    if value is None or isinstance(value, str):
        return value
    raise called.refused("of a value that is not known")


def _at(called: Called, number: int) -> TableEntry:
    """The entry of the address that stands behind a table."""
    table, address = called.arg(number), called.arg(number + 1)
    if isinstance(table, TableRef) and isinstance(address, int):
        return TableEntry(table, (address - table.base) // PAGE)
    raise called.refused("of a table that is not known")


def _entry(called: Called, number: int) -> str:
    (name,) = _entries(called, called.arg(number), 1)
    return name


def _entries(called: Called, place: Value, many: int) -> tuple[str, ...]:
    if isinstance(place, TableEntry):
        names = place.table.entries[place.at : place.at + many] if place.at >= 0 else ()
        if len(names) == many:
            return names
        raise called.refused("of an entry outside of the range")
    raise called.refused("of what is no entry")


def _range(called: Called, handed: CoreArguments) -> tuple[str, ...]:
    begin = called.arg(called.word.arg)
    if called.word.number and isinstance(begin, int):
        end: Value = begin + called.word.number * PAGE
    else:
        end = called.arg(called.word.arg + 1)
    for table in handed.tables:
        if isinstance(begin, int) and isinstance(end, int) and begin >= table.base:
            first, last = (begin - table.base) // PAGE, (end - table.base) // PAGE
            if first < last <= len(table.entries):
                return table.entries[first:last]
    raise called.refused("of a range that is not known")


# ---- what is called ------------------------------------------------------------------------------


def _lock(called: Called, handed: CoreArguments, part: Part) -> str:
    """The lock that an argument is the address of; the kernel's own mappings share one."""
    lock = called.arg(called.word.arg)
    if isinstance(lock, LockRef):
        return lock.name or part.ptl(handed.first)
    if isinstance(lock, AddressSpace) and lock.name == "init_mm":
        return part.ptl(handed.first)
    raise called.refused("of a lock that is not known")


def asked(part: Part, called: Called, handed: CoreArguments) -> RoutineCall | Step:
    """Return the machine's routine or step for a word.

    :raises Unliftable: for what is not understood.
    """
    word, code = called.word, part.code
    if word.does in TABLE_ACTIONS:
        return asked_above(part, called, handed)
    match word.does:
        case "map-lock":
            return code.tables.map_lock(_entries(called, _at(called, word.arg), 1)[0])
        case "map":
            return code.tables.map_nolock(_entries(called, _at(called, word.arg), 1)[0])
        case "unmap-lock" | "take" | "drop":
            lock = _lock(called, handed, part)
            if word.does == "unmap-lock":
                return code.tables.pte_unmap_unlock(lock)
            locks = code.locks
            return locks.spin_lock(lock) if word.does == "take" else locks.spin_unlock(lock)
        case "read":
            return code.arch.ptep_get(_entry(called, word.arg))
        case "accessor":
            return _accessor(part, called)
        case "mode":
            return getattr(code.mode, word.calls)()  # type: ignore[no-any-return]
        case "callback":
            frame = called.frame.env[called.one.what]
            assert isinstance(frame, CallbackRef)  # noqa: S101 - so it was found
            return frame.callback.at(_entry(called, word.arg))  # type: ignore[attr-defined,no-any-return]
        case "flush-range":
            return code.arch.flush_tlb_range(*_range(called, handed))
        case "flush-pending":
            return code.rmap.flush_tlb_batched_pending(handed.first)
        case "free-page":
            page = page_of(_value(called, word.arg))
            if page is None:
                return part.bug_on(True, called.shown)  # whatever address that makes
            return code.memory.free_page(page)
        case "sleep" | "split":
            return code.might_sleep(word.calls)
        case "resched":
            return code.sched.cond_resched()
        case "stands":
            table = called.arg(word.arg)
            if isinstance(table, TableRef):
                return code.tables.map_nolock(table.entries[0])
            raise called.refused("of a table that is not known")
        case "large":
            return part.folio_reaches(_value(called, word.arg), handed.tables[0].entries)
        case "warn-if":
            warn = part.vm_warn_on if word.config else part.warn_on
            return warn(bool(called.arg(0)), called.shown)
        case _:
            return part.bug_on(word.does == "bug" or bool(called.arg(0)), called.shown)


def _accessor(part: Part, called: Called) -> RoutineCall:
    word, pgtable = called.word, part.code.pgtable
    many = 1 if word.many < 0 else called.arg(word.many)
    if many != 1:
        raise called.refused("of several entries at once")
    entries = _entries(called, called.arg(word.arg), 1)
    if not hasattr(SetPteAt, word.calls):
        raise called.refused("is no accessor of the machine")
    if word.only and called.arg(word.only[0]) != word.only[1]:
        raise called.refused("with what no scenario has")
    make = getattr(pgtable, word.calls)
    if word.given < 0:
        return make(*entries)  # type: ignore[no-any-return]
    value = _value(called, word.given)
    return make(*entries, value)  # type: ignore[no-any-return]


def answers(
    called: Called, handed: CoreArguments, *, kernel: bool, vanish: bool
) -> tuple[object, ...]:
    """Return all that the machine may say to a word: of each kind one.

    :param kernel: of entries of the kernel's own, which map a page or nothing.
    :param vanish: a table may be gone.
    """
    values = KERNEL_VALUES if kernel else VALUES
    match called.word.does:
        case "map-lock":
            return (True, False) if vanish else (True,)
        case "map" | "stands":
            table = "T" if called.word.above >= 0 else ""
            return (table, None) if vanish else (table,)
        case "read":
            return values
        case "accessor":
            return values if called.word.given < 0 else (None,)
        case "sleep":
            return (handed.value,)
        case "large" | "try-lock":
            return (False, True)
        case "read-above":
            return ("T",)
        case _:
            return (None,)


def _mapped(called: Called, handed: CoreArguments) -> tuple[Value, Value]:
    entry = _at(called, called.word.arg)
    lock = LockRef(handed.locks[entry.table.entries[0]])
    return entry, lock if called.word.out >= 0 else None


def told(called: Called, got: object, handed: CoreArguments) -> tuple[Value, ...]:
    """Return what a word gives for what the machine said, the lock and the value that it leaves."""
    word = called.word
    match word.does:
        case "map-lock":
            return _mapped(called, handed) if got else (0, None)
        case "map":
            above = got if isinstance(got, str) else ""
            return (*_mapped(called, handed), above) if got is not None else (0, None)
        case "read" | "accessor" | "read-above":
            return (got if got is None or isinstance(got, str) else 0), None
        case "callback":
            return (got if isinstance(got, int) else 0), None
        case "sleep":
            return handed.value, None
        case "large" | "try-lock":
            return int(bool(got)), None
        case "take-above":
            return above_lock(called, handed), None
        case "stands":
            return int((got is None) == (word.calls == "none")), None
        case "warn-if":
            return called.arg(0), None
        case _:
            return 0, None
