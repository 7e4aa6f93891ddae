# SPDX-License-Identifier: GPL-2.0-or-later
"""Comparisons in Kconfig's conditions: of numbers that are decided, or that somebody chooses.

A number without a prompt has one of its defaults, the first whose condition holds. A comparison is
decided when it comes out the same for all that its sides may be; it can hold, and need not, when
somebody is asked for one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.config.kconfig_expressions import NO, YES, Expression
from lazymmu.kernelc.config.kconfig_macros import FAILS, TESTS, substitute
from lazymmu.kernelc.config.kconfig_symbols import NUMBERS, Symbol

if TYPE_CHECKING:
    from lazymmu.kernelc.config.kconfig_truth import Truth

__all__ = ["Comparisons"]

_MAX_REFERENCES: Final = 8
"""How often a number's default may be another number's name."""

_MAX_DIGITS: Final = 200
"""Most digits of a number."""


class Comparisons:
    """What is known of numbers, and of the comparisons in which they stand."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        # How deep in defaults of defaults the machine of the defaults is asked about; 0: it is not.
        self._by_default = 0

    def compare(self, expression: Expression) -> bool | None:
        """Return whether a comparison holds, None when that is not decided."""
        sides = self._constants(str(expression[2])), self._constants(str(expression[3]))
        truths = {
            _holds(str(expression[1]), left, right) for left in sides[0] for right in sides[1]
        }
        return truths.pop() if len(truths) == 1 else None

    def _constants(self, word: str) -> frozenset[str]:
        """Return the texts that one side of a comparison may stand for, none when all may."""
        if self._truth.open and (TESTS in word or FAILS in word):
            return frozenset()
        word = word.replace(TESTS, YES).replace(FAILS, NO)
        if word[0] == "'":
            word = word[1:]
            return frozenset([substitute(word, self._truth.variables) if "$(" in word else word])
        symbol = self._truth.symbols.get(word)
        if symbol is None:
            return frozenset([word])
        if self._by_default:
            number = self.number(symbol, self._by_default)
            return frozenset([str(number)] if number is not None else ())
        return self._numbers(symbol)

    def _numbers(self, symbol: Symbol, depth: int = 0) -> frozenset[str]:
        """Return the values that an int or hex symbol may have, none when somebody is asked."""
        if symbol.name in self._truth.fixed:
            return frozenset([self._truth.fixed[symbol.name]])
        if symbol.kind not in NUMBERS or depth > _MAX_REFERENCES:
            return frozenset()
        self._truth.spend(symbol.weight)
        base = 16 if symbol.kind == "hex" else 10
        found: set[str] = set()
        for entry in symbol.entries:
            if self._truth.possible(entry.depends) and any(
                map(self._truth.possible, entry.prompts)
            ):
                return frozenset()
        for entry in symbol.entries:
            for value, condition in entry.defaults if self._truth.possible(entry.depends) else ():
                if not self._truth.possible(condition):
                    continue
                value = value.strip("\"'")
                other = self._truth.symbols.get(value)
                number = _integer(value, base)
                more = (
                    self._numbers(other, depth + 1)
                    if other is not None
                    else frozenset([str(number)] if number is not None else ())
                )
                if not more:
                    return frozenset()
                found |= more
                if self._truth.certain(condition) and self._truth.certain(entry.depends):
                    return frozenset(found)
        # Without any default there is no number to compare.
        return frozenset()

    def number(self, symbol: Symbol, depth: int = 0) -> int | None:
        """Return the value of an int or hex symbol on the machine of the defaults, if it has one.

        Other numbers in the condition of a default have their own defaults there.
        """
        base = 16 if symbol.kind == "hex" else 10
        if symbol.name in self._truth.fixed:
            return _integer(self._truth.fixed[symbol.name], 0)
        if symbol.kind not in NUMBERS or depth > _MAX_REFERENCES:
            return None
        self._truth.spend(symbol.weight)
        before, self._by_default = self._by_default, depth + 1
        try:
            for entry in symbol.entries:
                for value, condition in entry.defaults:
                    if self._truth.possible(entry.depends) and self._truth.possible(condition):
                        value = value.strip("\"'")
                        other = self._truth.symbols.get(value)
                        if other is not None:
                            return self.number(other, depth + 1)
                        return _integer(value, base)
        finally:
            self._by_default = before
        return None


def _holds(operator: str, left: str, right: str) -> bool | None:
    """Return whether a comparison of two texts holds; of words only = and != say anything."""
    a, b = _integer(left, 0), _integer(right, 0)
    if a is None or b is None:
        return {"=": left == right, "!=": left != right}.get(operator)
    match operator:
        case "=":
            return a == b
        case "!=":
            return a != b
        case "<":
            return a < b
        case ">":
            return a > b
        case "<=":
            return a <= b
    return a >= b


def _integer(text: str, base: int) -> int | None:
    try:
        return int(text, base) if len(text) <= _MAX_DIGITS else None
    except ValueError:
        return None
