# SPDX-License-Identifier: GPL-2.0-or-later
"""Local variables that were given no value: what uses one is refused by name and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.lift.code import Var
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.values import Opaque

if TYPE_CHECKING:
    from lazymmu.lift.code import Code, Instruction
    from lazymmu.lift.values import Value

__all__ = ["UNSET", "refuse_unset", "unset"]

UNSET: Final = Opaque("a variable without a value")


def unset(name: str, code: Code, one: Instruction) -> Unliftable:
    """Return what to raise for a variable that is used before it has a value."""
    return Unliftable(f"{name} in {code.name}() has no value yet", code.file, one.line)


def refuse_unset(
    code: Code, one: Instruction, args: tuple[Value, ...], own: frozenset[str]
) -> None:
    """Raise Unliftable where a function hands on what it has given no value.

    :param own: the variables that it has itself.
    """
    for operand, value in zip(one.args, args, strict=True):
        if value is UNSET and isinstance(operand, Var) and operand.name in own:
            raise unset(operand.name, code, one)
