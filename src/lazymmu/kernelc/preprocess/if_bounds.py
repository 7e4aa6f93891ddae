# SPDX-License-Identifier: GPL-2.0-or-later
"""How much work a `#if` expression may be, and what is raised for one that is too much or none."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_CHARACTERS", "BeyondError", "NoExpressionError", "Work"]

MAX_CHARACTERS: Final = 20_000
"""Length of an expression, and of a macro in it, as written."""

_MAX_TOKENS: Final = 20_000
"""Tokens that are looked at for one expression; the most in 7.3 are 187."""

_MAX_TOKENS_OF_ALL: Final = 2_000_000
"""The same of all expressions of a walk; in 7.3 they are 19,000."""


class NoExpressionError(Exception):
    """The tokens are no expression of the preprocessor."""


class BeyondError(Exception):
    """The expression is too long or too deep, or its macros grow too much, to be evaluated."""


class Work:
    """How many tokens may still be looked at: for one expression, and for all of one walk."""

    __slots__ = ("left", "still")

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self.still = _MAX_TOKENS_OF_ALL
        self.left = 0

    def begin(self) -> None:
        """Begin another expression."""
        self.left = min(_MAX_TOKENS, self.still)

    def spend(self, tokens: int) -> None:
        """Count tokens.

        :raises BeyondError: they are too many.
        """
        self.left -= tokens
        self.still -= tokens
        if self.left < 0:
            raise BeyondError
