# SPDX-License-Identifier: GPL-2.0-or-later
"""What lifted code computes of values: operators, comparisons, conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.lift.arithmetic import arithmetic
from lazymmu.lift.code import Opcode
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.values import (
    AddressSpace,
    CPointer,
    EntryRef,
    Handle,
    LockRef,
    Opaque,
    TableEntry,
    Value,
    is_true,
)

if TYPE_CHECKING:
    from lazymmu.lift.code import Code, Instruction

__all__ = ["computed", "truth"]

_BESIDE: Final = ("|", "&", "+")
"""What leaves an address one of the same entry: the bits beside it, the place in a page."""


def truth(value: Value, code: Code, one: Instruction) -> bool:
    """Return whether a condition holds.

    :raises Unliftable: it is not known.
    """
    known = is_true(value)
    if known is None:
        what = value.spelling if isinstance(value, Opaque) else repr(value)
        raise Unliftable(f"a condition on {what}", code.file, one.line)
    return known


def computed(one: Instruction, args: tuple[Value, ...], code: Code) -> Value:
    """Return what an operator makes of values.

    :raises Unliftable: for what is not known.
    """
    if one.op is Opcode.UNARY:
        (value,) = args
        if one.what == "!":
            return int(not truth(value, code, one))
        if isinstance(value, int):
            return {"-": -value, "~": ~value}.get(one.what, value)
    else:
        a, b = args
        if isinstance(a, int) and isinstance(b, int):
            made = arithmetic(one.what, a, b)
            if made is not None:
                return made
        elif one.what in ("==", "!=") and (same := _same(a, b)) is not None:
            return int(same == (one.what == "=="))
        elif one.what in ("&&", "||"):
            x, y = truth(a, code, one), truth(b, code, one)
            return int(x and y if one.what == "&&" else x or y)
        elif (
            isinstance(a, (EntryRef, Handle))
            and one.what in _BESIDE
            and isinstance(b, (int, Opaque))
        ):
            return a  # bits beside the address
    shown = ", ".join(v.spelling if isinstance(v, Opaque) else repr(v) for v in args)
    raise Unliftable(f"{one.what} on {shown}", code.file, one.line)


def _same(a: Value, b: Value) -> bool | None:
    known = (CPointer, EntryRef, Handle, AddressSpace, TableEntry, LockRef)
    if isinstance(a, known) and isinstance(b, int):
        return False
    if isinstance(b, known) and isinstance(a, int):
        return False
    if isinstance(a, Opaque) or isinstance(b, Opaque):
        return None
    return a == b
