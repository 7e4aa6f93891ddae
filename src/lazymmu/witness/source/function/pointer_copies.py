# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers to entries that are plain copies of others: `q = pte`, `q = &pte[0]`.

Both name one entry until either is given another value; the entry keeps the name of the pointer
that was copied, and, when that one moves on, gets the name of the copy.

Limit: copies of structures that have such pointers as members are not followed.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from lazymmu.contract.monitor import Product
from lazymmu.kernelc.ir.expr import Assign, Expr, Field, Name
from lazymmu.kernelc.ir.nodes import spell, strip_casts
from lazymmu.witness.source.function.liveness import names_it
from lazymmu.witness.source.function.names import EntryName, plain_pointer, renamed_entries

__all__ = ["Copy", "CopyList", "copied_from", "moved_on", "original", "with_copy"]


class Copy(NamedTuple):
    """A variable that holds the same pointer as another expression, by the spellings of both."""

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


def original(name: EntryName, copies: CopyList) -> EntryName:
    """The name of an entry by the pointer that was copied, not by the copy."""
    if not copies or not name.here:
        return name
    return name._replace(spelling=_respelled(name.spelling, {c.variable: c.of for c in copies}))


def with_copy(copies: CopyList, variable: str, of: str) -> CopyList:
    """The copies with one more."""
    of = next((copy.of for copy in copies if copy.variable == of), of)
    if of == variable or names_it(of, variable):
        return copies
    return tuple(sorted((*copies, Copy(variable, of))))


def moved_on(product: Product, copies: CopyList, written: str) -> tuple[Product, CopyList]:
    """The product and the copies before a variable or member gets another value."""
    left = [copy for copy in copies if copy.variable != written]
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
    return product, tuple(copy for copy in left if not names_it(copy.of, written))


def _respelled(spelling: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        if old in spelling:
            word = rf"(?<![\w$>]){re.escape(old)}(?![\w$])"
            spelling = re.sub(word, new.replace("\\", r"\\"), spelling)
    return spelling
