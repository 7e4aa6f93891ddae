# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers to entries that move on, and are asked for where they were: `pte++; ptep_get(pte - 1)`.

Only what the function writes somewhere as such a place is followed, `pte - 1` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from lazymmu.kernelc.ir.expr import Assign, Binary, Expr, IncDec, Index, Name, Number
from lazymmu.kernelc.ir.nodes import Function, strip_casts, walk
from lazymmu.witness.source.function.names import EntryName, plain_pointer, renamed_entries
from lazymmu.witness.source.function.pointer_copies import Copy, with_copy
from lazymmu.witness.source.function.state import State

__all__ = ["OffsetMap", "PointerOffset", "arrived", "leaving", "offsets_in"]

_FAR: Final = 8
"""Entries between two places near a pointer that are followed one by one."""


class PointerOffset(NamedTuple):
    """How far a place is from a pointer: a number of entries, and a variable's value, or -value."""

    number: int = 0
    variable: str = ""

    @property
    def back(self) -> PointerOffset:
        """The way back."""
        word = self.variable
        return PointerOffset(
            -self.number, word[1:] if word.startswith("-") else word and f"-{word}"
        )

    def from_here(self, moved: PointerOffset) -> PointerOffset | None:
        """How far the place was before the pointer moved; None where nobody can tell."""
        if self.variable and moved.variable and self.variable != moved.back.variable:
            return None
        word = "" if self.variable and moved.variable else self.variable or moved.variable
        sum_of = PointerOffset(self.number + moved.number, word)
        return None if sum_of.number and word else sum_of

    def spelled(self, pointer: str) -> str:
        """The place as `spell` has it."""
        if self == PointerOffset():
            return pointer
        away = self.variable or str(self.number)
        return f"({pointer} {'-' if away[0] == '-' else '+'} {away.removeprefix('-')})"


OffsetMap: TypeAlias = Mapping[str, tuple[PointerOffset, ...]]
"""By pointer, the places near it that matter once it has moved."""


def offsets_in(graph: Function, types: frozenset[str]) -> dict[str, tuple[PointerOffset, ...]]:
    """Which places near pointers that move a function asks for.

    :param types: those of pointers to entries.
    """
    pointers = {name for name, kind in graph.types.items() if kind in types}
    asked: dict[str, set[PointerOffset]] = {}
    moves: dict[str, set[PointerOffset]] = {}
    for node in graph.nodes if pointers else ():
        for part in walk(node.expr) if node.expr is not None else ():
            pointer, by = _move(part)
            at = _place(part)
            if pointer in pointers and by is not None:
                moves.setdefault(pointer, set()).add(by)
            elif at is not None and at[0] in pointers:
                asked.setdefault(at[0], set()).add(at[1])
    found = {}
    for pointer, ways in moves.items():
        places = asked.get(pointer, set()) | {way.back for way in ways if way.back in ways}
        if places:
            found[pointer] = tuple(sorted(_passed(places)))
    return found


def _passed(places: set[PointerOffset]) -> set[PointerOffset]:
    """The places with those that a pointer passes on its way to them."""
    far = [place.number for place in places if abs(place.number) <= _FAR]
    numbers = range(min((*far, 0)), max((*far, 0)) + 1)
    between = {PointerOffset(number) for number in numbers if number}
    return {place for place in places if place.variable} | between


def _move(expr: Expr) -> tuple[str, PointerOffset | None]:
    """A variable that an expression moves, and how far."""
    match expr:
        case IncDec(op, target):
            given: Expr = Binary(op[0], target, Number(1))
        case Assign("+=" | "-=" as op, target, by):
            given = Binary(op[0], target, by)
        case Assign("=", target, value):
            given = value
        case _:
            return "", None
    target, place = strip_casts(target), _place(given)
    if not isinstance(target, Name) or place is None or place[0] != target.spelling:
        return "", None
    return place


def _place(expr: Expr) -> tuple[str, PointerOffset] | None:
    """A variable and how far from it an expression is: `pte - 1`, `&pte[n]`, `pte[n]`."""
    place = Binary("+", expr.base, expr.position) if isinstance(expr, Index) else expr
    match plain_pointer(place):
        case Binary("+" | "-" as op, base, away):
            base, away = strip_casts(base), strip_casts(away)
        case _:
            return None
    if not isinstance(base, Name):
        return None
    match away:
        case Number(number):
            found = PointerOffset(number)
        case Name(variable):
            found = PointerOffset(0, variable)
        case _:
            return None
    return base.spelling, found if op == "+" else found.back


def leaving(
    state: State, pointer: str, expr: Expr, offsets: OffsetMap
) -> tuple[State, Mapping[str, str]]:
    """The state before an expression writes a pointer, with names that its places keep.

    :returns: the state, and what each of these names will stand for.
    """
    places = offsets.get(pointer, ())
    if not places or not state.product.task.pending:
        return state, {}
    moves = [part for part in walk(expr) if _move(part)[0] == pointer]
    # `++pte` within an expression has the name of where it was.
    if len(moves) != 1 or (isinstance(moves[0], IncDec) and moves[0].prefix and moves[0] != expr):
        return state, {}
    by = _move(moves[0])[1] or PointerOffset()
    copied = dict(state.copies)
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for number, place in enumerate((PointerOffset(), *places)):
        was = place.from_here(by)
        if was is None:
            continue
        spelled, kept = was.spelled(pointer), f"$at{number}"
        if spelled in copied:
            state = replace(state, copies=with_copy(state.copies, kept, copied[spelled]))
        else:
            before[spelled] = kept
        after[kept] = place.spelled(pointer)
    return _renamed(state, before), after


def arrived(state: State, names: Mapping[str, str]) -> State:
    """The state after that, with places by what they are now."""
    return _renamed(state, names)


def _renamed(state: State, names: Mapping[str, str]) -> State:
    if not names:
        return state

    def other(name: EntryName) -> EntryName:
        return name._replace(spelling=names.get(name.spelling, name.spelling))

    copies = (Copy(names.get(v, v), names.get(of, of)) for v, of in state.copies)
    product = renamed_entries(state.product, other)
    return replace(state, product=product, copies=tuple(sorted(copies)))
