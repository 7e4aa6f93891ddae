# SPDX-License-Identifier: GPL-2.0-or-later
"""Integers of the preprocessor and their operators, each value with its presence condition.

The arithmetic is that of C11 6.10.1: 64-bit integers, signed or unsigned. A value is that value
in the configurations of its presence condition, and may be another elsewhere. `a && b` that holds
is so under the conditions of both sides; one that fails under that of a side that fails, or under
either when both do.
"""

from __future__ import annotations

import operator as python
from typing import Final, NamedTuple

from lazymmu.kernelc.presence import ALWAYS, PresenceCondition, both, either

__all__ = ["MAX_UNSIGNED", "PRECEDENCE", "Value", "operate", "wrap"]

MAX_UNSIGNED: Final = (1 << 64) - 1

PRECEDENCE: Final = {
    "*": 10,
    "/": 10,
    "%": 10,
    "+": 9,
    "-": 9,
    "<<": 8,
    ">>": 8,
    "<": 7,
    ">": 7,
    "<=": 7,
    ">=": 7,
    "==": 6,
    "!=": 6,
    "&": 5,
    "^": 4,
    "|": 3,
    "&&": 2,
    "||": 1,
}
"""How tightly the binary operators bind."""

_COMPARISONS: Final = {
    "<": python.lt,
    ">": python.gt,
    "<=": python.le,
    ">=": python.ge,
    "==": python.eq,
    "!=": python.ne,
}
_ARITHMETIC: Final = {
    "+": python.add,
    "-": python.sub,
    "*": python.mul,
    "&": python.and_,
    "^": python.xor,
    "|": python.or_,
}


class Value(NamedTuple):
    """An integer of the preprocessor, and its presence condition."""

    number: int
    unsigned: bool = False
    presence: PresenceCondition = ALWAYS


def wrap(number: int, unsigned: bool, presence: PresenceCondition = ALWAYS) -> Value:
    """Return the value that `number` is in 64 bits."""
    number &= MAX_UNSIGNED
    if not unsigned and number >> 63:
        number -= 1 << 64
    return Value(number, unsigned, presence)


def operate(operator: str, left: Value, right: Value) -> Value:
    """Return `left operator right` for a binary operator (see PRECEDENCE)."""
    if operator in ("&&", "||"):
        return _joined(operator == "||", left, right)
    presence = both(left.presence, right.presence)
    unsigned = left.unsigned or right.unsigned
    if operator in ("<<", ">>"):
        # By less than nothing is the other way, and by 64 and more leaves the sign (libcpp,
        # num_rshift(), num_lshift()).
        count = right.number if operator == "<<" else -right.number
        count = max(-64, min(count, 64))
        number = left.number << count if count >= 0 else left.number >> -count
        return wrap(number, left.unsigned, presence)
    a, b = wrap(left.number, unsigned).number, wrap(right.number, unsigned).number
    compare = _COMPARISONS.get(operator)
    if compare is not None:
        return Value(int(compare(a, b)), False, presence)
    compute = _ARITHMETIC.get(operator)
    if compute is not None:
        return wrap(compute(a, b), unsigned, presence)
    if b == 0:
        # Division by zero stops a compiler; unknown constants read as 0 make it here.
        return Value(0, unsigned, presence)
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return wrap(quotient if operator == "/" else a - quotient * b, unsigned, presence)


def _joined(decisive: bool, left: Value, right: Value) -> Value:
    """Return `left && right`, or `||`: the operator of which one side `decisive` is enough."""
    sides = bool(left.number), bool(right.number)
    if sides[0] == sides[1]:
        join = either if sides[0] == decisive else both
        return Value(int(sides[0]), False, join(left.presence, right.presence))
    return Value(int(decisive), False, (left if sides[0] == decisive else right).presence)
