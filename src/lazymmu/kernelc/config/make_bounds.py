# SPDX-License-Identifier: GPL-2.0-or-later
"""How much work the Makefiles of a tree may ask for: of one line, and of all of them together.

Work is counted in characters that are looked at. A line that asks for more than a line may is
lost, and so is every line once all of them have had their share.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEEPEST", "Budget", "MakeLimitError"]

_LINE: Final = 1_000_000
"""Characters that are looked at to expand one line; the most in 7.3 are 151,857."""

_ALL: Final = 10_000_000
"""The same of all Makefiles together; in 7.3 they are 1,822,035."""

DEEPEST: Final = 100
"""How deep references and functions stand inside each other."""


class MakeLimitError(Exception):
    """What a line asks for is beyond a bound, which the message names."""


class Budget:
    """What the Makefiles that are read under one configuration may still ask for."""

    __slots__ = ("_spent", "_until")

    def __init__(self) -> None:
        """Begin with all of it."""
        self._spent = 0
        self._until = _ALL

    def charge(self, characters: int) -> None:
        """Count work for the line at hand.

        :raises TooMuchError: that is enough.
        """
        # What is refused is not done, and costs what was left.
        self._spent = min(self._spent + characters, self._until + 1)
        if self._spent > self._until:
            raise MakeLimitError("a line that expands to too much")

    @contextmanager
    def line(self) -> Iterator[None]:
        """One line, perhaps in the middle of another that includes it: that one does not pay."""
        outer, before = self._until, self._spent
        self._until = min(_ALL, before + _LINE)
        try:
            yield
        finally:
            self._until = min(_ALL, outer + self._spent - before)
