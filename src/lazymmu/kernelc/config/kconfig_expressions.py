# SPDX-License-Identifier: GPL-2.0-or-later
"""Kconfig's expressions: what stands behind `depends on` and `if`, parsed to trees.

The language is that of Documentation/kbuild/kconfig-language.rst, "Menu dependencies". Such a tree
has what is written, for the solver to decide; it is no presence condition (presence.py), which
says of something that was decided in which configurations it is there.

Limits: `m` counts as `y`.
"""

from __future__ import annotations

import re
from typing import Final

from lazymmu.kernelc.config.kconfig_macros import UNKNOWN, substitute

__all__ = [
    "MAX_NESTED",
    "MAX_PARTS",
    "NO",
    "UNREAD",
    "YES",
    "Expression",
    "conjunction",
    "disjunction",
    "negation",
    "parse_bounded",
    "parse_expression",
]

Expression = str | tuple["str | Expression", ...]
"""The name of a symbol, "y" or "n", or an operator with its operands.

("&", a, b, ...), ("|", a, b, ...), ("!", a), or ("c", comparison, left, right), in which a
literal begins with a quote and anything else names a symbol or is a number.
"""

YES: Final = "y"
NO: Final = "n"

UNREAD: Final = ""
"""A symbol in the place of a condition that cannot be read: it may hold, and it may not."""

MAX_NESTED: Final = 200
"""How deep menus and expressions, and parentheses in an expression, may stand inside each other."""

MAX_PARTS: Final = 1_000
"""Most parts of one expression."""

_TOKEN: Final = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\w.]+)|(&&|\|\||!=|<=|>=|[!=<>()]))"""
)


def conjunction(left: Expression, right: Expression) -> Expression:
    """Return `left && right`."""
    if left == YES or right == NO:
        return right
    if right == YES or left == NO:
        return left
    return ("&", *_operands("&", left), *_operands("&", right))


def disjunction(left: Expression, right: Expression) -> Expression:
    """Return `left || right`."""
    if left == NO or right == YES:
        return right
    if right == NO or left == YES:
        return left
    return ("|", *_operands("|", left), *_operands("|", right))


def negation(operand: Expression) -> Expression:
    """Return `!operand`."""
    if operand == YES:
        return NO
    if operand == NO:
        return YES
    return ("!", operand)


def _operands(operator: str, expression: Expression) -> tuple[Expression, ...]:
    if expression.__class__ is tuple and expression[0] == operator:
        return expression[1:]
    return (expression,)


_kept: dict[str, tuple[Expression, bool]] = {}


def parse_expression(text: str) -> Expression:
    """Return the expression `text`; one that cannot be read is UNREAD, and none never holds."""
    return parse_bounded(text)[0]


def parse_bounded(text: str) -> tuple[Expression, bool]:
    """Return the expression `text`, and whether it is within the bounds of what is read."""
    known = _kept.get(text)
    if known is None:
        plain = substitute(text, {}) if "$" in text else text
        tokens = [
            match[3] or match[4] or "'" + (match[1] if match[1] is not None else match[2])
            for match in _TOKEN.finditer(plain)
        ]
        try:
            parser = _Parser(tokens)
            known = (parser.alternatives() if tokens else NO), True
            if tokens and parser.tokens[parser.at]:
                known = UNREAD, True
        except IndexError:
            known = UNREAD, True
        except RecursionError:
            known = UNREAD, False
        if len(_kept) > 100_000:
            _kept.clear()
        _kept[text] = known
    return known


class _Parser:
    """Recursive descent over the tokens of one expression.

    Raises IndexError at its end, RecursionError for one that is beyond a bound.
    """

    def __init__(self, tokens: list[str]) -> None:
        if len(tokens) > 4 * MAX_PARTS:
            raise RecursionError
        self.tokens = [*tokens, ""]
        self.at = 0
        self.depth = 0

    def alternatives(self) -> Expression:
        left = self._conjunction()
        while self.tokens[self.at] == "||":
            self.at += 1
            left = disjunction(left, self._conjunction())
        return left

    def _conjunction(self) -> Expression:
        left = self._factor()
        while self.tokens[self.at] == "&&":
            self.at += 1
            left = conjunction(left, self._factor())
        return left

    def _factor(self) -> Expression:
        word = self.tokens[self.at]
        self.at += 1
        if word in ("!", "("):
            if self.depth >= MAX_NESTED:
                raise RecursionError
            self.depth += 1
            if word == "!":
                inner = negation(self._factor())
            else:
                inner = self.alternatives()
                self.at += 1
            self.depth -= 1
            return inner
        operator = self.tokens[self.at]
        if operator in ("=", "!=", "<", ">", "<=", ">="):
            other = self.tokens[self.at + 1]
            self.at += 2
            return _comparison(operator, word, other)
        word = word.lstrip("'")
        if UNKNOWN in word:
            return UNREAD
        return YES if word == "m" else word or NO


def _comparison(operator: str, left: str, right: str) -> Expression:
    """Return a comparison; with y, m or n it is the symbol itself or its negation."""
    state = right.lstrip("'")
    if UNKNOWN in left or UNKNOWN in right:
        return UNREAD
    if operator in ("=", "!=") and left[0] != "'" and state in ("y", "m", "n"):
        if state == "m" and operator == "!=":
            # Whether a driver is a module is never decided here.
            return YES
        return left if (state == "n") == (operator == "!=") else negation(left)
    return ("c", operator, left, right)
