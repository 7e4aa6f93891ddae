# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions of `#if` and `#elif`: whether one is true, and the presence condition of that.

The parser is one of precedence climbing over expanded tokens, and computes as it goes: there is
no tree. Names that are no macros are zero. Tokens are those of if_tokens.py, macros are
replaced by if_macros.py, the arithmetic is if_values.py's.
"""

from __future__ import annotations

import re
from typing import Final

from lazymmu.kernelc.preprocess.if_bounds import MAX_CHARACTERS, BeyondError, NoExpressionError
from lazymmu.kernelc.preprocess.if_macros import MacroTable, expand
from lazymmu.kernelc.preprocess.if_tokens import Token, is_name, tokenise
from lazymmu.kernelc.preprocess.if_values import PRECEDENCE, Value, operate, wrap
from lazymmu.kernelc.presence import ALWAYS, PresenceCondition, both

__all__ = ["evaluate"]

_MAX_NESTED: Final = 200
"""How deep an expression's parentheses and operators stand inside each other."""

_SIMPLE: Final = re.compile(r"(!?)[ ]?(?:defined|IS_ENABLED)[ ]?\(([A-Za-z_]\w*)\)\Z")
"""What most expressions are, and what needs no parser."""


def evaluate(text: str, table: MacroTable) -> tuple[bool, PresenceCondition]:
    """Return whether the expression `text` is true, and the presence condition of that.

    `text` has no comments and no line continuations. What is no expression is false: a compiler
    would stop there.

    :raises BeyondError: for what is beyond a bound: nobody knows then whether it is true.
    """
    simple = _SIMPLE.match(text)
    if simple is not None and ("defined" in text or simple[2].startswith("CONFIG_")):
        truth, presence = table.defined(simple[2])
        return truth != bool(simple[1]), presence
    if len(text) > MAX_CHARACTERS:
        raise BeyondError
    try:
        table.work.begin()
        value = _Parser(expand(tokenise(text), table)).expression()
    except NoExpressionError:
        return False, ALWAYS
    return value.number != 0, value.presence


class _Parser:
    """Precedence climbing over expanded tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def expression(self) -> Value:
        """Return the value of all tokens. Raises NoExpressionError and BeyondError."""
        value = self._conditional()
        if self._position != len(self._tokens):
            raise NoExpressionError
        return value

    def _peek(self) -> Token | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _expect(self, token: str) -> None:
        if self._peek() != token:
            raise NoExpressionError
        self._position += 1

    def _conditional(self) -> Value:
        self._deeper()
        test = self._binary(1)
        if self._peek() != "?":
            self._depth -= 1
            return test
        self._position += 1
        yes = self._conditional()
        self._expect(":")
        no = self._conditional()
        self._depth -= 1
        unsigned = yes.unsigned or no.unsigned
        chosen = yes if test.number else no
        return wrap(chosen.number, unsigned, both(test.presence, chosen.presence))

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MAX_NESTED:
            raise BeyondError

    def _binary(self, level: int) -> Value:
        left = self._unary()
        while True:
            operator = self._peek()
            if not isinstance(operator, str):
                return left
            rank = PRECEDENCE.get(operator, 0)
            if rank < level or rank == 0:
                return left
            self._position += 1
            left = operate(operator, left, self._binary(rank + 1))

    def _unary(self) -> Value:
        token = self._peek()
        self._position += 1
        if token is None:
            raise NoExpressionError
        if isinstance(token, Value):
            return token
        if token == "(":
            value = self._conditional()
            self._expect(")")
            return value
        if token in ("!", "~", "-", "+"):
            self._deeper()
            value = self._unary()
            self._depth -= 1
            if token == "!":
                return Value(int(value.number == 0), False, value.presence)
            number = {"~": ~value.number, "-": -value.number, "+": value.number}[token]
            return wrap(number, value.unsigned, value.presence)
        if is_name(token):
            if self._peek() == "(":
                # A call of something that is no macro: no compiler accepts it.
                raise NoExpressionError
            return Value(0)
        raise NoExpressionError
