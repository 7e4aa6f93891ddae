# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers to entries that are plain copies of others: `q = pte`, `q = &pte[0]`, `q = pte + i`.

Both name one entry until either is given another value; the entry keeps the name of the pointer
that was copied, and, when that one moves on, gets the name of the copy. An element of an array that
is given one (`slots[0] = pte`) is a copy, and `*pp` is `pte` where `pp = &pte`.

A member that is given such a pointer is a copy of it, too: `w.pte = pte`; and so is that member of
another structure that the whole is copied to. `p = &w` names the structure: `p->pte` is `w.pte`.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.expr import Address, Assign, Binary, Deref, Expr, Field, Index, Name, Number
from lazymmu.kernelc.ir.nodes import spell, strip_casts
from lazymmu.witness.source.function.names import EntryName, plain_pointer, renamed_entries
from lazymmu.witness.source.function.spelled_words import names_it

__all__ = [
    "Copy",
    "CopyList",
    "copied_from",
    "copies_below",
    "heir",
    "inside",
    "is_element",
    "moved_on",
    "offset_from",
    "original",
    "pointed_to",
    "structure",
    "variable_at",
    "with_copy",
]


class Copy(NamedTuple):
    """A variable or member that holds the same pointer as another expression, by their spellings.

    Of a pointer to a structure that the function has itself, `of` is `&w`.
    """

    variable: str
    of: str


CopyList: TypeAlias = tuple[Copy, ...]
"""Copies in the order of their variables, one of each."""


def copied_from(value: Expr) -> str:
    """What a pointer is that is a plain copy: a variable or member; "" for any other value."""
    value = strip_casts(value)
    if isinstance(value, Assign):
        value = value.target
    source = plain_pointer(value)
    return spell(source) if isinstance(source, Name | Field) or is_element(source) else ""


def offset_from(value: Expr) -> Expr | None:
    """A pointer that another leads to, `pte + i` of `&pte[i]`; None for any other value."""
    source = plain_pointer(value)
    match source:
        case Binary("+" | "-", left, right):
            sides = (strip_casts(left), strip_casts(right))
            if all(isinstance(side, Name | Number) for side in sides):
                return source
    return None


def pointed_to(value: Expr) -> str:
    """The variable whose address a value is, as `&w`; "" for any other value."""
    value = strip_casts(value)
    if not isinstance(value, Address) or not isinstance(value.operand, Name):
        return ""
    return f"&{value.operand.spelling}"


def original(name: EntryName, copies: CopyList) -> EntryName:
    """The name of an entry by the pointer that was copied, not by the copy."""
    if not copies or not name.here:
        return name
    spelling = name.spelling
    for copy in copies:
        if copy.of[0] == "&" and copy.variable in spelling:
            word = re.escape(copy.variable)
            behind = rf"(?<![\w$>])(?:\*{word}(?![\w$])|{word}(?=->))"
            spelling = re.sub(behind, copy.of[1:].replace("\\", r"\\"), spelling)
    pointers = {copy.variable: copy.of for copy in copies if copy.of[0] != "&"}
    return name._replace(spelling=_respelled(spelling, pointers))


def variable_at(target: Expr, copies: CopyList) -> Expr:
    """The variable that a write by its address is to: `pte` of `*pp`; else the target as it is."""
    pointer = strip_casts(target.operand) if isinstance(target, Deref) else None
    if not isinstance(pointer, Name):
        return target
    own = structure(copies, pointer.spelling)
    return target if own == pointer.spelling else Name(own)


def structure(copies: CopyList, owner: str) -> str:
    """A structure by its own name, for a pointer to it."""
    return next((c.of[1:] for c in copies if c.variable == owner and c.of[0] == "&"), owner)


def inside(copies: CopyList, owner: str) -> list[Copy]:
    """The copies that are members of a structure, or of what a pointer points to."""
    owner = structure(copies, owner)
    return [copy for copy in copies if copy.variable.startswith(f"{owner}->")]


def copies_below(copies: CopyList, owner: str, path: str) -> CopyList:
    """The copies of a structure that another was copied from whole, as members of that one."""
    return tuple(
        Copy(f"{path}{copy.variable[len(owner) :]}", copy.of)
        for copy in copies
        if copy.variable.startswith(f"{owner}->")
    )


def with_copy(copies: CopyList, variable: str, of: str) -> CopyList:
    """The copies with one more."""
    head, arrow, member = variable.partition("->")
    variable = f"{structure(copies, head)}{arrow}{member}"
    of = next((copy.of for copy in copies if copy.variable == of), of)
    if of == variable or names_it(of, variable):
        return copies
    return tuple(sorted((*copies, Copy(variable, of))))


def moved_on(product: Product, copies: CopyList, written: str) -> tuple[Product, CopyList]:
    """The product and the copies before a variable or member gets another value."""
    left = [copy for copy in copies if not _overwrites(written, copy.variable)]
    for lost in sorted({c.of for c in left if _names(c.of, written)}, key=len):
        heirs = [copy.variable for copy in left if copy.of == lost]
        if not heirs:
            continue  # A pointer near it has an heir, and is near that now.
        names = {lost: heirs[0]}

        def inherited(name: EntryName, names: dict[str, str] = names) -> EntryName:
            return name._replace(spelling=_respelled(name.spelling, names))

        product = renamed_entries(product, inherited)
        left = [
            copy if copy.of[0] == "&" else Copy(copy.variable, _respelled(copy.of, names))
            for copy in left
            if copy.variable != heirs[0]
        ]
    return product, tuple(left)


def heir(copies: CopyList, of: str, written: str) -> str:
    """The copy that an entry is named by once its pointer has another value; "" for none."""
    others = (c.variable for c in copies if c.of == of and not _overwrites(written, c.variable))
    return next(others, "")


def _names(of: str, written: str) -> bool:
    """Whether what a copy is of becomes another pointer by a write."""
    return of[0] != "&" and (of == written or names_it(of, written))


def _overwrites(written: str, variable: str) -> bool:
    """Whether a write changes a copy: it is that, a part of it, or may be the same element."""
    if variable == written or variable.startswith(f"{written}->"):
        return True
    array, bracket, index = written.partition("[")
    if names_it(variable, written):
        return True
    inside = bracket and variable.startswith(f"{array}[")
    return bool(inside) and not (_fixed(index) and _fixed(variable[len(array) + 1 :]))


def _fixed(index: str) -> bool:
    return index.removesuffix("]").isdigit()


def is_element(expr: Expr) -> bool:
    """Whether an expression is an element of an array that a variable is."""
    return (
        isinstance(expr, Index)
        and isinstance(strip_casts(expr.base), Name)
        and isinstance(strip_casts(expr.position), Name | Number)
    )


def _respelled(spelling: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        if old in spelling:
            word = rf"(?<![\w$>]){re.escape(old)}(?![\w$])"
            spelling = re.sub(word, new.replace("\\", r"\\"), spelling)
    return spelling
