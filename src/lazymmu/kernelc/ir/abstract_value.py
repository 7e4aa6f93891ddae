# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a C expression without running it.

A value is None when nothing is known, or

    ("int", n)        a constant (NULL and false are 0)
    ("nonzero",)      not 0
    ("fn", name, file)  a function, and the file that defines it
    ("addr", text)    the address of a variable that lives longer than any call
    ("gfp", kind)     an allocation mask: "blocking", "nonblocking"
    ("user-mm",)      the mm of a user address space, hence not init_mm
    ("lock", class)   a lock of a class known to the caller

Correlated conditions are compared by *facts*: the canonical spelling of a condition without
effects, and whether it held.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from lazymmu.kernelc.ir.nodes import Expr, calls_in, names_in, strip, text

Value = tuple[Any, ...] | None

ZERO: Value = ("int", 0)
NONZERO: Value = ("nonzero",)
USER_MM: Value = ("user-mm",)

_WIDEST = 1 << 64
"""No constant of the kernel has more than 64 bits; what comes to more has overflowed."""

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
    if value is None:
        return None
    if value[0] == "int":
        return bool(value[1] != 0)
    if value[0] in ("nonzero", "fn", "addr", "user-mm"):
        return True
    return None


def integer(value: Value) -> int | None:
    """The value as an integer constant, None when it is none."""
    return value[1] if value is not None and value[0] == "int" else None


class Evaluator:
    """Evaluates expressions over known names.

    :param lookup: the value of an identifier or of the canonical spelling of an operand.
    :param call: the value of a call without effects on what is tracked, None when unknown.
    """

    def __init__(
        self,
        lookup: Callable[[str], Value],
        call: Callable[[Expr], Value] = lambda _call: None,
    ) -> None:
        self.lookup = lookup
        self.call = call

    def value(self, expr: Expr) -> Value:
        """The value of an expression as far as it is known."""
        match expr:
            case ("num", n):
                return ("int", n)
            case ("id", name):
                return self.lookup(name)
            case ("cast", _, inner):
                return self.value(inner)
            case ("addr", ("id", name)):
                return self.lookup("&" + name) or ("addr", name)
            case ("addr", ("field", _, _)):
                return NONZERO
            case ("str",):
                return NONZERO
            case ("call", _, _, _, _):
                return self.call(expr)
            case ("assign", "=", _, inner):
                return self.value(inner)
            case ("not", inner):
                known = truth(self.value(inner))
                return None if known is None else ("int", int(not known))
            case ("un", "~", inner):
                number = integer(self.value(inner))
                return None if number is None else ("int", ~number)
            case ("un", "-", inner):
                number = integer(self.value(inner))
                return None if number is None else ("int", -number)
            case ("cond", test, yes, no):
                known = truth(self.value(test))
                if known is None:
                    both = self.value(yes)
                    return both if both == self.value(no) else None
                return self.value(yes if known else no)
            case ("bin", op, left, right):
                return self._binary(op, left, right, expr)
            case ("field", _, _) | ("deref", _) | ("index", _, _):
                return self.lookup(text(expr))
        return None

    def _binary(self, op: str, left: Expr, right: Expr, expr: Expr) -> Value:
        a, b = self.value(left), self.value(right)
        if op in ("&&", "||"):
            x, y = truth(a), truth(b)
            decisive = op == "||"
            if decisive in (x, y):
                return ("int", int(decisive))
            return None if None in (x, y) else ("int", int(not decisive))
        m, n = integer(a), integer(b)
        if m is not None and n is not None and op in _ARITHMETIC:
            made = _ARITHMETIC[op](m, n)
            return ("int", made) if -_WIDEST < made < _WIDEST else None
        if op in ("==", "!="):
            same = _same(a, b)
            if same is not None:
                return ("int", int(same == (op == "==")))
        if op == "&" and (m == 0 or n == 0):
            return ZERO
        return self.lookup(text(expr))


def _same(a: Value, b: Value) -> bool | None:
    if a is None or b is None:
        return None
    if a[0] in ("fn", "addr") and b[0] in ("fn", "addr"):
        return a == b
    if {a[0], b[0]} == {"addr", "user-mm"}:
        return False
    x, y = truth(a), truth(b)
    if x is not None and y is not None and x != y:
        return False
    if a[0] == "int" and b[0] == "int":
        return a == b
    return None


@lru_cache(maxsize=1 << 15)
def canonical(expr: Expr) -> tuple[str, bool] | None:
    """A condition as (spelling, polarity): ``x == NULL`` is (``x``, False).

    None for a condition with effects or calls, which may differ the next time.
    """
    expr = strip(expr)
    if expr[0] == "bin" and expr[1] in ("==", "!="):
        same = expr[1] == "=="
        for side, other in ((expr[2], expr[3]), (expr[3], expr[2])):
            if strip(side) == ("num", 0):
                inner = canonical(other)
                return (inner[0], inner[1] != same) if inner is not None else None
        plain = ("bin", "==", expr[2], expr[3])
        return (text(plain), same) if _pure(plain) else None
    if expr[0] == "not":
        inner = canonical(expr[1])
        return (inner[0], not inner[1]) if inner is not None else None
    return (text(expr), True) if _pure(expr) else None


def _pure(expr: Expr) -> bool:
    if any(True for _ in calls_in(expr)):
        return False
    return not _writes(expr)


def _writes(expr: Expr) -> bool:
    if expr[0] in ("assign", "step"):
        return True
    for item in expr[1:]:
        if type(item) is tuple and item:
            # An expression, or several of them: arguments, the values of a compound literal.
            parts = (item,) if type(item[0]) is str else item
            if any(type(part) is tuple and part and _writes(part) for part in parts):
                return True
    return False


@lru_cache(maxsize=1 << 15)
def mentions(expr: Expr) -> frozenset[str]:
    """The variables an expression depends on."""
    return frozenset(names_in(expr))
