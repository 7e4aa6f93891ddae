# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a C expression without running it.

Correlated conditions are compared by *facts*: the canonical spelling of a condition without
effects, and whether it held.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lazymmu.kernelc.ir.expr import (
    Address,
    AnyCall,
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Deref,
    Expr,
    Field,
    Guard,
    IncDec,
    Index,
    LoopHead,
    Name,
    Not,
    Number,
    String,
    Temporary,
    Unary,
)
from lazymmu.kernelc.ir.nodes import has_effect, spell, strip_casts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WARNING = frozenset({"WARN", "WARN_ON", "WARN_ON_ONCE", "WARN_ONCE", "WARN_TAINT"})
"""Macros that say whether their first argument holds, and warn where it does
(include/asm-generic/bug.h)."""


class Int(NamedTuple):
    """A constant; NULL and false are 0. Its width is not followed."""

    number: int
    kind: Literal["int"] = "int"


class NonZero(NamedTuple):
    """Something that is not 0."""

    kind: Literal["nonzero"] = "nonzero"


class AtLeast(NamedTuple):
    """A counter, which is never below 0, and not below this number."""

    number: int
    kind: Literal["at-least"] = "at-least"


class FunctionValue(NamedTuple):
    """A function, and the file that defines it."""

    name: str
    file: str
    kind: Literal["function"] = "function"


class AddressOf(NamedTuple):
    """The address of a variable that lives longer than any call.

    :param file: that which has the variable to itself; "" when any file can mean it.
    """

    variable: str
    file: str = ""
    kind: Literal["address"] = "address"


class AllocationMask(NamedTuple):
    """A mask of type gfp_t: whether it allows to block."""

    blocking: bool
    kind: Literal["mask"] = "mask"


class UserMm(NamedTuple):
    """The mm of a user address space, hence not init_mm."""

    kind: Literal["user-mm"] = "user-mm"


class LockOf(NamedTuple):
    """A lock of a class that the caller knows, one of `events.LockClass`."""

    cls: str
    kind: Literal["lock"] = "lock"


Value: TypeAlias = (
    Int | AtLeast | NonZero | FunctionValue | AddressOf | AllocationMask | UserMm | LockOf | None
)
"""What is known of a value; None when nothing is. Like nodes, each class has a `kind` of its own,
so that values of different classes are never equal."""

ZERO = Int(0)
NONZERO = NonZero()
USER_MM = UserMm()
BLOCKING = AllocationMask(blocking=True)
NONBLOCKING = AllocationMask(blocking=False)

_WIDEST = 1 << 64
"""No constant of the kernel has more than 64 bits; what comes to more has overflowed."""

_OPPOSITES: Mapping[str, str] = {"!=": "==", ">=": "<", "<=": ">"}
"""Comparisons, each with the one that is remembered in its place."""

_ARITHMETIC: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
    "<<": lambda a, b: a << b if 0 <= b < 64 else 0,
    ">>": lambda a, b: a >> b if 0 <= b < 64 else 0,
}


def truth(value: Value) -> bool | None:
    """Whether a value is true in a condition, None when that is not known."""
    match value:
        case Int(number):
            return number != 0
        case NonZero() | FunctionValue() | AddressOf() | UserMm():
            return True
        case AtLeast(number):
            return True if number > 0 else None
        case AllocationMask() | LockOf() | None:
            return None


def integer(value: Value) -> int | None:
    """The value as an integer constant, None when it is none."""
    return value.number if isinstance(value, Int) else None


