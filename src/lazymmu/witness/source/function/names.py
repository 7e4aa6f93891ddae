# SPDX-License-Identifier: GPL-2.0-or-later
"""How entries and locks are named along a path, and how their names cross a call.

They are named by their spelling in the function that is walked. Entering a callee renames them to
the callee's spelling; what the callee cannot name keeps the caller's, one call up, until the call
returns. What only the callee can name is nobody's entry after that, and a lock of the callee's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import NamedTuple

from lazymmu.contract.events import UNKNOWN_ENTRY
from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.expr import (
    Address,
    AnyCall,
    Binary,
    Deref,
    Expr,
    IncDec,
    Index,
    Name,
    Number,
    Unary,
)
from lazymmu.kernelc.ir.nodes import Function, has_effect, spell, strip_casts
from lazymmu.witness.source.function.spelled_words import names_it


class EntryName(NamedTuple):
    """The name of an entry, or of a lock.

    :param spelling: of the pointer, as `spell` has it.
    :param up: how many calls lie between the function that is walked and the one that spells it so,
        which no callee of that one can.
    :param owners: functions that have returned, the outermost first, of which the last has the
        variable.
    """

    spelling: str
    up: int = 0
    owners: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether the function that is walked can name it."""
        return self.up == 0 and not self.owners

    def __str__(self) -> str:
        """The name for people: `^ptl` for the caller's, `helper:ptl` for one that has returned."""
        return "^" * self.up + ":".join((*self.owners, self.spelling))

    def owned_by(self, function: str) -> EntryName:
        """Return the name for a function's caller, after it has returned."""
        return EntryName(self.spelling, self.up, (function, *self.owners))


NAMELESS = EntryName("")
"""The name of what a function returns that returns nothing, or nothing that could be named."""


def entry_name(pointer: Expr) -> EntryName:
    """How an entry is named: by the pointer's spelling, before a `++` or `--` that follows.

    Limit: `++ptep` is named like `ptep++`, by what the pointer was before.
    """
    return EntryName(_spelled(pointer))


def plain_pointer(pointer: Expr) -> Expr:
    """Return the pointer in its plainest form: `&p[i]` is `p + i`, and `p + 0` is `p`.

    So is `start + (p - start)`: the entry's own pointer, by its place in the table.
    """
    pointer = strip_casts(pointer)
    match pointer:
        case Binary("+", base, offset) if (same := _between(offset, base)) is not None:
            return plain_pointer(same)
        case Binary("+", offset, base) if (same := _between(offset, base)) is not None:
            return plain_pointer(same)
        case Address(Index(base, position)):
            return plain_pointer(Binary("+", base, position))
        case Binary("+" | "-", base, number) if strip_casts(number) == Number(0):
            return plain_pointer(base)
        case Binary("+" as op, Number() as number, base):
            return plain_pointer(Binary(op, base, number))
        case Binary("+", base, Unary("-", away)):
            return plain_pointer(Binary("-", base, away))
        case Binary("+", base, Number(away)) if away < 0:
            return plain_pointer(Binary("-", base, Number(-away)))
    return pointer


def _between(offset: Expr, base: Expr) -> Expr | None:
    """The pointer that so many entries lead to from another: `p` of `p - base`."""
    match strip_casts(offset):
        case Binary("-", pointer, start) if spell(start) == spell(base) and not has_effect(base):
            return pointer
    return None


def _spelled(pointer: Expr) -> str:
    pointer = plain_pointer(pointer)
    return spell(strip_casts(pointer.target) if isinstance(pointer, IncDec) else pointer)


def enter(
    product: Product,
    call: AnyCall,
    callee: Function,
    original: Callable[[EntryName], EntryName] = lambda name: name,
    members: Callable[[str], Iterable[tuple[str, str]]] = lambda _: (),
) -> Product:
    """The product with entries and locks under the callee's names.

    :param original: the name of an entry that a pointer is a copy of the caller's pointer to.
    :param members: of a structure those that are copies of the caller's pointers: see `State`.
    """
    given = {param: strip_casts(arg) for param, arg in zip(callee.params, call.args, strict=False)}

    def inward(name: Hashable) -> Hashable:
        if not isinstance(name, EntryName):
            return name
        for param, arg in given.items() if name.here else ():
            spelling = _spelled(arg)
            if name.spelling in (spelling, original(EntryName(spelling)).spelling):
                return EntryName(param)
            behind = original(EntryName(spell(Deref(arg)))).spelling
            if name.spelling == behind:
                return EntryName(spell(Deref(Name(param))))
            owner = spell(arg.operand) if isinstance(arg, Address) else spelling
            for member, of in members(owner):
                if name.spelling == of:
                    return EntryName(param + member)
            prefix = original(EntryName(f"{owner}->")).spelling
            if name.spelling.startswith(prefix):
                return EntryName(f"{param}->{name.spelling[len(prefix) :]}")
        return name._replace(up=name.up + 1)

    return _rename(product, inward, inward)


