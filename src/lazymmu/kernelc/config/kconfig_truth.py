# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of Kconfig's symbols, and what that says of expressions.

Two sets: the symbols that can be on, and those that must be. An expression is possible or not, and
certain or not, as they stand; the solver (kconfig_solver.py) changes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.config.kconfig_expressions import UNREAD, YES, Expression, negation
from lazymmu.kernelc.config.kconfig_macros import TESTS
from lazymmu.kernelc.config.kconfig_numbers import Comparisons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lazymmu.kernelc.config.kconfig_symbols import Symbol

__all__ = ["KconfigLimitError", "Truth"]

_MAX_WORK: Final = 10_000_000
"""Names that are looked at until all symbols are settled; in 7.3 they are 640,369."""


class KconfigLimitError(Exception):
    """The symbols do not settle within the bounds."""


class Truth:
    """Which symbols can be on (`can`) and which must be (`must`), as far as is known.

    open: whether any member of a choice may be on and any test of the toolchain may fail.
    """

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        fixed: Mapping[str, str],
        variables: Mapping[str, str],
        excluded: Callable[[Truth, Iterable[Expression]], bool],
    ) -> None:
        """Begin with the `fixed` symbols alone.

        excluded: tells whether expressions cannot hold together because of a choice.
        """
        self.symbols = symbols
        self.fixed = fixed
        self.variables = variables
        self.open = False
        self.can = {YES, TESTS, *(name for name, value in fixed.items() if value == "y")}
        self.must = set(self.can)
        self.can.add(UNREAD)
        self._excluded = excluded
        self._left = _MAX_WORK
        self._comparisons = Comparisons(self)

    def spend(self, work: int) -> None:
        """Count names that are looked at.

        :raises TooMuchError: they are too many.
        """
        self._left -= work
        if self._left < 0:
            raise KconfigLimitError

    def possible(self, expression: Expression) -> bool:
        """Tell whether the expression can hold."""
        if expression.__class__ is str:
            return expression in self.can
        match expression[0]:
            case "&":
                for part in expression[1:]:
                    if part.__class__ is str:
                        if part not in self.can:
                            return False
                    elif not self.possible(part):
                        return False
                return not self.open or not self._excluded(self, expression[1:])
            case "|":
                for part in expression[1:]:
                    if part in self.can if part.__class__ is str else self.possible(part):
                        return True
                return False
            case "!":
                return not self.certain(expression[1])
        return self._comparisons.compare(expression) is not False

    def certain(self, expression: Expression) -> bool:
        """Tell whether the expression must hold."""
        if expression.__class__ is str:
            return expression in self.must
        match expression[0]:
            case "&":
                return all(map(self.certain, expression[1:]))
            case "|":
                if any(map(self.certain, expression[1:])):
                    return True
                return self.open and self._excluded(self, map(negation, expression[1:]))
            case "!":
                return not self.possible(expression[1])
        return self._comparisons.compare(expression) is True

    def number(self, symbol: Symbol) -> int | None:
        """Return the value of an int or hex symbol: its first default that is possible."""
        return self._comparisons.number(symbol)
