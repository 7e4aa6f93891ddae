# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers to entries that are plain copies of others: `q = pte`, `q = &pte[0]`.

Both name one entry until either is given another value; the entry keeps the name of the pointer
that was copied, and, when that one moves on, gets the name of the copy.

A member that is given such a pointer is a copy of it, too: `w.pte = pte`; and so is that member of
another structure that the whole is copied to. `p = &w` names the structure: `p->pte` is `w.pte`.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.expr import Address, Assign, Expr, Field, Name
from lazymmu.kernelc.ir.nodes import spell, strip_casts
from lazymmu.witness.source.function.liveness import names_it
from lazymmu.witness.source.function.names import EntryName, plain_pointer, renamed_entries

__all__ = [
    "Copy",
    "CopyList",
    "copied_from",
    "copies_below",
    "inside",
    "moved_on",
    "original",
    "pointed_to",
    "structure",
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
    plain = isinstance(source, Name | Field)
    return spell(source) if plain else ""


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
    owners = {copy.variable: copy.of[1:] for copy in copies if copy.of[0] == "&"}
    spelling = _respelled(name.spelling, owners)
    pointers = {copy.variable: copy.of for copy in copies if copy.of[0] != "&"}
    return name._replace(spelling=_respelled(spelling, pointers))


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
    left = [
        copy
        for copy in copies
        if copy.variable != written and not copy.variable.startswith(f"{written}->")
    ]
    heirs = [copy.variable for copy in left if copy.of == written]
    if heirs:
        heir = heirs[0]

        def inherited(name: EntryName) -> EntryName:
            return name._replace(spelling=_respelled(name.spelling, {written: heir}))

        product = renamed_entries(product, inherited)
        left = [
            Copy(copy.variable, heir if copy.of == written else copy.of)
            for copy in left
            if copy.variable != heir
        ]
    return product, tuple(
        copy for copy in left if copy.of[0] == "&" or not names_it(copy.of, written)
    )


def _respelled(spelling: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        if old in spelling:
            word = rf"(?<![\w$>]){re.escape(old)}(?![\w$])"
            spelling = re.sub(word, new.replace("\\", r"\\"), spelling)
    return spelling