def leave(
    product: Product,
    call: AnyCall,
    callee: Function,
    rewritten: frozenset[str],
    original: Callable[[EntryName], EntryName] = lambda name: name,
) -> Product:
    """The product with the caller's names again; what only the callee could name is unnamed."""
    given = {
        param: strip_casts(arg)
        for param, arg in zip(callee.params, call.args, strict=False)
        if param not in rewritten
    }
    pointees = {spell(Deref(Name(param))): arg for param, arg in given.items()}

    def outward(name: EntryName) -> EntryName | None:
        if name.up:
            return name._replace(up=name.up - 1)
        if not name.here:
            return None
        if name.spelling in given:
            return original(entry_name(given[name.spelling]))
        if name.spelling in pointees:
            return original(EntryName(spell(Deref(pointees[name.spelling]))))
        head, arrow, member = name.spelling.partition("->")
        if arrow and head in given:
            arg = given[head]
            owner = spell(arg.operand) if isinstance(arg, Address) else _spelled(arg)
            return original(EntryName(f"{owner}->{member}"))
        return None

    def entry(name: Hashable) -> Hashable:
        return (outward(name) or UNKNOWN_ENTRY) if isinstance(name, EntryName) else name

    def lock(name: Hashable) -> Hashable:
        if not isinstance(name, EntryName):
            return name
        return outward(name) or name.owned_by(callee.name)

    return _rename(product, entry, lock)


def forget(product: Product, variable: str) -> Product:
    """The product after a variable got another value: entries it named have no name any more."""
    task = product.task
    if not task.pending and not task.locks:
        return product

    def entry(name: Hashable) -> Hashable:
        lost = isinstance(name, EntryName) and not name.up and names_it(name.spelling, variable)
        return UNKNOWN_ENTRY if lost else name

    def lock(name: Hashable) -> Hashable:
        # No assignment here changes the variable of a function that has returned.
        if isinstance(name, EntryName) and name.here and names_it(name.spelling, variable):
            return name._replace(up=1)
        return name

    return _rename(product, entry, lock)


def forget_member(product: Product, member: str) -> Product:
    """The product after a member (`vmf->pte`) got another value: see `forget`."""

    def entry(name: Hashable) -> Hashable:
        lost = isinstance(name, EntryName) and not name.up and mentions(name.spelling, member)
        return UNKNOWN_ENTRY if lost else name

    return _rename(product, entry, lambda name: name)


def renamed_entries(product: Product, new: Callable[[EntryName], EntryName]) -> Product:
    """The product with entries that the function can name under other names."""

    def entry(name: Hashable) -> Hashable:
        return new(name) if isinstance(name, EntryName) and name.here else name

    return _rename(product, entry, lambda name: name)


def mentions(spelling: str, part: str) -> bool:
    """Whether the spelling of an expression has another one in it, from word to word."""
    at = spelling.find(part)
    while at >= 0:
        before, after = spelling[at - 1 : at], spelling[at + len(part) :][:1]
        if not (_in_word(before) or _in_word(after)):
            return True
        at = spelling.find(part, at + 1)
    return False


def _in_word(character: str) -> bool:
    return character.isalnum() or character in ("_", "$")


def rename_lock(product: Product, old: EntryName, new: EntryName) -> Product:
    """The product with one lock under another name."""
    if all(held.lock != old for held in product.task.locks):
        return product
    return _rename(product, lambda name: name, lambda name: new if name == old else name)


def _rename(
    product: Product,
    entry: Callable[[Hashable], Hashable],
    lock: Callable[[Hashable], Hashable],
) -> Product:
    task = product.task
    if not task.pending and not task.locks:
        return product
    entries = {p.entry: entry(p.entry) for p in task.pending}
    locks = {h.lock: lock(h.lock) for h in task.locks}
    for pending in task.pending:
        for name in pending.locks:
            locks.setdefault(name, lock(name))
    if all(a == b for a, b in entries.items()) and all(a == b for a, b in locks.items()):
        return product
    return replace(product, task=task.renamed(entries, locks))