class Evaluator:
    """Evaluates expressions over known names.

    :param lookup: the value of an identifier or of the canonical spelling of an operand.
    :param call: the value of a call without effects on what is tracked, None when unknown.
    """

    def __init__(
        self,
        lookup: Callable[[str], Value],
        call: Callable[[AnyCall], Value] = lambda _call: None,
    ) -> None:
        self.lookup = lookup
        self.call = call

    def value(self, expr: Expr) -> Value:
        """The value of an expression as far as it is known."""
        if isinstance(expr, Name):  # Most are: that is asked before all else.
            return self.lookup(expr.spelling)
        match expr:  # The cases that are met most often come first.
            case Field() | Deref() | Index():
                return self.lookup(spell(expr))
            case Binary(op, left, right):
                return self._binary(op, left, right, expr)
            case Call(str() as name, (said, *_)) if name in WARNING:
                holds = truth(self.value(said))
                return None if holds is None else Int(int(holds))
            case Call() | Guard() | LoopHead():
                return self.call(expr)
            case Number(number):
                return Int(number)
            case Temporary():
                return self.lookup(expr.spelling)
            case Cast(_, inner) | Assign("=", _, inner):
                return self.value(inner)
            case Address(Name(name)):
                return self.lookup("&" + name) or AddressOf(name)
            case Address(Field()) | String():
                return NONZERO
            case Not(inner):
                known = truth(self.value(inner))
                return None if known is None else Int(int(not known))
            case IncDec(op, target, prefix):
                before = self.lookup(spell(target))
                return shifted(before, 1 if op == "++" else -1) if prefix else before
            case Assign("+=" | "-=" as op, target, Number(by)):
                return shifted(self.lookup(spell(target)), by if op == "+=" else -by)
            case Unary("~" | "-" as op, inner):
                operand = integer(self.value(inner))
                if operand is None:
                    return None
                return Int(~operand if op == "~" else -operand)
            case Conditional(test, yes, no):
                known = truth(self.value(test))
                if known is None:
                    both = self.value(yes)
                    return both if both == self.value(no) else None
                return self.value(yes if known else no)
        return None

    def _binary(self, op: str, left: Expr, right: Expr, expr: Expr) -> Value:
        a, b = self.value(left), self.value(right)
        if op in ("&&", "||"):
            x, y = truth(a), truth(b)
            decisive = op == "||"
            if decisive in (x, y):
                return Int(int(decisive))
            return None if None in (x, y) else Int(int(not decisive))
        m, n = integer(a), integer(b)
        if m is not None and n is not None and op in _ARITHMETIC:
            made = _ARITHMETIC[op](m, n)
            return Int(made) if -_WIDEST < made < _WIDEST else None
        least = _compared(op, a, b)
        if least is not None:
            return Int(int(least))
        if op in ("==", "!="):
            same = _same(a, b)
            if same is not None:
                return Int(int(same == (op == "==")))
        if op == "&" and (m == 0 or n == 0):
            return ZERO
        known = self.lookup(spell(expr))
        if known is None and op in _OPPOSITES:
            # Whoever remembers a comparison does so in one form of the two (normalize_condition).
            other = truth(self.lookup(spell(Binary(_OPPOSITES[op], left, right))))
            return None if other is None else Int(int(not other))
        return known


def shifted(value: Value, by: int) -> Value:
    """A value after it was moved by a number."""
    match value:
        case Int(number):
            return Int(number + by)
        case AtLeast(number):
            return AtLeast(max(number + by, 0))
    return None


def _compared(op: str, a: Value, b: Value) -> bool | None:
    """What comparing a counter with a constant comes to, None when that is not known."""
    match a, b:
        case AtLeast(least), Int(number):
            if op in (">", "<=") and least > number:
                return op == ">"
            if op in (">=", "<") and least >= number:
                return op == ">="
            if op in ("==", "!=") and least > number:
                return op == "!="
        case Int(), AtLeast():
            turned = {">": "<", "<": ">", ">=": "<=", "<=": ">="}.get(op, op)
            return _compared(turned, b, a)
    return None


def _same(a: Value, b: Value) -> bool | None:
    """Whether two values are the same one, None when that is not known."""
    known = (FunctionValue, AddressOf)
    if isinstance(a, AddressOf) and isinstance(b, AddressOf):
        return a.variable == b.variable and (a.file == b.file or not (a.file and b.file))
    if isinstance(a, known) and isinstance(b, known):
        return a == b
    match a, b:
        case (AddressOf(), UserMm()) | (UserMm(), AddressOf()):
            return False
        case Int(m), Int(n):
            return m == n
    x, y = truth(a), truth(b)
    return False if x is not None and y is not None and x != y else None


class Condition(NamedTuple):
    """A condition without effects: what is asked for being true, and whether it must hold."""

    subject: str
    holds: bool

    @property
    def negated(self) -> Condition:
        """The opposite."""
        return Condition(self.subject, not self.holds)


@lru_cache(maxsize=1 << 15)
def normalize_condition(expr: Expr) -> Condition | None:
    """A condition as its subject and whether that must hold: `x == NULL` is (`x`, False).

    None for a condition with effects or calls, which may differ the next time.
    """
    match strip_casts(expr):
        case Binary("==" | "!=" as op, left, right):
            same = op == "=="
            for side, other in ((left, right), (right, left)):
                number = strip_casts(side)
                if isinstance(number, Number) and number.value == 0:
                    inner = normalize_condition(other)
                    return inner.negated if inner is not None and same else inner
            plain = Binary("==", left, right)
            return None if has_effect(plain) else Condition(spell(plain), same)
        case Binary(">=" | "<=" as op, left, right):
            plain = Binary(_OPPOSITES[op], left, right)
            return None if has_effect(plain) else Condition(spell(plain), holds=False)
        case Not(operand):
            inner = normalize_condition(operand)
            return inner.negated if inner is not None else None
        case Call(str() as name, (said, *_)) if name in WARNING:
            return normalize_condition(said)
        case stripped:
            return None if has_effect(stripped) else Condition(spell(stripped), holds=True)
